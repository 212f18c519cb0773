/* SPDX-License-Identifier: Apache-2.0
 *
 * say.h - what a person reads.
 * In: errors, and the marks of a list. Out: text; colours on a terminal only.
 * Owns: nothing.  Thread: main's. */
#ifndef WALPOST_CLI_SAY_H
#define WALPOST_CLI_SAY_H

#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"

enum colour { COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED, COLOUR_DIM };

/* "walpost: what happened\n  remedy" on standard error; returns the exit status. */
int say_error(const struct error *error);

/* text in a colour, or as it is when stream is no terminal or NO_COLOR is set. */
void say_coloured(FILE *stream, enum colour colour, const char *text);

/* "Next: ...", the last line of a command that somebody goes on from. */
void PRINTF_LIKE(1, 2) say_next(const char *format, ...);

/* "17.2 MB" */
enum { BYTES_TEXT_SIZE = 32 };
const char *say_bytes(int64_t bytes, char text[static BYTES_TEXT_SIZE]);

/* A text of somebody else's, in at most width characters (0: all of it); what would steer a
 * terminal becomes "?". Returns the characters written. */
size_t say_text(FILE *stream, struct bytes text, size_t width);
size_t say_width(struct bytes text); /* in characters */

#endif
