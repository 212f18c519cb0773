/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "encode/json_line.h"
#include "outbox/json.h"
#include "sample.h"

/* The line without its line feed; asserts that it is one line of JSON. */
static struct bytes render(struct sample *sample, struct json_line *line, enum dead_reason reason,
                           const char *detail)
{
    struct record record;
    struct error error;
    sample_ready(sample);
    if (reason == DEAD_NOT) {
        cr_assert_eq(encode_event(sample->encoder, &sample->event, &record, &error), OK);
    } else {
        encode_dead_letter(sample->encoder, &sample->event, reason, detail, &record);
    }
    line->len = 0;
    json_line_append(line, &sample->event, &record, reason, detail);
    cr_assert_eq(line->data[line->len - 1], '\n');
    struct bytes text = {line->data, line->len - 1};
    cr_assert_null(memchr(text.data, '\n', text.len));
    cr_assert_eq(json_check(text), JSON_FINE, "%.*s", (int)text.len, text.data);
    return text;
}

static struct bytes member(struct bytes line, const char *name)
{
    struct json_scan scan;
    struct json_value key;
    struct json_value value;
    cr_assert_eq(json_begin(&scan, line), JSON_FINE);
    while (json_next(&scan, &key, &value)) {
        if (bytes_equal(json_inside(&key), bytes_of(name))) {
            return value.text;
        }
    }
    return BYTES_NULL;
}

Test(json_line, has_all_of_an_event)
{
    struct sample sample;
    struct json_line line = {0};
    sample_init(&sample);
    assert_bytes(
        render(&sample, &line, DEAD_NOT, NULL),
        "{\"position\":\"00000000016B3748.00000003\",\"topic\":\"outbox.event.Order\","
        "\"key\":\"order-1001\",\"id\":\"0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50\","
        "\"aggregate_id\":\"order-1001\",\"event_type\":\"Order.PaymentProcessed\",\"headers\":{"
        "\"event_id\":\"0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50\","
        "\"event_type\":\"Order.PaymentProcessed\",\"aggregate_id\":\"order-1001\","
        "\"schema_version\":\"2\",\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
        "\"span_id\":\"00f067aa0ba902b7\","
        "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\","
        "\"tracestate\":\"congo=t61rcWkgMzE\",\"position\":\"00000000016B3748.00000003\","
        "\"content-type\":\"application/protobuf\",\"channel\":\"web\"},"
        "\"payload\":{\"amount\": 12.50, \"currency\": \"EUR\"}}");
    json_line_release(&line);
    sample_release(&sample);
}

Test(json_line, lines_stand_one_behind_the_other)
{
    struct sample sample;
    struct record record;
    struct error error;
    struct json_line line = {0};
    sample_init(&sample);
    sample_ready(&sample);
    cr_assert_eq(encode_event(sample.encoder, &sample.event, &record, &error), OK);
    json_line_append(&line, &sample.event, &record, DEAD_NOT, NULL);
    size_t one = line.len;
    for (int i = 1; i < 100; i++) {
        json_line_append(&line, &sample.event, &record, DEAD_NOT, NULL);
    }
    cr_assert_eq(line.len, 100 * one);
    cr_assert_eq(memcmp(line.data, line.data + 99 * one, one), 0);
    json_line_release(&line);
    sample_release(&sample);
}

Test(json_line, a_dead_letter_says_why)
{
    struct sample sample;
    struct json_line line = {0};
    sample_init(&sample);
    sample.event.row.payload = BYTES_NULL;
    struct bytes text = render(&sample, &line, DEAD_INVALID_EVENT, "payload is \"NULL\"");
    assert_bytes(member(text, "dead_letter"),
                 "{\"reason\":\"invalid_event\",\"detail\":\"payload is \\\"NULL\\\"\"}");
    assert_bytes(member(text, "topic"), "\"outbox.dead-letter\"");
    assert_bytes(member(text, "payload"), "null");
    sample_release(&sample);
    sample_init(&sample);
    sample.event.row.id = sample.event.row.event_type = BYTES_NULL;
    text = render(&sample, &line, DEAD_INVALID_EVENT, NULL);
    assert_bytes(member(text, "dead_letter"), "{\"reason\":\"invalid_event\",\"detail\":null}");
    assert_bytes(member(text, "id"), "null");
    assert_bytes(member(text, "event_type"), "null");
    sample_release(&sample);
    json_line_release(&line);
}

Test(json_line, any_text_becomes_a_string)
{
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {"", "\"\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"a\x80z", "\"a\\ufffdz\""},
        {"\xc3", "\"\\ufffd\""},
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xff", "\"\\ufffd\""},
        {"\xe2\x82", "\"\\ufffd\\ufffd\""},
    };
    struct json_line line = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        sample_init(&sample);
        sample.event.row.aggregate_id = bytes_of(cases[i].text);
        sample.config.route.key = "same";
        assert_bytes(member(render(&sample, &line, DEAD_NOT, NULL), "aggregate_id"), cases[i].json);
        sample_release(&sample);
    }
    json_line_release(&line);
}

Test(json_line, payloads_stay_as_they_are_where_they_are_json)
{
    static const struct {
        const char *payload;
        const char *json;
    } cases[] = {
        {"{\"a\" : 1.0e5}", "{\"a\" : 1.0e5}"},
        {"[1,2]", "[1,2]"},
        {"null", "null"},
        {"{\n \"a\":\r\n\t1}", "{  \"a\":  \t1}"},
        {"{\"a\":", "\"{\\\"a\\\":\""},
        {"", "\"\""},
        {"\xff\n", "\"\\ufffd\\n\""},
    };
    struct json_line line = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        sample_init(&sample);
        sample.event.row.payload = bytes_of(cases[i].payload);
        assert_bytes(member(render(&sample, &line, DEAD_NOT, NULL), "payload"), cases[i].json);
        sample_release(&sample);
    }
    json_line_release(&line);
}
