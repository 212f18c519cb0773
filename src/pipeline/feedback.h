/* SPDX-License-Identifier: Apache-2.0
 *
 * feedback.h - what may be told to PostgreSQL, and when the leader must say so in Kafka first.
 * Step 7 of 7.
 * In: the ledger's two LSNs, S as far as Kafka has committed it, time. Out: the flush LSN; "commit
 *     S now".
 * Owns: nothing. Pure: no I/O, no clock.  Thread: the loop thread.
 * Keeps: I1, I2: flush <= min(safe LSN, committed S), and it never moves back. So a slot ahead of S
 *     was moved by somebody else, for certain (I9). */
#ifndef WALPOST_PIPELINE_FEEDBACK_H
#define WALPOST_PIPELINE_FEEDBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lsn.h"

struct feedback {
    lsn flush_lsn;     /* what may be sent */
    lsn sent_lsn;      /* what was sent last */
    lsn committed_lsn; /* the largest S that is known to be committed */
    bool leader_busy;
    int64_t leader_asked_us;
    int64_t sent_us;
};

/* slot_lsn: the slot's position at acquisition; committed_lsn: S as the generation record says. */
void feedback_init(struct feedback *feedback, lsn slot_lsn, lsn committed_lsn);

/* A lane's record or the leader's carries this S and is committed. */
void feedback_committed(struct feedback *feedback, lsn settled_lsn);

/* The ledger's safe LSN -> flush_lsn. */
void feedback_update(struct feedback *feedback, lsn safe_lsn);

/* Should the leader commit S = published_lsn now? Once a second at most, at once when urgent. */
bool feedback_wants_leader(const struct feedback *feedback, lsn safe_lsn, bool urgent,
                           int64_t now_us);
void feedback_leader_asked(struct feedback *feedback, int64_t now_us);
void feedback_leader_answered(struct feedback *feedback, lsn settled_lsn);

/* Is a status update due? Coalesced to ten a second while the LSN moves. interval_us: the regular
 * one. */
bool feedback_wants_status(const struct feedback *feedback, bool urgent, int64_t interval_us,
                           int64_t now_us);
void feedback_sent(struct feedback *feedback, int64_t now_us);

#endif
