/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/arena.h"

#include <stdlib.h>

#include "base/check.h"

enum { BLOCK_SIZE = 16 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    _Alignas(16) char memory[];
};

static void add_block(struct arena *arena, size_t size)
{
    struct arena_block *block = must_calloc(1, sizeof(*block) + size);
    block->next = arena->blocks;
    arena->blocks = block;
    arena->left = size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (arena->blocks == NULL || arena->left < size) {
        add_block(arena, size > BLOCK_SIZE ? size : BLOCK_SIZE);
    }
    struct arena_block *block = arena->blocks;
    void *memory = block->memory + block->used;
    block->used += size;
    arena->left -= size;
    return memory;
}

struct bytes arena_copy(struct arena *arena, struct bytes text)
{
    char *copy = arena_alloc(arena, text.len + 8);
    if (text.len > 0) {
        memcpy(copy, text.data, text.len);
    }
    return (struct bytes){copy, text.len};
}

void arena_release(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->left = 0;
}
