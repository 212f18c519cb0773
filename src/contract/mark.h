/* SPDX-License-Identifier: Apache-2.0
 *
 * mark.h - the mark of a field that must come, which proto3 has no word for.
 * In -> out: a comment -> how many marks it has; a whole file -> the same, and those misspelt.
 * Owns: nothing.  Thread: any; pure.
 *
 *     string id = 1; // walpost.required
 *
 * A comment, and no option of our own: an option would be an import that every consumer's build,
 * every registry and every other tool must have as well. Where (google.api.field_behavior) is there
 * already, its REQUIRED says the same. */
#ifndef WALPOST_CONTRACT_MARK_H
#define WALPOST_CONTRACT_MARK_H

#include <stdint.h>

#include "base/bytes.h"

/* A line that begins with the mark, as protoc hands comments over: without slashes and stars. */
unsigned marks_in_comment(struct bytes comment);

struct source_marks {
    unsigned n;
    int32_t misspelt; /* the line of the first "walpost.req..." that is none; 0: there is none */
};

/* As the file is written. */
struct source_marks marks_in_source(struct bytes source);

#endif
