/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/macros.h"
#include "encode/headers.h"
#include "sample.h"

struct expected {
    const char *name;
    const char *value;
};

static void encode(struct sample *sample, struct record *record)
{
    struct error error;
    sample_ready(sample);
    cr_assert_eq(encode_event(sample->encoder, &sample->event, record, &error), OK, "%s",
                 error.what);
}

/* These headers, in this order, and no others. */
static void assert_headers(const struct record *record, const struct expected *expected, size_t n)
{
    for (size_t i = 0; i < n && i < record->n_headers; i++) {
        assert_bytes(record->headers[i].name, expected[i].name);
        assert_bytes(record->headers[i].value, expected[i].value);
    }
    cr_assert_eq(record->n_headers, n, "%zu headers", record->n_headers);
}

#define COMMON                                                                      \
    {"schema_version", "2"}, {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"},      \
        {"span_id", "00f067aa0ba902b7"},                                            \
        {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, \
        {"tracestate", "congo=t61rcWkgMzE"},                                        \
    {                                                                               \
        "position", "00000000016B3748.00000003"                                     \
    }

Test(headers, walpost_style)
{
    static const struct expected expected[] = {
        {"event_id", "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"},
        {"event_type", "Order.PaymentProcessed"},
        {"aggregate_id", "order-1001"},
        COMMON,
        {"content-type", "application/protobuf"},
        {"channel", "web"},
    };
    struct sample sample;
    struct record record;
    sample_init(&sample);
    encode(&sample, &record);
    assert_headers(&record, expected, ARRAY_LEN(expected));
    sample_release(&sample);
}

Test(headers, debezium_style)
{
    static const struct expected expected[] = {
        {"id", "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"},
        {"eventType", "Order.PaymentProcessed"},
        {"aggregatetype", "Order"},
        {"aggregateid", "order-1001"},
        COMMON,
        {"content-type", "application/json"},
        {"channel", "web"},
    };
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.config.route.header_style = HEADERS_DEBEZIUM;
    sample.config.value = VALUE_JSON;
    encode(&sample, &record);
    assert_headers(&record, expected, ARRAY_LEN(expected));
    sample_release(&sample);
}

Test(headers, cloudevents_style)
{
    static const struct expected expected[] = {
        {"ce_specversion", "1.0"},
        {"ce_id", "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"},
        {"ce_type", "Order.PaymentProcessed"},
        {"ce_source", "/walpost/orders"},
        {"ce_subject", "order-1001"},
        {"ce_time", "2026-11-23T10:11:12.345678Z"},
        {"ce_traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
        {"ce_tracestate", "congo=t61rcWkgMzE"},
        COMMON,
        {"content-type", "application/protobuf"},
        {"channel", "web"},
    };
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.config.route.header_style = HEADERS_CLOUDEVENTS;
    encode(&sample, &record);
    assert_headers(&record, expected, ARRAY_LEN(expected));
    sample_release(&sample);
}

Test(headers, what_the_event_does_not_have_is_left_out)
{
    static const struct expected expected[] = {
        {"event_id", "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"},
        {"event_type", "Order.PaymentProcessed"},
        {"aggregate_id", "order-1001"},
        {"trace_id", "0190a5c47b1e7c3a9f426d1e8b2a4c50"},
        {"span_id", "9f426d1e8b2a4c50"},
        {"traceparent", "00-0190a5c47b1e7c3a9f426d1e8b2a4c50-9f426d1e8b2a4c50-01"},
        {"position", "00000000016B3748.00000003"},
        {"content-type", "application/protobuf"},
    };
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.event.row.schema_version = sample.event.row.traceparent = sample.event.row.headers =
        sample.event.row.created_at = BYTES_NULL;
    encode(&sample, &record);
    assert_headers(&record, expected, ARRAY_LEN(expected));
    sample_release(&sample);
}

Test(headers, I12_a_cut_transaction_says_its_part_and_a_snapshot_says_so)
{
    static const struct {
        uint32_t part;
        bool snapshot;
        const char *part_header;
        const char *snapshot_header;
    } cases[] = {
        {0, false, NULL, NULL},
        {1, false, "1", NULL},
        {4294967295, true, "4294967295", "true"},
        {120, true, "120", "true"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        struct record record;
        sample_init(&sample);
        sample.segment.part = cases[i].part;
        sample.segment.snapshot = cases[i].snapshot;
        encode(&sample, &record);
        struct bytes part = header_of(&record, "transaction_part");
        struct bytes snapshot = header_of(&record, "snapshot");
        cr_assert_eq(part.data == NULL, cases[i].part_header == NULL);
        cr_assert_eq(snapshot.data == NULL, cases[i].snapshot_header == NULL);
        if (part.data != NULL) {
            assert_bytes(part, cases[i].part_header);
        }
        if (snapshot.data != NULL) {
            assert_bytes(snapshot, cases[i].snapshot_header);
        }
        sample_release(&sample);
    }
}

Test(headers, configured_ones_are_rendered_and_null_columns_leave_theirs_out)
{
    struct config_pair pairs[] = {{"region", "{column:region}"},
                                  {"where", "{domain}/{column:tenant}"},
                                  {"nothing", "{column:note}"},
                                  {"half", "x{column:note}"},
                                  {"fixed", "here"}};
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.config.route.headers = (struct config_pairs){pairs, ARRAY_LEN(pairs)};
    encode(&sample, &record);
    assert_bytes(header_of(&record, "region"), "eu-west");
    assert_bytes(header_of(&record, "where"), "Order/17");
    assert_bytes(header_of(&record, "fixed"), "here");
    cr_assert_null(header_of(&record, "nothing").data);
    cr_assert_null(header_of(&record, "half").data);
    sample_release(&sample);
}

Test(headers, the_rows_own_come_from_its_json)
{
    static const struct expected expected[] = {
        {"text", "a \"b\"\n\xc3\xa9 \xf0\x9f\x98\x80/"},
        {"empty", ""},
        {"number", "-1.50e3"},
        {"yes", "true"},
        {"no", "false"},
        {"object", "{\"a\": [1, \"}\"]}"},
        {"list", "[]"},
        {"na\"me", "x"},
    };
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.event.row.headers =
        BYTES_LIT("{\"text\": \"a \\\"b\\\"\\n\\u00e9 \\ud83d\\ude00\\/\", \"empty\": \"\", "
                  "\"number\": -1.50e3 , \"yes\": true,\"no\":false, \"null\": null, "
                  "\"object\": {\"a\": [1, \"}\"]}, \"list\": [], \"na\\\"me\": \"x\"}");
    encode(&sample, &record);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_bytes(header_of(&record, expected[i].name), expected[i].value);
    }
    cr_assert_null(header_of(&record, "null").data);
    cr_assert_eq(record.n_headers, 10 + ARRAY_LEN(expected));
    sample_release(&sample);
}

Test(headers, fixed_beats_configured_beats_row)
{
    struct config_pair pairs[] = {{"region", "config"}};
    struct sample sample;
    struct record record;
    sample_init(&sample);
    sample.config.route.headers = (struct config_pairs){pairs, 1};
    sample.event.row.tracestate = BYTES_NULL; /* left out, and still not the row's to set */
    sample.event.row.headers = BYTES_LIT(
        "{\"event_id\": \"forged\", \"posi\\u0074ion\": \"forged\", \"tracestate\": \"forged\", "
        "\"transaction_part\": 7, \"snapshot\": true, \"content-type\": \"forged\", "
        "\"region\": \"row\", \"mine\": \"row\", \"mine\": \"again\"}");
    encode(&sample, &record);
    assert_bytes(header_of(&record, "event_id"), "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50");
    assert_bytes(header_of(&record, "position"), "00000000016B3748.00000003");
    assert_bytes(header_of(&record, "region"), "config");
    assert_bytes(header_of(&record, "mine"), "row");
    cr_assert_null(header_of(&record, "tracestate").data);
    cr_assert_null(header_of(&record, "transaction_part").data);
    cr_assert_null(header_of(&record, "snapshot").data);
    for (size_t i = 0; i < record.n_headers; i++) {
        for (size_t j = i + 1; j < record.n_headers; j++) {
            cr_assert_not(bytes_equal(record.headers[i].name, record.headers[j].name));
        }
    }
    sample_release(&sample);
}

static void assert_rejected(const char *headers, const char *what)
{
    struct sample sample;
    struct record record;
    struct error error = {0};
    sample_init(&sample);
    sample.event.row.headers = bytes_of(headers);
    sample_ready(&sample);
    cr_assert_eq(encode_event(sample.encoder, &sample.event, &record, &error), REJECT, "%s",
                 headers);
    cr_assert_not_null(strstr(error.what, what), "%s", error.what);
    cr_assert_lt(strlen(error.what), sizeof(sample.event.detail), "too long for a detail: %s",
                 error.what);
    sample_release(&sample);
}

Test(headers, a_headers_column_that_is_no_object_is_rejected)
{
    static const char *const broken[] = {"",          "[]",         "\"a\"",        "1",
                                         "null",      "{",          "{\"a\"}",      "{\"a\": }",
                                         "{\"a\": 1", "{\"a\": 1,", "{\"a\": 1,}",  "{} x",
                                         "{a: 1}",    "{\"a\": x}", "{\"a\": \"b}", "{\"a\" 1}"};
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        assert_rejected(broken[i], "headers column");
    }
}

/* {"h0": 0, "h1": 1, ...} */
static void many_headers(char *json, size_t size, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        len +=
            (size_t)snprintf(json + len, size - len, "%s\"h%zu\": %zu", i == 0 ? "{" : ", ", i, i);
    }
    snprintf(json + len, size - len, "}");
}

Test(headers, more_than_a_record_has_are_rejected)
{
    char json[4096];
    struct sample sample;
    struct record record;
    many_headers(json, sizeof(json), RECORD_HEADERS_MAX - 10); /* 10 are fixed here */
    sample_init(&sample);
    sample.event.row.headers = bytes_of(json);
    encode(&sample, &record);
    cr_assert_eq(record.n_headers, RECORD_HEADERS_MAX);
    sample_release(&sample);
    many_headers(json, sizeof(json), RECORD_HEADERS_MAX - 9);
    assert_rejected(json, "more than 64 headers");
}

Test(headers, escaped_text_has_a_limit_and_plain_text_has_none)
{
    static char json[3 * RECORD_SCRATCH_SIZE];
    struct sample sample;
    struct record record;
    memset(json, 'x', sizeof(json));
    memcpy(json, "{\"a\":\"", 6);
    memcpy(json + sizeof(json) - 3, "\"}", 3);
    sample_init(&sample);
    sample.event.row.headers = bytes_of(json);
    encode(&sample, &record);
    cr_assert_eq(header_of(&record, "a").len, sizeof(json) - 9);
    sample_release(&sample);
    memcpy(json + 6, "\\n", 2);
    assert_rejected(json, "headers column");
}

Test(headers, wrong_configurations_name_the_header)
{
    static const struct {
        char *name;
        char *value;
        const char *what;
    } cases[] = {
        {"region", "{colum:region}", "route.headers.region: {colum:region} is no placeholder"},
        {"position", "x", "route.headers.position: walpost writes this header itself"},
        {"tracestate", "x", "route.headers.tracestate"},
        {"", "x", "route.headers: a header has no name"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config_pair pair = {cases[i].name, cases[i].value};
        struct sample sample;
        struct error error = {0};
        sample_init(&sample);
        sample.config.route.headers = (struct config_pairs){&pair, 1};
        cr_assert_eq(encoder_new(&sample.config, &sample.encoder, &error), INVALID);
        cr_assert_not_null(strstr(error.what, cases[i].what), "%s", error.what);
        cr_assert_neq(error.remedy[0], '\0');
        cr_assert_null(sample.encoder);
    }
}

Test(headers, too_many_configured_ones_are_refused_at_the_start)
{
    struct config_pair pairs[60];
    char names[60][8];
    for (size_t i = 0; i < 60; i++) {
        snprintf(names[i], sizeof(names[i]), "h%zu", i);
        pairs[i] = (struct config_pair){names[i], "x"};
    }
    struct sample sample;
    struct error error = {0};
    sample_init(&sample);
    sample.config.route.headers = (struct config_pairs){pairs, 60};
    cr_assert_eq(encoder_new(&sample.config, &sample.encoder, &error), INVALID);
    cr_assert_not_null(strstr(error.what, "route.headers has 60 headers"), "%s", error.what);
}
