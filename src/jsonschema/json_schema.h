/* SPDX-License-Identifier: Apache-2.0
 *
 * json_schema.h - contracts in JSON Schema.
 * In -> out: a schema (draft-04 to draft-07) -> compiled once; a payload -> whether it holds, or
 *            how it breaks the contract.
 * Owns: the compiled schema, until json_schema_free.
 * Thread: loaded by one thread; then read-only, so any number of threads may check with it.
 * Source: JSON Schema draft-07, sections 6 and 7.
 * Keeps: nothing is fetched from anywhere. Every payload gets a verdict: nesting, names that stand
 *        twice, numbers that no double holds and text that is not UTF-8 are violations. */
#ifndef WALPOST_JSONSCHEMA_JSON_SCHEMA_H
#define WALPOST_JSONSCHEMA_JSON_SCHEMA_H

#include "contract/compat.h"
#include "contract/tree.h"
#include "contract/violation.h"

struct json_schema;

/* INVALID: it is no schema, needs another document, or uses what is not judged here. */
enum verdict MUST_CHECK json_schema_load(struct bytes text, struct json_schema **schema,
                                         struct error *error);
void json_schema_free(struct json_schema *schema);

/* The payload as it stands is what leaves. REJECT and *violation otherwise. */
enum verdict MUST_CHECK json_schema_check(const struct json_schema *schema, struct bytes payload,
                                          struct violation *violation);

/* The schema's "title", where it is a plain name; NULL: there is none. */
const char *json_schema_title(const struct json_schema *schema);
/* How many it names on its outermost level. */
unsigned json_schema_properties(const struct json_schema *schema);

/* Appends every difference that a reader of `reader` meets in events of `writer`. */
void json_schema_compare(const struct json_schema *writer, const struct json_schema *reader,
                         struct differences *differences);

/* --- inside ----------------------------------------------------------------------------------- */

const struct tree *json_schema_root(const struct json_schema *schema);

/* Can the schema be compiled, and does every check with it end? (vet.c) */
enum verdict MUST_CHECK json_schema_vet(const struct tree *root, struct error *error);

/* Where a reference into the same document leads; NULL: nowhere. (vet.c) */
const struct tree *json_schema_target(const struct tree *root, struct bytes reference);

#endif
