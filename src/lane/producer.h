/* SPDX-License-Identifier: Apache-2.0
 *
 * producer.h - the seam between a lane and Kafka: one transactional (or idempotent) producer.
 * In -> out: records -> delivery reports, and the outcome of a transaction.
 * Owns: whoever implements it owns the connection. The value of a record is borrowed until its
 *     report (or until abort or close has returned); everything else is copied by send.
 * Thread: one thread at a time: the one that opened it until it is handed to a lane, then that
 *     lane's.
 * Keeps: I3, I6: a producer never repeats a commit whose outcome is unknown (RESTART); what Kafka's
 *     errors mean is decided behind this seam.
 * Source: KIP-98; librdkafka INTRODUCTION.md, "Transactional Producer". */
#ifndef WALPOST_LANE_PRODUCER_H
#define WALPOST_LANE_PRODUCER_H

#include "base/error.h"
#include "encode/record.h"
#include "outbox/event.h"

struct producer;

/* One delivery report. verdict: OK; ABORT (the batch must be aborted and replayed); REJECT (this
 * record, or one that travelled with it, can never be accepted); WAIT (authorization, missing
 * topic); RESTART; FATAL. reason is only meaningful with REJECT. */
struct report {
    void *tag; /* as given to send */
    enum verdict verdict;
    enum dead_reason reason;
    const struct error *error; /* NULL with OK */
};

typedef void report_fn(void *context, const struct report *report);

struct producer_ops {
    /* Begins a Kafka transaction. OK, RETRY, ABORT, RESTART, FENCED, FATAL. */
    enum verdict (*begin)(struct producer *producer, struct error *error);
    /* Queues a record. OK; AGAIN: the queue is full, poll and call again; REJECT: larger than the
     * client may send (error says so); ABORT, RESTART, FATAL. */
    enum verdict (*send)(struct producer *producer, const struct record *record, void *tag,
                         struct error *error);
    /* Waits at most timeout_ms for delivery reports and hands out those that are there; how many.
     */
    size_t (*poll)(struct producer *producer, int timeout_ms, report_fn *report, void *context);
    /* Blocks until the outcome is known. OK: committed. ABORT: was not committed, call abort and
     * replay. RESTART: the outcome is unknown, or the id was lost: nothing may be assumed. FENCED,
     * FATAL. */
    enum verdict (*commit)(struct producer *producer, struct error *error);
    /* Blocks until the transaction is aborted and every record of it reported (reports are thrown
     * away). */
    enum verdict (*abort)(struct producer *producer, struct error *error);
    /* Is the topic there, with its metadata fetched? OK; WAIT: missing or forbidden (error names
     * it); RETRY: no broker answered in timeout_ms. Cheap when it was OK before. Called outside a
     * transaction. */
    enum verdict (*topic)(struct producer *producer, const char *topic, int timeout_ms,
                          struct error *error);
    /* Creates the topic (on_missing_topic: create; partitions and replication from topics.*). OK,
     * WAIT, RETRY. */
    enum verdict (*create_topic)(struct producer *producer, const char *topic, int timeout_ms,
                                 struct error *error);
    /* Frees everything; an open transaction is left to be fenced or timed out. */
    void (*close)(struct producer *producer);
    /* Any thread: a call that waits comes back soon, with RESTART. For a session that is over
     * anyway. May be NULL. */
    void (*give_up)(struct producer *producer);
    /* Any thread: what the client complains of at present ("db1:9092: Connection refused"), "" when
     * of nothing. May be NULL. */
    void (*complaint)(struct producer *producer, char *text, size_t size);
};

struct producer {
    const struct producer_ops *ops;
    bool transactional; /* false: begin, commit and abort do nothing (delivery: at_least_once) */
};

#endif
