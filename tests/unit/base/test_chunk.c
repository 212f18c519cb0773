/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/chunk.h"

enum { SHARED = 256 * 1024, SHARED_MAX = 32 * 1024 };

Test(chunk, allocations_are_aligned_and_apart)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    enum { N = 500 };
    char *memory[N];
    struct chunk *owners[N];
    for (size_t i = 0; i < N; i++) {
        memory[i] = chunk_alloc(&pool, 1 + i * 7, &owners[i]);
        cr_assert_eq((uintptr_t)memory[i] % 16, 0);
        memset(memory[i], (int)(i & 0xff), 1 + i * 7);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < 1 + i * 7; k++) {
            cr_assert_eq((unsigned char)memory[i][k], i & 0xff, "allocation %zu", i);
        }
        chunk_free(&pool, owners[i]);
    }
    cr_expect_eq(pool.used, 0);
    chunk_pool_release(&pool);
}

Test(chunk, I8_used_is_0_again_when_all_is_released)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    cr_expect_eq(pool.used, 0);
    struct chunk *small;
    struct chunk *big;
    chunk_alloc(&pool, 100, &small);
    cr_expect_eq(pool.used, SHARED);
    chunk_alloc(&pool, 1000000, &big);
    cr_expect_geq(pool.used, SHARED + 1000000);
    struct chunk *adopted = chunk_adopt(&pool, malloc(5000000), 5000000);
    cr_expect_geq(pool.used, SHARED + 6000000);
    chunk_free(&pool, big);
    cr_expect_eq(pool.used, SHARED + 5000000);
    chunk_free(&pool, small);
    chunk_free(&pool, adopted);
    cr_expect_eq(pool.used, 0);
    chunk_pool_release(&pool);
}

Test(chunk, the_current_one_is_used_again_once_it_is_empty)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *owner;
    void *first = chunk_alloc(&pool, 1000, &owner);
    chunk_free(&pool, owner);
    for (int i = 0; i < 10000; i++) {
        void *again = chunk_alloc(&pool, 1000, &owner);
        cr_assert_eq(again, first);
        cr_assert_eq(pool.used, SHARED);
        chunk_free(&pool, owner);
    }
    cr_expect_eq(pool.spares, 0);
    chunk_pool_release(&pool);
}

Test(chunk, one_live_allocation_keeps_its_chunk)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *kept;
    char *memory = chunk_alloc(&pool, 64, &kept);
    memset(memory, 'k', 64);
    for (int i = 0; i < 1000; i++) {
        struct chunk *owner;
        memset(chunk_alloc(&pool, SHARED_MAX, &owner), 'x', SHARED_MAX);
        chunk_free(&pool, owner);
    }
    for (int i = 0; i < 64; i++) {
        cr_assert_eq(memory[i], 'k');
    }
    cr_expect_leq(pool.used, 2 * SHARED);
    chunk_free(&pool, kept);
    cr_expect_eq(pool.used, 0);
    chunk_pool_release(&pool);
}

Test(chunk, spares_are_bounded_and_come_back_empty)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    enum { N = 800 }; /* a hundred chunks */
    struct chunk *owners[N];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            memset(chunk_alloc(&pool, SHARED_MAX, &owners[i]), round, SHARED_MAX);
        }
        cr_expect_eq(pool.used, N / 8 * SHARED);
        for (int i = N - 1; i >= 0; i--) {
            chunk_free(&pool, owners[i]);
        }
        cr_expect_eq(pool.used, 0);
        cr_expect_leq(pool.spares, 64);
    }
    chunk_pool_release(&pool);
    cr_expect_null(pool.spare);
    cr_expect_eq(pool.spares, 0);
}

Test(chunk, the_border_between_shared_and_own)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *shared;
    struct chunk *own;
    chunk_alloc(&pool, SHARED_MAX, &shared);
    cr_expect_eq(shared, pool.current);
    char *memory = chunk_alloc(&pool, SHARED_MAX + 1, &own);
    memset(memory, 'x', SHARED_MAX + 1);
    cr_expect_neq(own, pool.current);
    chunk_free(&pool, own);
    cr_expect_eq(pool.spares, 0); /* of an odd size: given back, not kept */
    struct chunk *exact;          /* an own chunk of the shared size may serve as a spare */
    memset(chunk_alloc(&pool, SHARED, &exact), 'x', SHARED);
    chunk_free(&pool, exact);
    chunk_free(&pool, shared);
    cr_expect_eq(pool.used, 0);
    chunk_pool_release(&pool);
}

Test(chunk, an_adopted_one_of_the_shared_size_is_no_spare)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *adopted = chunk_adopt(&pool, malloc(SHARED), SHARED);
    chunk_free(&pool, adopted);
    cr_expect_eq(pool.spares, 0);
    cr_expect_eq(pool.used, 0);
    chunk_pool_release(&pool);
}

Test(chunk, random_orders_never_mix_memory)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    enum { SLOTS = 200 };
    struct {
        unsigned char *memory;
        size_t size;
        struct chunk *owner;
        unsigned char mark;
    } slots[SLOTS] = {{0}};
    srandom(7);
    for (int step = 0; step < 50000; step++) {
        size_t i = (size_t)random() % SLOTS;
        if (slots[i].memory != NULL) {
            cr_assert_eq(slots[i].memory[0], slots[i].mark);
            cr_assert_eq(slots[i].memory[slots[i].size - 1], slots[i].mark);
            chunk_free(&pool, slots[i].owner);
            slots[i].memory = NULL;
            continue;
        }
        size_t size = 1 + (size_t)random() % (random() % 50 == 0 ? 100000 : 2000);
        slots[i].size = size;
        slots[i].mark = (unsigned char)step;
        if (random() % 20 == 0) {
            slots[i].memory = malloc(size);
            slots[i].owner = chunk_adopt(&pool, slots[i].memory, size);
        } else {
            slots[i].memory = chunk_alloc(&pool, size, &slots[i].owner);
        }
        slots[i].memory[0] = slots[i].mark;
        slots[i].memory[size - 1] = slots[i].mark;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].memory != NULL) {
            chunk_free(&pool, slots[i].owner);
        }
    }
    cr_expect_eq(pool.used, 0);
    chunk_pool_release(&pool);
}

Test(chunk, a_second_release_is_caught, .signal = SIGABRT)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *owner;
    chunk_alloc(&pool, 8, &owner);
    chunk_free(&pool, owner);
    chunk_free(&pool, owner);
}

Test(chunk, a_pool_that_still_holds_something_is_not_released, .signal = SIGABRT)
{
    struct chunk_pool pool;
    chunk_pool_init(&pool);
    struct chunk *owner;
    chunk_alloc(&pool, 100000, &owner);
    chunk_pool_release(&pool);
}
