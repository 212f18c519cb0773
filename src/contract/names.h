/* SPDX-License-Identifier: Apache-2.0
 *
 * names.h - a table of names that never changes once it is built.
 * In -> out: names with their numbers -> the number of a name.
 * Owns: nothing: slots and names live in the pool's arena.
 * Thread: read-only once built.
 * Keeps: at least half of the slots are empty, so a look-up ends. */
#ifndef WALPOST_CONTRACT_NAMES_H
#define WALPOST_CONTRACT_NAMES_H

#include <stdint.h>

#include "base/bytes.h"

struct name_slot {
    struct bytes name; /* data NULL: empty */
    uint32_t number;
};

struct name_table {
    struct name_slot *slots;
    uint32_t mask;
};

enum { NAME_NOT_FOUND = UINT32_MAX };

/* How many slots a table for so many names needs: a power of 2. */
uint32_t name_table_slots(uint32_t names);

/* slots: name_table_slots(...) of them, all zero. */
void name_table_init(struct name_table *table, struct name_slot *slots, uint32_t n_slots);

/* The first one of a name stays: then false. */
bool name_table_add(struct name_table *table, struct bytes name, uint32_t number);

uint32_t name_table_find(const struct name_table *table, struct bytes name);

#endif
