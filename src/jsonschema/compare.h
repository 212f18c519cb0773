/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.h - the inside of json_schema_compare, for the files compare*.c.
 * In -> out: two schemas -> what the reader does not allow of what the writer does.
 * Owns: the list of pairs that were met: a schema that refers to itself would never end.
 * Thread: one at a time. */
#ifndef WALPOST_JSONSCHEMA_COMPARE_H
#define WALPOST_JSONSCHEMA_COMPARE_H

#include <stdio.h>

#include "jsonschema/json_schema.h"

struct json_pair {
    const struct tree *writer;
    const struct tree *reader;
};

struct json_comparison {
    struct differences *out;
    const struct tree *writer_root;
    const struct tree *reader_root;
    struct json_pair *pairs;
    size_t n_pairs;
    bool in_writer;    /* the lines that are noted are of the writer's file */
    char subject[160]; /* items[].price */
};

struct json_bound {
    const char *name;
    const char *open; /* its exclusive kin, or NULL */
    bool upper;
    enum change added;
    enum change tightened;
};

/* NULL is the schema that allows everything. */
void compare_schemas(struct json_comparison *comparison, const struct tree *writer,
                     const struct tree *reader);
/* The same without a word: is nothing broken? */
bool compare_matches(const struct json_comparison *comparison, const struct tree *writer,
                     const struct tree *reader);

void compare_note(const struct json_comparison *comparison, enum change change,
                  const struct tree *at, const char *detail);
/* The subject gets longer; it is cut again at the length that is returned. */
size_t compare_inside(struct json_comparison *comparison, struct bytes name, const char *brackets);
/* By value: 1.0 is 1, and members have no order. */
bool compare_equal(const struct tree *a, const struct tree *b);

/* --- compare_inner.c --- */

/* allOf, anyOf, oneOf. False: all has been said. */
bool compare_combined(struct json_comparison *comparison, const struct tree *writer,
                      const struct tree *reader);
void compare_objects(struct json_comparison *comparison, const struct tree *writer,
                     const struct tree *reader);
void compare_arrays(struct json_comparison *comparison, const struct tree *writer,
                    const struct tree *reader);
/* Keywords that cannot be compared, where they are not the same. */
void compare_unjudged(struct json_comparison *comparison, const struct tree *writer,
                      const struct tree *reader);

#endif
