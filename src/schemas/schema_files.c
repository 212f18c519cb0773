/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/schema_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { VERSIONS_MAX = 9999 };

/* "v17.proto": 17; anything else: 0. */
static uint32_t version_of(const char *name)
{
    char *end;
    if (name[0] != 'v' || name[1] < '1' || name[1] > '9') {
        return 0;
    }
    unsigned long version = strtoul(name + 1, &end, 10);
    return strcmp(end, ".proto") == 0 && version <= VERSIONS_MAX ? (uint32_t)version : 0;
}

static enum verdict unreadable(const char *dir, int reason, struct error *error)
{
    error_set(error, INVALID, "%s cannot be read: %s", dir, strerror(reason));
    return error_remedy(error, "Name the directory of your contracts in contracts.dir: it holds "
                               "<EventType>/v<N>.proto.");
}

/* *newest is 0 when there is no version in it. */
static enum verdict look_into(const char *folder, uint32_t *newest, struct error *error)
{
    DIR *stream = opendir(folder);
    *newest = 0;
    if (stream == NULL) {
        return errno == ENOTDIR ? OK : unreadable(folder, errno, error);
    }
    bool there[VERSIONS_MAX + 1] = {false};
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        uint32_t version = version_of(entry->d_name);
        there[version] = true;
        *newest = version > *newest ? version : *newest;
    }
    closedir(stream);
    for (uint32_t version = 1; version < *newest; version++) {
        if (!there[version]) {
            error_set(error, INVALID, "%s/v%u.proto is missing, though there is a v%u.proto",
                      folder, version, *newest);
            return error_remedy(error, "Versions count from 1 without gaps: bring the file back, "
                                       "or give the later ones their right numbers.");
        }
    }
    return OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct schema_type *)a)->event_type,
                  ((const struct schema_type *)b)->event_type);
}

enum verdict schema_list_read(const char *dir, struct schema_list *list, struct error *error)
{
    *list = (struct schema_list){0};
    DIR *stream = opendir(dir);
    if (stream == NULL) {
        return unreadable(dir, errno, error);
    }
    enum verdict verdict = OK;
    const struct dirent *entry;
    while (verdict == OK && (entry = readdir(stream)) != NULL) {
        uint32_t newest = 0;
        if (entry->d_name[0] == '.') {
            continue;
        }
        char *folder = must_printf("%s/%s", dir, entry->d_name);
        verdict = look_into(folder, &newest, error);
        free(folder);
        if (verdict == OK && newest > 0) {
            list->items = must_realloc(list->items, (list->count + 1) * sizeof(list->items[0]));
            list->items[list->count++] = (struct schema_type){must_strdup(entry->d_name), newest};
        }
    }
    closedir(stream);
    if (verdict != OK) {
        schema_list_release(list);
        return verdict;
    }
    if (list->count > 0) {
        qsort(list->items, list->count, sizeof(list->items[0]), by_name);
    }
    return OK;
}

void schema_list_release(struct schema_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].event_type);
    }
    free(list->items);
    *list = (struct schema_list){0};
}
