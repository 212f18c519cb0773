/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a contract in JSON Schema, and behind zero bytes a payload and another version:
 * refused with words, or every payload gets a verdict, and the contract reads its own events. */
#include "base/macros.h"
#include "jsonschema/json_schema.h"
#include "kinds.h"

static const char *const payloads[] = {
    "null",
    "{}",
    "[]",
    "\"\\u00e4a0\"",
    "-1.5e3",
    "{\"a\":{\"a\":[1,2,{\"b\":null}]},\"b\":\"12\"}",
    "[[],{},\"x\",0,[true,\"x\"]]",
};

static void check_payload(const struct json_schema *schema, struct bytes payload)
{
    struct violation violation = {0};
    if (json_schema_check(schema, payload, &violation) != OK) {
        check_violation(&violation);
    }
}

static void check_versions(const struct json_schema *schema, struct bytes other)
{
    struct differences none = {0};
    struct differences some = {0};
    struct json_schema *version;
    struct error error;
    json_schema_compare(schema, schema, &none);
    check(none.n == 0);
    if (json_schema_load(other, &version, &error) == OK) {
        json_schema_compare(schema, version, &some);
        json_schema_compare(version, schema, &some);
        for (size_t i = 0; i < some.n; i++) {
            check(some.all[i].line > 0);
        }
        json_schema_free(version);
    }
    differences_release(&none);
    differences_release(&some);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = next_text(&data, &size);
    struct bytes payload = next_text(&data, &size);
    struct bytes other = next_text(&data, &size);
    struct json_schema *schema;
    struct error error;
    if (json_schema_load(text, &schema, &error) != OK) {
        check(error.what[0] != '\0');
    } else {
        for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
            check_payload(schema, bytes_of(payloads[i]));
        }
        check_payload(schema, payload);
        check_versions(schema, other);
        json_schema_free(schema);
    }
    free((char *)text.data);
    free((char *)payload.data);
    free((char *)other.data);
    return 0;
}
