/* SPDX-License-Identifier: Apache-2.0
 *
 * How a payload breaks its contract: the kind, the path, what was expected, what was found. */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "sample.h"

struct breach {
    const char *json;
    enum violation_kind kind;
    const char *words;
};

static void assert_breaches(const char *message, const struct breach *breaches, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct violation violation = {0};
        struct error error;
        cr_assert(sample_wire(message, breaches[i].json, UNKNOWN_REJECT, &violation) == NULL, "%s",
                  breaches[i].json);
        cr_assert(violation_error(&violation, &error) == REJECT);
        cr_assert_str_eq(error.what, breaches[i].words);
        cr_assert(violation.kind == breaches[i].kind, "%s: %s", breaches[i].json,
                  violation_kind_name(violation.kind));
        cr_assert(violation.offset <= strlen(breaches[i].json));
    }
}

#define ASSERT_BREACHES(message, breaches) assert_breaches(message, breaches, ARRAY_LEN(breaches))

Test(violations, types_and_ranges)
{
    static const struct breach breaches[] = {
        {"[]", VIOLATION_TYPE, "payload: expected an object (tests.v1.Everything), found an array"},
        {"{\"anInt32\":\"abc\"}", VIOLATION_TYPE,
         "anInt32: expected an int32, found the string \"abc\""},
        {"{\"anInt32\":1.5}", VIOLATION_TYPE,
         "anInt32: expected an int32, without a fraction, found the number 1.5"},
        {"{\"anInt32\":2147483648}", VIOLATION_RANGE,
         "anInt32: expected an int32, found the number 2147483648"},
        {"{\"anInt32\":-2147483649}", VIOLATION_RANGE,
         "anInt32: expected an int32, found the number -2147483649"},
        {"{\"anInt32\":true}", VIOLATION_TYPE, "anInt32: expected an int32, found true"},
        {"{\"anInt32\":{}}", VIOLATION_TYPE, "anInt32: expected an int32, found an object"},
        {"{\"anInt32\":\" 1\"}", VIOLATION_TYPE,
         "anInt32: expected an int32, found the string \" 1\""},
        {"{\"anInt32\":\"\"}", VIOLATION_TYPE, "anInt32: expected an int32, found the string \"\""},
        {"{\"anInt64\":\"9223372036854775808\"}", VIOLATION_RANGE,
         "anInt64: expected an int64, found the string \"9223372036854775808\""},
        {"{\"aUint32\":-1}", VIOLATION_RANGE, "aUint32: expected a uint32, found the number -1"},
        {"{\"aUint32\":4294967296}", VIOLATION_RANGE,
         "aUint32: expected a uint32, found the number 4294967296"},
        {"{\"aUint64\":18446744073709551616}", VIOLATION_RANGE,
         "aUint64: expected a uint64, found the number 18446744073709551616"},
        {"{\"aFloat\":3.5e38}", VIOLATION_RANGE,
         "aFloat: expected a float, found the number 3.5e38"},
        {"{\"aDouble\":1e309}", VIOLATION_RANGE,
         "aDouble: expected a double, found the number 1e309"},
        {"{\"aDouble\":\"nan\"}", VIOLATION_TYPE,
         "aDouble: expected a double, found the string \"nan\""},
        {"{\"aBool\":\"true\"}", VIOLATION_TYPE,
         "aBool: expected true or false, found the string \"true\""},
        {"{\"aBool\":1}", VIOLATION_TYPE, "aBool: expected true or false, found the number 1"},
        {"{\"aString\":1}", VIOLATION_TYPE, "aString: expected a string, found the number 1"},
        {"{\"someBytes\":\"*\"}", VIOLATION_FORMAT,
         "someBytes: expected a string of Base64, found the string \"*\""},
        {"{\"color\":\"COLOR_PINK\"}", VIOLATION_ENUM,
         "color: expected a value of tests.v1.Color, found the string \"COLOR_PINK\""},
        {"{\"color\":2147483648}", VIOLATION_RANGE,
         "color: expected the number of an enum value, found the number 2147483648"},
        {"{\"small\":\"x\"}", VIOLATION_TYPE,
         "small: expected an object (tests.v1.Small), found the string \"x\""},
        {"{\"strings\":\"x\"}", VIOLATION_TYPE,
         "strings: expected an array, found the string \"x\""},
        {"{\"stringMap\":[]}", VIOLATION_TYPE, "stringMap: expected an object, found an array"},
    };
    ASSERT_BREACHES("Everything", breaches);
}

Test(violations, paths_lead_to_the_place)
{
    static const struct breach breaches[] = {
        {"{\"nested\":{\"smalls\":[{},{\"number\":\"x\"}]}}", VIOLATION_TYPE,
         "nested.smalls[1].number: expected an int32, found the string \"x\""},
        {"{\"uint64Map\":{\"7\":{\"text\":1}}}", VIOLATION_TYPE,
         "uint64Map[\"7\"].text: expected a string, found the number 1"},
        {"{\"strings\":[\"a\",null]}", VIOLATION_TYPE, "strings[1]: expected a value, found null"},
        {"{\"stringMap\":{\"a\":null}}", VIOLATION_TYPE,
         "stringMap[\"a\"]: expected a value, found null"},
        {"{\"int32Map\":{\"x\":1}}", VIOLATION_TYPE,
         "int32Map: expected an int32, found the string \"x\""},
        {"{\"boolMap\":{\"1\":1}}", VIOLATION_TYPE,
         "boolMap: expected \"true\" or \"false\", found the string \"1\""},
        {"{\"struct\":{\"a\":[1,{\"b\":1e999}]}}", VIOLATION_RANGE,
         "struct[\"a\"][1][\"b\"]: expected a double, found the number 1e999"},
        {"{\"any\":{\"@type\":\"t/tests.v1.Small\",\"number\":\"x\"}}", VIOLATION_TYPE,
         "any.number: expected an int32, found the string \"x\""},
        {"{\"anys\":[{\"@type\":\"t/google.protobuf.Duration\",\"value\":\"x\"}]}",
         VIOLATION_FORMAT,
         "anys[0].value: expected a duration in seconds, like \"1.5s\", found the string \"x\""},
    };
    ASSERT_BREACHES("Everything", breaches);
}

Test(violations, fields_that_must_or_must_not_be_there)
{
    static const struct breach breaches[] = {
        {"{\"nothing\":1}", VIOLATION_UNKNOWN_FIELD,
         "nothing: expected a field of tests.v1.Everything, found the string \"nothing\""},
        {"{\"small\":{\"x\":1}}", VIOLATION_UNKNOWN_FIELD,
         "small.x: expected a field of tests.v1.Small, found the string \"x\""},
        {"{\"anInt32\":1,\"an_int32\":1}", VIOLATION_DUPLICATE,
         "anInt32: expected every field once, found it twice"},
        {"{\"anInt32\":null,\"anInt32\":1}", VIOLATION_DUPLICATE,
         "anInt32: expected every field once, found it twice"},
        {"{\"choiceInt32\":1,\"choiceString\":\"\"}", VIOLATION_ONEOF,
         "choiceString: expected one field of the oneof choice, found a second one"},
        {"{\"choiceNull\":null,\"choiceInt32\":1}", VIOLATION_ONEOF,
         "choiceInt32: expected one field of the oneof choice, found a second one"},
        {"{\"stringMap\":{\"a\":\"\",\"b\":\"\",\"a\":\"\"}}", VIOLATION_DUPLICATE,
         "stringMap: expected every key once, found one twice"},
        {"{\"stringMap\":{\"b\":\"\",\"a\":\"\",\"\\u0061\":\"\"}}", VIOLATION_DUPLICATE,
         "stringMap: expected every key once, found one twice"},
        {"{\"struct\":{\"a\":1,\"a\":1}}", VIOLATION_DUPLICATE,
         "struct: expected every key once, found one twice"},
        {"{\"any\":{\"number\":1}}", VIOLATION_MISSING_FIELD,
         "any: expected an \"@type\", found an object"},
        {"{\"any\":{\"@type\":\"Small\"}}", VIOLATION_TYPE,
         "any: expected a type that the contract knows, behind a slash, found the \"@type\" "
         "\"Small\""},
    };
    ASSERT_BREACHES("Everything", breaches);
    static const struct breach classic[] = {
        {"{}", VIOLATION_MISSING_FIELD, "id: expected a value: the field is required, found none"},
        {"{\"id\":null}", VIOLATION_MISSING_FIELD,
         "id: expected a value: the field is required, found none"},
        {"{\"id\":1,\"child\":{}}", VIOLATION_MISSING_FIELD,
         "child.id: expected a value: the field is required, found none"},
        {"{\"id\":1,\"row\":[{}]}", VIOLATION_MISSING_FIELD,
         "row[0].cell: expected a value: the field is required, found none"},
        {"{\"id\":1,\"size\":3}", VIOLATION_ENUM,
         "size: expected a value of tests.v1.Size, found the number 3"},
    };
    ASSERT_BREACHES("Classic", classic);
}

Test(violations, times_and_masks)
{
    static const struct breach breaches[] = {
        {"{\"timestamp\":\"2024-02-30T00:00:00Z\"}", VIOLATION_FORMAT,
         "timestamp: expected a timestamp, like \"2024-01-31T23:59:59.5Z\", found the string "
         "\"2024-02-30T00:00:00Z\""},
        {"{\"timestamp\":5}", VIOLATION_TYPE,
         "timestamp: expected a timestamp, like \"2024-01-31T23:59:59.5Z\", found the number 5"},
        {"{\"fieldMask\":\"a_b\"}", VIOLATION_FORMAT,
         "fieldMask: expected names of fields in lowerCamelCase, with commas in between, found "
         "the string \"a_b\""},
        {"{\"listValue\":{}}", VIOLATION_TYPE, "listValue: expected an array, found an object"},
    };
    ASSERT_BREACHES("Everything", breaches);
}

Test(violations, text_that_is_no_json)
{
    static const struct breach breaches[] = {
        {"", VIOLATION_JSON,
         "payload: expected an object (tests.v1.Everything), found the end of the payload"},
        {"{", VIOLATION_JSON,
         "payload: expected the name of a field, in double quotes, found the end of the payload"},
        {"{\"anInt32\"", VIOLATION_JSON, "payload: expected a colon, found the end of the payload"},
        {"{\"anInt32\":1", VIOLATION_JSON,
         "payload: expected a comma, or the end of the object, found the end of the payload"},
        {"{\"anInt32\":1,}", VIOLATION_JSON,
         "payload: expected the name of a field, in double quotes, found }"},
        {"{\"anInt32\":01}", VIOLATION_JSON, "anInt32: expected an int32, found the number 01"},
        {"{\"anInt32\":nul}", VIOLATION_JSON, "anInt32: expected a value, found nul"},
        {"{\"int32s\":[1,]}", VIOLATION_JSON, "int32s[1]: expected an int32, found ]"},
        {"{\"int32s\":[1 2]}", VIOLATION_JSON,
         "int32s: expected a comma, or the end of the array, found the number 2"},
        {"{} {}", VIOLATION_JSON, "payload: expected the end of the payload, found an object"},
        {"{'anInt32':1}", VIOLATION_JSON,
         "payload: expected the name of a field, in double quotes, found 'anInt32':1"},
        {"{\"aString\":\"\x01\"}", VIOLATION_JSON,
         "aString: expected JSON, found an unescaped control character in a string"},
        {"{\"aString\":\"\\ud83d\"}", VIOLATION_UTF8,
         "aString: expected JSON, found a string with one half of a surrogate pair"},
        {"{\"aString\":\"\xFF\"}", VIOLATION_UTF8,
         "aString: expected JSON, found a string that is not valid UTF-8"},
        {"{\"value\":nope}", VIOLATION_JSON, "value: expected a value, found nope"},
    };
    ASSERT_BREACHES("Everything", breaches);
}

/* What is quoted is cut, and never spoils a line of a log. */
Test(violations, quotes_are_tame)
{
    struct violation violation;
    cr_assert(sample_wire("Everything",
                          "{\"anInt32\":\"0123456789012345678901234567890123456789012345678901\"}",
                          UNKNOWN_REJECT, &violation) == NULL);
    cr_assert_str_eq(violation.found,
                     "the string \"01234567890123456789012345678901234567890123456...");
    cr_assert(sample_wire("Everything", "{\"a\nb\":1}", UNKNOWN_REJECT, &violation) == NULL);
    cr_assert(strchr(violation.found, '\n') == NULL);
    cr_assert(sample_wire("Everything", "{\"anInt32\":\"\xFF\x02\"}", UNKNOWN_REJECT, &violation) ==
              NULL);
    cr_assert(strchr(violation.found, '\xFF') == NULL && strchr(violation.found, '\x02') == NULL);
}

/* A path that does not fit keeps its inner end. */
Test(violations, long_paths_are_cut)
{
    char json[4000] = "";
    for (int i = 0; i < 60; i++) {
        strncat(json, "{\"nested\":", sizeof(json) - strlen(json) - 1);
    }
    strncat(json, "{\"anInt32\":true", sizeof(json) - strlen(json) - 1);
    struct violation violation;
    cr_assert(sample_wire("Everything", json, UNKNOWN_REJECT, &violation) == NULL);
    size_t len = strlen(violation.path);
    cr_assert(strncmp(violation.path, "...", 3) == 0, "%s", violation.path);
    cr_assert_str_eq(violation.path + len - 14, "nested.anInt32");
}

/* --- fields that must come, though proto3 has no word for it -----------------------------------
 */

#define MARKED "\"id\":\"\",\"count\":0,\"part\":{\"done\":false},\"list\":[],\"anything\":null"

Test(violations, marked_fields_that_are_there)
{
    static const char *const payloads[] = {
        "{" MARKED "}",
        "{" MARKED ",\"parts\":[{\"done\":true}],\"named\":{\"a\":{\"done\":false}}}",
        "{" MARKED ",\"note\":null,\"left\":\"\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        struct violation violation = {0};
        struct error error;
        bool good = sample_wire("Marked", payloads[i], UNKNOWN_REJECT, &violation) != NULL;
        cr_assert(good || violation_error(&violation, &error) != REJECT, "%s: %s", payloads[i],
                  error.what);
    }
}

Test(violations, marked_fields_that_are_missing)
{
#define MISSING ": expected a value: the field is required, found none"
    static const struct breach breaches[] = {
        {"{}", VIOLATION_MISSING_FIELD, "id" MISSING},
        {"{\"id\":\"1\"}", VIOLATION_MISSING_FIELD, "count" MISSING},
        {"{\"id\":null,\"count\":0,\"part\":{\"done\":false},\"list\":[],\"anything\":0}",
         VIOLATION_MISSING_FIELD, "id" MISSING},
        {"{\"id\":\"1\",\"count\":1,\"part\":{}}", VIOLATION_MISSING_FIELD, "part.done" MISSING},
        {"{\"id\":\"\",\"count\":0,\"part\":{\"done\":false},\"anything\":null}",
         VIOLATION_MISSING_FIELD, "list" MISSING},
        {"{\"id\":\"\",\"count\":0,\"part\":{\"done\":false},\"list\":[]}", VIOLATION_MISSING_FIELD,
         "anything" MISSING},
        {"{" MARKED ",\"parts\":[{\"done\":true},{\"done\":null}]}", VIOLATION_MISSING_FIELD,
         "parts[1].done" MISSING},
        {"{" MARKED ",\"named\":{\"a\":{\"weight\":1}}}", VIOLATION_MISSING_FIELD,
         "named[\"a\"].done" MISSING},
        {"{" MARKED ",\"right\":{}}", VIOLATION_MISSING_FIELD, "right.done" MISSING},
    };
    ASSERT_BREACHES("Marked", breaches);
    static const struct breach behaving[] = {
        {"{\"b\":\"\",\"c\":\"\"}", VIOLATION_MISSING_FIELD, "a" MISSING},
        {"{\"a\":\"\"}", VIOLATION_MISSING_FIELD, "c" MISSING},
    };
    ASSERT_BREACHES("Behaving", behaving);
    struct violation violation;
    cr_assert(sample_wire("Behaving", "{\"a\":\"\",\"c\":\"\"}", UNKNOWN_REJECT, &violation) !=
              NULL);
}
