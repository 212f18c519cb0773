/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_kafka.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "encode/encode.h"

#define TOPIC_EVENTS "events"
#define TOPIC_DEAD   "dead"

/* --- the encoder: a payload of one '!' cannot become a record --- */

enum verdict encode_event(const struct encoder *encoder, struct event *event, struct record *record,
                          struct error *error)
{
    (void)encoder;
    if (bytes_equal(event->row.payload, BYTES_LIT("!"))) {
        return error_set(error, REJECT, "no record can be made");
    }
    strcpy(record->topic, TOPIC_EVENTS);
    record->key = event->key;
    record->value = event->row.payload;
    record->partition = -1;
    record->timestamp_ms = 1;
    record->n_headers = 0;
    return OK;
}

void encode_dead_letter(const struct encoder *encoder, const struct event *event,
                        enum dead_reason reason, const char *detail, struct record *record)
{
    (void)encoder;
    check(reason != DEAD_NOT && detail != NULL);
    strcpy(record->topic, TOPIC_DEAD);
    record->key = event->key;
    record->value = event->row.payload;
    record->value.len = reason == DEAD_RECORD_TOO_LARGE ? 0 : record->value.len;
    record->partition = -1;
    record->timestamp_ms = 1;
    record->n_headers = 0;
}

/* --- producers --- */

struct sent {
    struct event *event; /* NULL: the checkpoint */
    size_t size;
    bool dead;
};

struct fake {
    struct producer base;
    struct fake_kafka *kafka;
    int number;
    bool open;
    bool failed; /* a report said so: what follows is aborted too */
    struct sent *waiting;
    size_t n_waiting;
};

static struct fake *fake_of(struct producer *producer)
{
    return (struct fake *)producer;
}

static void hook(struct fake *fake, const char *call)
{
    if (fake->kafka->hook != NULL) {
        fake->kafka->hook(fake->kafka->context, call);
    }
}

static enum verdict take_answer(struct fake_answer *answer, const char *call, struct error *error)
{
    if (answer->times == 0) {
        return OK;
    }
    answer->times--;
    return error_set(error, answer->verdict, "%s was told to fail", call);
}

static enum verdict fake_begin(struct producer *producer, struct error *error)
{
    struct fake *fake = fake_of(producer);
    struct fake_kafka *kafka = fake->kafka;
    hook(fake, "begin");
    kafka->begins++;
    check(!fake->open && fake->n_waiting == 0);
    enum verdict verdict = take_answer(&kafka->on_begin, "begin", error);
    if (verdict != OK) {
        return verdict;
    }
    fake->open = true;
    fake->failed = false;
    check(kafka->n_batches < FAKE_BATCHES_MAX);
    if (kafka->batches == NULL) {
        kafka->batches = must_calloc(FAKE_BATCHES_MAX, sizeof(kafka->batches[0]));
    }
    kafka->batches[kafka->n_batches++] = (struct fake_batch){.producer = fake->number};
    return OK;
}

static struct fake_batch *present(struct fake_kafka *kafka)
{
    check(kafka->n_batches > 0);
    return &kafka->batches[kafka->n_batches - 1];
}

static void keep_checkpoint(struct fake_batch *batch, const struct record *record)
{
    struct checkpoint read;
    struct error error;
    checkpoint_init(&read);
    check(strcmp(record->topic, "checkpoint") == 0 && !batch->has_checkpoint);
    check(checkpoint_apply(&read, record->partition, record->key, record->value, &error) == OK);
    batch->has_checkpoint = true;
    batch->unmarked = read.last[record->partition].unmarked;
    batch->checkpoint_partition = record->partition;
    batch->watermark = read.last[record->partition].watermark;
    batch->settled_lsn = read.last[record->partition].settled_lsn;
    checkpoint_release(&read);
}

static void keep_event(struct fake_batch *batch, struct event *event, bool dead)
{
    if (batch->events == NULL) {
        batch->events = must_calloc(FAKE_BATCH_EVENTS_MAX, sizeof(batch->events[0]));
        batch->dead = must_calloc(FAKE_BATCH_EVENTS_MAX, sizeof(batch->dead[0]));
    }
    check(batch->n < FAKE_BATCH_EVENTS_MAX);
    check(!batch->has_checkpoint); /* it is the last record */
    batch->events[batch->n] = event;
    batch->dead[batch->n++] = dead;
}

static enum verdict fake_send(struct producer *producer, const struct record *record, void *tag,
                              struct error *error)
{
    struct fake *fake = fake_of(producer);
    struct fake_kafka *kafka = fake->kafka;
    hook(fake, "send");
    kafka->sends++;
    check(fake->open);
    if (kafka->queue_max > 0 && fake->n_waiting >= kafka->queue_max) {
        return AGAIN;
    }
    if (kafka->client_max > 0 && record->value.len > kafka->client_max) {
        return error_set(error, REJECT, "larger than %zu bytes", kafka->client_max);
    }
    bool dead = strcmp(record->topic, TOPIC_DEAD) == 0;
    if (tag == NULL) {
        keep_checkpoint(present(kafka), record);
    } else {
        keep_event(present(kafka), tag, dead);
    }
    if (fake->waiting == NULL) {
        fake->waiting = must_calloc(FAKE_BATCH_EVENTS_MAX + 1, sizeof(fake->waiting[0]));
    }
    fake->waiting[fake->n_waiting++] = (struct sent){tag, record->value.len, dead};
    return OK;
}

/* Each topic's records travel together. */
static bool set_is_refused(const struct fake *fake, bool dead)
{
    const struct fake_kafka *kafka = fake->kafka;
    size_t bytes = 0;
    for (size_t i = 0; i < fake->n_waiting; i++) {
        const struct sent *sent = &fake->waiting[i];
        if (sent->event == NULL || sent->dead != dead) {
            continue;
        }
        bytes += sent->size;
        if (kafka->is_bad != NULL && kafka->is_bad(sent->event, dead)) {
            return true;
        }
    }
    return kafka->set_max > 0 && bytes > kafka->set_max;
}

static size_t fake_poll(struct producer *producer, int timeout_ms, report_fn *report_to,
                        void *context)
{
    (void)timeout_ms;
    struct fake *fake = fake_of(producer);
    struct fake_kafka *kafka = fake->kafka;
    hook(fake, "poll");
    kafka->polls++;
    if (kafka->silent || fake->n_waiting == 0) {
        return 0;
    }
    struct error error;
    enum verdict scripted = take_answer(&kafka->on_report, "a report", &error);
    if (kafka->stumbles && kafka->has_refused) {
        kafka->has_refused = false;
        scripted = error_set(&error, ABORT, "given up with its batch");
    }
    bool refused[2] = {set_is_refused(fake, false), set_is_refused(fake, true)};
    size_t n = fake->n_waiting;
    fake->n_waiting = 0;
    for (size_t i = 0; i < n; i++) {
        const struct sent *sent = &fake->waiting[i];
        bool bad = sent->event == NULL ? kafka->checkpoint_is_bad : refused[sent->dead];
        struct report report = {.tag = sent->event, .verdict = OK, .reason = kafka->bad_reason};
        if (scripted != OK) {
            report.verdict = scripted;
        } else if (bad) {
            report.verdict = error_set(&error, REJECT, "the broker refused it");
            kafka->has_refused = true;
        } else if (fake->failed) {
            report.verdict = error_set(&error, ABORT, "the transaction has failed");
        }
        fake->failed |= report.verdict != OK;
        report.error = report.verdict == OK ? NULL : &error;
        report_to(context, &report);
    }
    return n;
}

static enum verdict fake_commit(struct producer *producer, struct error *error)
{
    struct fake *fake = fake_of(producer);
    hook(fake, "commit");
    check(fake->open && fake->n_waiting == 0 && !fake->failed);
    check(present(fake->kafka)->has_checkpoint); /* I6 */
    check(present(fake->kafka)->producer == fake->number);
    enum verdict verdict = take_answer(&fake->kafka->on_commit, "commit", error);
    if (verdict == OK) {
        present(fake->kafka)->committed = true;
        fake->open = false;
    }
    return verdict;
}

static enum verdict fake_abort(struct producer *producer, struct error *error)
{
    (void)error;
    struct fake *fake = fake_of(producer);
    hook(fake, "abort");
    fake->kafka->aborts++;
    fake->open = false;
    fake->n_waiting = 0;
    return OK;
}

static enum verdict fake_topic(struct producer *producer, const char *topic, int timeout_ms,
                               struct error *error)
{
    (void)timeout_ms;
    struct fake *fake = fake_of(producer);
    hook(fake, "topic");
    const char *missing = fake->kafka->missing_topic;
    if (missing != NULL && strcmp(topic, missing) == 0) {
        return error_set(error, WAIT, "topic \"%s\" is missing", topic);
    }
    return OK;
}

static enum verdict fake_create_topic(struct producer *producer, const char *topic, int timeout_ms,
                                      struct error *error)
{
    (void)timeout_ms;
    (void)error;
    struct fake_kafka *kafka = fake_of(producer)->kafka;
    check(kafka->missing_topic != NULL && strcmp(topic, kafka->missing_topic) == 0);
    kafka->missing_topic = NULL;
    kafka->topics_created++;
    return OK;
}

static void fake_close(struct producer *producer)
{
    struct fake *fake = fake_of(producer);
    fake->kafka->closes++;
    free(fake->waiting);
    free(fake);
}

static const struct producer_ops ops = {
    .begin = fake_begin,
    .send = fake_send,
    .poll = fake_poll,
    .commit = fake_commit,
    .abort = fake_abort,
    .topic = fake_topic,
    .create_topic = fake_create_topic,
    .close = fake_close,
};

struct producer *fake_producer(struct fake_kafka *kafka, int number, bool transactional)
{
    struct fake *fake = must_calloc(1, sizeof(*fake));
    fake->base.ops = &ops;
    fake->base.transactional = transactional;
    fake->kafka = kafka;
    fake->number = number;
    return &fake->base;
}

void fake_kafka_release(struct fake_kafka *kafka)
{
    for (size_t i = 0; i < kafka->n_batches; i++) {
        free(kafka->batches[i].events);
        free(kafka->batches[i].dead);
    }
    free(kafka->batches);
}

size_t fake_published(const struct fake_kafka *kafka, struct event **events, bool *dead,
                      size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < kafka->n_batches; i++) {
        const struct fake_batch *batch = &kafka->batches[i];
        for (size_t k = 0; batch->committed && k < batch->n; k++) {
            check(n < room);
            if (dead != NULL) {
                dead[n] = batch->dead[k];
            }
            events[n++] = batch->events[k];
        }
    }
    return n;
}

size_t fake_commits(const struct fake_kafka *kafka)
{
    size_t n = 0;
    for (size_t i = 0; i < kafka->n_batches; i++) {
        n += kafka->batches[i].committed;
    }
    return n;
}
