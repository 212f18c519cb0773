/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the payload of contracts in Avro: a violation with words, or bytes that libavro
 * reads to their end. The first byte chooses the contract and what happens to unknown fields. */
#include <avro.h>

#include "avro/avro_contract.h"
#include "base/macros.h"
#include "kinds.h"

static const char *const texts[] = {
    /* Every type, and a record that holds itself. */
    "{\"type\":\"record\",\"name\":\"shop.Placed\",\"fields\":["
    "{\"name\":\"i\",\"type\":\"int\",\"default\":7},"
    "{\"name\":\"l\",\"type\":\"long\",\"default\":0},"
    "{\"name\":\"d\",\"type\":[\"null\",\"float\",\"double\"],\"default\":null},"
    "{\"name\":\"b\",\"type\":\"bytes\",\"default\":\"\\u00ff\"},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]},"
    "\"default\":\"A\"},{\"name\":\"f\",\"type\":[\"null\",{\"type\":\"fixed\",\"name\":\"F\","
    "\"size\":2}],\"default\":null},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\",\"E\"]},"
    "\"default\":{}},"
    "{\"name\":\"next\",\"type\":[\"null\",\"shop.Placed\",{\"type\":\"array\",\"items\":"
    "\"shop.Placed\"}],\"default\":null}]}",
    /* Branches that look alike from outside. */
    "[\"null\",\"boolean\",\"int\",\"double\",\"bytes\",{\"type\":\"record\",\"name\":\"A\","
    "\"fields\":[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":[\"string\",\"null\"],"
    "\"default\":\"x\"}]},{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"a\","
    "\"type\":"
    "{\"type\":\"array\",\"items\":[\"A\",\"string\"]}}]},{\"type\":\"map\",\"values\":\"float\"}]",
    /* Lists in maps in lists, of records without fields. */
    "{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":["
    "\"null\",{\"type\":\"record\",\"name\":\"Nothing\",\"fields\":[]},{\"type\":\"fixed\","
    "\"name\":"
    "\"Two\",\"size\":2},{\"type\":\"enum\",\"name\":\"K\",\"symbols\":[\"A\",\"BB\"]}]}}}",
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2}",
};

struct fixture {
    struct avro_contract *contract;
    avro_value_iface_t *iface;
};

static void load(struct fixture fixtures[ARRAY_LEN(texts)], struct avro_encoder *encoders[2])
{
    struct error error;
    avro_schema_t schema;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        check(avro_contract_load(bytes_of(texts[i]), &fixtures[i].contract, &error) == OK);
        check(avro_schema_from_json_length(texts[i], strlen(texts[i]), &schema) == 0);
        fixtures[i].iface = avro_generic_class_from_schema(schema);
    }
    encoders[0] = avro_encoder_new(UNKNOWN_REJECT);
    encoders[1] = avro_encoder_new(UNKNOWN_IGNORE);
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
    static struct fixture fixtures[ARRAY_LEN(texts)];
    static struct avro_encoder *encoders[2];
    if (encoders[0] == NULL) {
        load(fixtures, encoders);
    }
    if (size == 0) {
        return 0;
    }
    const struct fixture *fixture = &fixtures[data[0] / 2 % ARRAY_LEN(texts)];
    struct bytes payload = own_copy(data + 1, size - 1);
    struct bytes binary;
    struct violation violation = {0};
    if (avro_encode(encoders[data[0] & 1], fixture->contract, payload, &binary, &violation) == OK) {
        read_back(fixture, binary);
    } else {
        check_violation(&violation);
    }
    free((char *)payload.data);
    return 0;
}
