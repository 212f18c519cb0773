/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the payload of contracts in JSON Schema: it holds, or there is a violation with
 * words, and twice the same. The first byte chooses the contract. */
#include "base/macros.h"
#include "jsonschema/json_schema.h"
#include "kinds.h"

static const char *const texts[] = {
    /* References into itself, and every keyword of a single value. */
    "{\"definitions\":{\"node\":{\"type\":\"object\",\"properties\":{"
    "\"id\":{\"type\":\"string\",\"pattern\":\"^([a-z]+)*[0-9]$\",\"maxLength\":20},"
    "\"at\":{\"format\":\"date-time\"},\"mail\":{\"format\":\"email\"},\"uri\":{\"format\":\"uri\"}"
    ","
    "\"n\":{\"type\":[\"integer\",\"null\"],\"minimum\":-5,\"exclusiveMaximum\":1e3},"
    "\"x\":{\"multipleOf\":0.01},\"e\":{\"enum\":[1,\"a\",[true],{\"k\":null}]},"
    "\"list\":{\"items\":{\"$ref\":\"#/definitions/node\"},\"uniqueItems\":true,\"maxItems\":9},"
    "\"either\":{\"oneOf\":[{\"type\":\"string\"},{\"$ref\":\"#/definitions/node\"}]}},"
    "\"patternProperties\":{\"^x-\":{\"type\":\"boolean\"}},\"propertyNames\":{\"maxLength\":9},"
    "\"dependencies\":{\"at\":[\"id\"]},\"additionalProperties\":false}},"
    "\"$ref\":\"#/definitions/node\"}",
    /* Choices and conditions, one inside of another. */
    "{\"type\":\"object\",\"required\":[\"kind\"],\"properties\":{\"kind\":{\"enum\":[\"a\",\"b\"]}"
    "},"
    "\"if\":{\"properties\":{\"kind\":{\"const\":\"a\"}}},"
    "\"then\":{\"properties\":{\"v\":{\"anyOf\":[{\"type\":\"integer\"},{\"not\":{\"type\":"
    "[\"number\",\"array\"]}}]}},\"required\":[\"v\"]},"
    "\"else\":{\"properties\":{\"v\":{\"type\":\"array\",\"contains\":{\"minimum\":5}}},"
    "\"maxProperties\":3},\"allOf\":[{\"minProperties\":1},{\"properties\":{\"w\":{\"oneOf\":["
    "{\"multipleOf\":2},{\"multipleOf\":3}]}}}],\"dependencies\":{\"w\":{\"required\":[\"v\"]}}}",
    /* Lists with a schema for each place, and every format. */
    "{\"type\":\"array\",\"items\":[{\"type\":\"number\",\"maximum\":9007199254740993},"
    "{\"format\":\"date\"},{\"format\":\"time\"},{\"format\":\"ipv4\"},{\"format\":\"ipv6\"},"
    "{\"format\":\"hostname\"},{\"format\":\"uuid\"},{\"format\":\"uri-reference\"},"
    "{\"format\":\"json-pointer\"},{\"format\":\"regex\"},{\"type\":\"string\",\"minLength\":2,"
    "\"pattern\":\"(^\\\\u00e4|\\\\d{2,5}?|[^a-f]+b*)$\"},{\"exclusiveMinimum\":-0.5,"
    "\"multipleOf\":3}],\"additionalItems\":{\"type\":\"array\",\"minItems\":1,\"uniqueItems\":"
    "true}}",
    /* Nothing is allowed inside, and anything. */
    "{\"properties\":{\"never\":false,\"always\":true},\"additionalProperties\":{\"type\":\"null\"}"
    ","
    "\"patternProperties\":{\"(a|b)*c\":{\"enum\":[0.5,-0.0,1e300,\"\",[[]]]},\"[0-9]{3}\":{}}}",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_schema *schemas[ARRAY_LEN(texts)];
    struct error error;
    for (size_t i = 0; schemas[ARRAY_LEN(texts) - 1] == NULL; i++) {
        check(json_schema_load(bytes_of(texts[i]), &schemas[i], &error) == OK);
    }
    if (size == 0) {
        return 0;
    }
    const struct json_schema *schema = schemas[data[0] % ARRAY_LEN(texts)];
    struct bytes payload = own_copy(data + 1, size - 1);
    struct violation first = {0};
    struct violation second = {0};
    if (json_schema_check(schema, payload, &first) != OK) {
        check_violation(&first);
        check(json_schema_check(schema, payload, &second) == REJECT);
        check(first.kind == second.kind && strcmp(first.path, second.path) == 0);
    }
    free((char *)payload.data);
    return 0;
}
