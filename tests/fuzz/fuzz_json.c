/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a logical message: a row or a dead letter, and the scanner agrees with itself. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "config/config.h"
#include "outbox/json.h"
#include "outbox/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_member(const struct json_value *value)
{
    check(json_check(value->text) == JSON_FINE);
    if (value->kind == JSON_STRING) {
        char *text = must_malloc(value->text.len);
        size_t len = 0;
        json_unescape(value, text, &len);
        check(len + 2 <= value->text.len);
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config = {.outbox = {.message_prefix = "walpost"}};
    static struct mapper *mapper;
    if (mapper == NULL) {
        mapper_new(&config, &mapper);
    }
    struct bytes text = {(const char *)data, size};
    struct row row;
    mapper_message(mapper, text, &row);
    check(row.dead == DEAD_NOT || (row.payload.len == size && row.detail != NULL));

    struct json_scan scan;
    struct json_value name;
    struct json_value value;
    enum json_trouble trouble = json_begin(&scan, text);
    while (json_next(&scan, &name, &value)) {
        check_member(&name);
        check_member(&value);
    }
    check(trouble == JSON_NO_OBJECT || scan.trouble == json_check(text));
    return 0;
}
