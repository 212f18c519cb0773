/* SPDX-License-Identifier: Apache-2.0
 *
 * ending.h - did a run that has an end (--once, --until-lsn) come to it?
 * In: what the last session came to. Out: the exit status, and a line that says where it stopped.
 * Owns: nothing.  Thread: the loop thread.
 * Keeps: a script never takes a run that was stopped on its way for one that is done. */
#ifndef WALPOST_PIPELINE_ENDING_H
#define WALPOST_PIPELINE_ENDING_H

#include <stdbool.h>

#include "base/log.h"
#include "base/lsn.h"

struct flow;
struct run_options;

struct ending {
    bool reached;    /* and everything up to it is settled */
    lsn end_lsn;     /* 0: there is none, or no session has begun */
    lsn stopped_lsn; /* everything below is done with */
};

/* The session of this flow is at its end, for whatever reason. */
void ending_note(struct ending *ending, const struct flow *flow);

/* Of a run whose own reasons give `status`. */
int ending_status(const struct ending *ending, const struct run_options *options, int status,
                  const struct log *log);

#endif
