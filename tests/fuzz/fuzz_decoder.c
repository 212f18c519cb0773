/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes are decoded or are an error; what is decoded is what the bytes say: each view lies
 * inside the message. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "pgoutput/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct bytes view, struct bytes message)
{
    check(view.data == NULL ||
          (view.data >= message.data && view.data + view.len <= message.data + message.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder decoder;
    struct bytes message = {(const char *)data, size};
    struct change change;
    struct error error;
    if (pgoutput_decode(&decoder, message, &change, &error) != OK) {
        check(error.verdict == FATAL && error.what[0] != '\0');
        return 0;
    }
    if (change.kind == CHANGE_INSERT || change.kind == CHANGE_UPDATE) {
        for (uint16_t i = 0; i < decoder.tuple.n_columns; i++) {
            check_inside(decoder.tuple.columns[i].value, message);
        }
    } else if (change.kind == CHANGE_RELATION) {
        for (uint16_t i = 0; i < change.relation.n_columns; i++) {
            check_inside(decoder.relation_columns[i].name, message);
        }
    } else if (change.kind == CHANGE_MESSAGE) {
        check_inside(change.message.prefix, message);
        check_inside(change.message.content, message);
    }
    return 0;
}
