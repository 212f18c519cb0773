/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the JSON of a payload: a violation with words, or a message that becomes JSON, which
 * becomes a message, and from then on nothing changes any more. The first byte chooses the contract
 * and what happens to unknown fields. */
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

/* One transcoder returns what lasts until it is asked again. */
static struct bytes copy(struct bytes text)
{
    char *kept = must_malloc(text.len + 1);
    memcpy(kept, text.data, text.len);
    return (struct bytes){kept, text.len};
}

static void check_violation(const struct violation *violation)
{
    struct error error;
    check(violation->kind != VIOLATION_NONE && violation->expected[0] != '\0');
    check(violation_error(violation, &error) == REJECT && error.what[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pool *pool;
    static struct transcoder *transcoders[2];
    static const char *const names[] = {"tests.v1.Everything", "tests.v1.Classic",
                                        "google.protobuf.Value", "tests.v1.Wide"};
    if (pool == NULL) {
        pool = load();
        transcoders[0] = transcoder_new(pool, UNKNOWN_REJECT);
        transcoders[1] = transcoder_new(pool, UNKNOWN_IGNORE);
    }
    if (size == 0) {
        return 0;
    }
    struct transcoder *transcoder = transcoders[data[0] & 1];
    const struct message *message = pool_message(pool, bytes_of(names[data[0] >> 1 & 3]));
    struct violation violation = {0};
    struct bytes json = copy((struct bytes){(const char *)data + 1, size - 1});
    struct bytes wire;
    enum verdict verdict = transcode_from_json(transcoder, message, json, &wire, &violation);
    if (verdict != OK) {
        check_violation(&violation);
        free((char *)json.data);
        return 0;
    }
    free((char *)json.data);
    struct bytes first_wire = copy(wire);
    check(transcode_to_json(transcoder, message, first_wire, &json, &violation) == OK);
    struct bytes first_json = copy(json);
    check(transcode_from_json(transcoder, message, first_json, &wire, &violation) == OK);
    struct bytes second_wire = copy(wire);
    check(transcode_to_json(transcoder, message, second_wire, &json, &violation) == OK);
    check(bytes_equal(first_json, json));
    free((char *)first_wire.data);
    free((char *)first_json.data);
    free((char *)second_wire.data);
    return 0;
}
