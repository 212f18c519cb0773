/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.h - one batch: produce, checkpoint, commit; abort, replay and the hunt for a bad record.
 * Step 6 of 7.
 * In: segments. Out: OK when Kafka has committed them with their watermark.
 * Owns: nothing; the events stay in memory until the outcome is known, so an abort replays them.
 * Thread: the lane's.
 * Keeps: I6, I10; an unknown outcome is neither assumed nor repeated (RESTART). */
#ifndef WALPOST_LANE_BATCH_H
#define WALPOST_LANE_BATCH_H

#include "lane/lane.h"

/* A topic that is not there, and what was said about it. */
struct missing_topic {
    char name[RECORD_TOPIC_SIZE];
    struct error error;
};

enum { MISSING_TOPICS_MAX = 8 };

struct batch {
    struct segment *first;
    struct segment *last;
    uint32_t n_events;
    struct position watermark;       /* of its last event */
    lsn settled_before;              /* S, as the lane's last record says: its next one no less */
    lsn settled_lsn;                 /* S, as its checkpoint record says */
    struct unmarked unmarked_before; /* the lane's letters that may not be marked yet */
    struct unmarked unmarked;        /* and those of this attempt */

    /* The hunt: a record that Kafka refuses is among [suspect_from, suspect_to). The replay waits
     * for reports at these borders and in the middle, so that each half travels alone. from == to:
     * no suspicion. Both halves of the suspects accepted, and others refused after them: no record
     * is bad, they are too large together, and only so many may travel together. 0: any number. */
    uint32_t suspect_from;
    uint32_t suspect_to;
    uint32_t together;

    /* of the present attempt */
    uint32_t outstanding; /* records without a report */
    enum verdict worst;
    enum dead_reason reason;
    uint32_t bad_from, bad_to; /* the events whose reports say REJECT */
    /* Asked for once: every further event would cost a question to a broker, and a Kafka
     * transaction has only so much time. The oldest makes room. */
    struct missing_topic missing[MISSING_TOPICS_MAX];
    uint32_t n_missing;
    struct error error;
    char checkpoint_value[CHECKPOINT_RECORD_MAX]; /* borrowed by the producer until its report */
};

/* Holds every event to its contract, before a Kafka transaction is begun: what breaks one becomes a
 * dead letter. What was checked once is not checked again. WAIT, FATAL: *culprit is the segment
 * with the event that cannot pass; those before it can. AGAIN: *stop. (batch_check.c) */
enum verdict MUST_CHECK batch_check(const struct batch *batch, struct gate *gate,
                                    const atomic_bool *stop, struct segment **culprit,
                                    struct error *error);

/* One attempt on one producer. OK: committed. ABORT, REJECT, WAIT, RETRY: nothing of it is visible,
 * the Kafka transaction is aborted; call batch_after_reject for REJECT, then try again. RESTART,
 * FENCED, FATAL: the lane must stop. */
enum verdict MUST_CHECK batch_try(struct batch *batch, struct producer *producer,
                                  const struct lane_options *options, const atomic_bool *stop,
                                  struct error *error);

/* After REJECT: narrows the suspects, or makes the culprit, once it was refused when it travelled
 * alone, a dead letter. FATAL when it is one already. */
enum verdict MUST_CHECK batch_after_reject(struct batch *batch, struct error *error);

#endif
