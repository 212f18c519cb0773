/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a message: a violation with words, or JSON that is read again, and is then the same.
 * The first byte chooses the contract. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "contract/transcode.h"
#include "tests_contracts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pool *load(void)
{
    struct pool *pool;
    struct error error;
    struct bytes set = {(const char *)tests_contracts, sizeof(tests_contracts)};
    check(pool_load(set, &pool, &error) == OK);
    return pool;
}

static struct bytes copy(struct bytes text)
{
    char *kept = must_malloc(text.len + 1);
    memcpy(kept, text.data, text.len);
    return (struct bytes){kept, text.len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pool *pool;
    static struct transcoder *transcoder;
    static const char *const names[] = {"tests.v1.Everything", "tests.v1.Classic",
                                        "google.protobuf.Any", "google.protobuf.Value"};
    if (pool == NULL) {
        pool = load();
        transcoder = transcoder_new(pool, UNKNOWN_REJECT);
    }
    if (size == 0) {
        return 0;
    }
    const struct message *message = pool_message(pool, bytes_of(names[data[0] & 3]));
    struct violation violation = {0};
    struct bytes wire = copy((struct bytes){(const char *)data + 1, size - 1});
    struct bytes json;
    enum verdict verdict = transcode_to_json(transcoder, message, wire, &json, &violation);
    if (verdict != OK) {
        check(violation.kind != VIOLATION_NONE && violation.expected[0] != '\0');
    } else {
        struct bytes first = copy(json);
        struct bytes again;
        /* The entries of maps are counted when JSON is read only. */
        verdict = transcode_from_json(transcoder, message, first, &again, &violation);
        check(verdict == OK || violation.kind == VIOLATION_DEPTH);
        if (verdict == OK) {
            struct bytes second_wire = copy(again);
            check(transcode_to_json(transcoder, message, second_wire, &json, &violation) == OK);
            check(bytes_equal(first, json));
            free((char *)second_wire.data);
        }
        free((char *)first.data);
    }
    free((char *)wire.data);
    return 0;
}
