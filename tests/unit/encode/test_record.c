/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "sample.h"

static char long_name[251];

Test(record, topic_key_time_and_partition_of_the_defaults)
{
    struct sample sample;
    struct record record;
    struct error error;
    sample_init(&sample);
    sample_ready(&sample);
    cr_assert_eq(encode_event(sample.encoder, &sample.event, &record, &error), OK);
    cr_assert_str_eq(record.topic, "outbox.event.Order");
    assert_bytes(record.key, "order-1001");
    cr_assert_eq(record.timestamp_ms, INT64_C(1795428672345));
    cr_assert_eq(record.partition, -1);
    sample_release(&sample);
}

Test(record, a_repetition_is_the_same_in_everything)
{
    struct config_pair pairs[] = {{"where", "{domain}/{column:tenant}"}};
    struct sample sample;
    struct record *first = must_calloc(1, sizeof(*first));
    struct record *second = must_malloc(sizeof(*second));
    struct error error;
    sample_init(&sample);
    sample.config.route.headers = (struct config_pairs){pairs, 1};
    sample.event.row.traceparent = BYTES_NULL;
    sample_ready(&sample);
    memset(second, 0xa5, sizeof(*second)); /* a record is not cleared between events */
    cr_assert_eq(encode_event(sample.encoder, &sample.event, first, &error), OK);
    cr_assert_eq(encode_event(sample.encoder, &sample.event, second, &error), OK);
    cr_assert_str_eq(first->topic, second->topic);
    cr_assert(bytes_equal(first->key, second->key));
    cr_assert(bytes_equal(first->value, second->value));
    cr_assert_eq(first->timestamp_ms, second->timestamp_ms);
    cr_assert_eq(first->partition, second->partition);
    cr_assert_eq(first->n_headers, second->n_headers);
    for (size_t i = 0; i < first->n_headers; i++) {
        cr_assert(bytes_equal(first->headers[i].name, second->headers[i].name));
        cr_assert(bytes_equal(first->headers[i].value, second->headers[i].value));
    }
    free(first);
    free(second);
    sample_release(&sample);
}

Test(record, I7_only_topic_names_that_kafka_accepts)
{
    memset(long_name, 'x', 250);
    const struct {
        const char *event_type;
        bool good;
        const char *what;
    } cases[] = {
        {"Order", true, NULL},
        {"a-Z_0.9", true, NULL},
        {long_name + 1, true, NULL},
        {long_name, false, "Kafka forbids the topic name"},
        {".", false, "\".\""},
        {"..", false, "\"..\""},
        {"...", true, NULL},
        {"", false, "Kafka forbids the topic name \"\""},
        {"Order Placed", false, "\"Order Placed\""},
        {"Order/Placed", false, "\"Order/Placed\""},
        {"Bestellung\xc3\xa4", false, "\"Bestellung\xc3\xa4\""},
        {"a\nb", false, "forbids"},
        {"walpost.checkpoint.other", false, "no event may go to topic"},
        {"walpost.replay.orders", false, "no event may go to topic"},
        {"__transaction_state", false, "no event may go to topic"},
        {"__consumer_offsets", false, "no event may go to topic"},
        {"outbox.dead-letter", false, "no event may go to topic"},
        {"__transaction_states", true, NULL},
        {"walpost.checkpoints", true, NULL},
        {"outbox.dead-letters", true, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        struct record record;
        struct error error = {0};
        sample_init(&sample);
        sample.config.route.topic = "{event_type}";
        sample.event.row.event_type = bytes_of(cases[i].event_type);
        sample_ready(&sample);
        enum verdict verdict = encode_event(sample.encoder, &sample.event, &record, &error);
        cr_assert_eq(verdict, cases[i].good ? OK : REJECT, "%s", cases[i].event_type);
        if (cases[i].good) {
            cr_assert_str_eq(record.topic, cases[i].event_type);
        } else {
            cr_assert_not_null(strstr(error.what, cases[i].what), "%s", error.what);
            cr_assert_lt(strlen(error.what), sizeof(sample.event.detail));
        }
        sample_release(&sample);
    }
}

Test(record, a_topic_that_cannot_be_made_is_rejected)
{
    static const struct {
        char *topic;
        const char *event_type;
        const char *what;
    } cases[] = {
        {"t.{column:note}", "A.B", "the topic name cannot be made: {column:note} is NULL"},
        {"t.{domain}", ".Placed", "{domain} is NULL or empty"},
        {"t.{event_type}", long_name, "longer than 249"},
    };
    memset(long_name, 'x', 250);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        struct record record;
        struct error error = {0};
        sample_init(&sample);
        sample.config.route.topic = cases[i].topic;
        sample.event.row.event_type = bytes_of(cases[i].event_type);
        sample_ready(&sample);
        cr_assert_eq(encode_event(sample.encoder, &sample.event, &record, &error), REJECT);
        cr_assert_not_null(strstr(error.what, cases[i].what), "%s", error.what);
        sample_release(&sample);
    }
}

Test(record, a_payload_that_is_null_is_rejected)
{
    struct sample sample;
    struct record record;
    struct error error;
    sample_init(&sample);
    sample.event.row.payload = BYTES_NULL;
    sample_ready(&sample);
    cr_assert_eq(encode_event(sample.encoder, &sample.event, &record, &error), REJECT);
    sample_release(&sample);
}

Test(record, the_time_is_the_templates_or_else_the_commits)
{
    static const struct {
        char *timestamp;
        const char *created_at;
        const char *region;
        int64_t ms;
    } cases[] = {
        {"{column:created_at}", "2026-11-23 10:11:12.9999+00", "", INT64_C(1795428672999)},
        {"{column:region}", "2026-11-23", "2000-01-01 00:00:00+00", INT64_C(946684800000)},
        {"{column:region}T12:00:00Z", "2026-11-23", "2000-01-01", INT64_C(946728000000)},
        {"{column:created_at}", "infinity", "", INT64_C(1795428674500)},
        {"{column:created_at}", NULL, "", INT64_C(1795428674500)},
        {"{column:created_at}", "1969-07-20 20:17:40", "", INT64_C(1795428674500)},
        {"{column:created_at}", "1970-01-01 00:00:00", "", INT64_C(1795428674500)},
        {"{column:created_at}", "1970-01-01 00:00:00.001", "", 1},
        {"{column:nowhere}", "2026-11-23", "", INT64_C(1795428674500)},
        {"{column:region}", "2026-11-23", "soon", INT64_C(1795428674500)},
        {"{column:payload}{column:payload}", "2026-11-23", "", INT64_C(1795428674500)},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        struct record record;
        struct error error;
        sample_init(&sample);
        sample.config.route.timestamp = cases[i].timestamp;
        sample.event.row.created_at = bytes_of(cases[i].created_at);
        sample.extra[0].value = bytes_of(cases[i].region);
        sample_ready(&sample);
        cr_assert_eq(encode_event(sample.encoder, &sample.event, &record, &error), OK);
        cr_assert_eq(record.timestamp_ms, cases[i].ms, "%s: %ld", cases[i].timestamp,
                     (long)record.timestamp_ms);
        sample_release(&sample);
    }
}

Test(record, keys)
{
    static const struct {
        char *key;
        size_t size;
        enum verdict verdict;
        const char *text; /* or what the error says */
    } cases[] = {
        {"{aggregate_id}", 0, OK, "order-1001"},
        {"{column:region}/{aggregate_id}", 18, OK, "eu-west/order-1001"},
        {"{column:region}/{aggregate_id}", 17, REJECT, "longer than 17 bytes"},
        {"{column:empty}{column:tenant}", 8, OK, "17"},
        {"same", 8, OK, "same"},
        {"{column:note}", 8, REJECT, "the record key cannot be made: {column:note} is NULL"},
        {"x{column:note}", 8, REJECT, "{column:note} is NULL"},
        {"{column:empty}", 8, REJECT, "the record key is empty"},
        {"{column:empty}{column:empty}", 8, REJECT, "the record key is empty"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        struct error error = {0};
        struct bytes key = BYTES_NULL;
        char buffer[32];
        sample_init(&sample);
        sample.config.route.key = cases[i].key;
        sample_ready(&sample);
        cr_assert_eq(
            encode_key(sample.encoder, &sample.event.row, buffer, cases[i].size, &key, &error),
            cases[i].verdict, "%s", cases[i].key);
        if (cases[i].verdict == OK) {
            assert_bytes(key, cases[i].text);
        } else {
            cr_assert_null(key.data);
            cr_assert_not_null(strstr(error.what, cases[i].text), "%s", error.what);
        }
        sample_release(&sample);
    }
}

Test(record, wrong_configurations_name_their_key)
{
    static const struct {
        const char *key;
        size_t offset;
        char *value;
        const char *what;
    } cases[] = {
        {"route.topic", offsetof(struct config, route.topic), "{domian}", "is no placeholder"},
        {"route.key", offsetof(struct config, route.key), "{aggregate}", "is no placeholder"},
        {"route.timestamp", offsetof(struct config, route.timestamp), "{created_at}",
         "is no placeholder"},
        {"route.topic", offsetof(struct config, route.topic), "", "is empty"},
        {"route.key", offsetof(struct config, route.key), "", "is empty"},
        {"route.timestamp", offsetof(struct config, route.timestamp), "", "is empty"},
        {"route.topic", offsetof(struct config, route.topic), "outbox event {domain}",
         "Kafka forbids"},
        {"route.topic", offsetof(struct config, route.topic), "{{{domain}}}", "Kafka forbids"},
        {"route.topic", offsetof(struct config, route.topic), ".", "Kafka forbids"},
        {"route.topic", offsetof(struct config, route.topic), "walpost.checkpoint.orders",
         "no event may go"},
        {"route.topic", offsetof(struct config, route.topic), "walpost.replay.{domain}",
         "no event may go"},
        {"route.topic", offsetof(struct config, route.topic), "outbox.dead-letter",
         "no event may go"},
        {"dead_letter.topic", offsetof(struct config, dead_letter_topic), "dead letter",
         "Kafka forbids"},
        {"dead_letter.topic", offsetof(struct config, dead_letter_topic), "..", "Kafka forbids"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        struct error error = {0};
        sample_init(&sample);
        *(char **)((char *)&sample.config + cases[i].offset) = cases[i].value;
        cr_assert_eq(encoder_new(&sample.config, &sample.encoder, &error), INVALID, "%s",
                     cases[i].value);
        cr_assert_eq(strncmp(error.what, cases[i].key, strlen(cases[i].key)), 0, "%s", error.what);
        cr_assert_not_null(strstr(error.what, cases[i].what), "%s", error.what);
        cr_assert_neq(error.remedy[0], '\0');
        cr_assert_null(sample.encoder);
    }
}

Test(record, texts_are_cut_between_characters)
{
    static const struct {
        const char *text;
        size_t max;
        size_t len;
    } cases[] = {
        {"abc", 3, 3},
        {"abc", 2, 2},
        {"abc", 0, 0},
        {"a\xc3\xa9", 3, 3},
        {"a\xc3\xa9", 2, 1},
        {"\xe2\x82\xac", 2, 0},
        {"\xe2\x82\xac", 3, 3},
        {"a\xf0\x9f\x98\x80", 4, 1},
        {"a\xf0\x9f\x98\x80", 5, 5},
        {"a\xc3", 2, 1}, /* cut by somebody else before */
        {"\x80\x80\x80\x80\x80", 5, 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cr_assert_eq(record_cut(bytes_of(cases[i].text), cases[i].max).len, cases[i].len, "%zu", i);
    }
    cr_assert_null(record_cut(BYTES_NULL, 5).data);
}
