/* SPDX-License-Identifier: Apache-2.0
 *
 * Lengths stand in front of what they measure, in 1 to 5 bytes: every size at which one grows, in
 * several levels at once, against an encoding that is made from the inside out. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "contract/output.h"
#include "sample.h"

/* Field 18 of Everything is an Everything, 14 a string. */
enum { NESTED = 18 << 3 | 2, TEXT = 14 << 3 | 2 };

struct text {
    char *data;
    size_t len;
    size_t size;
};

static void add(struct text *text, const void *data, size_t len)
{
    if (text->len + len > text->size) {
        text->size = (text->len + len) * 2;
        text->data = must_realloc(text->data, text->size);
    }
    memcpy(text->data + text->len, data, len);
    text->len += len;
}

static void add_text(struct text *text, const char *words)
{
    add(text, words, strlen(words));
}

static void add_varint(struct text *text, uint64_t value)
{
    char bytes[VARINT_SIZE_MAX];
    add(text, bytes, (size_t)(varint_put(bytes, value) - bytes));
}

static void add_fill(struct text *text, size_t len)
{
    char *fill = must_malloc(len + 1);
    memset(fill, 'x', len);
    add(text, fill, len);
    free(fill);
}

/* aString of `len`, inside `depth` messages, each with another one of `len` behind it. */
static void nest(struct text *json, struct text *wire, size_t len, int depth)
{
    add_text(json, "{\"aString\":\"");
    add_fill(json, len);
    add_text(json, "\"");
    if (len > 0) {
        add_varint(wire, TEXT);
        add_varint(wire, len);
        add_fill(wire, len);
    }
    if (depth > 0) {
        struct text inner = {0};
        add_text(json, ",\"nested\":");
        nest(json, &inner, len, depth - 1);
        add_varint(wire, NESTED);
        add_varint(wire, inner.len);
        add(wire, inner.data == NULL ? "" : inner.data, inner.len);
        free(inner.data);
    }
    add_text(json, "}");
}

static void assert_nested(struct transcoder *transcoder, size_t len, int depth)
{
    struct text json = {0};
    struct text wire = {0};
    struct violation violation;
    struct bytes made = BYTES_NULL;
    nest(&json, &wire, len, depth);
    const struct message *message = pool_message(sample_pool(), BYTES_LIT("tests.v1.Everything"));
    struct bytes exact = sample_copy((struct bytes){json.data, json.len});
    cr_assert(transcode_from_json(transcoder, message, exact, &made, &violation) == OK);
    cr_assert(made.len == wire.len &&
                  (wire.len == 0 || memcmp(made.data, wire.data, made.len) == 0),
              "%zu letters, %d levels", len, depth);
    free((char *)exact.data);
    free(json.data);
    free(wire.data);
}

Test(lengths, every_size_around_the_steps)
{
    struct transcoder *transcoder = transcoder_new(sample_pool(), UNKNOWN_REJECT);
    for (size_t len = 0; len < 300; len++) {
        for (int depth = 0; depth < 5; depth++) {
            assert_nested(transcoder, len, depth);
        }
    }
    static const size_t steps[] = {127, 128, 16383, 16384, 2097151, 2097152};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        for (size_t less = 0; less < 14; less++) {
            assert_nested(transcoder, steps[i] - less, steps[i] > 100000 ? 1 : 3);
        }
    }
    transcoder_free(transcoder);
}

Test(lengths, levels_up_to_the_limit)
{
    struct transcoder *transcoder = transcoder_new(sample_pool(), UNKNOWN_REJECT);
    assert_nested(transcoder, 3, NESTING_MAX - 1);
    struct text json = {0};
    struct text wire = {0};
    struct violation violation;
    struct bytes made;
    nest(&json, &wire, 3, NESTING_MAX);
    cr_assert(transcode_from_json(
                  transcoder, pool_message(sample_pool(), BYTES_LIT("tests.v1.Everything")),
                  (struct bytes){json.data, json.len}, &made, &violation) == REJECT);
    cr_assert(violation.kind == VIOLATION_DEPTH);
    free(json.data);
    free(wire.data);
    transcoder_free(transcoder);
}

/* Hundreds of short and long messages in one list: short ones leave nothing to be moved. */
Test(lengths, short_and_long_ones_in_a_list)
{
    struct text json = {0};
    struct text wire = {0};
    add_text(&json, "{\"smalls\":[");
    for (size_t i = 0; i < 600; i++) {
        size_t len = i * 7 % 260;
        add_text(&json, i == 0 ? "{\"text\":\"" : ",{\"text\":\"");
        add_fill(&json, len);
        add_text(&json, "\"}");
        add_varint(&wire, 40 << 3 | 2);
        add_varint(&wire, len == 0 ? 0 : 1 + varint_size(len) + len);
        if (len > 0) {
            add_varint(&wire, 2 << 3 | 2);
            add_varint(&wire, len);
            add_fill(&wire, len);
        }
    }
    add_text(&json, "]}");
    struct transcoder *transcoder = transcoder_new(sample_pool(), UNKNOWN_REJECT);
    struct violation violation;
    struct bytes made;
    const struct message *message = pool_message(sample_pool(), BYTES_LIT("tests.v1.Everything"));
    cr_assert(transcode_from_json(transcoder, message, (struct bytes){json.data, json.len}, &made,
                                  &violation) == OK);
    cr_assert(made.len == wire.len && memcmp(made.data, wire.data, wire.len) == 0);
    transcoder_free(transcoder);
    free(json.data);
    free(wire.data);
}
