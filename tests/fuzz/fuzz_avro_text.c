/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a contract in Avro, and behind zero bytes a payload and another version: refused
 * with words, or every payload gets a verdict, what is encoded is read by libavro to its end, and
 * the contract reads its own events. */
#include <avro.h>

#include "avro/avro_contract.h"
#include "base/macros.h"
#include "kinds.h"

/* Of a schema that it refuses half-way, libavro leaves memory behind. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libavro";
}

static const char *const payloads[] = {
    "null", "{}", "[]", "\"\\u00e4\"", "7", "{\"a\":1,\"b\":\"x\"}", "[1,2,3]", "\"A\"",
};

static void read_back(struct bytes schema_text, struct bytes binary)
{
    avro_schema_t schema;
    avro_value_t value;
    char rest;
    char *text = must_printf("%.*s", (int)schema_text.len, schema_text.data);
    if (avro_schema_from_json_length(text, strlen(text), &schema) == 0) {
        avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
        avro_reader_t reader = avro_reader_memory(binary.data, (int64_t)binary.len);
        check(iface != NULL && avro_generic_value_new(iface, &value) == 0);
        check(avro_value_read(reader, &value) == 0);
        check(avro_read(reader, &rest, 1) != 0);
        avro_value_decref(&value);
        avro_value_iface_decref(iface);
        avro_reader_free(reader);
        avro_schema_decref(schema);
    }
    free(text);
}

static void check_payload(const struct avro_contract *contract, struct bytes text,
                          struct bytes payload)
{
    static struct avro_encoder *encoder;
    if (encoder == NULL) {
        encoder = avro_encoder_new(UNKNOWN_IGNORE);
    }
    struct violation violation = {0};
    struct bytes binary;
    if (avro_encode(encoder, contract, payload, &binary, &violation) == OK) {
        read_back(text, binary);
    } else {
        check_violation(&violation);
    }
}

static void check_versions(const struct avro_contract *contract, struct bytes other)
{
    struct differences none = {0};
    struct differences some = {0};
    struct avro_contract *version;
    struct error error;
    avro_compare(contract, contract, &none);
    check(none.n == 0);
    if (avro_contract_load(other, &version, &error) == OK) {
        avro_compare(contract, version, &some);
        avro_compare(version, contract, &some);
        for (size_t i = 0; i < some.n; i++) {
            check(some.all[i].line > 0);
        }
        avro_contract_free(version);
    }
    differences_release(&none);
    differences_release(&some);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = next_text(&data, &size);
    struct bytes payload = next_text(&data, &size);
    struct bytes other = next_text(&data, &size);
    struct avro_contract *contract;
    struct error error;
    if (avro_contract_load(text, &contract, &error) != OK) {
        check(error.what[0] != '\0');
    } else {
        for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
            check_payload(contract, text, bytes_of(payloads[i]));
        }
        check_payload(contract, text, payload);
        check_versions(contract, other);
        avro_contract_free(contract);
    }
    free((char *)text.data);
    free((char *)payload.data);
    free((char *)other.data);
    return 0;
}
