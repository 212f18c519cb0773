/* SPDX-License-Identifier: Apache-2.0
 *
 * resolve.h - a host name becomes addresses, without blocking for longer than asked.
 * In: a name. Out: numbers for libpq's hostaddr. libpq itself would block on the lookup, for as
 *     long as the resolver likes.
 * Owns: a thread for each lookup, that frees its own memory when nobody waits for it any more.
 * Thread: any; waits in slices.
 * Keeps: nothing. */
#ifndef WALPOST_PG_RESOLVE_H
#define WALPOST_PG_RESOLVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { ADDRESSES_MAX = 8, ADDRESS_TEXT_SIZE = 80 };

struct addresses {
    size_t count;
    char text[ADDRESSES_MAX][ADDRESS_TEXT_SIZE];
};

/* Is there something to look up: neither a number nor the path of a socket? */
bool resolve_needed(const char *host);

/* RETRY: the name is not known (now), or no answer before the deadline (clock_us). AGAIN: *stop. */
enum verdict MUST_CHECK resolve_host(const char *host, int64_t deadline_us, const atomic_bool *stop,
                                     struct addresses *found, struct error *error);

#endif
