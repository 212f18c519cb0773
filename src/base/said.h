/* SPDX-License-Identifier: Apache-2.0
 *
 * said.h - the same trouble, said once and then now and again.
 * In: words, and the time. Out: are they to be said?
 * Owns: a copy of the words.  Thread: one. */
#ifndef WALPOST_BASE_SAID_H
#define WALPOST_BASE_SAID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Begins zeroed; zeroed again, it has said nothing. */
struct said {
    char words[sizeof(((struct error *)0)->what)];
    int64_t at_us;
};

/* True for words that are not those of the last time, and for the same ones after every_us; then
 * they count as said. */
bool said_anew(struct said *said, const char *words, int64_t every_us, int64_t now_us);

#endif
