/* SPDX-License-Identifier: Apache-2.0
 *
 * The record of a dead letter. Its row may be anything: every text is bounded, so that the headers
 * alone always fit into a record that Kafka accepts (its default limit is 1 MB), and nothing here
 * can fail. */
#include <stdio.h>

#include "base/check.h"
#include "base/macros.h"
#include "encode/encode.h"
#include "encode/encoder.h"
#include "encode/trace.h"

enum {
    KEY_MAX = 1024,
    VALUE_MAX = 4096, /* of one header */
    NAME_MAX_LEN = 255,
    CUSTOM_MAX = 32768, /* of all headers that the row or the user named */
};

static const struct bytes letter_names[] = {
    /* as in every record of header_style walpost, whatever the style is: one reader for all dead
       letters */
    BYTES_LIT("event_id"),
    BYTES_LIT("event_type"),
    BYTES_LIT("aggregate_id"),
    BYTES_LIT("schema_version"),
    BYTES_LIT("trace_id"),
    BYTES_LIT("span_id"),
    BYTES_LIT("traceparent"),
    BYTES_LIT("tracestate"),
    BYTES_LIT("position"),
    BYTES_LIT("content-type"),
    BYTES_LIT("snapshot"),
    BYTES_LIT("transaction_part"),
    BYTES_LIT("replay_id"),
    /* of dead letters alone */
    BYTES_LIT("reason"),
    BYTES_LIT("detail"),
    BYTES_LIT("stream"),
    BYTES_LIT("source_topic"),
    BYTES_LIT("source_table"),
    BYTES_LIT("commit_lsn"),
    BYTES_LIT("time"),
    BYTES_LIT("attempt"),
};

static void put(struct record *record, struct bytes name, struct bytes value)
{
    if (value.data != NULL) {
        bool written = record_header(record, name, value);
        check(written);
    }
}

static struct bytes source_topic(const struct encoder *encoder, const struct row *row,
                                 struct record *record)
{
    char topic[RECORD_TOPIC_SIZE];
    if (encoder_topic(encoder, row, topic, NULL) != OK) {
        return BYTES_NULL;
    }
    return record_text(record, bytes_of(topic));
}

static struct bytes commit_lsn(const struct event *event, struct record *record)
{
    char text[LSN_TEXT_SIZE];
    snprintf(text, sizeof(text), LSN_FORMAT, LSN_ARGS(event->position.commit_lsn));
    return record_text(record, bytes_of(text));
}

/* The user's own headers, as far as there is room. */
static void bound_custom(struct record *record, size_t first)
{
    size_t kept = first;
    size_t size = 0;
    for (size_t i = first; i < record->n_headers; i++) {
        struct record_header header = record->headers[i];
        header.value = record_cut(header.value, VALUE_MAX);
        size += header.name.len + header.value.len;
        if (header.name.len <= NAME_MAX_LEN && size <= CUSTOM_MAX) {
            record->headers[kept++] = header;
        } else {
            size -= header.name.len + header.value.len;
        }
    }
    record->n_headers = kept;
}

void encode_dead_letter(const struct encoder *encoder, const struct event *event,
                        enum dead_reason reason, const char *detail, struct record *record)
{
    const struct row *row = &event->row;
    const struct name_list letter = {letter_names, ARRAY_LEN(letter_names)};
    struct trace trace;
    memcpy(record->topic, encoder->dead_letter_topic.data, encoder->dead_letter_topic.len + 1);
    record->partition = -1;
    record->timestamp_ms = event->segment->commit_time_us / 1000;
    record->n_headers = 0;
    record->scratch_used = TRACEPARENT_LEN;
    trace_of(row, record->scratch, &trace);
    headers_write_known(event, &trace, record);
    put(record, BYTES_LIT("replay_id"), encoder->headers.replay_id);
    put(record, BYTES_LIT("reason"), bytes_of(dead_reason_name(reason)));
    put(record, BYTES_LIT("detail"), bytes_of(detail));
    put(record, BYTES_LIT("stream"), encoder->stream);
    put(record, BYTES_LIT("source_topic"), source_topic(encoder, row, record));
    put(record, BYTES_LIT("source_table"), bytes_of(encoder->source_table));
    put(record, BYTES_LIT("commit_lsn"), commit_lsn(event, record));
    put(record, BYTES_LIT("time"), record_time(record, event->segment->commit_time_us));
    put(record, BYTES_LIT("attempt"), BYTES_LIT("1"));
    for (size_t i = 0; i < record->n_headers; i++) {
        record->headers[i].value = record_cut(record->headers[i].value, VALUE_MAX);
    }
    bool id_is_key = row->id.len > 0 && row->id.len <= KEY_MAX;
    record->key = id_is_key ? row->id : record_position(record, event->position);
    size_t n_fixed = record->n_headers;
    struct error fault; /* a headers column that is broken may be why this is a dead letter */
    if (headers_write_custom(&encoder->headers, row, letter, record, &fault) != OK) {
        check(fault.verdict == REJECT);
    }
    bound_custom(record, n_fixed);
    record->value = row->payload;
    if (row->payload.data == NULL || reason == DEAD_RECORD_TOO_LARGE) {
        record->value = BYTES_LIT("");
    }
}
