/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/producer_state.h"

#include "base/check.h"
#include "base/murmur2.h"
#include "kafka/verdicts.h"

static rd_kafka_headers_t *make_headers(const struct record *record)
{
    if (record->n_headers == 0) {
        return NULL;
    }
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->n_headers);
    for (size_t i = 0; i < record->n_headers; i++) {
        struct bytes name = record->headers[i].name;
        struct bytes value = record->headers[i].value;
        rd_kafka_resp_err_t code = rd_kafka_header_add(headers, name.data, (ssize_t)name.len,
                                                       value.data, (ssize_t)value.len);
        check(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    return headers;
}

static rd_kafka_error_t *produce(struct kafka_producer *p, rd_kafka_topic_t *topic,
                                 int32_t partition, const struct record *record, void *tag)
{
    rd_kafka_headers_t *headers = make_headers(record);
    rd_kafka_vu_t arguments[8] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = 0}, /* neither copy nor free the value */
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)record->key.data, .size = record->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)record->value.data, .size = record->value.len}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = tag},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *problem =
        rd_kafka_produceva(p->client.rk, arguments, headers == NULL ? 7 : 8);
    if (problem != NULL && headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    return problem;
}

/* Does the cause of the failed transaction say more than the record's own report? */
static bool cause_explains(const struct kafka_producer *p)
{
    enum kafka_trouble trouble = kafka_trouble_of(p->cause);
    return trouble == TROUBLE_TOPIC || trouble == TROUBLE_RIGHT || trouble == TROUBLE_FOR_GOOD;
}

static enum verdict explain(struct kafka_producer *p, rd_kafka_resp_err_t code, const char *topic,
                            int32_t partition, enum dead_reason *reason, struct error *error)
{
    if (rd_kafka_fatal_error(p->client.rk, NULL, 0) != 0) {
        return producer_note_death(p, error);
    }
    enum kafka_trouble trouble = kafka_trouble_of(code);
    if (trouble == TROUBLE_BATCH || trouble == TROUBLE_UNKNOWN) {
        producer_learn_cause(p);
        if (p->lost) {
            return producer_note_death(p, error);
        }
        if (kafka_trouble_of(p->cause) == TROUBLE_ID_LOST) {
            return kafka_lost_verdict(p->cause, p->id, error);
        }
        if (cause_explains(p)) {
            enum verdict verdict = kafka_record_verdict(p->cause, topic, -1, reason, error);
            error_prefix(error, "in this batch, perhaps of another record: ");
            if (error != NULL && p->refusal.what[0] == '\0') {
                p->refusal = *error;
            }
            return verdict;
        }
    }
    return kafka_record_verdict(code, topic, partition, reason, error);
}

/* Where the record will go, as far as the number of partitions is known. */
static uint32_t expected_partition(const struct handle *handle, const struct record *record)
{
    return record->partition >= 0 ? (uint32_t)record->partition
                                  : murmur2_bucket(record->key, handle->firsts.size);
}

enum verdict producer_send(struct producer *producer, const struct record *record, void *tag,
                           struct error *error)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    struct handle *handle = handles_find(&p->handles, record->topic);
    if (handle == NULL) {
        handle = handles_add(&p->handles, p->client.rk, record->topic);
    }
    /* The client would spread records without a key at random: these keep their order. */
    int32_t partition = record->partition >= 0 ? record->partition
                        : record->key.len == 0 ? 0
                                               : RD_KAFKA_PARTITION_UA;
    uint32_t expected = 0;
    if (handle->firsts.unknown > 0) {
        expected = expected_partition(handle, record);
        if (firsts_must_wait(&handle->firsts, expected)) {
            return AGAIN;
        }
    }
    rd_kafka_error_t *problem = produce(p, handle->topic, partition, record, tag);
    if (problem == NULL) {
        p->unreported++;
        if (handle->firsts.unknown > 0) {
            firsts_sent(&handle->firsts, expected);
        }
        return OK;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(problem);
    rd_kafka_error_destroy(problem);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return AGAIN;
    }
    enum dead_reason unused;
    enum verdict verdict = explain(p, code, record->topic, record->partition, &unused, error);
    handle->seen = handle->seen && verdict != WAIT;
    return verdict;
}

/* librdkafka takes a record for delivered when a later one of its partition was acknowledged, and
 * brokers may have accepted that one without it. Without the broker's own word for this record, it
 * is not believed. */
static enum verdict not_acknowledged(const char *topic, int32_t partition, struct error *error)
{
    error_set(error, ABORT,
              "topic \"%s\", partition %d: no broker said where the record is, only that a later "
              "one has arrived",
              topic, (int)partition);
    return error_remedy(error, "Nothing: the batch is sent again.");
}

static void hand_out(struct kafka_producer *p, const rd_kafka_message_t *message,
                     report_fn *report_to, void *context)
{
    struct report report = {.tag = message->_private, .verdict = OK};
    struct error error;
    const char *topic = rd_kafka_topic_name(message->rkt);
    struct handle *handle = handles_find(&p->handles, topic);
    bool arrived = message->err == 0 && message->offset >= 0;
    p->unreported--;
    if (!arrived) {
        report.verdict = message->err == 0 ? not_acknowledged(topic, message->partition, &error)
                                           : explain(p, message->err, topic, message->partition,
                                                     &report.reason, &error);
        report.error = &error;
    }
    if (handle != NULL && handle->firsts.unknown > 0 && message->partition >= 0) {
        firsts_reported(&handle->firsts, (uint32_t)message->partition, arrived);
    }
    /* The replay asks for the topic again: it may be gone. */
    if (handle != NULL && !arrived && report.verdict != REJECT) {
        handle->seen = false;
    }
    report_to(context, &report);
}

size_t producer_poll(struct producer *producer, int timeout_ms, report_fn *report_to, void *context)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    size_t count = 0;
    rd_kafka_event_t *event;
    while ((event = client_poll(&p->client, timeout_ms)) != NULL) {
        const rd_kafka_message_t *message;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            while ((message = rd_kafka_event_message_next(event)) != NULL) {
                hand_out(p, message, report_to, context);
                count++;
            }
        } else if (client_note(&p->client, event)) {
            producer_note_death(p, NULL);
        }
        rd_kafka_event_destroy(event);
        timeout_ms = 0;
    }
    return count;
}
