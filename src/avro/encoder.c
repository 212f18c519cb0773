/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "avro/encode.h"
#include "base/check.h"

void encoder_init(struct avro_encoder *encoder, enum unknown_policy policy)
{
    *encoder = (struct avro_encoder){.policy = policy};
    output_init(&encoder->out);
    output_init(&encoder->scratch);
    output_init(&encoder->keys_text);
}

void encoder_release(struct avro_encoder *encoder)
{
    output_release(&encoder->out);
    output_release(&encoder->scratch);
    output_release(&encoder->keys_text);
    free(encoder->places);
    free(encoder->keys);
}

struct avro_encoder *avro_encoder_new(enum unknown_policy policy)
{
    struct avro_encoder *encoder = must_malloc(sizeof(*encoder));
    encoder_init(encoder, policy);
    return encoder;
}

void avro_encoder_free(struct avro_encoder *encoder)
{
    if (encoder != NULL) {
        encoder_release(encoder);
        free(encoder);
    }
}

/* --- the members of an object ----------------------------------------------------------------- */

void members_begin(struct members *members, struct avro_encoder *encoder, const char *at)
{
    *members = (struct members){.encoder = encoder, .object = *at == '{'};
    members->at = skip_space(at + 1, encoder->end);
}

bool members_next(struct members *members, struct bytes *name)
{
    const char *end = members->encoder->end;
    struct scan_failure failure;
    const char *at = members->at;
    if (members->value != NULL) {
        at = skip_space(scan_value(members->value, end, NESTING_MAX, &failure), end);
        at = *at == ',' ? skip_space(at + 1, end) : at;
    }
    if (*at == '}' || *at == ']') {
        members->behind = at + 1;
        return false;
    }
    members->name_at = at;
    if (members->object) {
        struct output *scratch = name == NULL ? NULL : &members->encoder->scratch;
        at = name == NULL ? scan_string(at + 1, end, NULL, &failure)
                          : scan_text(at + 1, end, scratch, name, &failure);
        at = skip_space(skip_space(at, end) + 1, end);
    }
    members->value = at;
    return true;
}

/* --- what is noted of open records and maps --------------------------------------------------- */

void encode_make_places(struct avro_encoder *encoder, uint32_t count)
{
    size_t wanted = encoder->n_places + count;
    if (wanted > encoder->max_places) {
        encoder->max_places = wanted * 2;
        encoder->places =
            must_realloc(encoder->places, encoder->max_places * sizeof(*encoder->places));
    }
    for (size_t i = encoder->n_places; i < wanted; i++) {
        encoder->places[i] = NULL;
    }
    encoder->n_places = wanted;
}

void encode_note_key(struct avro_encoder *encoder, struct bytes key)
{
    if (encoder->n_keys == encoder->max_keys) {
        encoder->max_keys = encoder->max_keys * 2 + 16;
        encoder->keys = must_realloc(encoder->keys, encoder->max_keys * sizeof(*encoder->keys));
    }
    encoder->keys[encoder->n_keys++] = (struct map_key){output_len(&encoder->keys_text), key.len};
    output_need(&encoder->keys_text, key.len);
    output_copy(&encoder->keys_text, key.data, key.len);
}

static int compare_keys(const void *a, const void *b, void *text)
{
    const struct map_key *left = a;
    const struct map_key *right = b;
    if (left->len != right->len) {
        return left->len < right->len ? -1 : 1;
    }
    return memcmp((const char *)text + left->at, (const char *)text + right->at, left->len);
}

bool encode_keys_differ(struct avro_encoder *encoder, size_t first)
{
    if (encoder->n_keys == first) {
        return true; /* there may be no memory for keys yet */
    }
    struct map_key *keys = encoder->keys + first;
    size_t n = encoder->n_keys - first;
    bool differ = true;
    size_t text_len = keys[0].at;
    char *text = encoder->keys_text.begin;
    qsort_r(keys, n, sizeof(*keys), compare_keys, text);
    for (size_t i = 1; i < n; i++) {
        differ = differ && compare_keys(&keys[i - 1], &keys[i], text) != 0;
    }
    encoder->keys_text.at = text + text_len;
    encoder->n_keys = first;
    return differ;
}

/* --- a whole payload -------------------------------------------------------------------------- */

enum verdict encoder_run(struct avro_encoder *encoder, const struct plan *plan, struct bytes json,
                         struct violation *violation)
{
    const char *end = json.data + json.len;
    struct scan_failure failure;
    encoder->begin = json.data;
    encoder->end = end;
    encoder->violation = violation;
    encoder->out.at = encoder->out.begin;
    encoder->keys_text.at = encoder->keys_text.begin;
    encoder->n_places = 0;
    encoder->n_keys = 0;
    const char *at = scan_value(json.data, end, NESTING_MAX, &failure);
    if (at == NULL) {
        violation_of_scan(violation, (size_t)(failure.at - json.data), &failure);
        return REJECT;
    }
    at = skip_space(at, end);
    if (at != end) {
        violation_set(violation, VIOLATION_JSON, (size_t)(at - json.data),
                      "the end of the payload");
        violation_found_json(violation, (struct bytes){at, (size_t)(end - at)});
        return REJECT;
    }
    return encode_value(encoder, skip_space(json.data, end), plan) == NULL ? REJECT : OK;
}

enum verdict avro_encode(struct avro_encoder *encoder, const struct avro_contract *contract,
                         struct bytes json, struct bytes *binary, struct violation *violation)
{
    enum verdict verdict = encoder_run(encoder, contract->root, json, violation);
    *binary = output_bytes(&encoder->out);
    return verdict;
}

enum verdict plan_encode_default(struct arena *arena, const struct plan *plan, struct bytes json,
                                 struct bytes *encoded, struct violation *violation)
{
    struct avro_encoder encoder;
    encoder_init(&encoder, UNKNOWN_REJECT);
    encoder.of_default = true;
    enum verdict verdict = encoder_run(&encoder, plan, json, violation);
    if (verdict == OK) {
        *encoded = arena_copy(arena, output_bytes(&encoder.out));
    }
    encoder_release(&encoder);
    return verdict;
}
