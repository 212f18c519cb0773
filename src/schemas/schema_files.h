/* SPDX-License-Identifier: Apache-2.0
 *
 * schema_files.h - the contracts that lie in contracts.dir: <EventType>/v<N>.proto.
 * In: a directory. Out: event types in alphabetical order, each with its newest version.
 * Owns: the list (schema_list_release).  Thread: main's.
 * Keeps: versions count from 1 without gaps. A folder without a v<N>.proto is no event type. */
#ifndef WALPOST_SCHEMAS_SCHEMA_FILES_H
#define WALPOST_SCHEMAS_SCHEMA_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct schema_type {
    char *event_type;
    uint32_t versions; /* v1 to this */
};

struct schema_list {
    struct schema_type *items;
    size_t count;
};

/* INVALID: the directory cannot be read, or a version is missing. */
enum verdict MUST_CHECK schema_list_read(const char *dir, struct schema_list *list,
                                         struct error *error);
void schema_list_release(struct schema_list *list);

#endif
