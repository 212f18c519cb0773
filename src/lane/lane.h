/* SPDX-License-Identifier: Apache-2.0
 *
 * lane.h - a thread that owns a set of keys and publishes their events, a Kafka transaction a
 * batch. Step 6 of 7.
 * In: segments, in commit order. Out: the same segments, once Kafka has committed them.
 * Owns: its two producers, which take turns (the next batch begins on one while the broker still
 *     completes the last on the other), from lane_start until lane_stop. Borrows segments: their
 *     memory stays the loop's.
 * Thread: lane_submit, lane_collect, lane_look: the loop thread. lane_ask_stop, lane_stop: any
 *     other thread than the lane's.
 * Keeps: I5 a batch begins only after the one before it was committed; I6 the watermark moves in
 *     the Kafka transaction that holds the events; I12 a segment is never split over batches. */
#ifndef WALPOST_LANE_LANE_H
#define WALPOST_LANE_LANE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "encode/encode.h"
#include "lane/gate.h"
#include "lane/producer.h"

struct lane;

enum lane_missing_topic { LANE_TOPIC_WAIT, LANE_TOPIC_CREATE, LANE_TOPIC_DEAD_LETTER };

struct lane_options {
    uint32_t number;
    struct producer *producers[2]; /* taken over: closed by lane_free */
    const struct encoder *encoder;
    struct gate *gate; /* taken over: freed by lane_free; NULL: there are no contracts */
    const struct checkpoint *checkpoint; /* the generation; read-only */
    const char *checkpoint_topic;
    /* Of the checkpoint record. NULL: the stream's own, "lane" in partition 1 + number. */
    struct bytes checkpoint_key;
    int32_t checkpoint_partition;
    /* The published prefix over all lanes, kept by the loop: what this batch may say of S. */
    const _Atomic lsn *published_lsn;
    /* The rows of everything below are marked, as far as the loop knows. NULL: no rows are marked.
     */
    const _Atomic lsn *marked_lsn;
    bool alone; /* the only lane: everything before its batch is settled, so S may be the batch's
                   own end */
    enum lane_missing_topic on_missing_topic;
    uint32_t batch_events;
    size_t batch_bytes;
    uint32_t linger_us;            /* wait so long for more before a batch that is not full */
    void (*notify)(void *context); /* something to collect; called from the lane thread */
    void *context;
};

/* Starts the thread. */
struct lane *lane_start(const struct lane_options *options);

/* Hands over a list of segments, linked by next, oldest first. Never waits. */
void lane_submit(struct lane *lane, struct segment *first, struct segment *last);

/* What the loop learns from a lane. */
struct lane_news {
    struct segment *committed; /* list, oldest first; dead events say why */
    lsn settled_lsn;           /* the largest S that is committed in a record of this lane */
    bool idle;                 /* nothing queued, nothing in flight, nothing left to collect */
    enum verdict
        verdict; /* OK, or why the lane has stopped for good: RESTART, FENCED, REFUSE, FATAL */
    struct error error;
};
void lane_collect(struct lane *lane, struct lane_news *news);

/* How the lane is, for logs and the watchdog. */
struct lane_look {
    bool waiting;    /* for somebody to change something: `trouble` says what */
    int64_t busy_us; /* since the batch in flight began; 0: none */
    uint64_t batches, events, replays;
    /* Why the batch in flight failed before, or what its producers complain of. */
    char trouble[sizeof(((struct error *)0)->what)];
    char remedy[sizeof(((struct error *)0)->remedy)];
};
void lane_look(struct lane *lane, struct lane_look *look);

/* Asks the thread to stop after the batch in flight; what was queued stays uncommitted. Does not
 * wait, so that several lanes can be asked before the first is waited for. */
void lane_ask_stop(struct lane *lane);
/* Asks, and waits for it. */
void lane_stop(struct lane *lane);

/* After lane_stop: closes the producers; every segment that was not collected is given back. */
struct segment *lane_free(struct lane *lane);

#endif
