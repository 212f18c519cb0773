/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq/publish.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "config/config.h"
#include "kafka/producer.h"

enum {
    FENCE_SLICE_MS = 2000,
    FENCE_TRIES_MAX = 10,
    TOPIC_TIMEOUT_MS = 10000,
    POLL_MS = 200,
    TRIES_MAX = 5,
    PAUSE_MS = 200,
    /* Records are refused after three quarters of transaction.timeout.ms by the client itself. */
    REPORTS_TIMEOUT_MS = 15 * 60 * 1000,
};

struct publisher {
    const struct config *config;
    struct producer *producer;
    size_t outstanding; /* records without a report */
    enum verdict worst; /* of the reports */
    struct error error;
};

enum verdict publisher_open(const struct config *config, const struct log *log,
                            struct publisher **publisher, struct error *error)
{
    struct publisher *made = must_calloc(1, sizeof(*made));
    made->config = config;
    char *id = must_printf("walpost.%s.dlq", config->stream);
    enum verdict verdict = kafka_producer_new(config, log, id, &made->producer, error);
    free(id);
    if (verdict != OK) {
        free(made);
        return verdict;
    }
    verdict = RETRY;
    for (int tries = 0; verdict == RETRY && tries < FENCE_TRIES_MAX; tries++) {
        verdict = kafka_producer_fence(made->producer, FENCE_SLICE_MS, error);
    }
    if (verdict == OK) {
        verdict = made->producer->ops->topic(made->producer, config->dead_letter_topic,
                                             TOPIC_TIMEOUT_MS, error);
    }
    if (verdict != OK) {
        publisher_close(made);
        return verdict;
    }
    *publisher = made;
    return OK;
}

void publisher_close(struct publisher *publisher)
{
    if (publisher != NULL) {
        publisher->producer->ops->close(publisher->producer);
        free(publisher);
    }
}

/* --- one record --- */

static void on_report(void *context, const struct report *report)
{
    struct publisher *publisher = context;
    check(publisher->outstanding > 0);
    publisher->outstanding--;
    /* ABORT is the echo of whatever else failed in the same Kafka transaction. */
    if (report->verdict != OK && (publisher->worst == OK || publisher->worst == ABORT)) {
        publisher->worst = report->verdict;
        if (report->error != NULL) {
            publisher->error = *report->error;
        }
    }
}

static enum verdict send(struct publisher *publisher, const struct record *record,
                         struct error *error)
{
    struct producer *producer = publisher->producer;
    for (;;) {
        enum verdict verdict = producer->ops->send(producer, record, NULL, error);
        publisher->outstanding += verdict == OK;
        if (verdict != AGAIN) {
            return verdict;
        }
        producer->ops->poll(producer, POLL_MS, on_report, publisher);
        if (publisher->worst != OK) {
            *error = publisher->error;
            return publisher->worst;
        }
    }
}

static enum verdict wait_for_reports(struct publisher *publisher, struct error *error)
{
    struct producer *producer = publisher->producer;
    int64_t deadline_us = clock_us() + REPORTS_TIMEOUT_MS * INT64_C(1000);
    while (publisher->outstanding > 0 && publisher->worst == OK) {
        producer->ops->poll(producer, POLL_MS, on_report, publisher);
        if (clock_us() > deadline_us) {
            return error_set(error, RESTART, "Kafka did not acknowledge a record");
        }
    }
    if (publisher->worst != OK) {
        *error = publisher->error;
    }
    return publisher->worst;
}

/* The topic of an event may be missing: then route.on_missing_topic has its say. */
static enum verdict find_topic(struct publisher *publisher, const char *topic, struct error *error)
{
    struct producer *producer = publisher->producer;
    enum verdict verdict = producer->ops->topic(producer, topic, TOPIC_TIMEOUT_MS, error);
    if (verdict == WAIT && publisher->config->route.on_missing_topic == MISSING_CREATE) {
        verdict = producer->ops->create_topic(producer, topic, TOPIC_TIMEOUT_MS, error);
        if (verdict == OK) {
            verdict = producer->ops->topic(producer, topic, TOPIC_TIMEOUT_MS, error);
        }
    }
    return verdict;
}

/* In every partition that holds the letter. */
static enum verdict send_tombstones(struct publisher *publisher, const struct parcel *parcel,
                                    struct error *error)
{
    static const char *const kept[] = {"stream", "source_table"};
    const struct letter *letter = parcel->letter;
    struct record record;
    snprintf(record.topic, sizeof(record.topic), "%s", publisher->config->dead_letter_topic);
    record.key = letter->key;
    record.value = BYTES_NULL;
    record.timestamp_ms = 0;
    record.n_headers = 0;
    record_header(&record, BYTES_LIT(TOMBSTONE_OUTCOME), bytes_of(parcel->outcome));
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        struct bytes value = letter_header(letter, kept[i]);
        if (value.data != NULL) {
            record_header(&record, bytes_of(kept[i]), value);
        }
    }
    enum verdict verdict = OK;
    for (size_t i = 0; verdict == OK && i < letter->n_places; i++) {
        record.partition = letter->places[i];
        verdict = send(publisher, &record, error);
    }
    return verdict;
}

/* --- one Kafka transaction --- */

/* REJECT, WAIT: of this parcel alone, and nothing of it was sent. */
static enum verdict send_event(struct publisher *publisher, struct parcel *parcel,
                               parcel_record_fn *make_record, bool *refused, struct error *error)
{
    const struct record *record = NULL;
    *refused = true;
    enum verdict verdict = make_record(parcel, &record, error);
    if (verdict == OK) {
        verdict = find_topic(publisher, record->topic, error);
    }
    *refused = verdict == REJECT || verdict == WAIT;
    return verdict != OK ? verdict : send(publisher, record, error);
}

static enum verdict send_all(struct publisher *publisher, struct parcel *parcels, size_t n_parcels,
                             parcel_record_fn *make_record, struct error *error)
{
    for (size_t i = 0; i < n_parcels; i++) {
        struct parcel *parcel = &parcels[i];
        enum verdict verdict = OK;
        bool refused = false;
        if (make_record != NULL) {
            verdict = send_event(publisher, parcel, make_record, &refused, error);
        }
        if (refused) {
            parcel->failed = true;
            parcel->error = *error;
            continue;
        }
        if (verdict == OK) {
            verdict = send_tombstones(publisher, parcel, error);
        }
        if (verdict != OK) {
            return verdict;
        }
    }
    return wait_for_reports(publisher, error);
}

static enum verdict attempt(struct publisher *publisher, struct parcel *parcels, size_t n_parcels,
                            parcel_record_fn *make_record, struct error *error)
{
    struct producer *producer = publisher->producer;
    publisher->outstanding = 0;
    publisher->worst = OK;
    for (size_t i = 0; i < n_parcels; i++) {
        parcels[i].failed = false;
    }
    enum verdict verdict = producer->ops->begin(producer, error);
    if (verdict != OK) {
        return verdict;
    }
    verdict = send_all(publisher, parcels, n_parcels, make_record, error);
    if (verdict == OK) {
        crash_point("dlq_before_commit");
        verdict = producer->ops->commit(producer, error);
    }
    if (verdict == OK) {
        crash_point("dlq_after_commit");
        return OK;
    }
    if (verdict == RESTART || verdict == FENCED || verdict == FATAL) {
        return verdict;
    }
    struct error abort_error;
    enum verdict aborted = producer->ops->abort(producer, &abort_error);
    if (aborted != OK) {
        *error = abort_error;
        return aborted;
    }
    return verdict;
}

static enum verdict try_often(struct publisher *publisher, struct parcel *parcels, size_t n_parcels,
                              parcel_record_fn *make_record, struct error *error)
{
    enum verdict verdict = RETRY;
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        verdict = attempt(publisher, parcels, n_parcels, make_record, error);
        if (verdict != RETRY && verdict != ABORT) {
            break;
        }
        clock_wait_ms(PAUSE_MS);
    }
    for (size_t i = 0; verdict == OK && i < n_parcels; i++) {
        parcels[i].done = !parcels[i].failed;
    }
    return verdict;
}

static enum verdict unknown_outcome(struct error *error)
{
    error_prefix(error, "the outcome of the last Kafka transaction is not known: ");
    error->verdict = RESTART;
    return error_remedy(error, "Run the same command again: what is done is done, and nothing is "
                               "sent twice.");
}

enum verdict publisher_send(struct publisher *publisher, struct parcel *parcels, size_t n_parcels,
                            parcel_record_fn *make_record, struct error *error)
{
    enum verdict verdict = try_often(publisher, parcels, n_parcels, make_record, error);
    bool refused = verdict == REJECT || verdict == WAIT;
    if (refused && n_parcels == 1) {
        parcels[0].failed = true;
        parcels[0].error = *error;
        return OK;
    }
    if (refused) { /* whose fault it is shows in the halves */
        size_t half = n_parcels / 2;
        verdict = publisher_send(publisher, parcels, half, make_record, error);
        return verdict != OK ? verdict
                             : publisher_send(publisher, parcels + half, n_parcels - half,
                                              make_record, error);
    }
    return verdict == RESTART || verdict == FENCED ? unknown_outcome(error) : verdict;
}
