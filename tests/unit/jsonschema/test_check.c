/* SPDX-License-Identifier: Apache-2.0
 *
 * Payloads with both verdicts, the words of a violation, schemas that are refused. That the draft
 * is kept is for its own suite to say: tests/harness/test_json_schema_suite.py. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "jsonschema/json_schema.h"

static struct json_schema *load(const char *text)
{
    struct json_schema *schema;
    struct error error = {0};
    cr_assert(json_schema_load(bytes_of(text), &schema, &error) == OK, "%s: %s", text, error.what);
    return schema;
}

#define PROPERTY(of) "{\"properties\":{\"f\":" of "}}"

static const struct {
    const char *schema;
    const char *payload;
    const char *words; /* NULL: it holds */
} cases[] = {
    {PROPERTY("{\"type\":\"integer\"}"), "{\"f\":1.0}", NULL},
    {PROPERTY("{\"type\":\"integer\"}"), "{\"f\":1e30}", NULL},
    {PROPERTY("{\"type\":\"integer\"}"), "{\"f\":1.5}",
     "f: expected an integer, found the number 1.5"},
    {PROPERTY("{\"type\":[\"string\",\"null\"]}"), "{\"f\":null}", NULL},
    {PROPERTY("{\"type\":[\"string\",\"null\"]}"), "{\"f\":1}",
     "f: expected a string or null, found the number 1"},
    /* exactly, where doubles would round */
    {PROPERTY("{\"maximum\":9007199254740992}"), "{\"f\":9007199254740992}", NULL},
    {PROPERTY("{\"maximum\":9007199254740992}"), "{\"f\":9007199254740993}",
     "f: expected a number of at most 9007199254740992, found the number 9007199254740993"},
    {PROPERTY("{\"minimum\":0}"), "{\"f\":-0.5}", "f: expected a number of at least 0, found"},
    {PROPERTY("{\"exclusiveMinimum\":0}"), "{\"f\":0}", "f: expected a number above 0, found"},
    {PROPERTY("{\"exclusiveMaximum\":1.5}"), "{\"f\":1.5}",
     "f: expected a number below 1.5, found"},
    {PROPERTY("{\"multipleOf\":2}"), "{\"f\":4.5}", "f: expected a multiple of 2, found"},
    {PROPERTY("{\"multipleOf\":0.01}"), "{\"f\":19.99}", NULL},
    {PROPERTY("{\"multipleOf\":0.01}"), "{\"f\":19.995}", "f: expected a multiple of 0.01, found"},
    {PROPERTY("{\"minLength\":3}"), "{\"f\":\"\\u00e4\\u0000\\u00fc\"}", NULL},
    {PROPERTY("{\"maxLength\":2}"), "{\"f\":\"a\\u0000b\"}",
     "f: expected a text of at most 2 characters, found"},
    {PROPERTY("{\"pattern\":\"^.{3}$\"}"), "{\"f\":\"äöü\"}", NULL},
    {PROPERTY("{\"pattern\":\"^[A-Z]+$\"}"), "{\"f\":\"aB\"}",
     "f: expected a text that matches ^[A-Z]+$, found the string \"aB\""},
    {PROPERTY("{\"format\":\"date-time\"}"), "{\"f\":\"2024-02-29T23:59:60Z\"}", NULL},
    {PROPERTY("{\"format\":\"date-time\"}"), "{\"f\":\"2023-02-29T12:00:00Z\"}",
     "f: expected a text of the format date-time, found"},
    {PROPERTY("{\"format\":\"date-time\"}"), "{\"f\":\"2024-02-29T12:00:60Z\"}",
     "f: expected a text of the format date-time, found"},
    {PROPERTY("{\"format\":\"uuid\"}"), "{\"f\":12}", NULL},
    {PROPERTY("{\"format\":\"uuid\"}"), "{\"f\":\"12\"}", "f: expected a text of the format uuid"},
    {PROPERTY("{\"format\":\"made-up\"}"), "{\"f\":\"12\"}", NULL},
    {PROPERTY("{\"enum\":[\"a\",1]}"), "{\"f\":1.0}", NULL},
    {PROPERTY("{\"enum\":[\"a\",1]}"), "{\"f\":\"b\"}",
     "f: expected one of [\"a\",1], found the string \"b\""},
    {PROPERTY("{\"const\":true}"), "{\"f\":1}", "f: expected the value true, found the number 1"},
    {PROPERTY("{\"uniqueItems\":true}"), "{\"f\":[1,true,\"1\",[1]]}", NULL},
    {PROPERTY("{\"uniqueItems\":true}"), "{\"f\":[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]}",
     "f: expected elements that differ from each other, found an array"},
    {PROPERTY("{\"items\":{\"type\":\"string\"}}"), "{\"f\":[\"a\",{},1]}",
     "f[1]: expected a string, found an object"},
    {PROPERTY("{\"minItems\":1}"), "{\"f\":[]}",
     "f: expected no fewer than 1 elements., found an array"},
    {"{\"required\":[\"a\",\"b\"]}", "{\"a\":1}",
     "b: expected a value: the field is required, found none"},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b\":[2]}",
     "b: expected only fields that the contract has, found an array"},
    {PROPERTY("{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}"), "{\"f\":1}",
     "f: expected what one of the schemas of anyOf allows, found the number 1"},
    {PROPERTY("{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":5}]}"), "{\"f\":7}",
     "f: expected what only one of the schemas of oneOf allows, found the number 7"},
    {PROPERTY("{\"not\":{\"type\":\"string\"}}"), "{\"f\":\"\"}",
     "f: expected not what the schema of not"},
    {PROPERTY("{\"contains\":{\"const\":1}}"), "{\"f\":[2]}",
     "f: expected an element that the schema"},
    {"{\"if\":{\"required\":[\"a\"]},\"then\":{\"required\":[\"b\"]}}", "{\"a\":1}",
     "b: expected a value"},
    {"{\"patternProperties\":{\"^x\":{\"type\":\"null\"}}}", "{\"x1\":1}",
     "x1: expected null, found"},
    {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}",
     "payload: expected what the contract allows"},
    {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"a\":1}", "b: expected a value: another field needs"},
    {"{\"definitions\":{\"t\":{\"properties\":{\"k\":{\"items\":{\"$ref\":\"#/definitions/t\"}},"
     "\"v\":{\"type\":\"integer\"}}}},\"$ref\":\"#/definitions/t\"}",
     "{\"k\":[{\"k\":[{\"v\":1},{\"v\":\"x\"}]}]}", "k[0].k[1].v: expected an integer, found"},
    {"{\"properties\":{\"3\":{\"type\":\"null\"}}}", "{\"3\":1}", "3: expected null, found"},
    /* the letters of the payload */
    {"true", "", "payload: expected JSON, found"},
    {"true", "1 2", "payload: expected the end of the payload, found the number 2"},
    {"true", "{\"a\":1,}", "payload: expected JSON, found"},
    {"true", "{\"a\":[{\"b\":1,\"\\u0062\":2}]}",
     "a[0].b: expected every name once, found it twice"},
    {"true", "[1,1e400]", "[1]: expected a number that a double can hold, found the number 1e400"},
    {"true", "\"\xC3\x28\"", "payload: expected text in UTF-8, found"},
    {"true", "\"\\ud800\"", "payload: expected text in UTF-8, found"},
    {"false", "{}", "payload: expected what the contract allows, found an object"},
    {"true", "18446744073709551616", NULL},
};

Test(check, gives_both_verdicts_and_words)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_schema *schema = load(cases[i].schema);
        struct violation violation;
        struct error error = {0};
        enum verdict verdict = json_schema_check(schema, bytes_of(cases[i].payload), &violation);
        if (verdict != OK) {
            (void)violation_error(&violation, &error);
        }
        const char *words = cases[i].words == NULL ? "" : cases[i].words;
        cr_expect(verdict == (cases[i].words == NULL ? OK : REJECT) &&
                      strncmp(error.what, words, strlen(words)) == 0,
                  "%s by %s: %s", cases[i].payload, cases[i].schema, error.what);
        json_schema_free(schema);
    }
}

static const struct {
    const char *schema;
    const char *words;
} refused[] = {
    {"{\"type\":1}", "it is no JSON Schema: \"type\" must be"},
    {"{\"type\":\"decimal\"}", "it is no JSON Schema: \"type\" must be"},
    {"[]", "line 1: a schema is an object"},
    {"{\"a\":1,\"a\":2}", "line 1 is not JSON: the name stands twice"},
    {"{\n\"$ref\":\"http://example.com/a.json\"}", "line 2: \"$ref\" leads to another document"},
    {"{\"$ref\":\"common.json#/definitions/a\"}", "line 1: \"$ref\" leads to another document"},
    {"{\"$ref\":\"#/definitions/a\"}", "line 1: \"$ref\" leads nowhere"},
    {"{\"$ref\":\"#\"}", "line 1: the schema leads back to itself"},
    {"{\"allOf\":[{\"$ref\":\"#\"}]}", "line 1: the schema leads back to itself"},
    {"{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}",
     "line 1: \"$schema\" names a draft"},
    {"{\"unevaluatedProperties\":false}", "line 1: \"unevaluatedProperties\" is not of draft-07"},
    {"{\"pattern\":\"(\"}", "it is no JSON Schema: one of its patterns"},
    {"{\"pattern\":\"(a)\\\\1\"}", "it is no JSON Schema: one of its patterns"},
    {"{\"patternProperties\":{\"[\":{}}}", "it is no JSON Schema: one of its patterns"},
    {"{\"minimum\":\"1\"}", "it is no JSON Schema: \"minimum\" must be a number"},
    {"{\"multipleOf\":0}", "it is no JSON Schema: \"multipleOf\" must be"},
    {"{\"required\":\"a\"}", "it is no JSON Schema: "},
    {"{\"properties\":{\"a\":1}}", "line 1: a schema is an object"},
};

Test(check, what_would_not_be_judged_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct json_schema *schema;
        struct error error = {0};
        enum verdict verdict = json_schema_load(bytes_of(refused[i].schema), &schema, &error);
        cr_expect(verdict == INVALID &&
                      strncmp(error.what, refused[i].words, strlen(refused[i].words)) == 0,
                  "%s: %s", refused[i].schema, verdict == OK ? "taken" : error.what);
        if (verdict == OK) {
            json_schema_free(schema);
        }
    }
}

/* --- what would take time, memory or the stack without bound ---------------------------------- */

static char *repeat(const char *head, const char *what, size_t times, const char *tail)
{
    char *text = malloc(strlen(head) + strlen(what) * times + strlen(tail) + 1);
    size_t len = strlen(head);
    memcpy(text, head, len);
    for (size_t i = 0; i < times; i++, len += strlen(what)) {
        memcpy(text + len, what, strlen(what));
    }
    memcpy(text + len, tail, strlen(tail) + 1);
    return text;
}

static enum violation_kind judge(const char *schema_text, char *payload)
{
    struct json_schema *schema = load(schema_text);
    struct violation violation = {VIOLATION_NONE};
    (void)!json_schema_check(schema, bytes_of(payload), &violation);
    json_schema_free(schema);
    free(payload);
    return violation.kind;
}

Test(check, is_bounded)
{
    cr_expect(judge("true", repeat("", "[", 100000, "")) == VIOLATION_DEPTH);
    cr_expect(judge("true", repeat("", "{\"a\":", 100000, "")) == VIOLATION_DEPTH);
    cr_expect(judge("{\"pattern\":\"^(a|b)*$\"}", repeat("\"", "ab", 50000, "\"")) ==
              VIOLATION_NONE);
    cr_expect(judge("{\"pattern\":\"^(a+)+$\"}", repeat("\"", "a", 5000, "b\"")) ==
              VIOLATION_FORMAT);
    cr_expect(judge("{\"uniqueItems\":true}", repeat("[0", ",1", 30000, "]")) ==
              VIOLATION_DUPLICATE);
    cr_expect(judge("{\"patternProperties\":{\"(a|b)*\":{}}}",
                    repeat("{\"", "ab", 100000, "\":1}")) == VIOLATION_SIZE);
    cr_expect(judge("{\"patternProperties\":{\"^(a|b)*$\":{\"type\":\"null\"}}}",
                    repeat("{\"", "ab", 256, "\":1}")) == VIOLATION_TYPE);
    /* too large to look for every complaint, and wrong all the same */
    cr_expect(judge("{\"items\":{\"type\":\"null\"}}", repeat("[0", ",1", 200000, "]")) !=
              VIOLATION_NONE);
}

/* --- several threads -------------------------------------------------------------------------- */

static void *check_many(void *context)
{
    const struct json_schema *schema = context;
    struct violation violation;
    size_t wrong = 0;
    for (int i = 0; i < 200; i++) {
        wrong +=
            json_schema_check(schema, BYTES_LIT("{\"id\":\"A1\",\"n\":[1,2]}"), &violation) != OK;
        wrong +=
            json_schema_check(schema, BYTES_LIT("{\"id\":\"a\",\"n\":[]}"), &violation) != REJECT;
    }
    return (void *)wrong;
}

/* Reading an expression recurses by its parentheses, matching by what it is compiled to. */
Test(check, expressions_are_bounded)
{
    enum { DEPTH = 50000 };
    char *deep = malloc(2 * DEPTH + 64);
    size_t len = (size_t)sprintf(deep, "{\"pattern\":\"");
    memset(deep + len, '(', DEPTH);
    memset(deep + len + DEPTH, ')', DEPTH);
    strcpy(deep + len + (size_t)2 * DEPTH, "\"}");
    const char *const texts[] = {deep, "{\"pattern\":\"^(a?){15000}$\"}",
                                 "{\"patternProperties\":{\"^(a?){15000}$\":{}}}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_schema *schema;
        struct error error;
        cr_assert(json_schema_load(bytes_of(texts[i]), &schema, &error) == INVALID);
        cr_expect(strstr(error.what, "too large") != NULL, "%s", error.what);
    }
    free(deep);
    json_schema_free(load("{\"pattern\":\"^([a-z]{1,63}[.]){1,8}[a-z]{2,63}$\"}"));
}

Test(check, threads_may_share_a_schema)
{
    struct json_schema *schema =
        load("{\"properties\":{\"id\":{\"type\":\"string\",\"pattern\":\"^[A-Z][0-9]\"},"
             "\"n\":{\"minItems\":1,\"uniqueItems\":true}},\"patternProperties\":{\"^x\":{}}}");
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        cr_assert(pthread_create(&threads[i], NULL, check_many, schema) == 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        cr_expect(wrong == NULL);
    }
    json_schema_free(schema);
}
