/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "registry/answer.h"

Test(answer, requests_are_json)
{
    struct registry_reference references[] = {{"common/money.proto", "common/money.proto", 3}};
    struct registry_schema schema = {"PROTOBUF", "a \"b\"\n\\", references, 1};
    char *body = answer_write_schema(&schema);
    cr_expect_str_eq(body, "{\"schemaType\":\"PROTOBUF\",\"schema\":\"a \\\"b\\\"\\n\\\\\","
                           "\"references\":[{\"name\":\"common/money.proto\","
                           "\"subject\":\"common/money.proto\",\"version\":3}]}");
    free(body);
    body = answer_write_level("FULL");
    cr_expect_str_eq(body, "{\"compatibility\":\"FULL\"}");
    free(body);
}

Test(answer, no_request_from_what_is_not_utf8)
{
    struct registry_reference references[] = {{"\xff", "x", 3}};
    struct registry_schema schema = {"PROTOBUF", "fine", references, 1};
    cr_expect_null(answer_write_schema(&schema));
    struct registry_schema other = {"PROTOBUF", "\xff\xfe", NULL, 0};
    cr_expect_null(answer_write_schema(&other));
}

static const struct {
    const char *body;
    bool found;
    int32_t id, version;
} founds[] = {
    {"{\"id\":7,\"version\":2}", true, 7, 2},
    {"{\"subject\":\"x\",\"version\":2147483647,\"id\":2147483647,\"schema\":\"s\"}", true,
     2147483647, 2147483647},
    {"{\"id\":7}", false},
    {"{\"id\":\"7\",\"version\":2}", false},
    {"{\"id\":7.0,\"version\":2}", false},
    {"{\"id\":0,\"version\":2}", false},
    {"{\"id\":-1,\"version\":2}", false},
    {"{\"id\":2147483648,\"version\":2}", false},
    {"{\"id\":99999999999999999999,\"version\":2}", false},
    {"{\"id\":7,\"id\":8,\"version\":2}", false},
    {"{\"id\":null,\"version\":2}", false},
    {"[7,2]", false},
    {"7", false},
    {"", false},
    {"{\"id\":7,\"version\":2", false},
    {"{\"id\":7,\"version\":2} and more", false},
    {"<html>{\"id\":7,\"version\":2}</html>", false},
};

Test(answer, an_id_counts_only_when_it_is_one)
{
    for (size_t i = 0; i < ARRAY_LEN(founds); i++) {
        int32_t id = -5;
        int32_t version = -5;
        bool found = answer_read_found(founds[i].body, &id, &version);
        cr_expect_eq(found, founds[i].found, "%s", founds[i].body);
        cr_expect_eq(id, found ? founds[i].id : -5, "%s", founds[i].body);
        cr_expect_eq(version, found ? founds[i].version : -5, "%s", founds[i].body);
    }
    int32_t id;
    cr_expect(answer_read_found("{\"id\":7}", &id, NULL));
    cr_expect_eq(id, 7);
}

Test(answer, refusals_say_what_they_can)
{
    long code;
    char *message;
    answer_read_refusal("{\"error_code\":40401,\"message\":\"no\"}", &code, &message);
    cr_expect_eq(code, 40401);
    cr_expect_str_eq(message, "no");
    free(message);
    static const char *const nothing[] = {
        "", "<html>", "[]", "{}", "{\"error_code\":\"x\"}", "{\"error_code\":-1,\"message\":5}"};
    for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
        answer_read_refusal(nothing[i], &code, &message);
        cr_expect_eq(code, 0, "%s", nothing[i]);
        cr_expect_null(message, "%s", nothing[i]);
    }
}

Test(answer, texts)
{
    struct registry_text text;
    cr_assert(answer_read_text("{\"schema\":\"s\",\"schemaType\":\"PROTOBUF\"}", &text));
    cr_expect_str_eq(text.text, "s");
    cr_expect_str_eq(text.type, "PROTOBUF");
    registry_text_release(&text);
    cr_assert(answer_read_text("{\"schema\":\"s\"}", &text));
    cr_expect_str_eq(text.type, "AVRO");
    registry_text_release(&text);
    cr_expect_not(answer_read_text("{\"schema\":5}", &text));
    cr_expect_not(answer_read_text("{\"schema\":\"s\",\"schemaType\":5}", &text));
    cr_expect_not(answer_read_text("{\"schemaType\":\"PROTOBUF\"}", &text));
}

Test(answer, levels_by_either_name)
{
    char level[REGISTRY_LEVEL_SIZE];
    cr_expect(answer_read_level("{\"compatibilityLevel\":\"FULL\"}", level));
    cr_expect_str_eq(level, "FULL");
    cr_expect(answer_read_level("{\"compatibility\":\"NONE\",\"normalize\":false}", level));
    cr_expect_str_eq(level, "NONE");
    cr_expect_not(answer_read_level("{\"compatibility\":\"\"}", level));
    cr_expect_not(answer_read_level("{\"compatibility\":\"\\u001b[31m\"}", level));
    cr_expect_not(
        answer_read_level("{\"compatibility\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", level));
    cr_expect_not(answer_read_level("{}", level));
}

Test(answer, why_it_is_not_compatible_in_either_form)
{
    bool compatible = true;
    char *words = NULL;
    cr_expect(answer_read_compatible("{\"is_compatible\":false,\"messages\":[\"a\",5,\"b\"]}",
                                     &compatible, &words));
    cr_expect_not(compatible);
    cr_expect_str_eq(words, "a; b");
    free(words);
    cr_expect(
        answer_read_compatible("{\"is_compatible\":false,\"reason\":\"r\"}", &compatible, &words));
    cr_expect_str_eq(words, "r");
    free(words);
    cr_expect(answer_read_compatible("{\"is_compatible\":false}", &compatible, &words));
    cr_expect_null(words);
    cr_expect(answer_read_compatible("{\"is_compatible\":true}", &compatible, &words));
    cr_expect(compatible);
    cr_expect_not(answer_read_compatible("{\"is_compatible\":\"true\"}", &compatible, &words));
    cr_expect_not(answer_read_compatible("{}", &compatible, &words));
}
