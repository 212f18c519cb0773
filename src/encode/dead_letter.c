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
    COLUMNS_MAX = 32768,
};

/* A column without a role travels as a header, so that the event can be made again. */
static const struct bytes column_prefix = BYTES_LIT(LETTER_COLUMN_PREFIX);

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
    BYTES_LIT("value"),
    BYTES_LIT("cut"),
    /* of the row: what no other header says */
    BYTES_LIT("xid"),
    BYTES_LIT("created_at"),
    BYTES_LIT("status"),
    BYTES_LIT("headers"),
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
    if (encode_topic(encoder, row, topic, NULL) != OK) {
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

static bool is_column(struct bytes name)
{
    return name.len >= column_prefix.len &&
           memcmp(name.data, column_prefix.data, column_prefix.len) == 0;
}

/* The user's own headers, as far as there is room. One place stays free. */
static void bound_custom(struct record *record, size_t first)
{
    size_t kept = first;
    size_t size = 0;
    for (size_t i = first; i < record->n_headers && kept + 1 < RECORD_HEADERS_MAX; i++) {
        struct record_header header = record->headers[i];
        header.value = record_cut(header.value, VALUE_MAX);
        size += header.name.len + header.value.len;
        if (header.name.len <= NAME_MAX_LEN && size <= CUSTOM_MAX && !is_column(header.name)) {
            record->headers[kept++] = header;
        } else {
            size -= header.name.len + header.value.len;
        }
    }
    record->n_headers = kept;
}

/* False: there is no room for all of them. */
static bool put_columns(const struct row *row, struct record *record)
{
    size_t size = 0;
    for (size_t i = 0; i < row->n_extra; i++) {
        struct bytes name = row->extra[i].name;
        struct bytes value = row->extra[i].value;
        if (value.data == NULL) {
            continue;
        }
        size_t room;
        char *made = record_room(record, &room);
        size_t name_len = column_prefix.len + name.len;
        size += name_len + value.len;
        if (value.len > VALUE_MAX || name_len > NAME_MAX_LEN || name_len > room ||
            size > COLUMNS_MAX || record->n_headers + 1 == RECORD_HEADERS_MAX) {
            return false;
        }
        memcpy(made, column_prefix.data, column_prefix.len);
        memcpy(made + column_prefix.len, name.data, name.len);
        record->scratch_used += name_len;
        put(record, (struct bytes){made, name_len}, value);
    }
    return true;
}

/* False: one of them was cut. What is not of the row may be. */
static bool bound_fixed(struct record *record)
{
    bool whole = true;
    for (size_t i = 0; i < record->n_headers; i++) {
        struct record_header *header = &record->headers[i];
        size_t len = header->value.len;
        header->value = record_cut(header->value, VALUE_MAX);
        bool of_row = !bytes_equal(header->name, BYTES_LIT("detail")) &&
                      !bytes_equal(header->name, BYTES_LIT("source_topic")) &&
                      !bytes_equal(header->name, BYTES_LIT("source_table"));
        whole = whole && (header->value.len == len || !of_row);
    }
    return whole;
}

static void put_letter(const struct encoder *encoder, const struct event *event,
                       enum dead_reason reason, const char *detail, struct record *record)
{
    const struct row *row = &event->row;
    put(record, BYTES_LIT("reason"), bytes_of(dead_reason_name(reason)));
    put(record, BYTES_LIT("detail"), bytes_of(detail));
    put(record, BYTES_LIT("stream"), encoder->stream);
    put(record, BYTES_LIT("source_topic"), source_topic(encoder, row, record));
    if (!row->message) {
        put(record, BYTES_LIT("source_table"), bytes_of(encoder->source_table));
    }
    put(record, BYTES_LIT("commit_lsn"), commit_lsn(event, record));
    put(record, BYTES_LIT("time"), record_time(record, event->segment->commit_time_us));
    put(record, BYTES_LIT("attempt"), BYTES_LIT("1"));
    put(record, BYTES_LIT("xid"), record_number(record, event->segment->xid));
    put(record, BYTES_LIT("created_at"), row->created_at);
    put(record, BYTES_LIT("status"), row->status);
    put(record, BYTES_LIT("headers"), row->headers);
}

struct bytes dead_letter_key(const struct row *row, struct position position,
                             char text[static POSITION_TEXT_SIZE])
{
    if (row->id.len > 0 && row->id.len <= KEY_MAX) {
        return row->id;
    }
    return (struct bytes){text, position_format(position, text)};
}

void encode_dead_letter(const struct encoder *encoder, const struct event *event,
                        enum dead_reason reason, const char *detail, struct record *record)
{
    const struct row *row = &event->row;
    const struct name_list letter = {letter_names, ARRAY_LEN(letter_names)};
    bool has_value = row->payload.data != NULL && reason != DEAD_RECORD_TOO_LARGE;
    struct trace trace;
    memcpy(record->topic, encoder->dead_letter_topic.data, encoder->dead_letter_topic.len + 1);
    record->partition = -1;
    record->timestamp_ms = event->segment->commit_time_us / 1000;
    record->n_headers = 0;
    record->scratch_used = TRACEPARENT_LEN;
    trace_of(row, record->scratch, &trace);
    headers_write_known(event, &trace, record);
    put(record, BYTES_LIT("replay_id"), encoder->headers.replay_id);
    put_letter(encoder, event, reason, detail, record);
    put(record, BYTES_LIT("value"),
        !has_value      ? BYTES_LIT(LETTER_VALUE_NONE)
        : row->unmapped ? BYTES_LIT(LETTER_VALUE_MESSAGE)
                        : BYTES_LIT(LETTER_VALUE_PAYLOAD));
    bool whole = bound_fixed(record);
    char position[POSITION_TEXT_SIZE];
    struct bytes key = dead_letter_key(row, event->position, position);
    record->key = key.data == position ? record_text(record, key) : key;
    size_t n_fixed = record->n_headers;
    struct error fault; /* a headers column that is broken may be why this is a dead letter */
    if (headers_write_custom(&encoder->headers, row, letter, record, &fault) != OK) {
        check(fault.verdict == REJECT);
    }
    bound_custom(record, n_fixed);
    if (!put_columns(row, record) || !whole) {
        put(record, BYTES_LIT("cut"), BYTES_LIT("true"));
    }
    record->value = has_value ? row->payload : BYTES_LIT("");
}
