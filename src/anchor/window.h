/* SPDX-License-Identifier: Apache-2.0
 *
 * window.h - what can be replayed, how far the anchor may follow, and which time a position has.
 * In: positions, bounds, times. Out: positions and times.
 * Owns: nothing; pure.  Thread: any.
 * Keeps: the anchor never passes the live slot, and gives way before the server takes it. */
#ifndef WALPOST_ANCHOR_WINDOW_H
#define WALPOST_ANCHOR_WINDOW_H

#include "checkpoint/journal.h"

struct anchor_facts {
    lsn anchor_lsn;       /* confirmed_flush_lsn of the anchor: the window begins there */
    lsn live_lsn;         /* of the stream's own slot: the window ends there */
    lsn wal_lsn;          /* the server's current end of WAL */
    uint64_t keep_bytes;  /* 0: no bound */
    uint64_t keep_for_us; /* 0: no bound */
    int64_t limit_bytes;  /* max_slot_wal_keep_size; -1: none */
    int64_t safe_bytes;   /* so much more WAL until the server takes the anchor; -1: no limit */
    int64_t now_us;       /* by the server's clock */
    const struct wal_clock *clock;
};
/* Where the anchor has to move to; 0: it stays. */
lsn anchor_target(const struct anchor_facts *facts);
/* May the server soon take the anchor, so that it has to give everything up? */
bool anchor_is_in_danger(int64_t limit_bytes, int64_t safe_bytes);
/* The most WAL that will be kept: keep_bytes, or what the server's limit leaves of it; 0: no bound.
 */
uint64_t anchor_keep_bytes(uint64_t keep_bytes, int64_t limit_bytes);

/* How often a moment is noted, so that 32 of them or more cover the time that is kept. */
int64_t wal_clock_interval_us(uint64_t keep_for_us);
/* Adds a moment. Those below first_lsn are forgotten; when there is no room, every second one is.
 * False: it says nothing new, for neither time nor WAL has moved. */
bool wal_clock_note(struct wal_clock *clock, struct moment moment, lsn first_lsn);
/* A position before which everything was committed at this time or earlier; 0: not known. */
lsn wal_clock_before(const struct wal_clock *clock, int64_t time_us);
/* Since when everything that was committed stands at or behind this position; 0: not known. */
int64_t wal_clock_since(const struct wal_clock *clock, lsn position);

#endif
