/* SPDX-License-Identifier: Apache-2.0
 *
 * waiting.h - when a wait for something outside is worth a line in the log.
 * In: what is waited for now, and whether it lasts. Out: say it, say that it is over, or nothing.
 * Owns: nothing.  Thread: one.  Pure: no I/O, no clock.
 * Keeps: a wait is said once, again when its trouble is another one, then rarely, and at its end.
 */
#ifndef WALPOST_PIPELINE_WAITING_H
#define WALPOST_PIPELINE_WAITING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WAITING_SAY_US = 10 * 1000 * 1000,       /* what lasts so long is worth a line */
    WAITING_CHANGED_US = 10 * 1000 * 1000,   /* between two troubles of one wait */
    WAITING_SAY_AGAIN_US = 60 * 1000 * 1000, /* between two lines of the same one */
};

struct waiting {
    bool said;
    int64_t said_us;
    uint64_t trouble; /* a hash of what was said */
};

enum waiting_news { WAITING_QUIET, WAITING_SAY, WAITING_OVER };

/* lasts: there is a wait that is worth a line. trouble: its words. */
enum waiting_news waiting_look(struct waiting *waiting, bool lasts, const char *trouble,
                               int64_t now_us);

#endif
