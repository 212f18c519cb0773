/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "outbox/map.h"
#include "outbox_config.h"

#define ID "0f0e0d0c-0b0a-4908-8706-050403020100"
/* The required members; more go in front. */
#define REQUIRED "\"id\":\"" ID "\",\"aggregate_id\":\"a\",\"event_type\":\"T\",\"payload\":{}"
#define ASSERT_TEXT(view, text) \
    cr_assert(bytes_equal(view, bytes_of(text)), "%.*s", (int)(view).len, (view).data)
#define ASSERT_NULL(view) cr_assert((view).data == NULL)
#define ASSERT_GOOD(text)                                            \
    do {                                                             \
        map(BYTES_LIT(text));                                        \
        cr_assert(row.dead == DEAD_NOT, "%s: %s", text, row.detail); \
    } while (0)
#define ASSERT_DEAD(text, why)                                                         \
    do {                                                                               \
        map(BYTES_LIT(text));                                                          \
        cr_assert(row.dead == DEAD_INVALID_EVENT, "%s", text);                         \
        cr_assert_str_eq(row.detail, why);                                             \
        cr_assert(row.payload.data == content && row.payload.len == sizeof(text) - 1); \
    } while (0)

static struct config config;
static struct mapper *mapper;
static struct row row;
static char *content; /* in an allocation of exactly its size */

static void set_up(void)
{
    config = outbox_config();
    mapper_new(&config, &mapper);
}

static void tear_down(void)
{
    mapper_free(mapper);
    free(content);
}

static void map(struct bytes text)
{
    free(content);
    content = must_malloc(text.len);
    memcpy(content, text.data, text.len);
    mapper_message(mapper, (struct bytes){content, text.len}, &row);
    cr_assert(row.message);
}

TestSuite(message, .init = set_up, .fini = tear_down);

Test(message, belongs_to_the_stream_by_its_prefix)
{
    cr_assert(mapper_wants_message(mapper, BYTES_LIT("walpost")));
    cr_assert(!mapper_wants_message(mapper, BYTES_LIT("walpost2")));
    cr_assert(!mapper_wants_message(mapper, BYTES_LIT("walpos")));
    cr_assert(!mapper_wants_message(mapper, BYTES_LIT("Walpost")));
    cr_assert(!mapper_wants_message(mapper, BYTES_LIT("")));
}

Test(message, with_everything)
{
    ASSERT_GOOD(
        "{\"id\":\"" ID "\",\"aggregate_id\":\"order-1\",\"event_type\":\"Order.Created\","
        "\"payload\":{\"n\":1},\"created_at\":\"2026-01-02T03:04:05Z\",\"traceparent\":\"00-1\","
        "\"tracestate\":\"a=b\",\"schema_version\":\"3\",\"headers\":{\"h\":\"1\"}}");
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.aggregate_id, "order-1");
    ASSERT_TEXT(row.event_type, "Order.Created");
    ASSERT_TEXT(row.payload, "{\"n\":1}");
    ASSERT_TEXT(row.created_at, "2026-01-02T03:04:05Z");
    ASSERT_TEXT(row.traceparent, "00-1");
    ASSERT_TEXT(row.tracestate, "a=b");
    ASSERT_TEXT(row.schema_version, "3");
    ASSERT_TEXT(row.headers, "{\"h\":\"1\"}");
    ASSERT_NULL(row.status);
    cr_assert(row.n_extra == 0 && row.detail == NULL);
    cr_assert(row.payload.data > content && row.payload.data < content + 200, "a view, no copy");
}

Test(message, with_what_it_must_have)
{
    ASSERT_GOOD(" {" REQUIRED "} ");
    ASSERT_NULL(row.created_at);
    ASSERT_NULL(row.traceparent);
    ASSERT_NULL(row.tracestate);
    ASSERT_NULL(row.schema_version);
    ASSERT_NULL(row.headers);
}

Test(message, optional_members_may_be_null)
{
    ASSERT_GOOD("{\"created_at\":null,\"traceparent\":null,\"schema_version\":null,\"headers\":"
                "null," REQUIRED "}");
    ASSERT_NULL(row.created_at);
    ASSERT_NULL(row.schema_version);
    ASSERT_NULL(row.headers);
}

Test(message, the_payload_keeps_its_exact_text)
{
    static const char *const payloads[] = {
        "{ \"a\" : [ 1.0, 2e5 ], \"a\": null }",
        "[]",
        "\"a\\u0041\\n\\u0000\"",
        "1.50",
        "-0",
        "true",
        "false",
        "\"\"",
        "\"\\ud800\"",
        "{\"id\":{\"id\":[{}]}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        char text[256];
        int len = snprintf(text, sizeof(text),
                           "{\"payload\" :\t%s ,\"id\":\"" ID
                           "\",\"aggregate_id\":\"a\",\"event_type\":\"T\"}",
                           payloads[i]);
        map((struct bytes){text, (size_t)len});
        cr_assert(row.dead == DEAD_NOT, "%s: %s", payloads[i], row.detail);
        ASSERT_TEXT(row.payload, payloads[i]);
    }
}

Test(message, what_is_no_object)
{
    ASSERT_DEAD("", "the logical message is no JSON object: it ends too early");
    ASSERT_DEAD("[1]", "the logical message is no JSON object: it is another kind of value");
    ASSERT_DEAD("null", "the logical message is no JSON object: it is another kind of value");
    ASSERT_DEAD("\"a\"", "the logical message is no JSON object: it is another kind of value");
    ASSERT_DEAD(
        "hello",
        "the logical message is no JSON object: a character that may not stand where it stands");
    ASSERT_DEAD("{" REQUIRED "} x",
                "the logical message is no JSON object: something follows its end");
    ASSERT_DEAD("{" REQUIRED, "the logical message is no JSON object: it ends too early");
    ASSERT_DEAD(
        "\x00\xFF",
        "the logical message is no JSON object: a character that may not stand where it stands");
}

Test(message, what_is_no_json_leaves_no_member_behind)
{
    ASSERT_DEAD("{" REQUIRED ",\"x\":\"\xFF\"}",
                "the logical message is no JSON object: a string that is not valid UTF-8");
    ASSERT_NULL(row.id);
    ASSERT_NULL(row.aggregate_id);
    cr_assert(row.n_extra == 0);
}

Test(message, required_members_must_be_there)
{
    ASSERT_DEAD("{}", "member \"id\" is missing");
    ASSERT_DEAD("{\"aggregate_id\":\"a\",\"event_type\":\"T\",\"payload\":1}",
                "member \"id\" is missing");
    ASSERT_DEAD("{\"id\":\"" ID "\",\"event_type\":\"T\",\"payload\":1}",
                "member \"aggregate_id\" is missing");
    ASSERT_DEAD("{\"id\":\"" ID "\",\"aggregate_id\":\"a\",\"payload\":1}",
                "member \"event_type\" is missing");
    ASSERT_DEAD("{\"id\":\"" ID "\",\"aggregate_id\":\"a\",\"event_type\":\"T\"}",
                "member \"payload\" is missing");
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.aggregate_id, "a");
    ASSERT_TEXT(row.event_type, "T");
}

Test(message, required_members_of_another_kind)
{
    ASSERT_DEAD("{\"id\":null,\"aggregate_id\":\"a\",\"event_type\":\"T\",\"payload\":1}",
                "member \"id\" is null");
    ASSERT_DEAD("{\"id\":\"" ID "\",\"aggregate_id\":7,\"event_type\":\"T\",\"payload\":1}",
                "member \"aggregate_id\" is no string");
    ASSERT_DEAD("{\"id\":\"" ID "\",\"aggregate_id\":\"\",\"event_type\":\"T\",\"payload\":1}",
                "member \"aggregate_id\" is empty");
    ASSERT_DEAD("{\"id\":\"" ID "\",\"aggregate_id\":\"a\",\"event_type\":\"\",\"payload\":1}",
                "member \"event_type\" is empty");
    ASSERT_DEAD("{\"id\":\"" ID "\",\"aggregate_id\":\"a\",\"event_type\":[\"T\"],\"payload\":1}",
                "member \"event_type\" is no string");
    ASSERT_DEAD("{\"id\":\"" ID "\",\"aggregate_id\":\"a\",\"event_type\":\"T\",\"payload\":null}",
                "member \"payload\" is null");
    ASSERT_DEAD("{\"id\":\"\",\"aggregate_id\":\"a\",\"event_type\":\"T\",\"payload\":1}",
                "member \"id\" is empty");
    ASSERT_DEAD("{\"id\":\"7\",\"aggregate_id\":\"a\",\"event_type\":\"T\",\"payload\":1}",
                "member \"id\" is no UUID");
    ASSERT_TEXT(row.id, "7");
}

Test(message, optional_members_of_another_kind)
{
    ASSERT_DEAD("{\"created_at\":1," REQUIRED "}", "member \"created_at\" is no string");
    ASSERT_DEAD("{\"traceparent\":{}," REQUIRED "}", "member \"traceparent\" is no string");
    ASSERT_DEAD("{\"schema_version\":[1]," REQUIRED "}", "member \"schema_version\" is no string");
    ASSERT_DEAD("{\"headers\":\"a\"," REQUIRED "}", "member \"headers\" is no object");
    ASSERT_DEAD("{\"headers\":[]," REQUIRED "}", "member \"headers\" is no object");
}

Test(message, a_schema_version_may_be_a_number)
{
    ASSERT_GOOD("{\"schema_version\":12," REQUIRED "}");
    ASSERT_TEXT(row.schema_version, "12");
    ASSERT_GOOD("{\"schema_version\":1.20," REQUIRED "}");
    ASSERT_TEXT(row.schema_version, "1.20");
}

Test(message, strings_lose_their_escapes)
{
    ASSERT_GOOD(
        "{\"id\":\"0f0e0d0c\\u002d0b0a-4908-8706-050403020100\",\"aggregate_id\":"
        "\"\\u00e4\\ud83d\\ude00\\\"\","
        "\"event_type\":\"Order\\u002eCreated\",\"payload\":\"\\u0041\",\"tracestate\":\"a\\/b\"}");
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.aggregate_id, "\xC3\xA4\xF0\x9F\x98\x80\"");
    ASSERT_TEXT(row.event_type, "Order.Created");
    ASSERT_TEXT(row.payload, "\"\\u0041\"");
    ASSERT_TEXT(row.tracestate, "a/b");
}

Test(message, names_lose_their_escapes)
{
    ASSERT_GOOD("{\"\\u0069d\":\"" ID
                "\",\"aggregate\\u005fid\":\"a\",\"event_type\":\"T\",\"p\\u0061yload\":\"\\n\","
                "\"r\\u0065gion\":\"eu\"}");
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.aggregate_id, "a");
    ASSERT_TEXT(row.payload, "\"\\n\"");
    cr_assert(row.n_extra == 1);
    ASSERT_TEXT(row.extra[0].name, "region");
}

Test(message, strings_that_no_text_can_hold)
{
    ASSERT_DEAD("{\"id\":\"" ID
                "\",\"aggregate_id\":\"a\\u0000\",\"event_type\":\"T\",\"payload\":1}",
                "member \"aggregate_id\": a string with \\u0000, which text cannot hold");
    ASSERT_DEAD("{\"x\":\"\\u0000\"," REQUIRED "}",
                "member \"x\": a string with \\u0000, which text cannot hold");
    ASSERT_DEAD("{\"x\\ud800\":1," REQUIRED "}",
                "member \"x\\ud800\": a string with one half of a surrogate pair");
    ASSERT_DEAD("{\"tracestate\":\"\\udc00\"," REQUIRED "}",
                "member \"tracestate\": a string with one half of a surrogate pair");
}

Test(message, a_member_twice)
{
    ASSERT_DEAD("{\"id\":\"" ID "\"," REQUIRED "}", "member \"id\" is there twice");
    ASSERT_DEAD("{\"\\u0069d\":\"" ID "\"," REQUIRED "}", "member \"id\" is there twice");
    ASSERT_DEAD("{" REQUIRED ",\"payload\":1}", "member \"payload\" is there twice");
    ASSERT_DEAD("{\"x\":1," REQUIRED ",\"x\":1}", "member \"x\" is there twice");
    ASSERT_DEAD("{\"x\":1," REQUIRED ",\"\\u0078\":1}", "member \"x\" is there twice");
    ASSERT_DEAD("{\"headers\":null,\"headers\":null," REQUIRED "}",
                "member \"headers\" is there twice");
    ASSERT_NULL(row.id);
}

Test(message, a_long_name_is_cut_between_characters)
{
    ASSERT_DEAD("{\"123456789012345678901234567890123456789\u00e4xyz\":1,"
                "\"123456789012345678901234567890123456789\xC3\xA4xyz\":1," REQUIRED "}",
                "member \"123456789012345678901234567890123456789\" is there twice");
}

Test(message, other_members_are_extra_columns)
{
    ASSERT_GOOD("{\"s\":\"a\\nb\",\"n\":1.0,\"o\": { \"a\":1 } "
                ",\"z\":null,\"t\":true,\"e\":\"\",\"a\":[\"\\n\"],"
                "\"status\":\"PENDING\",\"\":0," REQUIRED "}");
    static const char *const expected[][2] = {
        {"s", "a\nb"}, {"n", "1.0"},       {"o", "{ \"a\":1 }"},  {"z", NULL}, {"t", "true"},
        {"e", ""},     {"a", "[\"\\n\"]"}, {"status", "PENDING"}, {"", "0"},
    };
    cr_assert(row.n_extra == ARRAY_LEN(expected));
    for (size_t i = 0; i < row.n_extra; i++) {
        ASSERT_TEXT(row.extra[i].name, expected[i][0]);
        if (expected[i][1] == NULL) {
            ASSERT_NULL(row.extra[i].value);
        } else {
            ASSERT_TEXT(row.extra[i].value, expected[i][1]);
        }
    }
    ASSERT_NULL(row.status);
}

/* {"m0":0,"m1":0,...} and the required members */
static char *many_members(size_t extra)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    fputc('{', to);
    for (size_t i = 0; i < extra; i++) {
        fprintf(to, "\"m%zu\":\"\\n\",", i);
    }
    fputs(REQUIRED "}", to);
    fclose(to);
    return text;
}

Test(message, has_at_most_as_many_members_as_a_table_has_columns)
{
    char *text = many_members(TUPLE_COLUMNS_MAX - 4);
    map(bytes_of(text));
    cr_assert(row.dead == DEAD_NOT && row.n_extra == TUPLE_COLUMNS_MAX - 4);
    ASSERT_TEXT(row.extra[1595].name, "m1595");
    ASSERT_TEXT(row.extra[1595].value, "\n");
    free(text);
    text = many_members(TUPLE_COLUMNS_MAX - 3);
    map(bytes_of(text));
    cr_assert(row.dead == DEAD_INVALID_EVENT);
    cr_assert_str_eq(row.detail, "the logical message has more than 1600 members");
    free(text);
}

Test(message, big_strings_with_escapes)
{
    enum { LEN = 300000 };
    for (int round = 0; round < 3; round++) {
        char *text = must_malloc(2 * LEN + 200);
        size_t at = (size_t)sprintf(text, "{\"x\":\"");
        for (size_t i = 0; i < LEN; i++) {
            memcpy(text + at, "\\t", 2);
            at += 2;
        }
        at += (size_t)sprintf(text + at, "\",\"y\":\"\\n\"," REQUIRED "}");
        map((struct bytes){text, at});
        free(text);
        cr_assert(row.dead == DEAD_NOT && row.n_extra == 2 && row.extra[0].value.len == LEN);
        cr_assert(row.extra[0].value.data[0] == '\t' && row.extra[0].value.data[LEN - 1] == '\t');
        ASSERT_TEXT(row.extra[1].value, "\n");
        ASSERT_GOOD("{\"y\":\"\\n\"," REQUIRED "}");
    }
}

Test(message, every_cut_of_a_message_is_dead)
{
    static const char whole[] = "{\"x\":\"\\u00e4\\n\",\"y\":[1,{}]," REQUIRED "}";
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        map((struct bytes){whole, len});
        cr_assert(row.dead == DEAD_INVALID_EVENT && row.payload.len == len);
        cr_assert(strlen(row.detail) < sizeof(((struct event *)NULL)->detail));
    }
}
