/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "outbox/json.h"

/* In an allocation of exactly its size, so that a sanitizer sees a byte read too many. */
static enum json_trouble check_copy(struct bytes text)
{
    char *copy = must_malloc(text.len);
    memcpy(copy, text.data, text.len);
    enum json_trouble trouble = json_check((struct bytes){copy, text.len});
    free(copy);
    return trouble;
}

#define ASSERT_TROUBLE(text, expected)                                                  \
    do {                                                                                \
        enum json_trouble trouble_ = check_copy(BYTES_LIT(text));                       \
        cr_assert(trouble_ == (expected), "%s: %s", text, json_trouble_text(trouble_)); \
    } while (0)

Test(json, every_kind_of_value_is_json)
{
    static const char *const good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-12",
        "1.5",
        "0.0",
        "1e5",
        "1E+5",
        "1e-05",
        "-0.0e0",
        "12345678901234567890123456789",
        "\"\"",
        "\"a\"",
        "\"\\u00e4\\n\"",
        "[]",
        "{}",
        "[1]",
        "[1,2]",
        "[[],{}]",
        "{\"a\":1}",
        "{\"a\":{\"b\":[1,{\"c\":null}]}}",
        " [ 1 , 2 ] ",
        "\t\r\n {\"a\" :\n1 , \"b\":\t2}\r\n",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "[null,true,false]",
        "[{},[],\"\",{\"a\":[]}]",
        "\"/\\/\"",
        "\"\x7F\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        cr_assert(check_copy(bytes_of(good[i])) == JSON_FINE, "%s", good[i]);
    }
}

Test(json, a_text_that_stops_is_truncated)
{
    static const char whole[] =
        "{\"a\":[1,-2.5e+7,\"x\\u00e4\\n\",true,false,null,{\"b\":{}},[]],\"c\":\"\xC3\xA4\"}";
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        enum json_trouble trouble = check_copy((struct bytes){whole, len});
        bool inside_utf8 = len == sizeof(whole) - 4;
        cr_assert(trouble == (inside_utf8 ? JSON_BAD_UTF8 : JSON_TRUNCATED), "%.*s: %s", (int)len,
                  whole, json_trouble_text(trouble));
    }
    cr_assert(check_copy(bytes_of(whole)) == JSON_FINE);
    cr_assert(json_check(BYTES_NULL) == JSON_TRUNCATED);
}

Test(json, wrong_characters)
{
    static const char *const bad[] = {
        "x",
        "nul1",
        "True",
        "tru\"",
        "'a'",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{,}",
        "{\"a\":1,}",
        "{1:2}",
        "{\"a\"}",
        "{\"a\",1}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "[1}",
        "{\"a\":1]",
        "[}",
        "{]",
        "]",
        "}",
        "{a:1}",
        "+1",
        ".5",
        "[NaN]",
        "[Infinity]",
        "// a\n1",
        "/**/1",
        "\xEF\xBB\xBF"
        "1",
        "\f1",
        "\v1",
        "{\"a\":}",
        "[\"a\":1]",
        "[1,,2]",
        "\xC2\xA0"
        "1",
        "[tru]",
        "[nulll]",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        enum json_trouble trouble = check_copy(bytes_of(bad[i]));
        cr_assert(trouble == JSON_UNEXPECTED, "%s: %s", bad[i], json_trouble_text(trouble));
    }
}

Test(json, something_after_the_value)
{
    ASSERT_TROUBLE("1 2", JSON_NO_END);
    ASSERT_TROUBLE("{} {}", JSON_NO_END);
    ASSERT_TROUBLE("[]]", JSON_NO_END);
    ASSERT_TROUBLE("nullx", JSON_NO_END);
    ASSERT_TROUBLE("\"a\"\"", JSON_NO_END);
    ASSERT_TROUBLE("1\0", JSON_NO_END);
    ASSERT_TROUBLE("1x", JSON_NO_END);
}

Test(json, numbers_that_json_does_not_have)
{
    ASSERT_TROUBLE("01", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("-01", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("[-]", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("[1.]", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("[1.e5]", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("[1e]", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("[1e+]", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("[1e+-5]", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("[-x]", JSON_BAD_NUMBER);
    ASSERT_TROUBLE("[0x10]", JSON_UNEXPECTED);
    ASSERT_TROUBLE("[1.5.5]", JSON_UNEXPECTED);
}

/* Every special byte at every place of a string of up to three times eight bytes. */
Test(json, strings_end_where_they_end)
{
    for (size_t len = 1; len < 24; len++) {
        for (size_t at = 0; at < len; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[64] = "\"";
                memset(text + 1, 'x', len);
                text[1 + at] = (char)byte;
                text[1 + len] = '"';
                enum json_trouble expected = byte < ' '     ? JSON_CONTROL_CHARACTER
                                             : byte >= 0x80 ? JSON_BAD_UTF8
                                                            : JSON_FINE;
                if (byte == '"') {
                    expected = JSON_NO_END;
                } else if (byte == '\\') {
                    expected = at + 1 == len ? JSON_TRUNCATED : JSON_BAD_ESCAPE;
                }
                enum json_trouble trouble = check_copy((struct bytes){text, len + 2});
                cr_assert(trouble == expected, "byte %d at %zu of %zu: %s", byte, at, len,
                          json_trouble_text(trouble));
            }
        }
    }
}

Test(json, escapes_that_json_does_not_have)
{
    ASSERT_TROUBLE("\"\\x41\"", JSON_BAD_ESCAPE);
    ASSERT_TROUBLE("\"\\'\"", JSON_BAD_ESCAPE);
    ASSERT_TROUBLE("\"\\\n\"", JSON_BAD_ESCAPE);
    ASSERT_TROUBLE("\"\\0\"", JSON_BAD_ESCAPE);
    ASSERT_TROUBLE("\"\\U0041\"", JSON_BAD_ESCAPE);
    ASSERT_TROUBLE("\"\\u004\"", JSON_BAD_ESCAPE);
    ASSERT_TROUBLE("\"\\u00g1\"", JSON_BAD_ESCAPE);
    ASSERT_TROUBLE("\"\\u 041\"", JSON_BAD_ESCAPE);
    ASSERT_TROUBLE("\"\\u+041\"", JSON_BAD_ESCAPE);
}

Test(json, utf8_is_checked)
{
    ASSERT_TROUBLE("\"\xC3\xA4\"", JSON_FINE);
    ASSERT_TROUBLE("\"\xC2\x80\xDF\xBF\"", JSON_FINE);
    ASSERT_TROUBLE("\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\"", JSON_FINE);
    ASSERT_TROUBLE("\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", JSON_FINE);
    ASSERT_TROUBLE("\"\x80\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xC3\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xC3\x28\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xC0\xAF\"", JSON_BAD_UTF8); /* longer than it must be */
    ASSERT_TROUBLE("\"\xC1\xBF\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xE0\x9F\xBF\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xF0\x8F\xBF\xBF\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xED\xA0\x80\"", JSON_BAD_UTF8);     /* a surrogate */
    ASSERT_TROUBLE("\"\xF4\x90\x80\x80\"", JSON_BAD_UTF8); /* beyond U+10FFFF */
    ASSERT_TROUBLE("\"\xF5\x80\x80\x80\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xFE\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xE2\x82\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("\"\xF0\x9F\x98\"", JSON_BAD_UTF8);
    ASSERT_TROUBLE("{\"\xFF\":1}", JSON_BAD_UTF8);
}

static enum json_trouble check_depth(size_t depth)
{
    size_t len = 2 * depth;
    char *text = must_malloc(len);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    enum json_trouble trouble = check_copy((struct bytes){text, len});
    free(text);
    return trouble;
}

Test(json, nesting_ends_at_512_levels)
{
    cr_assert(check_depth(JSON_DEPTH_MAX) == JSON_FINE);
    cr_assert(check_depth(JSON_DEPTH_MAX + 1) == JSON_TOO_DEEP);
    cr_assert(check_depth(100000) == JSON_TOO_DEEP);
    /* Brackets are matched at every level, over the borders of the words that keep them. */
    for (size_t depth = 1; depth <= JSON_DEPTH_MAX; depth++) {
        char *text = must_malloc(6 * depth + 1);
        size_t len = 0;
        for (size_t i = 0; i < depth; i++) {
            bool object = i % 3 == 0;
            memcpy(text + len, object ? "{\"\":" : "[", object ? 4 : 1);
            len += object ? 4 : 1;
        }
        text[len++] = '1';
        for (size_t i = depth; i-- > 0;) {
            text[len++] = i % 3 == 0 ? '}' : ']';
        }
        cr_assert(check_copy((struct bytes){text, len}) == JSON_FINE, "depth %zu", depth);
        text[len - 1] = ']';
        cr_assert(check_copy((struct bytes){text, len}) == JSON_UNEXPECTED, "depth %zu", depth);
        free(text);
    }
}

Test(json, members_have_their_exact_extents)
{
    static const char text[] =
        " { \"a\" : 1.50 ,\"b\\n\":\"x\\ty\", \"c\": [1, {\"a\":\"\\\\\"}] , \"d\":{} ,"
        "\"e\":null,\"f\":true,\"g\":false,\"h\":\"\" } ";
    static const struct {
        const char *name;
        const char *value;
        enum json_kind kind;
        bool name_escaped;
        bool escaped;
    } expected[] = {
        {"\"a\"", "1.50", JSON_NUMBER, false, false},
        {"\"b\\n\"", "\"x\\ty\"", JSON_STRING, true, true},
        {"\"c\"", "[1, {\"a\":\"\\\\\"}]", JSON_ARRAY, false, false},
        {"\"d\"", "{}", JSON_OBJECT, false, false},
        {"\"e\"", "null", JSON_NULL, false, false},
        {"\"f\"", "true", JSON_TRUE, false, false},
        {"\"g\"", "false", JSON_FALSE, false, false},
        {"\"h\"", "\"\"", JSON_STRING, false, false},
    };
    struct json_scan scan;
    struct json_value name;
    struct json_value value;
    cr_assert(json_begin(&scan, bytes_of(text)) == JSON_FINE);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        cr_assert(json_next(&scan, &name, &value), "member %zu", i);
        cr_assert(bytes_equal(name.text, bytes_of(expected[i].name)), "member %zu", i);
        cr_assert(bytes_equal(value.text, bytes_of(expected[i].value)), "member %zu", i);
        cr_assert(value.kind == expected[i].kind && value.escaped == expected[i].escaped);
        cr_assert(name.kind == JSON_STRING && name.escaped == expected[i].name_escaped);
    }
    cr_assert(!json_next(&scan, &name, &value) && scan.trouble == JSON_FINE);
    cr_assert(!json_next(&scan, &name, &value) && scan.trouble == JSON_FINE);
}

/* How the members of a text end. */
static enum json_trouble walk(const char *text)
{
    struct json_scan scan;
    struct json_value name;
    struct json_value value;
    json_begin(&scan, bytes_of(text));
    while (json_next(&scan, &name, &value)) {
    }
    return scan.trouble;
}

Test(json, members_of_what_is_no_object)
{
    cr_assert(walk("{}") == JSON_FINE);
    cr_assert(walk("[1]") == JSON_NO_OBJECT);
    cr_assert(walk("1") == JSON_NO_OBJECT);
    cr_assert(walk("\"a\"") == JSON_NO_OBJECT);
    cr_assert(walk("null") == JSON_NO_OBJECT);
    cr_assert(walk("") == JSON_TRUNCATED);
    cr_assert(walk("  ") == JSON_TRUNCATED);
    cr_assert(walk("x") == JSON_UNEXPECTED);
    cr_assert(walk("{") == JSON_TRUNCATED);
    cr_assert(walk("{\"a\":1") == JSON_TRUNCATED);
    cr_assert(walk("{\"a\":1,") == JSON_TRUNCATED);
    cr_assert(walk("{\"a\":1,}") == JSON_UNEXPECTED);
    cr_assert(walk("{,\"a\":1}") == JSON_UNEXPECTED);
    cr_assert(walk("{\"a\":1 \"b\":2}") == JSON_UNEXPECTED);
    cr_assert(walk("{\"a\":1}}") == JSON_NO_END);
    cr_assert(walk("{} x") == JSON_NO_END);
    cr_assert(walk("{\"a\":[1}") == JSON_UNEXPECTED);
    cr_assert(walk("{\"a\":1]") == JSON_UNEXPECTED);
    cr_assert(walk("{\"a\"}") == JSON_UNEXPECTED);
    cr_assert(walk("{\"a\":}") == JSON_UNEXPECTED);
}

static enum json_trouble unescape(const char *text, char *to, size_t *len)
{
    struct bytes whole = bytes_of(text);
    cr_assert(json_check(whole) == JSON_FINE, "%s", text);
    struct json_value string = {JSON_STRING, true, whole};
    return json_unescape(&string, to, len);
}

Test(json, strings_without_their_escapes)
{
    static const struct {
        const char *text;
        const char *meaning;
    } strings[] = {
        {"\"\"", ""},
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"a\\u0041z\"", "aAz"},
        {"\"\\u00e4\\u00E4\"", "\xC3\xA4\xC3\xA4"},
        {"\"\\u0001\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
         "\x01\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"},
        {"\"\\ud83d\\ude00!\"", "\xF0\x9F\x98\x80!"},
        {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
        {"\"\xC3\xA4\\u00e4\xC3\xA4\"", "\xC3\xA4\xC3\xA4\xC3\xA4"},
        {"\"\\\\u0041\"", "\\u0041"},
    };
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        char to[64];
        size_t len;
        cr_assert(unescape(strings[i].text, to, &len) == JSON_FINE, "%s", strings[i].text);
        cr_assert(len <= strlen(strings[i].text) - 2, "it never grows");
        cr_assert(bytes_equal((struct bytes){to, len}, bytes_of(strings[i].meaning)), "%s",
                  strings[i].text);
    }
}

Test(json, strings_that_mean_no_text)
{
    char to[64];
    size_t len = 4711;
    cr_assert(unescape("\"a\\u0000b\"", to, &len) == JSON_NUL);
    cr_assert(unescape("\"\\ud83d\"", to, &len) == JSON_HALF_SURROGATE);
    cr_assert(unescape("\"\\ud83dx\"", to, &len) == JSON_HALF_SURROGATE);
    cr_assert(unescape("\"\\ud83d\\n12345\"", to, &len) == JSON_HALF_SURROGATE);
    cr_assert(unescape("\"\\ud83d\\u0041\"", to, &len) == JSON_HALF_SURROGATE);
    cr_assert(unescape("\"\\ud83d\\ud83d\"", to, &len) == JSON_HALF_SURROGATE);
    cr_assert(unescape("\"\\ude00\\ud83d\"", to, &len) == JSON_HALF_SURROGATE);
    cr_assert(unescape("\"\\udfff\"", to, &len) == JSON_HALF_SURROGATE);
    cr_assert(len == 4711, "untouched");
}

Test(json, every_trouble_has_a_text)
{
    for (unsigned i = 0; i < JSON_TROUBLES; i++) {
        cr_assert(json_trouble_text(i) != NULL && strlen(json_trouble_text(i)) > 8);
    }
}
