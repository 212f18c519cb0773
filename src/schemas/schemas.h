/* SPDX-License-Identifier: Apache-2.0
 *
 * schemas.h - the contracts of a folder: schemas/<EventType>/v<N>.proto, .avsc or .json, compiled.
 * In -> out: a folder -> every version of every event type: its descriptors and the message that is
 *            the event, or its schema.
 * Owns: what was compiled, and names, until schemas_release.
 * Thread: the caller's, which waits for protoc; afterwards read-only.
 * Keeps: versions count from 1 without gaps, and are of one kind. */
#ifndef WALPOST_SCHEMAS_SCHEMAS_H
#define WALPOST_SCHEMAS_SCHEMAS_H

#include "contract/compat.h"
#include "contract/pool.h"
#include "schemas/schema_files.h"

struct avro_contract;
struct json_schema;

struct schema {
    char *type; /* Order.Placed */
    char *file; /* Order.Placed/v1.proto: below the folder, and as the descriptors name it */
    uint32_t version;
    enum schema_kind kind;
    const char *event; /* its full name; of JSON Schema the title, else the type */
    unsigned fields;   /* on its outermost level */
    int32_t line;      /* of the message; 1 of other kinds */
    /* by kind; the others are NULL */
    struct pool *pool;
    const struct message *message;
    struct avro_contract *avro;
    struct json_schema *json;
};

struct schemas {
    char *folder;
    struct schema *all; /* by type, then by version */
    size_t n;
};

/* Reads and compiles all of them. Imports are looked for below the folder, then where protoc has
 * its own. INVALID: a version is missing, does not compile, or does not say which of its messages
 * is the event; then nothing is left to release. */
enum verdict MUST_CHECK schemas_load(const char *folder, struct schemas *schemas,
                                     struct error *error);
void schemas_release(struct schemas *schemas);

/* Appends every difference that `reader` meets in events of `writer`. Both are of one kind. */
void schema_compare(const struct schema *writer, const struct schema *reader,
                    struct differences *differences);
/* What the newer version does to what the older one reserved; only Protobuf knows that. */
void schema_compare_reserved(const struct schema *older, const struct schema *newer,
                             struct differences *differences);

/* The message of a file that is the event of `type`: the one that a line
 *     // walpost.event: NAME
 * names; else the only one that stands in no other; else the one with the name of the type without
 * its dots (OrderPlaced for Order.Placed), or of what comes behind its first one (Placed). */
enum verdict MUST_CHECK schema_find_event(const struct pool *pool, const char *file,
                                          const char *type, struct bytes source,
                                          const struct message **message, struct error *error);

/* Appends that the two do not mean the same message, where the reader has both: one that is gone is
 * a difference of the files. Both are Protobuf. */
void schema_compare_events(const struct schema *writer, const struct schema *reader,
                           struct differences *differences);

/* INVALID: a mark // walpost.required in `source` that belongs to no field, or is misspelt. */
enum verdict MUST_CHECK schema_check_marks(const struct pool *pool, const char *file,
                                           struct bytes source, struct error *error);

enum naming_fault {
    NAMING_FINE,
    NAMING_SHAPE,   /* neither Domain.Entity.Action nor Domain.EntityAction */
    NAMING_COMMAND, /* not in the past tense, as far as the letters of its last word tell */
};

/* What is wrong with the name of an event type. (naming.c) */
enum naming_fault schema_name_fault(const char *type);

/* Compiles one file. INVALID, with protoc's own words. (protoc.c) */
enum verdict MUST_CHECK protoc_compile(const char *folder, const char *file, struct pool **pool,
                                       struct error *error);

#endif
