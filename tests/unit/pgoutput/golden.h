/* SPDX-License-Identifier: Apache-2.0
 *
 * golden.h - the messages that a real server sent, and what a decoded one looks like as text.
 * In -> out: tests/golden/pgoutput/<scenario>.hex -> messages; a change -> a few lines.
 * Owns: each message, in an allocation of exactly its size: a sanitizer sees a byte read too many.
 * Thread: any. */
#ifndef WALPOST_TESTS_GOLDEN_H
#define WALPOST_TESTS_GOLDEN_H

#include <stdio.h>

#include "pgoutput/change.h"

struct golden {
    struct bytes *messages;
    size_t n_messages;
};

/* Ends the test when the file is not there, is no hexadecimal or holds no message. */
void golden_read(struct golden *golden, const char *scenario);
void golden_release(struct golden *golden);

void golden_print(FILE *to, const struct decoder *decoder, const struct change *change);

/* tests/golden/pgoutput/<scenario><suffix>, to be freed. */
char *golden_path(const char *scenario, const char *suffix);

#endif
