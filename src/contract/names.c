/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/names.h"

/* The two ends of a name and its length: names of one contract rarely share all three, and who
 * writes a contract does not attack himself. */
static uint32_t hash(struct bytes name)
{
    uint64_t head = 0;
    uint64_t tail = 0;
    size_t part = name.len < 8 ? name.len : 8;
    memcpy(&head, name.data, part);
    memcpy(&tail, name.data + name.len - part, part);
    uint64_t mixed = (head ^ name.len) * UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ (mixed >> 29) ^ tail) * UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)(mixed >> 32);
}

uint32_t name_table_slots(uint32_t names)
{
    uint32_t slots = 2;
    while (slots < names * 2) {
        slots *= 2;
    }
    return slots;
}

void name_table_init(struct name_table *table, struct name_slot *slots, uint32_t n_slots)
{
    *table = (struct name_table){.slots = slots, .mask = n_slots - 1};
}

static struct name_slot *slot_of(const struct name_table *table, struct bytes name)
{
    uint32_t at = hash(name) & table->mask;
    while (table->slots[at].name.data != NULL && !bytes_equal(table->slots[at].name, name)) {
        at = (at + 1) & table->mask;
    }
    return &table->slots[at];
}

bool name_table_add(struct name_table *table, struct bytes name, uint32_t number)
{
    struct name_slot *slot = slot_of(table, name);
    if (slot->name.data != NULL) {
        return false;
    }
    *slot = (struct name_slot){name, number};
    return true;
}

uint32_t name_table_find(const struct name_table *table, struct bytes name)
{
    const struct name_slot *slot = slot_of(table, name);
    return slot->name.data == NULL ? NAME_NOT_FOUND : slot->number;
}
