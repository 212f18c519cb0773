/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/source_place.h"

static const struct reserved_name *copy_names(struct arena *arena, char *const *from, size_t n,
                                              const pb_file *file, const struct source_path *path,
                                              int32_t kind)
{
    struct reserved_name *names = arena_alloc(arena, (n + 1) * sizeof(*names));
    for (size_t i = 0; i < n; i++) {
        names[i].name = arena_copy(arena, bytes_of(from[i]));
        names[i].line = source_line(file, path, kind, i);
    }
    return names;
}

struct reserved reserved_in_message(struct arena *arena, const pb_file *file,
                                    const Google__Protobuf__DescriptorProto *from,
                                    const struct source_path *path)
{
    size_t n = from->n_reserved_range;
    struct reserved_range *ranges = arena_alloc(arena, (n + 1) * sizeof(*ranges));
    for (size_t i = 0; i < n; i++) {
        ranges[i].first = from->reserved_range[i]->start;
        ranges[i].last = from->reserved_range[i]->end - 1; /* of messages it is behind the last */
        ranges[i].line = source_line(file, path, IN_MESSAGE_RESERVED_RANGE, i);
    }
    return (struct reserved){
        .ranges = ranges,
        .names = copy_names(arena, from->reserved_name, from->n_reserved_name, file, path,
                            IN_MESSAGE_RESERVED_NAME),
        .n_ranges = (uint32_t)n,
        .n_names = (uint32_t)from->n_reserved_name,
    };
}

struct reserved reserved_in_enum(struct arena *arena, const pb_file *file,
                                 const Google__Protobuf__EnumDescriptorProto *from,
                                 const struct source_path *path)
{
    size_t n = from->n_reserved_range;
    struct reserved_range *ranges = arena_alloc(arena, (n + 1) * sizeof(*ranges));
    for (size_t i = 0; i < n; i++) {
        ranges[i].first = from->reserved_range[i]->start;
        ranges[i].last = from->reserved_range[i]->end;
        ranges[i].line = source_line(file, path, IN_ENUM_RESERVED_RANGE, i);
    }
    return (struct reserved){
        .ranges = ranges,
        .names = copy_names(arena, from->reserved_name, from->n_reserved_name, file, path,
                            IN_ENUM_RESERVED_NAME),
        .n_ranges = (uint32_t)n,
        .n_names = (uint32_t)from->n_reserved_name,
    };
}
