/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/firsts.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum state { UNKNOWN, ON_ITS_WAY, REACHED };

void firsts_grow(struct firsts *firsts, uint32_t partitions)
{
    if (partitions <= firsts->size) {
        return;
    }
    uint8_t *states = must_calloc(partitions, sizeof(*states));
    if (firsts->size > 0) {
        memcpy(states, firsts->states, firsts->size);
    }
    free(firsts->states);
    firsts->states = states;
    firsts->unknown += partitions - firsts->size;
    firsts->size = partitions;
}

bool firsts_must_wait(const struct firsts *firsts, uint32_t partition)
{
    return partition < firsts->size && firsts->states[partition] == ON_ITS_WAY;
}

void firsts_sent(struct firsts *firsts, uint32_t partition)
{
    if (partition < firsts->size && firsts->states[partition] == UNKNOWN) {
        firsts->states[partition] = ON_ITS_WAY;
    }
}

void firsts_reported(struct firsts *firsts, uint32_t partition, bool arrived)
{
    if (partition >= firsts->size || firsts->states[partition] == REACHED) {
        return;
    }
    firsts->states[partition] = arrived ? REACHED : UNKNOWN;
    firsts->unknown -= arrived;
}

void firsts_forget(struct firsts *firsts)
{
    memset(firsts->states, UNKNOWN, firsts->size);
    firsts->unknown = firsts->size;
}

void firsts_release(struct firsts *firsts)
{
    free(firsts->states);
    *firsts = (struct firsts){.states = NULL};
}
