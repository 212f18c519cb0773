/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "sample.h"

enum { MEGABYTE = 1 << 20 };

Test(dead_letter, says_what_it_was_and_why_it_is_here)
{
    static const struct {
        const char *name;
        const char *value;
    } expected[] = {
        {"event_id", "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"},
        {"event_type", "Order.PaymentProcessed"},
        {"aggregate_id", "order-1001"},
        {"schema_version", "2"},
        {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"},
        {"span_id", "00f067aa0ba902b7"},
        {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
        {"tracestate", "congo=t61rcWkgMzE"},
        {"position", "00000000016B3748.00000003"},
        {"reason", "missing_topic"},
        {"detail", "there is no such topic"},
        {"stream", "orders"},
        {"source_topic", "outbox.event.Order"},
        {"source_table", "public.outbox_events"},
        {"commit_lsn", "0/16B3748"},
        {"time", "2026-11-23T10:11:14.500000Z"},
        {"attempt", "1"},
        {"xid", "742"},
        {"created_at", "2026-11-23 10:11:12.345678+00"},
        {"status", "PENDING"},
        {"headers", "{\"channel\": \"web\"}"},
        {"value", "payload"},
        {"channel", "web"},
        {"column.region", "eu-west"},
        {"column.empty", ""},
        {"column.tenant", "17"},
    };
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.config.route.header_style = HEADERS_DEBEZIUM; /* has no say here */
    sample_ready(&sample);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_MISSING_TOPIC, "there is no such topic",
                       &record);
    cr_assert_str_eq(record.topic, "outbox.dead-letter");
    assert_bytes(record.key, "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50");
    assert_bytes(record.value, "{\"amount\": 12.50, \"currency\": \"EUR\"}");
    cr_assert_eq(record.timestamp_ms, INT64_C(1795428674500));
    cr_assert_eq(record.partition, -1);
    cr_assert_eq(record.n_headers, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_bytes(record.headers[i].name, expected[i].name);
        assert_bytes(record.headers[i].value, expected[i].value);
    }
    sample_release(&sample);
}

Test(dead_letter, after_an_attempt_to_encode_the_payload_is_still_the_original)
{
    struct sample sample;
    struct record record;
    struct error error;
    sample_init(&sample);
    sample_ready(&sample);
    cr_assert_eq(encode_event(sample.encoder, &sample.event, &record, &error), OK);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_PROCESSING_FAILED, "refused", &record);
    assert_bytes(record.value, "{\"amount\": 12.50, \"currency\": \"EUR\"}");
    sample_release(&sample);
}

Test(dead_letter, what_is_too_large_goes_without_its_payload)
{
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample_ready(&sample);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_RECORD_TOO_LARGE, "too large", &record);
    assert_bytes(record.value, "");
    assert_bytes(header_of(&record, "reason"), "record_too_large");
    sample_release(&sample);
}

Test(dead_letter, a_row_of_nulls_still_has_a_key_and_a_place)
{
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.event.row = (struct row){.dead = DEAD_INVALID_EVENT};
    sample_ready(&sample);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_INVALID_EVENT, NULL, &record);
    assert_bytes(record.key, "00000000016B3748.00000003");
    assert_bytes(record.value,
                 ""); /* not NULL: a tombstone would erase it from a compacted topic */
    assert_bytes(header_of(&record, "position"), "00000000016B3748.00000003");
    assert_bytes(header_of(&record, "reason"), "invalid_event");
    cr_assert_null(header_of(&record, "event_id").data);
    cr_assert_null(header_of(&record, "traceparent").data);
    cr_assert_null(header_of(&record, "detail").data);
    cr_assert_null(header_of(&record, "source_topic").data);
    sample_release(&sample);
}

Test(dead_letter, neither_the_row_nor_the_configuration_can_forge_its_headers)
{
    struct config_pair pairs[] = {{"source_topic", "forged"}};
    static const char *const forged[] = {"reason",   "source_topic", "detail",
                                         "snapshot", "time",         "tracestate",
                                         "cut",      "value",        "column.region"};
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.config.route.headers = (struct config_pairs){pairs, 1};
    sample.event.row.event_type = BYTES_LIT("not a topic");
    sample.event.row.tracestate = BYTES_NULL;
    sample.event.row.headers =
        BYTES_LIT("{\"reason\": \"forged\", \"source_topic\": \"forged\", \"detail\": \"forged\", "
                  "\"snapshot\": \"forged\", \"time\": \"forged\", \"tracestate\": \"forged\", "
                  "\"cut\": \"forged\", \"value\": \"forged\", \"column.region\": \"forged\"}");
    sample_ready(&sample);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_INVALID_EVENT, NULL, &record);
    for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
        struct bytes value = header_of(&record, forged[i]);
        cr_assert_not(bytes_equal(value, BYTES_LIT("forged")), "%s", forged[i]);
    }
    sample_release(&sample);
}

Test(dead_letter, a_message_in_which_no_event_was_found_says_so)
{
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.event.row.message = true;
    sample.event.row.unmapped = true;
    sample_ready(&sample);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_INVALID_EVENT, "x", &record);
    assert_bytes(header_of(&record, "value"), "message");
    cr_assert_null(header_of(&record, "source_table").data);
    cr_assert_null(header_of(&record, "cut").data);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_RECORD_TOO_LARGE, "x", &record);
    assert_bytes(header_of(&record, "value"), "none");
    sample_release(&sample);
}

Test(dead_letter, a_row_with_more_columns_than_headers_says_that_it_is_cut)
{
    enum { MANY = 80 };
    static char names[MANY][16];
    static struct named_bytes extra[MANY];
    struct sample sample;
    struct record record;
    sample_init(&sample);
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof(names[i]), "c%d", i);
        extra[i] = (struct named_bytes){bytes_of(names[i]), BYTES_LIT("v")};
    }
    sample.event.row.extra = extra;
    sample.event.row.n_extra = MANY;
    sample_ready(&sample);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_INVALID_EVENT, "x", &record);
    assert_bytes(header_of(&record, "cut"), "true");
    assert_bytes(header_of(&record, "channel"), "web");
    assert_bytes(header_of(&record, "column.c0"), "v");
    cr_assert_null(header_of(&record, "column.c79").data);
    sample_release(&sample);
}

static size_t headers_size(const struct record *record)
{
    size_t size = 0;
    for (size_t i = 0; i < record->n_headers; i++) {
        cr_assert_leq(record->headers[i].name.len, 255);
        cr_assert_leq(record->headers[i].value.len, 4096);
        size += record->headers[i].name.len + record->headers[i].value.len + 16;
    }
    return size;
}

static bool is_continuation(char c)
{
    return (c & 0xc0) == 0x80;
}

Test(dead_letter, a_hostile_row_becomes_a_record_that_kafka_accepts)
{
    char *huge = must_malloc(MEGABYTE + 1);
    for (size_t i = 0; i < MEGABYTE; i += 2) {
        memcpy(huge + i, "\xc3\xa4", 2);
    }
    huge[MEGABYTE] = '\0';
    huge[0] = 'x'; /* a cut at 4096 falls into the middle of a character */
    memmove(huge + 1, huge + 2, MEGABYTE - 2);
    huge[MEGABYTE - 1] = '\0';
    struct bytes any = bytes_of(huge);
    struct config_pair pairs[] = {{"custom", "{column:region}"}, {"made", "{domain}{event_type}"}};
    for (int reason = DEAD_INVALID_EVENT; reason <= DEAD_UNKNOWN_EVENT_TYPE; reason++) {
        struct sample sample;
        struct record record;
        sample_init(&sample);
        sample.config.route.headers = (struct config_pairs){pairs, 2};
        struct row *row = &sample.event.row;
        row->id = row->aggregate_id = row->event_type = row->status = row->created_at = any;
        row->traceparent = row->tracestate = row->schema_version = any;
        sample.extra[0].value = any;
        sample.segment.part = UINT32_MAX;
        sample.segment.snapshot = true;
        sample_ready(&sample);
        encode_dead_letter(sample.encoder, &sample.event, (enum dead_reason)reason, huge, &record);
        cr_assert_lt(headers_size(&record), 128 * 1024);
        assert_bytes(header_of(&record, "cut"), "true");
        cr_assert_eq(header_of(&record, "event_type").len, 4095);
        cr_assert_eq(header_of(&record, "detail").len, 4095);
        cr_assert_eq(header_of(&record, "custom").len, 4095);
        for (size_t i = 0; i < record.n_headers; i++) {
            struct bytes value = record.headers[i].value;
            cr_assert(value.len < 4095 || is_continuation(value.data[value.len - 1]));
        }
        assert_bytes(record.key, "00000000016B3748.00000003");
        sample_release(&sample);
    }
    free(huge);
}

Test(dead_letter, many_large_headers_of_the_row_stay_within_a_bound)
{
    enum { SIZE = 60 * 8192 };
    char *json = must_malloc(SIZE);
    size_t len = 0;
    for (int i = 0; i < 50; i++) {
        len += (size_t)snprintf(json + len, SIZE - len, "%s\"h%d\": \"%08000d\"",
                                i == 0 ? "{" : ", ", i, 0);
    }
    len += (size_t)snprintf(json + len, SIZE - len, ", \"%0400d\": 1}", 0);
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.event.row.headers = (struct bytes){json, len};
    sample_ready(&sample);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_RECORD_TOO_LARGE, "too large", &record);
    cr_assert_lt(headers_size(&record), 48 * 1024);
    cr_assert_eq(header_of(&record, "h0").len, 4096);
    free(json);
    sample_release(&sample);
}

/* The headers column may itself be why this is a dead letter. */
Test(dead_letter, a_broken_headers_column_does_no_harm)
{
    static const char *const broken[] = {"", "[", "{\"a\": 1, \"b\"", "{\"a\": \"\\u12\"}",
                                         "nonsense"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct sample sample;
        struct record record;
        sample_init(&sample);
        sample.event.row.headers = bytes_of(broken[i]);
        sample_ready(&sample);
        encode_dead_letter(sample.encoder, &sample.event, DEAD_INVALID_EVENT, "x", &record);
        assert_bytes(header_of(&record, "attempt"), "1");
        sample_release(&sample);
    }
}

Test(dead_letter, repeats_the_same)
{
    struct sample sample;
    struct record first;
    struct record second;
    sample_init(&sample);
    sample_ready(&sample);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_MISSING_TOPIC, "x", &first);
    encode_dead_letter(sample.encoder, &sample.event, DEAD_MISSING_TOPIC, "x", &second);
    cr_assert(bytes_equal(first.key, second.key));
    cr_assert_eq(first.n_headers, second.n_headers);
    for (size_t i = 0; i < first.n_headers; i++) {
        cr_assert(bytes_equal(first.headers[i].value, second.headers[i].value));
    }
    sample_release(&sample);
}
