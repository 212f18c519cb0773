/* SPDX-License-Identifier: Apache-2.0
 *
 * schema_files.h - the contracts that lie in contracts.dir: <EventType>/v<N>.proto, .avsc or .json.
 * In: a directory. Out: event types in alphabetical order, each with its newest version.
 * Owns: the list (schema_list_release).  Thread: main's.
 * Keeps: versions count from 1 without gaps, and are of one kind; a file that is nearly named like
 *        one is an error. Types are UTF-8 without control characters. A folder without any version
 *        is no event type. */
#ifndef WALPOST_SCHEMAS_SCHEMA_FILES_H
#define WALPOST_SCHEMAS_SCHEMA_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What a contract is written in. */
enum schema_kind { SCHEMA_PROTOBUF, SCHEMA_AVRO, SCHEMA_JSON };

/* "Protobuf"; "proto", as files end. */
const char *schema_kind_name(enum schema_kind kind);
const char *schema_kind_ending(enum schema_kind kind);

struct schema_type {
    char *event_type;
    enum schema_kind kind;
    uint32_t versions; /* v1 to this */
};

struct schema_list {
    struct schema_type *items;
    size_t count;
};

/* INVALID: the directory cannot be read, a version is missing or no file, or two are of different
 * kinds. */
enum verdict MUST_CHECK schema_list_read(const char *dir, struct schema_list *list,
                                         struct error *error);
void schema_list_release(struct schema_list *list);

#endif
