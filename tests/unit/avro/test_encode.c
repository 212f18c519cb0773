/* SPDX-License-Identifier: Apache-2.0
 *
 * What is encoded is read back by libavro, by the same schema. */
#include <avro.h>
#include <criterion/criterion.h>
#include <stdlib.h>

#include "avro/avro_contract.h"
#include "base/macros.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"shop.Placed\",\"fields\":[" fields "]}"
#define FIELD(type)    RECORD("{\"name\":\"f\",\"type\":" type "}")
#define ENUM           "{\"type\":\"enum\",\"name\":\"Color\",\"symbols\":[\"RED\",\"BLUE\"]}"
#define CARD                                                                                       \
    "{\"type\":\"record\",\"name\":\"Card\",\"fields\":[{\"name\":\"number\",\"type\":\"string\"}" \
    "]}"
#define CASH \
    "{\"type\":\"record\",\"name\":\"Cash\",\"fields\":[{\"name\":\"paid\",\"type\":\"long\"}]}"
#define TREE                                                                                    \
    "{\"type\":\"record\",\"name\":\"Tree\",\"fields\":[{\"name\":\"value\",\"type\":\"int\"}," \
    "{\"name\":\"left\",\"type\":[\"null\",\"Tree\"],\"default\":null}]}"

static enum verdict encode(const char *schema, struct bytes json, struct bytes *binary,
                           struct avro_encoder *encoder, struct violation *violation)
{
    struct avro_contract *contract;
    struct error error = {0};
    cr_assert(avro_contract_load(bytes_of(schema), &contract, &error) == OK, "%s: %s", schema,
              error.what);
    enum verdict verdict = avro_encode(encoder, contract, json, binary, violation);
    avro_contract_free(contract);
    return verdict;
}

/* The library's own JSON of the bytes; everything must have been read. */
static char *read_back(const char *schema_text, struct bytes binary)
{
    avro_schema_t schema;
    avro_value_t value;
    char *json = NULL;
    cr_assert(avro_schema_from_json_length(schema_text, strlen(schema_text), &schema) == 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    avro_generic_value_new(iface, &value);
    avro_reader_t reader = avro_reader_memory(binary.data, (int64_t)binary.len);
    cr_assert(avro_value_read(reader, &value) == 0, "%s", avro_strerror());
    char rest;
    cr_assert(avro_read(reader, &rest, 1) != 0, "more was written than is read");
    cr_assert(avro_value_to_json(&value, 1, &json) == 0);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    return json;
}

static const struct {
    const char *schema;
    const char *json;
    const char *read; /* NULL: the same */
} good[] = {
    {FIELD("\"null\""), "{\"f\": null}", NULL},
    {FIELD("\"boolean\""), "{\"f\": true}", NULL},
    {FIELD("\"int\""), "{\"f\": -2147483648}", NULL},
    {FIELD("\"int\""), "{\"f\": 2.147483647e9}", "{\"f\": 2147483647}"},
    {FIELD("\"long\""), "{\"f\": -9223372036854775808}", NULL},
    {FIELD("\"long\""), "{\"f\": 9223372036854775807}", NULL},
    {FIELD("\"float\""), "{\"f\": 0.5}", NULL},
    {FIELD("\"double\""), "{\"f\": 3}", "{\"f\": 3.0}"},
    {FIELD("\"double\""), "{\"f\": -1.25e2}", "{\"f\": -125.0}"},
    {FIELD("\"string\""), "{\"f\": \"gr\\u00fc\\u00dfe \\ud83d\\ude00\"}",
     "{\"f\": \"gr\\u00FC\\u00DFe \\uD83D\\uDE00\"}"},
    {FIELD("\"string\""), "{\"f\": \"\"}", NULL},
    {FIELD("\"bytes\""), "{\"f\": \"a\\u00ff\"}", "{\"f\": \"a\\u00FF\"}"},
    {FIELD("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}"), "{\"f\": \"ab\"}", NULL},
    {FIELD(ENUM), "{\"f\": \"BLUE\"}", NULL},
    {FIELD("{\"type\":\"array\",\"items\":\"int\"}"), "{\"f\": [1, 2, 3]}", NULL},
    {FIELD("{\"type\":\"array\",\"items\":\"int\"}"), "{\"f\": []}", NULL},
    {FIELD("{\"type\":\"map\",\"values\":\"int\"}"), "{\"f\": {\"a\": 1, \"b\": 2}}", NULL},
    {FIELD("{\"type\":\"map\",\"values\":\"int\"}"), "{\"f\": {}}", NULL},
    /* members in an order of their own */
    {RECORD("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\",\"type\":\"string\"}"),
     " {\"b\" : \"x\" , \"a\":1 } ", "{\"a\": 1, \"b\": \"x\"}"},
    /* unions: bare, and with their type */
    {FIELD("[\"null\",\"string\"]"), "{\"f\": null}", NULL},
    {FIELD("[\"null\",\"string\"]"), "{\"f\": \"x\"}", "{\"f\": {\"string\": \"x\"}}"},
    {FIELD("[\"null\",\"string\"]"), "{\"f\": {\"string\": \"x\"}}", NULL},
    {FIELD("[\"int\",\"long\",\"double\"]"), "{\"f\": 1}", "{\"f\": {\"int\": 1}}"},
    {FIELD("[\"int\",\"long\",\"double\"]"), "{\"f\": 3000000000}",
     "{\"f\": {\"long\": 3000000000}}"},
    {FIELD("[\"int\",\"long\",\"double\"]"), "{\"f\": 1.5}", "{\"f\": {\"double\": 1.5}}"},
    {FIELD("[" ENUM ",\"string\"]"), "{\"f\": \"RED\"}", "{\"f\": {\"Color\": \"RED\"}}"},
    {FIELD("[" ENUM ",\"string\"]"), "{\"f\": \"GREEN\"}", "{\"f\": {\"string\": \"GREEN\"}}"},
    {FIELD("[\"null\"," CARD "," CASH "]"), "{\"f\": {\"paid\": 5}}",
     "{\"f\": {\"Cash\": {\"paid\": 5}}}"},
    {FIELD("[\"null\"," CARD "," CASH "]"), "{\"f\": {\"shop.Card\": {\"number\": \"1\"}}}",
     "{\"f\": {\"Card\": {\"number\": \"1\"}}}"},
    {FIELD("[\"null\",{\"type\":\"map\",\"values\":\"int\"}]"), "{\"f\": {\"a\": 1}}",
     "{\"f\": {\"map\": {\"a\": 1}}}"},
    /* what is left out has its default */
    {RECORD("{\"name\":\"a\",\"type\":\"int\",\"default\":7}"), "{}", "{\"a\": 7}"},
    {RECORD("{\"name\":\"a\",\"type\":[\"null\",\"int\"],\"default\":null}"), "{}",
     "{\"a\": null}"},
    {RECORD("{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"int\"},\"default\":[1,2]}"),
     "{}", "{\"a\": [1, 2]}"},
    {RECORD("{\"name\":\"a\",\"type\":{\"type\":\"record\",\"name\":\"In\",\"fields\":[{\"name\":"
            "\"x\","
            "\"type\":\"int\",\"default\":3}]},\"default\":{}}"),
     "{}", "{\"a\": {\"x\": 3}}"},
    {TREE, "{\"value\": 1, \"left\": {\"value\": 2}}",
     "{\"value\": 1, \"left\": {\"Tree\": {\"value\": 2, \"left\": null}}}"},
    {"\"long\"", "12", NULL},
};

Test(encode, is_read_back_by_the_library)
{
    struct avro_encoder *encoder = avro_encoder_new(UNKNOWN_REJECT);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct bytes binary;
        struct violation violation;
        struct error error = {0};
        if (encode(good[i].schema, bytes_of(good[i].json), &binary, encoder, &violation) != OK) {
            (void)violation_error(&violation, &error);
            cr_expect(false, "%s: %s", good[i].json, error.what);
            continue;
        }
        const char *wrapped = good[i].schema[0] == '"' ? "{\"type\":\"long\"}" : good[i].schema;
        char *json = read_back(wrapped, binary);
        cr_expect_str_eq(json, good[i].read == NULL ? good[i].json : good[i].read);
        free(json);
    }
    avro_encoder_free(encoder);
}

static const struct {
    const char *schema;
    const char *json;
    const char *words;
} bad[] = {
    {FIELD("\"null\""), "{\"f\": 0}", "f: expected null, found the number 0"},
    {FIELD("\"boolean\""), "{\"f\": \"true\"}",
     "f: expected true or false, found the string \"true\""},
    {FIELD("\"int\""), "{\"f\": 2147483648}",
     "f: expected an int, of 32 bits, found the number 2147483648"},
    {FIELD("\"int\""), "{\"f\": 1.5}", "f: expected an int, of 32 bits, found the number 1.5"},
    {FIELD("\"long\""), "{\"f\": 9223372036854775808}",
     "f: expected a long, of 64 bits, found the number 9223372036854775808"},
    {FIELD("\"long\""), "{\"f\": \"1\"}", "f: expected a long, of 64 bits, found the string \"1\""},
    {FIELD("\"float\""), "{\"f\": 1e39}", "f: expected a float, found the number 1e39"},
    {FIELD("\"double\""), "{\"f\": 1e400}", "f: expected a double, found the number 1e400"},
    {FIELD("\"bytes\""), "{\"f\": \"\\u0100\"}",
     "f: expected bytes: characters up to U+00FF, found the string \"\\u0100\""},
    {FIELD("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}"), "{\"f\": \"abc\"}",
     "f: expected F: 2 bytes, each a character up to U+00FF, found the string \"abc\""},
    {FIELD(ENUM), "{\"f\": \"GREEN\"}",
     "f: expected a symbol of shop.Color, found the string \"GREEN\""},
    {FIELD("{\"type\":\"array\",\"items\":\"int\"}"), "{\"f\": [1, null]}",
     "f[1]: expected an int, of 32 bits, found null"},
    {FIELD("{\"type\":\"array\",\"items\":\"int\"}"), "{\"f\": {}}",
     "f: expected an array, found an object"},
    {FIELD("{\"type\":\"map\",\"values\":\"int\"}"), "{\"f\": {\"a\": \"x\"}}",
     "f[\"a\"]: expected an int, of 32 bits, found the string \"x\""},
    {FIELD("{\"type\":\"map\",\"values\":\"int\"}"), "{\"f\": {\"a\": 1, \"\\u0061\": 2}}",
     "f: expected every key once, found an object"},
    {FIELD("\"int\""), "{}", "f: expected a value: the field has no default, found none"},
    {FIELD("\"int\""), "{\"f\": 1, \"g\": 2}",
     "g: expected a field of shop.Placed, found the string \"g\""},
    {FIELD("\"int\""), "{\"f\": 1, \"f\": 1}", "f: expected every field once, found it twice"},
    {FIELD("\"int\""), "[]", "payload: expected an object, found an array"},
    {FIELD("[\"null\",\"string\"]"), "{\"f\": 1}", "f: expected a string, found the number 1"},
    {FIELD("[\"int\",\"string\"]"), "{\"f\": true}", "f: expected one of int, string, found true"},
    {FIELD("[\"null\"," CARD "]"), "{\"f\": {\"number\": 1}}",
     "f.number: expected a string, found the number 1"},
    {FIELD("[\"null\"," CARD "," CASH "]"), "{\"f\": {\"Card\": {\"number\": \"1\"}}}",
     "f: expected one of null, shop.Card, shop.Cash, found an object"},
    {FIELD("\"int\""), "{\"f\": 1} x", "payload: expected the end of the payload, found x"},
    {FIELD("\"int\""), "{\"f\": 01}", "payload: expected JSON, found "},
    {FIELD("\"int\""), "", "payload: expected JSON, found "},
    {FIELD("\"string\""), "{\"f\": \"\xC3\x28\"}", "payload: expected text in UTF-8, found "},
    {FIELD("\"string\""), "{\"f\": \"\\ud800\"}", "payload: expected text in UTF-8, found "},
};

Test(encode, says_where_and_why)
{
    struct avro_encoder *encoder = avro_encoder_new(UNKNOWN_REJECT);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct bytes binary;
        struct violation violation;
        struct error error = {0};
        enum verdict verdict =
            encode(bad[i].schema, bytes_of(bad[i].json), &binary, encoder, &violation);
        cr_expect(verdict == REJECT, "%s was taken", bad[i].json);
        if (verdict == REJECT) {
            (void)violation_error(&violation, &error);
            cr_expect(strncmp(error.what, bad[i].words, strlen(bad[i].words)) == 0, "%s: %s",
                      bad[i].json, error.what);
        }
    }
    avro_encoder_free(encoder);
}

Test(encode, nesting_is_bounded)
{
    struct avro_encoder *encoder = avro_encoder_new(UNKNOWN_REJECT);
    enum { LEVELS = 100000 };
    char *json = malloc(LEVELS * 32);
    size_t len = 0;
    for (int i = 0; i < LEVELS; i++) {
        len += (size_t)sprintf(json + len, "{\"value\":1,\"left\":");
    }
    struct bytes binary;
    struct violation violation;
    cr_expect(encode(TREE, (struct bytes){json, len}, &binary, encoder, &violation) == REJECT);
    cr_expect(violation.kind == VIOLATION_DEPTH);
    free(json);
    avro_encoder_free(encoder);
}

Test(encode, unknown_fields_can_be_passed_over)
{
    struct avro_encoder *encoder = avro_encoder_new(UNKNOWN_IGNORE);
    struct bytes binary;
    struct violation violation;
    cr_expect(encode(FIELD("\"int\""), bytes_of("{\"g\": [{}], \"f\": 1}"), &binary, encoder,
                     &violation) == OK);
    cr_expect(binary.len == 1 && binary.data[0] == 2);
    avro_encoder_free(encoder);
}
