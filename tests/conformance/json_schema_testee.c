/* SPDX-License-Identifier: Apache-2.0
 *
 * The other side of tests/harness/test_json_schema_suite.py: reads pairs of a schema and a payload,
 * each with its length in front (4 bytes, little endian), and answers each with a line: "valid",
 * "invalid WORDS", or "refused WORDS" for a schema that is not taken. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "jsonschema/json_schema.h"

static bool read_text(struct bytes *text)
{
    uint32_t len;
    if (fread(&len, sizeof(len), 1, stdin) != 1) {
        return false;
    }
    len = le32toh(len);
    char *data = must_malloc(len + 1UL);
    check(fread(data, 1, len, stdin) == len);
    *text = (struct bytes){data, len};
    return true;
}

static void answer(struct bytes schema_text, struct bytes payload)
{
    struct json_schema *schema;
    struct violation violation;
    struct error error;
    if (json_schema_load(schema_text, &schema, &error) != OK) {
        printf("refused %s\n", error.what);
        return;
    }
    if (json_schema_check(schema, payload, &violation) == OK) {
        printf("valid\n");
    } else {
        (void)violation_error(&violation, &error);
        printf("invalid %s\n", error.what);
    }
    json_schema_free(schema);
}

int main(void)
{
    struct bytes schema;
    struct bytes payload;
    while (read_text(&schema) && read_text(&payload)) {
        answer(schema, payload);
        free((char *)schema.data);
        free((char *)payload.data);
        fflush(stdout);
    }
    return 0;
}
