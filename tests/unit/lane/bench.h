/* SPDX-License-Identifier: Apache-2.0
 *
 * bench.h - a lane on a fake Kafka, with segments made to order.
 * In -> out: a number of events -> segments; waiting without sleeping.
 * Owns: the lane, the fake, every segment and event.
 * Thread: the test's own; notify wakes it. */
#ifndef WALPOST_TESTS_UNIT_LANE_BENCH_H
#define WALPOST_TESTS_UNIT_LANE_BENCH_H

#include <pthread.h>

#include "fake_kafka.h"
#include "lane/lane.h"

struct bench {
    struct fake_kafka kafka;
    struct checkpoint checkpoint;
    struct lane_options options;
    _Atomic lsn published_lsn;
    _Atomic lsn marked_lsn;
    struct lane *lane;
    struct segment *segments; /* made, not yet submitted: a list */
    struct segment *last;
    lsn wal;
    struct event **events; /* all, in order */
    size_t n_events;
    struct segment **all;
    size_t n_segments;
    size_t collected; /* segments */
    size_t returned;  /* by lane_free */
    struct lane_news news;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    unsigned notified;
};

void bench_init(struct bench *bench, bool alone);
/* A segment of n events; each with a payload of `size` bytes. */
struct segment *bench_add(struct bench *bench, uint32_t n, size_t size);
/* Starts the lane when it does not run, and submits what was added in one call. */
void bench_submit(struct bench *bench);
/* Until so many segments have come back, or the lane has stopped. Checks that they come in order.
 */
void bench_wait(struct bench *bench, size_t segments);
/* Stops the lane and frees it; what comes back is counted in `returned`. */
void bench_stop(struct bench *bench);
void bench_release(struct bench *bench);

/* Every event is committed exactly once and in order, each segment in one Kafka transaction (I12),
 * the watermark right (I6). */
void bench_verify(struct bench *bench);

#endif
