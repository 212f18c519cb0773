/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/producer_state.h"

#include "base/check.h"
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
                                 const struct record *record, void *tag)
{
    rd_kafka_headers_t *headers = make_headers(record);
    int32_t partition = record->partition < 0 ? RD_KAFKA_PARTITION_UA : record->partition;
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

enum verdict producer_send(struct producer *producer, const struct record *record, void *tag,
                           struct error *error)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    struct handle *handle = handles_find(&p->handles, record->topic);
    if (handle == NULL) {
        handle = handles_add(&p->handles, p->client.rk, record->topic);
    }
    rd_kafka_error_t *problem = produce(p, handle->topic, record, tag);
    if (problem == NULL) {
        p->unreported++;
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

static void hand_out(struct kafka_producer *p, const rd_kafka_message_t *message,
                     report_fn *report_to, void *context)
{
    struct report report = {.tag = message->_private, .verdict = OK};
    struct error error;
    p->unreported--;
    if (message->err != 0) {
        const char *topic = rd_kafka_topic_name(message->rkt);
        report.verdict =
            explain(p, message->err, topic, message->partition, &report.reason, &error);
        report.error = &error;
        /* The replay asks for the topic again: it may be gone. */
        struct handle *handle = report.verdict != REJECT ? handles_find(&p->handles, topic) : NULL;
        if (handle != NULL) {
            handle->seen = false;
        }
    }
    report_to(context, &report);
}

size_t producer_poll(struct producer *producer, int timeout_ms, report_fn *report_to, void *context)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    size_t count = 0;
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(p->client.queue, timeout_ms)) != NULL) {
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
