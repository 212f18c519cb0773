/* SPDX-License-Identifier: Apache-2.0
 *
 * Written backwards, from the payload towards the front: then the length of a nested message is
 * known when its tag and length are due, and nothing is measured first or moved later. The last
 * field by number is written first. */
#include "encode/envelope.h"

#include "base/check.h"

/* Tag = field number << 3 | wire type. */
enum { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LEN = 2 };

#define TAG(field, wire) ((uint8_t)((field) << 3 | (wire)))

enum {
    VARINT_MAX = 10,          /* 64 bits, 7 a byte */
    LEN_MAX = 1 + VARINT_MAX, /* a one-byte tag (fields 1 to 15) and a length */
    TIMESTAMP_MAX = LEN_MAX + 2 * LEN_MAX,
    /* Source without the stream's name: its own tag and length, the stream's, commit_lsn, ordinal,
     * xid, committed_at, part, snapshot. */
    SOURCE_MAX = LEN_MAX + LEN_MAX + (1 + 8) + LEN_MAX + LEN_MAX + TIMESTAMP_MAX + LEN_MAX + 2,
    VERSION_MAX = 10, /* of a contract */
    /* id, aggregate_id, event_type, schema_version, status, headers_json; the trace and its two;
       payload_type, payload, payload_json */
    FIXED_MAX =
        6 * LEN_MAX + VERSION_MAX + TIMESTAMP_MAX + 3 * LEN_MAX + SOURCE_MAX + 3 * LEN_MAX + 1,
    COLUMN_MAX = 3 * LEN_MAX,
};

size_t envelope_headroom(struct bytes stream, const struct row *row)
{
    /* A traceparent that is not valid is replaced by one that is made. */
    size_t traceparent =
        row->traceparent.len > TRACEPARENT_LEN ? row->traceparent.len : TRACEPARENT_LEN;
    size_t size = FIXED_MAX + stream.len + row->id.len + row->aggregate_id.len +
                  row->event_type.len + row->schema_version.len + row->status.len + traceparent +
                  row->tracestate.len + row->headers.len;
    for (size_t i = 0; i < row->n_extra; i++) {
        size += COLUMN_MAX + row->extra[i].name.len + row->extra[i].value.len;
    }
    return size;
}

static char *put_varint(char *at, uint64_t value)
{
    if (value < 0x80) {
        *--at = (char)value;
        return at;
    }
    int n = (63 - __builtin_clzll(value)) / 7 + 1;
    at -= n;
    for (int i = 0; i < n - 1; i++) {
        at[i] = (char)(value | 0x80);
        value >>= 7;
    }
    at[n - 1] = (char)value;
    return at;
}

static char *put_tag(char *at, uint8_t tag)
{
    *--at = (char)tag;
    return at;
}

/* Zero, empty and absent are the default of proto3: nothing is written. */
static char *put_number(char *at, unsigned field, uint64_t value)
{
    return value == 0 ? at : put_tag(put_varint(at, value), TAG(field, WIRE_VARINT));
}

static char *put_present(char *at, unsigned field, struct bytes text)
{
    at -= text.len;
    memcpy(at, text.data, text.len);
    return put_tag(put_varint(at, text.len), TAG(field, WIRE_LEN));
}

static char *put_text(char *at, unsigned field, struct bytes text)
{
    return text.len == 0 ? at : put_present(at, field, text);
}

/* What was written since end becomes a nested message. */
static char *put_message(char *at, unsigned field, const char *end)
{
    return put_tag(put_varint(at, (uint64_t)(end - at)), TAG(field, WIRE_LEN));
}

static char *put_fixed64(char *at, unsigned field, uint64_t value)
{
    if (value == 0) {
        return at;
    }
    for (int i = 7; i >= 0; i--) {
        *--at = (char)(value >> (8 * i));
    }
    return put_tag(at, TAG(field, WIRE_64BIT));
}

/* nanos count forward from seconds, also before 1970. */
static char *put_time(char *at, unsigned field, int64_t us)
{
    const char *end = at;
    int64_t rest = us % 1000000;
    int64_t seconds = us / 1000000 - (rest < 0);
    rest += rest < 0 ? 1000000 : 0;
    at = put_number(at, 2, (uint64_t)rest * 1000);
    at = put_number(at, 1, (uint64_t)seconds);
    return put_message(at, field, end);
}

/* A map is a repeated message of key and value; both are always written, as protoc's own code does.
 */
static char *put_columns(char *at, unsigned field, const struct row *row)
{
    for (size_t i = row->n_extra; i-- > 0;) {
        if (row->extra[i].value.data != NULL) {
            const char *end = at;
            at = put_present(at, 2, row->extra[i].value);
            at = put_present(at, 1, row->extra[i].name);
            at = put_message(at, field, end);
        }
    }
    return at;
}

static char *put_source(char *at, unsigned field, struct bytes stream, const struct event *event)
{
    const struct segment *segment = event->segment;
    const char *end = at;
    at = put_number(at, 7, segment->snapshot);
    at = put_number(at, 6, segment->part);
    at = put_time(at, 5, segment->commit_time_us);
    at = put_number(at, 4, segment->xid);
    at = put_number(at, 3, event->position.ordinal);
    at = put_fixed64(at, 2, event->position.commit_lsn);
    at = put_text(at, 1, stream);
    return put_message(at, field, end);
}

static char *put_trace(char *at, unsigned field, const struct trace *trace)
{
    if (trace->traceparent.data == NULL) {
        return at;
    }
    const char *end = at;
    at = put_text(at, 2, trace->tracestate);
    at = put_text(at, 1, trace->traceparent);
    return put_message(at, field, end);
}

/* It was written wherever there was room: on its way to the right it may run over itself. */
static char *put_typed(char *at, struct event *event)
{
    struct bytes typed = event->typed;
    if (typed.data == NULL) {
        return at;
    }
    at -= typed.len;
    memmove(at, typed.data, typed.len);
    event->typed.data = at;
    at = put_tag(put_varint(at, typed.len), TAG(15, WIRE_LEN));
    return put_text(at, 14, event->contract->message);
}

struct bytes envelope_write(const struct envelope *envelope, struct event *event)
{
    const struct row *row = &event->row;
    check(row->payload.data != NULL);
    check(event->headroom + event->headroom_size == row->payload.data);
    check(event->headroom_size >= envelope_headroom(envelope->stream, row));
    char *at = event->headroom + event->headroom_size;
    if (row->payload.len > 0) {
        at = put_varint(at, row->payload.len);
        at = put_varint(at, 16 << 3 | WIRE_LEN);
    }
    at = put_typed(at, event);
    at = put_text(at, 10, row->headers);
    at = put_columns(at, 9, row);
    at = put_source(at, 8, envelope->stream, event);
    at = put_trace(at, 7, &envelope->trace);
    if (envelope->occurred) {
        at = put_time(at, 6, envelope->occurred_us);
    }
    at = put_text(at, 5, row->status);
    at = put_text(at, 4, event_version(event));
    at = put_text(at, 3, row->event_type);
    at = put_text(at, 2, row->aggregate_id);
    at = put_text(at, 1, row->id);
    check(at >= event->headroom);
    return (struct bytes){at, (size_t)(row->payload.data - at) + row->payload.len};
}
