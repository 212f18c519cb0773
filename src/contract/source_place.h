/* SPDX-License-Identifier: Apache-2.0
 *
 * source_place.h - where a declaration stands in its file.
 * In -> out: the descriptors of a file, and the way to a declaration in it -> its line, its
 *     comments.
 * Owns: nothing; all that is found borrows from the descriptors.  Thread: any; pure.
 * Keeps: descriptors without their source have no places: line 0, no comments. */
#ifndef WALPOST_CONTRACT_SOURCE_PLACE_H
#define WALPOST_CONTRACT_SOURCE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "contract/arena.h"
#include "contract/pool.h"
#include "descriptor.pb-c.h"

typedef Google__Protobuf__FileDescriptorProto pb_file;
typedef Google__Protobuf__SourceCodeInfo__Location pb_location;

enum { SOURCE_PATH_MAX = 64 };

/* The way to a declaration inside its file, as SourceCodeInfo writes it. */
struct source_path {
    int32_t parts[SOURCE_PATH_MAX];
    size_t n;
};

/* Field numbers of descriptor.proto, as paths have them. */
enum {
    IN_FILE_MESSAGE = 4,
    IN_FILE_ENUM = 5,
    IN_MESSAGE_FIELD = 2,
    IN_MESSAGE_NESTED = 3,
    IN_MESSAGE_ENUM = 4,
    IN_MESSAGE_ONEOF = 8,
    IN_MESSAGE_RESERVED_RANGE = 9,
    IN_MESSAGE_RESERVED_NAME = 10,
    IN_ENUM_RESERVED_RANGE = 4,
    IN_ENUM_RESERVED_NAME = 5,
};

/* False: it is too deep. */
bool source_path_descend(struct source_path *path, int32_t kind, size_t index);

/* Of what stands below `path`. NULL: unknown. */
const pb_location *source_location(const pb_file *file, const struct source_path *path,
                                   int32_t kind, size_t index);

/* Lines count from 1; 0: unknown. */
int32_t source_line(const pb_file *file, const struct source_path *path, int32_t kind,
                    size_t index);

/* What is reserved in the message or enum at `path`. (reserved.c) */
struct reserved reserved_in_message(struct arena *arena, const pb_file *file,
                                    const Google__Protobuf__DescriptorProto *from,
                                    const struct source_path *path);
struct reserved reserved_in_enum(struct arena *arena, const pb_file *file,
                                 const Google__Protobuf__EnumDescriptorProto *from,
                                 const struct source_path *path);

#endif
