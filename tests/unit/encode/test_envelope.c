/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "outbox_event.pb-c.h"
#include "sample.h"

static Walpost__V1__OutboxEvent *encode(struct sample *sample)
{
    static struct record record;
    struct error error;
    cr_assert_eq(encode_event(sample->encoder, &sample->event, &record, &error), OK, "%s",
                 error.what);
    cr_assert_eq(record.value.data, sample->event.value.data);
    cr_assert_eq(record.value.len, sample->event.value.len);
    Walpost__V1__OutboxEvent *message = walpost__v1__outbox_event__unpack(
        NULL, record.value.len, (const uint8_t *)record.value.data);
    cr_assert_not_null(message);
    cr_assert_eq(message->base.n_unknown_fields, 0);
    return message;
}

static void release(struct sample *sample, Walpost__V1__OutboxEvent *message)
{
    walpost__v1__outbox_event__free_unpacked(message, NULL);
    sample_release(sample);
}

Test(envelope, every_field_comes_back)
{
    struct sample sample;
    sample_init(&sample);
    sample.segment.part = 2;
    sample.segment.snapshot = true;
    sample_ready(&sample);
    Walpost__V1__OutboxEvent *m = encode(&sample);
    cr_assert_str_eq(m->id, "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50");
    cr_assert_str_eq(m->aggregate_id, "order-1001");
    cr_assert_str_eq(m->event_type, "Order.PaymentProcessed");
    cr_assert_str_eq(m->schema_version, "2");
    cr_assert_str_eq(m->status, "PENDING");
    cr_assert_eq(m->occurred_at->seconds, 1795428672);
    cr_assert_eq(m->occurred_at->nanos, 345678000);
    cr_assert_str_eq(m->trace->traceparent,
                     "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    cr_assert_str_eq(m->trace->tracestate, "congo=t61rcWkgMzE");
    cr_assert_str_eq(m->source->stream, "orders");
    cr_assert_eq(m->source->commit_lsn, 0x16b3748);
    cr_assert_eq(m->source->ordinal, 3);
    cr_assert_eq(m->source->xid, 742);
    cr_assert_eq(m->source->committed_at->seconds, 1795428674);
    cr_assert_eq(m->source->committed_at->nanos, 500000000);
    cr_assert_eq(m->source->part, 2);
    cr_assert(m->source->snapshot);
    cr_assert_eq(m->n_columns, 3); /* the NULL column is left out */
    cr_assert_str_eq(m->columns[0]->key, "region");
    cr_assert_str_eq(m->columns[0]->value, "eu-west");
    cr_assert_str_eq(m->columns[1]->key, "empty");
    cr_assert_str_eq(m->columns[1]->value, "");
    cr_assert_str_eq(m->columns[2]->key, "tenant");
    cr_assert_str_eq(m->headers_json, "{\"channel\": \"web\"}");
    cr_assert_str_eq(m->payload_type, "");
    cr_assert_eq(m->payload.len, 0);
    cr_assert_str_eq(m->payload_json, "{\"amount\": 12.50, \"currency\": \"EUR\"}");
    release(&sample, m);
}

Test(envelope, has_the_bytes_that_another_implementation_writes)
{
    FILE *file = fopen(SOURCE_ROOT "/tests/golden/envelope/order_payment.hex", "r");
    cr_assert_not_null(file);
    char golden[1024];
    size_t n = 0;
    unsigned byte;
    while (n < sizeof(golden) && fscanf(file, "%2x", &byte) == 1) {
        golden[n++] = (char)byte;
    }
    fclose(file);
    struct sample sample;
    sample_init(&sample);
    sample_ready(&sample);
    Walpost__V1__OutboxEvent *message = encode(&sample);
    cr_assert_eq(sample.event.value.len, n);
    cr_assert_eq(memcmp(sample.event.value.data, golden, n), 0);
    release(&sample, message);
}

Test(envelope, repeats_the_same_bytes)
{
    struct sample sample;
    sample_init(&sample);
    sample_ready(&sample);
    Walpost__V1__OutboxEvent *first = encode(&sample);
    struct bytes value = sample.event.value;
    char *copy = must_malloc(value.len);
    memcpy(copy, value.data, value.len);
    Walpost__V1__OutboxEvent *second = encode(&sample);
    cr_assert_eq(sample.event.value.data, value.data);
    cr_assert_eq(sample.event.value.len, value.len);
    cr_assert_eq(memcmp(sample.event.value.data, copy, value.len), 0);
    free(copy);
    walpost__v1__outbox_event__free_unpacked(first, NULL);
    release(&sample, second);
}

Test(envelope, does_not_touch_the_payload)
{
    struct sample sample;
    sample_init(&sample);
    sample_ready(&sample);
    const char *payload = sample.event.row.payload.data;
    Walpost__V1__OutboxEvent *message = encode(&sample);
    cr_assert_eq(sample.event.row.payload.data, payload);
    cr_assert_eq(sample.event.value.data + sample.event.value.len,
                 payload + sample.event.row.payload.len);
    assert_bytes(sample.event.row.payload, "{\"amount\": 12.50, \"currency\": \"EUR\"}");
    release(&sample, message);
}

Test(envelope, absent_columns_are_absent_fields)
{
    struct sample sample;
    sample_init(&sample);
    struct row *row = &sample.event.row;
    row->status = row->created_at = row->traceparent = row->tracestate = row->schema_version =
        row->headers = BYTES_NULL;
    row->n_extra = 0;
    sample_ready(&sample);
    Walpost__V1__OutboxEvent *m = encode(&sample);
    cr_assert_str_eq(m->status, "");
    cr_assert_null(m->occurred_at);
    cr_assert_str_eq(m->schema_version, "");
    cr_assert_str_eq(m->headers_json, "");
    cr_assert_eq(m->n_columns, 0);
    cr_assert_str_eq(m->trace->traceparent,
                     "00-0190a5c47b1e7c3a9f426d1e8b2a4c50-9f426d1e8b2a4c50-01");
    cr_assert_str_eq(m->trace->tracestate, "");
    cr_assert_eq(m->source->part, 0);
    cr_assert_not(m->source->snapshot);
    release(&sample, m);
}

Test(envelope, times_before_1970_and_no_times_at_all)
{
    static const struct {
        const char *created_at;
        bool known;
        int64_t seconds;
        int32_t nanos;
    } cases[] = {
        {"1969-12-31 23:59:59.25+00", true, -1, 250000000},
        {"1970-01-01 00:00:00+00", true, 0, 0},
        {"0001-01-01 00:00:00+00", true, INT64_C(-62135596800), 0},
        {"9999-12-31 23:59:59.999999+00", true, INT64_C(253402300799), 999999000},
        {"2026-11-23", true, 1795392000, 0},
        {"infinity", false, 0, 0},
        {"0044-03-15 00:00:00+00 BC", false, 0, 0},
        {"soon", false, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        sample_init(&sample);
        sample.event.row.created_at = bytes_of(cases[i].created_at);
        sample_ready(&sample);
        Walpost__V1__OutboxEvent *m = encode(&sample);
        cr_assert_eq(m->occurred_at != NULL, cases[i].known, "%s", cases[i].created_at);
        if (cases[i].known) {
            cr_assert_eq(m->occurred_at->seconds, cases[i].seconds, "%s", cases[i].created_at);
            cr_assert_eq(m->occurred_at->nanos, cases[i].nanos, "%s", cases[i].created_at);
        }
        release(&sample, m);
    }
}

/* Lengths around every size of a varint, and the largest numbers, in exactly the room that was
 * asked for. */
Test(envelope, the_largest_of_everything_fits_into_its_headroom)
{
    static const size_t lengths[] = {1, 127, 128, 16383, 16384, 2097151, 2097152};
    char *text = must_malloc(2097152);
    memset(text, 'x', 2097152);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct sample sample;
        sample_init(&sample);
        struct bytes any = {text, lengths[i]};
        struct row *row = &sample.event.row;
        sample.config.route.topic = "t";
        sample.config.route.key = "k";
        row->id = row->aggregate_id = row->event_type = row->payload = row->status = any;
        row->traceparent = row->tracestate = row->schema_version = any;
        row->created_at = BYTES_LIT("0001-01-01 00:00:00.999999");
        row->headers = BYTES_NULL;
        for (size_t e = 0; e < row->n_extra; e++) {
            sample.extra[e] = (struct named_bytes){any, any};
        }
        sample.event.position = (struct position){UINT64_MAX, UINT32_MAX};
        sample.segment.xid = sample.segment.part = UINT32_MAX;
        sample.segment.commit_time_us = INT64_MIN + 1;
        sample.segment.snapshot = true;
        sample_ready(&sample);
        Walpost__V1__OutboxEvent *m = encode(&sample);
        cr_assert_eq(strlen(m->payload_json), lengths[i]);
        cr_assert_eq(strlen(m->columns[3]->value), lengths[i]);
        cr_assert_eq(m->source->commit_lsn, UINT64_MAX);
        cr_assert_eq(m->source->ordinal, UINT32_MAX);
        release(&sample, m);
    }
    free(text);
}

Test(envelope, with_json_there_is_none_and_no_room_for_it)
{
    struct sample sample;
    sample_init(&sample);
    sample.config.value = VALUE_JSON;
    sample_ready(&sample);
    struct record record;
    struct error error;
    cr_assert_eq(encode_headroom(sample.encoder, &sample.event.row), 0);
    cr_assert_eq(encode_event(sample.encoder, &sample.event, &record, &error), OK);
    cr_assert_eq(record.value.data, sample.event.row.payload.data);
    assert_bytes(record.value, "{\"amount\": 12.50, \"currency\": \"EUR\"}");
    sample_release(&sample);
}

struct field {
    const char *name;
    unsigned id;
    ProtobufCType type;
};

static void assert_fields(const ProtobufCMessageDescriptor *message, const struct field *fields,
                          size_t n)
{
    cr_assert_eq(message->n_fields, n, "%s has other fields than the encoder", message->name);
    for (size_t i = 0; i < n; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(message, fields[i].name);
        cr_assert_not_null(field, "%s", fields[i].name);
        cr_assert_eq(field->id, fields[i].id, "%s", fields[i].name);
        cr_assert_eq(field->type, fields[i].type, "%s", fields[i].name);
    }
}

/* The encoder is written by hand: whoever changes the .proto file must change envelope.c too. */
Test(envelope, I7_the_layout_is_that_of_the_proto_file)
{
    static const struct field event[] = {
        {"id", 1, PROTOBUF_C_TYPE_STRING},
        {"aggregate_id", 2, PROTOBUF_C_TYPE_STRING},
        {"event_type", 3, PROTOBUF_C_TYPE_STRING},
        {"schema_version", 4, PROTOBUF_C_TYPE_STRING},
        {"status", 5, PROTOBUF_C_TYPE_STRING},
        {"occurred_at", 6, PROTOBUF_C_TYPE_MESSAGE},
        {"trace", 7, PROTOBUF_C_TYPE_MESSAGE},
        {"source", 8, PROTOBUF_C_TYPE_MESSAGE},
        {"columns", 9, PROTOBUF_C_TYPE_MESSAGE},
        {"headers_json", 10, PROTOBUF_C_TYPE_STRING},
        {"payload_type", 14, PROTOBUF_C_TYPE_STRING},
        {"payload", 15, PROTOBUF_C_TYPE_BYTES},
        {"payload_json", 16, PROTOBUF_C_TYPE_STRING},
    };
    static const struct field timestamp[] = {{"seconds", 1, PROTOBUF_C_TYPE_INT64},
                                             {"nanos", 2, PROTOBUF_C_TYPE_INT32}};
    static const struct field trace[] = {{"traceparent", 1, PROTOBUF_C_TYPE_STRING},
                                         {"tracestate", 2, PROTOBUF_C_TYPE_STRING}};
    static const struct field source[] = {
        {"stream", 1, PROTOBUF_C_TYPE_STRING},        {"commit_lsn", 2, PROTOBUF_C_TYPE_FIXED64},
        {"ordinal", 3, PROTOBUF_C_TYPE_UINT32},       {"xid", 4, PROTOBUF_C_TYPE_UINT32},
        {"committed_at", 5, PROTOBUF_C_TYPE_MESSAGE}, {"part", 6, PROTOBUF_C_TYPE_UINT32},
        {"snapshot", 7, PROTOBUF_C_TYPE_BOOL},
    };
    assert_fields(&walpost__v1__outbox_event__descriptor, event, ARRAY_LEN(event));
    assert_fields(&walpost__v1__timestamp__descriptor, timestamp, ARRAY_LEN(timestamp));
    assert_fields(&walpost__v1__trace_context__descriptor, trace, ARRAY_LEN(trace));
    assert_fields(&walpost__v1__source__descriptor, source, ARRAY_LEN(source));
}
