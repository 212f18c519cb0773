/* SPDX-License-Identifier: Apache-2.0
 *
 * bounds.h - from where to where: a position, a bookmark or a time, against what can be replayed.
 * In: what was given on the command line; the window. Out: the bounds of a replay.
 * Owns: nothing; pure.  Thread: any.
 * Keeps: I9: what is not wholly inside the window is refused, with the window; never cut. */
#ifndef WALPOST_REPLAY_BOUNDS_H
#define WALPOST_REPLAY_BOUNDS_H

#include "checkpoint/journal.h"

struct window {
    uint64_t system_id;
    lsn first_lsn; /* the anchor: what was committed from here on */
    lsn end_lsn; /* the live slot's confirmed position: what was committed before it is in Kafka */
    int64_t since_us; /* whatever was committed since is inside; 0: not known */
};

enum bound_kind { BOUND_NONE, BOUND_LSN, BOUND_TIME, BOUND_BOOKMARK };
struct bound {
    enum bound_kind kind;
    const char *text; /* as it was given */
    lsn position;     /* BOUND_LSN */
    int64_t time_us;  /* BOUND_TIME */
};

/* text NULL: BOUND_NONE. INVALID: neither a position nor a time nor the name of a bookmark. */
enum verdict MUST_CHECK bound_parse(const char *flag, const char *text, struct bound *bound,
                                    struct error *error);

/* Sets from_lsn, to_lsn, from_us, to_us of the job. The first is wanted, the last is not. No `to`:
 * the end of the window. REFUSE: outside the window. INVALID: no such bookmark, or an end before
 * the beginning. */
enum verdict MUST_CHECK bounds_resolve(const struct bound *from, const struct bound *to,
                                       const struct window *window, const struct journal *journal,
                                       struct replay_job *job, struct error *error);
/* Can it still be read from here on? */
enum verdict MUST_CHECK window_judge(const struct window *window, const char *what, lsn position,
                                     struct error *error);

/* "0/1 to 0/2, since 2026-11-23T10:11:12.345678Z" */
enum { WINDOW_TEXT_SIZE = 96 };
void window_format(const struct window *window, char text[static WINDOW_TEXT_SIZE]);

#endif
