/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.h - memory that is given back all at once.
 * In -> out: sizes -> zeroed memory that stays put until arena_release.
 * Owns: its blocks.  Thread: one at a time. */
#ifndef WALPOST_CONTRACT_ARENA_H
#define WALPOST_CONTRACT_ARENA_H

#include <stddef.h>

#include "base/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t left; /* in the first one */
};

/* size zeroed bytes, aligned to 16. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy, with a NUL and at least 8 readable bytes behind it. */
struct bytes arena_copy(struct arena *arena, struct bytes text);

void arena_release(struct arena *arena);

#endif
