/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the payload of a contract in Avro and of one in JSON Schema: a violation with words,
 * or, of Avro, bytes that libavro reads to their end. The first byte chooses the contract and what
 * happens to unknown fields. */
#include <avro.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "avro/avro_contract.h"
#include "base/check.h"
#include "jsonschema/json_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char avro_text[] =
    "{\"type\":\"record\",\"name\":\"shop.Placed\",\"fields\":["
    "{\"name\":\"i\",\"type\":\"int\",\"default\":7},{\"name\":\"l\",\"type\":\"long\",\"default\":"
    "0},"
    "{\"name\":\"d\",\"type\":[\"null\",\"float\",\"double\"],\"default\":null},"
    "{\"name\":\"b\",\"type\":\"bytes\",\"default\":\"\\u00ff\"},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]},"
    "\"default\":\"A\"},{\"name\":\"f\",\"type\":[\"null\",{\"type\":\"fixed\",\"name\":\"F\","
    "\"size\":2}],\"default\":null},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\",\"E\"]},"
    "\"default\":{}},"
    "{\"name\":\"next\",\"type\":[\"null\",\"shop.Placed\",{\"type\":\"array\",\"items\":"
    "\"shop.Placed\"}],\"default\":null}]}";

static const char json_text[] =
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
    "\"$ref\":\"#/definitions/node\"}";

struct fixture {
    struct avro_contract *avro;
    struct avro_encoder *encoders[2];
    avro_value_iface_t *iface;
    struct json_schema *json;
};

static struct fixture load(void)
{
    struct fixture fixture;
    struct error error;
    avro_schema_t schema;
    check(avro_contract_load(bytes_of(avro_text), &fixture.avro, &error) == OK);
    check(json_schema_load(bytes_of(json_text), &fixture.json, &error) == OK);
    check(avro_schema_from_json_length(avro_text, sizeof(avro_text) - 1, &schema) == 0);
    fixture.iface = avro_generic_class_from_schema(schema);
    fixture.encoders[0] = avro_encoder_new(UNKNOWN_REJECT);
    fixture.encoders[1] = avro_encoder_new(UNKNOWN_IGNORE);
    return fixture;
}

static void check_violation(const struct violation *violation)
{
    struct error error;
    check(violation->kind != VIOLATION_NONE && violation->expected[0] != '\0');
    check(violation_error(violation, &error) == REJECT && error.what[0] != '\0');
}

static void read_back(const struct fixture *fixture, struct bytes binary)
{
    avro_value_t value;
    char rest;
    avro_reader_t reader = avro_reader_memory(binary.data, (int64_t)binary.len);
    check(avro_generic_value_new(fixture->iface, &value) == 0);
    check(avro_value_read(reader, &value) == 0);
    check(avro_read(reader, &rest, 1) != 0);
    avro_value_decref(&value);
    avro_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture fixture;
    if (fixture.avro == NULL) {
        fixture = load();
    }
    if (size == 0) {
        return 0;
    }
    /* In memory of its own, so that a byte read behind it is found. */
    char *json = must_malloc(size);
    memcpy(json, data + 1, size - 1);
    struct bytes payload = {json, size - 1};
    struct bytes binary;
    struct violation violation = {0};
    if ((data[0] & 2) != 0) {
        if (json_schema_check(fixture.json, payload, &violation) != OK) {
            check_violation(&violation);
        }
    } else if (avro_encode(fixture.encoders[data[0] & 1], fixture.avro, payload, &binary,
                           &violation) == OK) {
        read_back(&fixture, binary);
    } else {
        check_violation(&violation);
    }
    free(json);
    return 0;
}
