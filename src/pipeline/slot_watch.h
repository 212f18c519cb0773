/* SPDX-License-Identifier: Apache-2.0
 *
 * slot_watch.h - says in time that the server will give the slot up.
 * In: looks at the slot. Out: a line in the log when little of max_slot_wal_keep_size is left, at
 *     once when nothing is, again every half minute, and when that is over.
 * Owns: nothing.  Thread: its owner's.
 * Keeps: I9: what cannot be prevented is said before it is too late. */
#ifndef WALPOST_PIPELINE_SLOT_WATCH_H
#define WALPOST_PIPELINE_SLOT_WATCH_H

#include "base/log.h"
#include "pg/catalog.h"

struct slot_watch {
    bool is_short;
    bool is_used_up; /* the next checkpoint may take the slot */
    int64_t said_us;
};

void slot_watch_look(struct slot_watch *watch, const struct log *log, const char *name,
                     const struct pg_slot *slot, int64_t now_us);

#endif
