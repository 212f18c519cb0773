/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlstate.h - what an error of PostgreSQL means for walpost.
 * In: a SQLSTATE. Out: a verdict.
 * Owns: nothing.
 * Thread: any.
 * Keeps: the one table from SQLSTATE to verdict. It never looks at a message's text, which is in
 *     the server's language.
 * Source: PostgreSQL documentation, "PostgreSQL Error Codes". */
#ifndef WALPOST_PG_SQLSTATE_H
#define WALPOST_PG_SQLSTATE_H

#include <stdbool.h>

#include "base/error.h"

/* NULL or "": the connection was lost without a word, RETRY. A code that is not in the table:
 * FATAL. */
enum verdict sqlstate_verdict(const char *sqlstate);

/* Has the text the form of a SQLSTATE: five digits or capital letters? */
bool sqlstate_valid(const char *text);

#endif
