/* SPDX-License-Identifier: Apache-2.0
 *
 * sql_text.h - names and texts as SQL wants them.
 * In -> out: text -> the same with quotes, to a FILE.
 * Owns: nothing.  Thread: any. */
#ifndef WALPOST_GUARD_SQL_TEXT_H
#define WALPOST_GUARD_SQL_TEXT_H

#include <stdio.h>

#include "base/bytes.h"

/* 'text'; never with a dollar sign in it, so that it may stand in a dollar-quoted body. */
void sql_literal(FILE *out, struct bytes text);
/* "name" */
void sql_name(FILE *out, const char *name);

enum { SQL_NAME_SIZE = 64 };

/* A name of PostgreSQL's length at most: one that is longer, or is not ASCII, ends with a hash of
 * itself. */
void sql_short_name(char name[static SQL_NAME_SIZE], const char *long_name);

#endif
