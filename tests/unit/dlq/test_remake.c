/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"
#include "dlq/remake.h"
#include "records.h"

struct bench {
    struct config config;
    struct made made;
    struct letter *letter;
    struct remaker *remaker;
    struct remade remade;
    struct error error;
};

static void dead(struct bench *bench, const struct row *row, enum dead_reason reason)
{
    config_of_test(&bench->config);
    bench->remade.memory = NULL;
    make_letter(&bench->config, row, reason, 3, &bench->made);
    bench->letter = letter_new(&bench->made.read);
    cr_assert_eq(remaker_new(&bench->config, &bench->remaker, &bench->error), OK);
}

static enum verdict remake(struct bench *bench, struct bytes value)
{
    return remake_from_value(bench->remaker, bench->letter, value, &bench->remade, &bench->error);
}

static void done(struct bench *bench)
{
    remade_release(&bench->remade);
    letter_free(bench->letter);
    remaker_free(bench->remaker);
}

/* What the stream would have made of the row, had its topic been there. */
Test(remake, I7_a_remade_event_is_byte_for_byte_that_of_the_stream)
{
    struct bench bench;
    struct row row = row_of_test();
    struct encoder *encoder;
    struct error error;
    dead(&bench, &row, DEAD_MISSING_TOPIC);
    struct event *event = &bench.made.event;
    cr_assert_eq(encoder_new(&bench.config, &encoder, &error), OK);
    size_t room = encode_headroom(encoder, &row);
    char *memory = must_malloc(room + row.payload.len);
    memcpy(memory + room, row.payload.data, row.payload.len);
    event->row.payload.data = memory + room;
    event->headroom = memory;
    event->headroom_size = room;
    event->key = row.aggregate_id;
    struct record record;
    cr_assert_eq(encode_event(encoder, event, &record, &error), OK, "%s", error.what);

    cr_assert_eq(remake(&bench, bench.made.read.value), OK, "%s", bench.error.what);
    const struct record *again = &bench.remade.record;
    cr_assert_str_eq(again->topic, record.topic);
    cr_assert(bytes_equal(again->key, record.key));
    cr_assert(bytes_equal(again->value, record.value));
    cr_assert_eq(again->timestamp_ms, record.timestamp_ms);
    cr_assert_eq(again->n_headers, record.n_headers);
    for (size_t i = 0; i < record.n_headers; i++) {
        cr_expect(bytes_equal(again->headers[i].name, record.headers[i].name));
        cr_expect(bytes_equal(again->headers[i].value, record.headers[i].value));
    }
    cr_expect(bench.remade.marks);
    free(memory);
    encoder_free(encoder);
    done(&bench);
}

Test(remake, what_is_still_wrong_is_refused_with_a_remedy)
{
    static const struct {
        struct row row;
        const char *what;
    } wrong[] = {
        {{.id = BYTES_LIT("x")}, "column \"id\" holds no UUID"},
        {{.id = BYTES_LIT(ID), .aggregate_id = BYTES_LIT("")}, "column \"aggregate_id\" is NULL"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;
        struct row row = row_of_test();
        row.id = wrong[i].row.id;
        row.aggregate_id = i == 1 ? BYTES_NULL : row.aggregate_id;
        dead(&bench, &row, DEAD_INVALID_EVENT);
        cr_expect_eq(remake(&bench, bench.made.read.value), REJECT);
        cr_expect_not_null(strstr(bench.error.what, wrong[i].what), "%s", bench.error.what);
        cr_expect_not_null(strstr(bench.error.remedy, "--from-table"), "%s", bench.error.remedy);
        done(&bench);
    }
}

Test(remake, a_mended_payload_is_judged_like_any)
{
    struct bench bench;
    struct row row = row_of_test();
    row.payload = BYTES_LIT("{");
    dead(&bench, &row, DEAD_INVALID_EVENT);
    cr_expect_eq(remake(&bench, bench.made.read.value), REJECT);
    cr_expect_eq(remake(&bench, BYTES_LIT("{\"n\":}")), REJECT);
    cr_expect_eq(remake(&bench, BYTES_LIT("{\"n\": 5}")), OK, "%s", bench.error.what);
    done(&bench);
}

Test(remake, a_letter_without_a_payload_needs_one)
{
    struct bench bench;
    struct row row = row_of_test();
    dead(&bench, &row, DEAD_RECORD_TOO_LARGE);
    cr_expect_eq(letter_value(bench.letter), LETTER_NOTHING);
    cr_expect_eq(remake(&bench, BYTES_NULL), REJECT);
    cr_expect_not_null(strstr(bench.error.remedy, "--payload-file"));
    cr_expect_not_null(strstr(bench.error.remedy, "--from-table"));
    cr_expect_eq(remake(&bench, BYTES_LIT("1")), OK);
    done(&bench);
}

Test(remake, a_letter_that_was_cut_is_not_taken_for_the_whole)
{
    static char huge[5000];
    struct bench bench;
    struct row row = row_of_test();
    memset(huge, 'x', sizeof(huge));
    row.tracestate = (struct bytes){huge, sizeof(huge)};
    row.traceparent = BYTES_LIT("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    dead(&bench, &row, DEAD_MISSING_TOPIC);
    cr_expect_eq(remake(&bench, bench.made.read.value), REJECT);
    cr_expect_not_null(strstr(bench.error.remedy, "--from-table"), "%s", bench.error.remedy);
    done(&bench);
}

#define MESSAGE(id)                                                                            \
    BYTES_LIT("{\"id\": \"" id "\", \"aggregate_id\": \"m\", \"event_type\": \"Order.Sent\", " \
              "\"payload\": {\"n\": 7}, \"region\": \"eu\"}")

Test(remake, a_message_is_mended_as_a_whole)
{
    struct bench bench;
    struct row row = {.payload = BYTES_LIT("{\"id\": 5}"), .message = true, .unmapped = true};
    dead(&bench, &row, DEAD_INVALID_EVENT);
    cr_expect_eq(letter_value(bench.letter), LETTER_MESSAGE);
    cr_expect_eq(remake(&bench, bench.made.read.value), REJECT);
    cr_expect_not_null(strstr(bench.error.remedy, "whole message"));
    cr_expect_eq(remake(&bench, MESSAGE(ID)), OK, "%s", bench.error.what);
    cr_expect(bytes_equal(bench.remade.event.row.payload, BYTES_LIT("{\"n\": 7}")));
    cr_expect_not(bench.remade.marks, "there is no row");
    done(&bench);
}

Test(remake, under_another_id_it_would_be_another_event)
{
    struct bench bench;
    struct row row = {
        .id = BYTES_LIT(ID), .payload = BYTES_LIT("{}"), .message = true, .unmapped = true};
    dead(&bench, &row, DEAD_INVALID_EVENT);
    cr_expect_eq(remake(&bench, MESSAGE("0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c51")), REJECT);
    cr_expect_eq(remake(&bench, MESSAGE(ID)), OK);
    done(&bench);
}

Test(remake, the_key_is_that_of_the_event)
{
    struct bench bench;
    struct row row = row_of_test();
    dead(&bench, &row, DEAD_MISSING_TOPIC);
    cr_expect(bytes_equal(remaker_key(bench.remaker, bench.letter), BYTES_LIT("order-1001")));
    done(&bench);
}

/* Anybody who may write to the topic chooses the time of a record. */
Test(remake, a_time_that_no_clock_says_is_no_overflow)
{
    struct row row = row_of_test();
    struct bench bench;
    struct segment segment;
    dead(&bench, &row, DEAD_MISSING_TOPIC);
    for (size_t i = 0; i < bench.letter->n_headers; i++) {
        if (bytes_equal(bench.letter->headers[i].name, BYTES_LIT("time"))) {
            bench.letter->headers[i].value = BYTES_NULL;
        }
    }
    bench.letter->timestamp_ms = 1700000000123;
    letter_segment(bench.letter, &segment);
    cr_expect_eq(segment.commit_time_us, 1700000000123000);
    bench.letter->timestamp_ms = INT64_MAX;
    letter_segment(bench.letter, &segment);
    cr_expect_eq(segment.commit_time_us, INT64_MAX);
    bench.letter->timestamp_ms = INT64_MIN;
    letter_segment(bench.letter, &segment);
    cr_expect_eq(segment.commit_time_us, INT64_MIN);
    done(&bench);
}
