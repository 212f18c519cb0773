/* SPDX-License-Identifier: Apache-2.0
 *
 * producer_state.h - what the parts of a producer share: lifecycle (producer.c), records
 * (delivery.c), Kafka transactions (transaction.c).
 * In -> out: nothing; a struct.
 * Owns: the client and the topic handles.
 * Thread: the producer's; only give_up is written by others.
 * Keeps: in_transaction is true from a begin until its commit or abort has returned OK: after any
 *        other outcome this id must be taken again first. */
#ifndef WALPOST_KAFKA_PRODUCER_STATE_H
#define WALPOST_KAFKA_PRODUCER_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "kafka/client.h"
#include "kafka/handles.h"
#include "lane/producer.h"

struct kafka_producer {
    struct producer base;
    struct client client;
    struct handles handles;
    const struct config *config;
    const struct log *log;
    char *id; /* transactional; NULL: none */
    atomic_bool give_up;
    const atomic_bool *stop; /* the same by another hand; may be NULL */
    bool fenced;             /* the id has been taken with the present client */
    bool in_transaction;
    uint32_t unreported; /* records */
    int64_t begun_us;    /* both by the clock that counts the machine's sleep, too */
    int64_t used_us;
    rd_kafka_resp_err_t cause; /* of the failed Kafka transaction; 0: not failed as far as known */
    struct error refusal;      /* the words of a report that the cause explains */
    bool dead;                 /* the client has stopped with a fatal error, or may not go on */
    bool lost;                 /* the latter: its open Kafka transaction is not ours any more */
    struct error death;
};

static inline struct kafka_producer *kafka_producer_of(struct producer *producer)
{
    return (struct kafka_producer *)producer;
}

static inline bool producer_gives_up(const struct kafka_producer *p)
{
    return atomic_load(&p->give_up) || (p->stop != NULL && atomic_load(p->stop));
}

/* CLOCK_BOOTTIME. */
int64_t producer_boot_us(void);

/* Remembers a fatal error of the client; RESTART or FATAL. */
enum verdict producer_note_death(struct kafka_producer *p, struct error *error);
/* Takes what is on the queue and throws the reports away, waiting at most wait_ms for the first. */
void producer_drain(struct kafka_producer *p, int wait_ms);

/* delivery.c */
enum verdict producer_send(struct producer *producer, const struct record *record, void *tag,
                           struct error *error);
size_t producer_poll(struct producer *producer, int timeout_ms, report_fn *report_to,
                     void *context);

/* transaction.c */
enum verdict producer_begin(struct producer *producer, struct error *error);
enum verdict producer_commit(struct producer *producer, struct error *error);
enum verdict producer_abort(struct producer *producer, struct error *error);
/* Sets cause when the open Kafka transaction has failed, lost when there is none. */
void producer_learn_cause(struct kafka_producer *p);

#endif
