/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chunk.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"

enum {
    CHUNK_SIZE = 256 * 1024,
    CHUNK_SHARED_MAX = 32 * 1024, /* a bigger allocation gets a chunk of its own */
    SPARES_MAX = 64,              /* 16 MiB that wait for the next burst */
};

struct chunk {
    struct chunk *next; /* in the list of spares */
    size_t size;        /* of memory */
    size_t offset;
    size_t live; /* allocations not yet released */
    char *memory;
    void *adopted; /* freed with the chunk, or NULL */
};

void chunk_pool_init(struct chunk_pool *pool)
{
    *pool = (struct chunk_pool){0};
}

static struct chunk *chunk_new(size_t size)
{
    struct chunk *chunk = must_malloc(sizeof(*chunk) + 16 + size);
    *chunk = (struct chunk){.size = size};
    char *behind = (char *)(chunk + 1);
    chunk->memory = behind + (16 - (uintptr_t)behind % 16) % 16;
    return chunk;
}

void chunk_pool_release(struct chunk_pool *pool)
{
    check(pool->used == 0);
    free(pool->current);
    while (pool->spare != NULL) {
        struct chunk *next = pool->spare->next;
        free(pool->spare);
        pool->spare = next;
    }
    chunk_pool_init(pool);
}

static void chunk_next(struct chunk_pool *pool)
{
    if (pool->spare != NULL) {
        pool->current = pool->spare;
        pool->spare = pool->current->next;
        pool->spares--;
        pool->current->offset = 0;
    } else {
        pool->current = chunk_new(CHUNK_SIZE);
    }
}

/* A chunk that nobody allocates from any more and that holds nothing goes to the spares, or back.
 */
static void chunk_retire(struct chunk_pool *pool, struct chunk *chunk)
{
    if (chunk->size == CHUNK_SIZE && chunk->adopted == NULL && pool->spares < SPARES_MAX) {
        chunk->next = pool->spare;
        pool->spare = chunk;
        pool->spares++;
        return;
    }
    free(chunk->adopted);
    free(chunk);
}

void *chunk_alloc(struct chunk_pool *pool, size_t size, struct chunk **owner)
{
    size = (size + 15) & ~(size_t)15;
    if (size > CHUNK_SHARED_MAX) {
        struct chunk *own = chunk_new(size);
        own->live = 1;
        pool->used += size;
        *owner = own;
        return own->memory;
    }
    struct chunk *chunk = pool->current;
    if (chunk == NULL || chunk->offset + size > chunk->size) {
        chunk_next(pool); /* the full one holds something: chunk_free retires it */
        chunk = pool->current;
    }
    void *memory = chunk->memory + chunk->offset;
    chunk->offset += size;
    if (chunk->live++ == 0) {
        pool->used += chunk->size;
    }
    *owner = chunk;
    return memory;
}

struct chunk *chunk_adopt(struct chunk_pool *pool, void *memory, size_t size)
{
    struct chunk *chunk = chunk_new(0);
    chunk->size = size;
    chunk->live = 1;
    chunk->adopted = memory;
    pool->used += size;
    return chunk;
}

void chunk_free(struct chunk_pool *pool, struct chunk *owner)
{
    check(owner->live > 0);
    owner->live--;
    if (owner->live > 0) {
        return;
    }
    pool->used -= owner->size;
    if (owner == pool->current) {
        owner->offset = 0;
        return;
    }
    chunk_retire(pool, owner);
}
