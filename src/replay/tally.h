/* SPDX-License-Identifier: Apache-2.0
 *
 * tally.h - how many events of which type went to which topic.
 * In: pairs of names, one for each event. Out: counts.
 * Owns: copies of the names (tally_release).  Thread: one. */
#ifndef WALPOST_REPLAY_TALLY_H
#define WALPOST_REPLAY_TALLY_H

#include <stdint.h>

#include "base/bytes.h"

/* More pairs than this are counted together: a topic for each aggregate is no list for a person. */
enum { TALLY_MAX = 1000 };

struct tally_row {
    char *topic;
    char *event_type;
    uint64_t events;
};
struct tally {
    struct tally_row *rows;
    size_t count;
    uint64_t others; /* events of pairs that found no room */
    size_t last;     /* the next event mostly is of the same pair */
};

void tally_add(struct tally *tally, const char *topic, struct bytes event_type);
/* By topic, then by type. */
void tally_sort(struct tally *tally);
void tally_release(struct tally *tally);

#endif
