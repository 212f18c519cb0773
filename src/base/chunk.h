/* SPDX-License-Identifier: Apache-2.0
 *
 * chunk.h - the memory that events live in, from the wire until they are settled.
 * In -> out: sizes -> memory that stays put; a release for each allocation gives the chunk back.
 * Owns: every chunk; an allocation borrows. What is too big for a shared chunk gets one of its own.
 * Thread: the loop thread only allocates and releases; other threads may read and write inside an
 *     allocation.
 * Keeps: I8. `used` counts every byte held; the caller stops reading when it passes the limit. */
#ifndef WALPOST_BASE_CHUNK_H
#define WALPOST_BASE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>

struct chunk;

struct chunk_pool {
    struct chunk *current;
    struct chunk *spare; /* emptied chunks, kept for the next */
    size_t spares;
    size_t used; /* bytes of all chunks that hold something */
};

void chunk_pool_init(struct chunk_pool *pool);
/* Frees the spare chunks. Every allocation must have been released. */
void chunk_pool_release(struct chunk_pool *pool);

/* size bytes, aligned to 16. *owner is what to release. Never NULL. */
void *chunk_alloc(struct chunk_pool *pool, size_t size, struct chunk **owner);

/* Takes over memory from malloc (a row too big to copy) as a chunk with one allocation. */
struct chunk *chunk_adopt(struct chunk_pool *pool, void *memory, size_t size);

/* One call for each chunk_alloc or chunk_adopt. */
void chunk_free(struct chunk_pool *pool, struct chunk *owner);

#endif
