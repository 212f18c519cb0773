/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/source_place.h"

#include <string.h>

bool source_path_descend(struct source_path *path, int32_t kind, size_t index)
{
    if (path->n + 2 > SOURCE_PATH_MAX) {
        return false;
    }
    path->parts[path->n++] = kind;
    path->parts[path->n++] = (int32_t)index;
    return true;
}

const pb_location *source_location(const pb_file *file, const struct source_path *path,
                                   int32_t kind, size_t index)
{
    if (file->source_code_info == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < file->source_code_info->n_location; i++) {
        const pb_location *location = file->source_code_info->location[i];
        if (location->n_path == path->n + 2 && location->n_span > 0 &&
            memcmp(location->path, path->parts, path->n * sizeof(path->parts[0])) == 0 &&
            location->path[path->n] == kind && location->path[path->n + 1] == (int32_t)index) {
            return location;
        }
    }
    return NULL;
}

int32_t source_line(const pb_file *file, const struct source_path *path, int32_t kind, size_t index)
{
    const pb_location *location = source_location(file, path, kind, index);
    return location == NULL ? 0 : location->span[0] + 1;
}
