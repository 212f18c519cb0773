/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/producer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "config/config.h"
#include "kafka/admin.h"
#include "kafka/producer_state.h"
#include "kafka/verdicts.h"

enum {
    /* librdkafka waits half a second before it asks again for an id whose last transaction is still
     * being completed; calling init_transactions again makes it ask at once. */
    FENCE_SLICE_MS = 20,
    FENCE_HURRY_MS = 2000, /* after that it is not a matter of milliseconds */
    FENCE_LATER_SLICE_MS = 500,
    CHECKPOINT_TOPIC_MS = 5000,
};

static const struct producer_ops ops;

int64_t producer_boot_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- lifecycle ------------------------------------------------------------------------------- */

enum verdict kafka_producer_new(const struct config *config, const struct log *log,
                                const char *transactional_id, struct producer **producer,
                                struct error *error)
{
    struct kafka_producer *p = must_calloc(1, sizeof(*p));
    enum verdict verdict =
        client_open(&p->client, config, CLIENT_PRODUCER, transactional_id, log, error);
    if (verdict != OK) {
        free(p);
        return verdict;
    }
    p->base.ops = &ops;
    p->base.transactional = transactional_id != NULL;
    p->config = config;
    p->log = log;
    p->id = transactional_id == NULL ? NULL : must_strdup(transactional_id);
    *producer = &p->base;
    return OK;
}

void producer_drain(struct kafka_producer *p, int wait_ms)
{
    rd_kafka_event_t *event;
    while ((event = client_poll(&p->client, wait_ms)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            p->unreported -= (uint32_t)rd_kafka_event_message_count(event);
        } else if (client_note(&p->client, event)) {
            producer_note_death(p, NULL);
        }
        rd_kafka_event_destroy(event);
        wait_ms = 0;
    }
}

enum verdict producer_note_death(struct kafka_producer *p, struct error *error)
{
    if (!p->dead) {
        char unused[8];
        rd_kafka_resp_err_t code = rd_kafka_fatal_error(p->client.rk, unused, sizeof(unused));
        p->dead = true;
        kafka_lost_verdict(code, p->id, &p->death);
    }
    if (error != NULL) {
        *error = p->death;
    }
    return p->death.verdict;
}

static void close_handle(struct kafka_producer *p)
{
    if (p->client.rk != NULL) { /* else it could not be opened again */
        /* Without this, records that cannot be sent would keep the handle open. */
        rd_kafka_purge(p->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                         RD_KAFKA_PURGE_F_NON_BLOCKING);
        producer_drain(p, 0);
        handles_release(&p->handles);
        client_close(&p->client);
    }
    p->unreported = 0;
    p->in_transaction = false;
    p->fenced = false;
    p->dead = false;
    p->lost = false;
    p->cause = 0;
}

static void producer_close(struct producer *producer)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    close_handle(p);
    free(p->id);
    free(p);
}

static void producer_give_up(struct producer *producer)
{
    atomic_store(&kafka_producer_of(producer)->give_up, true);
}

static void producer_complaint(struct producer *producer, char *text, size_t size)
{
    client_complaint(&kafka_producer_of(producer)->client, text, size);
}

void kafka_producer_stop_with(struct producer *producer, const atomic_bool *stop)
{
    kafka_producer_of(producer)->stop = stop;
}

/* --- fencing --------------------------------------------------------------------------------- */

static enum verdict reopen(struct kafka_producer *p, struct error *error)
{
    close_handle(p);
    return client_open(&p->client, p->config, CLIENT_PRODUCER, p->id, p->log, error);
}

/* init_transactions says little about why a broker cannot be reached; the client knows more. */
static enum verdict fence_failed(struct kafka_producer *p, const rd_kafka_error_t *problem,
                                 struct error *error)
{
    enum verdict verdict = kafka_transaction_verdict(CALL_FENCE, problem, p->id, error);
    producer_drain(p, 0);
    if (verdict == RETRY && p->client.last_code != 0) {
        error_set(error, RETRY, "transactional id \"%s\" could not be taken: %s", p->id,
                  p->client.last);
        error_code(error, rd_kafka_err2name(p->client.last_code));
        error_remedy(error, "Look whether the brokers of kafka: bootstrap.servers (%s) are up.",
                     p->client.servers);
    }
    return verdict;
}

static enum verdict init_transactions(struct kafka_producer *p, int timeout_ms, struct error *error)
{
    int64_t began_us = clock_us();
    for (;;) {
        int64_t spent_ms = (clock_us() - began_us) / 1000;
        int64_t left_ms = timeout_ms - spent_ms;
        int slice_ms = spent_ms < FENCE_HURRY_MS ? FENCE_SLICE_MS : FENCE_LATER_SLICE_MS;
        if (slice_ms > left_ms) {
            slice_ms = left_ms > 1 ? (int)left_ms : 1;
        }
        rd_kafka_error_t *problem = rd_kafka_init_transactions(p->client.rk, slice_ms);
        if (problem == NULL) {
            return OK;
        }
        enum verdict verdict = fence_failed(p, problem, error);
        rd_kafka_error_destroy(problem);
        if (verdict != RETRY || left_ms <= slice_ms || producer_gives_up(p)) {
            return verdict;
        }
    }
}

static enum verdict find_topic(struct kafka_producer *p, const char *topic, int timeout_ms,
                               struct error *error);

enum verdict kafka_producer_fence(struct producer *producer, int timeout_ms, struct error *error)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    /* A handle takes its id only once, and none after a fatal error. */
    bool used_up =
        p->fenced || p->client.rk == NULL || rd_kafka_fatal_error(p->client.rk, NULL, 0) != 0;
    if (used_up) {
        enum verdict verdict = reopen(p, error);
        if (verdict != OK) {
            return verdict;
        }
    }
    if (producer->transactional) {
        enum verdict verdict = init_transactions(p, timeout_ms, error);
        if (verdict != OK) {
            return verdict;
        }
        p->fenced = true;
    }
    p->used_us = producer_boot_us();
    /* Every batch writes there, and the first record to a topic must not wait for its metadata.
     * Where it is missing, the first record says so. */
    if (p->config->checkpoint_topic != NULL) {
        enum verdict known = find_topic(p, p->config->checkpoint_topic, CHECKPOINT_TOPIC_MS, NULL);
        (void)known;
    }
    return OK;
}

/* --- topics ---------------------------------------------------------------------------------- */

static enum verdict find_topic(struct kafka_producer *p, const char *topic, int timeout_ms,
                               struct error *error)
{
    struct handle *handle = handles_find(&p->handles, topic);
    if (handle != NULL && handle->seen) {
        return OK;
    }
    struct topic_state state;
    enum verdict verdict = admin_topic(&p->client, topic, handle == NULL ? NULL : handle->topic,
                                       timeout_ms, &state, error);
    if (verdict == OK && !state.exists) {
        enum dead_reason unused;
        verdict = kafka_record_verdict(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, topic, -1, &unused,
                                       error);
    }
    if (verdict == OK) {
        handle = handles_add(&p->handles, p->client.rk, topic);
        handle->seen = true;
        firsts_grow(&handle->firsts, (uint32_t)state.partitions);
    }
    return verdict;
}

static enum verdict producer_topic(struct producer *producer, const char *name, int timeout_ms,
                                   struct error *error)
{
    return find_topic(kafka_producer_of(producer), name, timeout_ms, error);
}

static enum verdict producer_create_topic(struct producer *producer, const char *name,
                                          int timeout_ms, struct error *error)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    struct topic_spec spec = {
        .name = name,
        .partitions = (int32_t)p->config->topics.partitions,
        .replication_factor = p->config->topics.replication_factor,
    };
    enum verdict verdict = admin_create_topic(&p->client, &spec, timeout_ms, error);
    if (verdict != OK && verdict != RETRY) {
        /* Somebody must change something, and the stream can wait for it. */
        verdict = WAIT;
        if (error != NULL) {
            error->verdict = WAIT;
        }
    }
    return verdict;
}

static const struct producer_ops ops = {
    .begin = producer_begin,
    .send = producer_send,
    .poll = producer_poll,
    .commit = producer_commit,
    .abort = producer_abort,
    .topic = producer_topic,
    .create_topic = producer_create_topic,
    .close = producer_close,
    .give_up = producer_give_up,
    .complaint = producer_complaint,
};
