/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_kafka.h - producers behind lane/producer.h that keep what was committed, and fail on demand.
 * In -> out: records -> transactions; what a test says goes wrong -> verdicts.
 * Owns: copies of what it was told.
 * Thread: the lane's, until lane_stop has returned; hooks run in it.
 * Keeps: records between two polls travel together; one that is bad has all of them refused. Breaks
 * of the seam's own rules (two open transactions, a commit without all reports) fail by check(). */
#ifndef WALPOST_TESTS_UNIT_LANE_FAKE_KAFKA_H
#define WALPOST_TESTS_UNIT_LANE_FAKE_KAFKA_H

#include "checkpoint/checkpoint.h"
#include "lane/producer.h"

enum { FAKE_BATCHES_MAX = 4096, FAKE_BATCH_EVENTS_MAX = 16384 };

struct fake_batch {
    int producer;
    struct event **events; /* in the order in which they were sent */
    bool *dead;            /* went to the dead letter topic */
    size_t n;
    bool committed;
    bool has_checkpoint;
    int32_t checkpoint_partition;
    struct unmarked unmarked;
    struct position watermark;
    lsn settled_lsn;
};

/* What a call shall answer: OK once it is used up. */
struct fake_answer {
    enum verdict verdict;
    int times;
};

struct fake_kafka {
    struct fake_batch *batches; /* every attempt, in order */
    size_t n_batches;
    struct fake_answer on_begin, on_commit, on_report;
    bool (*is_bad)(const struct event *event, bool dead); /* the broker refuses such a record */
    enum dead_reason bad_reason;
    bool checkpoint_is_bad;
    bool stumbles;     /* the attempt after a refusal fails, as librdkafka's often do */
    bool has_refused;  /* and has not stumbled since */
    size_t client_max; /* bytes that send takes; 0: any */
    size_t set_max;    /* bytes that may travel together; 0: any */
    size_t queue_max;  /* records without a report; 0: any */
    bool silent;       /* no report ever comes */
    const char *missing_topic;
    size_t topics_created;
    void (*hook)(void *context, const char *call); /* in the lane's thread, before the call */
    void *context;
    size_t sends, polls, begins, aborts, closes;
};

struct producer *fake_producer(struct fake_kafka *kafka, int number, bool transactional);
void fake_kafka_release(struct fake_kafka *kafka);

/* The committed events in order; how many. dead may be NULL. */
size_t fake_published(const struct fake_kafka *kafka, struct event **events, bool *dead,
                      size_t room);
size_t fake_commits(const struct fake_kafka *kafka);

#endif
