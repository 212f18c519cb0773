/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON to Avro's binary encoding. Avro wants fields in the order of the schema, and counts in front
 * of what they count; JSON has neither. So the members of an object are first passed over, with a
 * note where each one stands, and elements are counted before they are read. */
#include "avro/encode.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"

/* --- failures; all return NULL ---------------------------------------------------------------- */

static const char *fail(struct avro_encoder *encoder, enum violation_kind kind, const char *at,
                        const char *expected)
{
    violation_set(encoder->violation, kind, (size_t)(at - encoder->begin), "%s", expected);
    violation_found_json(encoder->violation, (struct bytes){at, (size_t)(encoder->end - at)});
    return NULL;
}

static const char *fail_scan(struct avro_encoder *encoder, const struct scan_failure *failure)
{
    violation_of_scan(encoder->violation, (size_t)(failure->at - encoder->begin), failure);
    return NULL;
}

/* --- single values ---------------------------------------------------------------------------- */

static bool is_word(const struct avro_encoder *encoder, const char *at, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(encoder->end - at) >= len && memcmp(at, word, len) == 0;
}

static bool is_number(const struct avro_encoder *encoder, const char *at)
{
    return at < encoder->end && (*at == '-' || is_digit(*at));
}

static const char *read_integer(struct avro_encoder *encoder, const char *at, bool is_int)
{
    const char *expected = is_int ? "an int, of 32 bits" : "a long, of 64 bits";
    enum number_trouble trouble;
    struct integer integer;
    if (!is_number(encoder, at)) {
        return fail(encoder, VIOLATION_TYPE, at, expected);
    }
    const char *behind = number_integer(at, encoder->end, &integer, &trouble);
    if (behind == NULL) {
        return fail(encoder,
                    trouble == NUMBER_SYNTAX  ? VIOLATION_JSON
                    : trouble == NUMBER_RANGE ? VIOLATION_RANGE
                                              : VIOLATION_TYPE,
                    at, expected);
    }
    uint64_t largest = is_int ? INT32_MAX : INT64_MAX;
    if (integer.magnitude > largest + integer.negative) {
        return fail(encoder, VIOLATION_RANGE, at, expected);
    }
    uint64_t bits = integer.negative ? -integer.magnitude : integer.magnitude;
    output_need(&encoder->out, VARINT_SIZE_MAX);
    output_varint(&encoder->out, zigzag((int64_t)bits));
    return behind;
}

static const char *read_real(struct avro_encoder *encoder, const char *at, double *value)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{"\"NaN\"", NAN}, {"\"Infinity\"", INFINITY}, {"\"-Infinity\"", -INFINITY}};
    enum number_trouble trouble;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (is_word(encoder, at, words[i].word)) {
            *value = words[i].value;
            return at + strlen(words[i].word);
        }
    }
    if (!is_number(encoder, at)) {
        return fail(encoder, VIOLATION_TYPE, at, "a number");
    }
    const char *behind = number_double(at, encoder->end, value, &trouble);
    if (behind == NULL) {
        return trouble == NUMBER_RANGE ? fail(encoder, VIOLATION_RANGE, at, "a double")
                                       : fail(encoder, VIOLATION_JSON, at, "a number");
    }
    return behind;
}

static const char *read_float(struct avro_encoder *encoder, const char *at)
{
    double value;
    const char *behind = read_real(encoder, at, &value);
    if (behind == NULL) {
        return NULL;
    }
    float narrow = (float)value;
    if (isinf(narrow) && !isinf(value)) {
        return fail(encoder, VIOLATION_RANGE, at, "a float");
    }
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof(bits));
    output_need(&encoder->out, sizeof(bits));
    output_fixed32(&encoder->out, bits);
    return behind;
}

static const char *read_double(struct avro_encoder *encoder, const char *at)
{
    double value;
    uint64_t bits;
    const char *behind = read_real(encoder, at, &value);
    if (behind != NULL) {
        memcpy(&bits, &value, sizeof(bits));
        output_need(&encoder->out, sizeof(bits));
        output_fixed64(&encoder->out, bits);
    }
    return behind;
}

static const char *read_boolean(struct avro_encoder *encoder, const char *at)
{
    bool truth = is_word(encoder, at, "true");
    if (!truth && !is_word(encoder, at, "false")) {
        return fail(encoder, VIOLATION_TYPE, at, "true or false");
    }
    output_need(&encoder->out, 1);
    output_byte(&encoder->out, truth);
    return at + (truth ? 4 : 5);
}

const char *encode_text(struct avro_encoder *encoder, const char *at, const char *expected,
                        struct bytes *text)
{
    struct scan_failure failure;
    if (at == encoder->end || *at != '"') {
        return fail(encoder, VIOLATION_TYPE, at, expected);
    }
    at = scan_text(at + 1, encoder->end, &encoder->scratch, text, &failure);
    return at == NULL ? fail_scan(encoder, &failure) : at;
}

static void write_text(struct avro_encoder *encoder, struct bytes text)
{
    output_need(&encoder->out, VARINT_SIZE_MAX + text.len);
    output_varint(&encoder->out, zigzag((int64_t)text.len));
    output_copy(&encoder->out, text.data, text.len);
}

static const char *read_string(struct avro_encoder *encoder, const char *at)
{
    struct bytes text;
    at = encode_text(encoder, at, "a string", &text);
    if (at != NULL) {
        write_text(encoder, text);
    }
    return at;
}

/* Avro writes bytes as a string in which every character, up to U+00FF, is one. */
static bool narrow_text(struct bytes text, char *to, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte >= 0x80) {
            if (byte > 0xC3) {
                return false;
            }
            byte = (unsigned char)(byte << 6 | (text.data[++i] & 0x3F));
        }
        to[(*len)++] = (char)byte;
    }
    return true;
}

static const char *read_bytes(struct avro_encoder *encoder, const char *at, const struct plan *plan)
{
    bool fixed = plan->kind == PLAN_FIXED;
    struct bytes text;
    size_t len;
    const char *behind = encode_text(encoder, at, "bytes, as a string", &text);
    if (behind == NULL) {
        return NULL;
    }
    char *narrow = must_malloc(text.len + 1);
    if (!narrow_text(text, narrow, &len)) {
        fail(encoder, VIOLATION_FORMAT, at, "bytes: characters up to U+00FF");
        behind = NULL;
    } else if (fixed && len != plan->size) {
        fail(encoder, VIOLATION_RANGE, at, "");
        snprintf(encoder->violation->expected, sizeof(encoder->violation->expected),
                 "%s: %lu bytes, each a character up to U+00FF", plan->local,
                 (unsigned long)plan->size);
        behind = NULL;
    } else if (fixed) {
        output_need(&encoder->out, len);
        output_copy(&encoder->out, narrow, len);
    } else {
        write_text(encoder, (struct bytes){narrow, len});
    }
    free(narrow);
    return behind;
}

static const char *read_enum(struct avro_encoder *encoder, const char *at, const struct plan *plan)
{
    struct bytes text;
    const char *behind = encode_text(encoder, at, "a symbol, as a string", &text);
    if (behind == NULL) {
        return NULL;
    }
    uint32_t symbol = name_table_find(&plan->names, text);
    if (symbol == NAME_NOT_FOUND) {
        fail(encoder, VIOLATION_ENUM, at, "");
        snprintf(encoder->violation->expected, sizeof(encoder->violation->expected),
                 "a symbol of %s", plan->name);
        return NULL;
    }
    output_need(&encoder->out, VARINT_SIZE_MAX);
    output_varint(&encoder->out, zigzag(symbol));
    return behind;
}

/* --- what holds others ------------------------------------------------------------------------ */

static const char *read_records_default(struct avro_encoder *encoder, const char *at,
                                        const struct plan_field *field)
{
    if (field->fallback == NULL || field->state != FALLBACK_DONE) {
        violation_set(encoder->violation, VIOLATION_MISSING_FIELD, (size_t)(at - encoder->begin),
                      "a value: the field has no default");
        violation_found(encoder->violation, "none");
        violation_inside_field(encoder->violation, field->name);
        return NULL;
    }
    output_need(&encoder->out, field->encoded.len);
    output_copy(&encoder->out, field->encoded.data, field->encoded.len);
    return at;
}

static const char *note_field(struct avro_encoder *encoder, const char *name_at, const char *at,
                              const struct plan *plan, struct bytes name, size_t first)
{
    uint32_t i = name_table_find(&plan->names, name);
    if (i == NAME_NOT_FOUND) {
        if (encoder->policy == UNKNOWN_REJECT) {
            fail(encoder, VIOLATION_UNKNOWN_FIELD, name_at, "");
            snprintf(encoder->violation->expected, sizeof(encoder->violation->expected),
                     "a field of %s", plan->name);
            violation_inside_field(encoder->violation, name);
            return NULL;
        }
        return at;
    }
    if (encoder->places[first + i] != NULL) {
        fail(encoder, VIOLATION_DUPLICATE, name_at, "every field once");
        violation_found(encoder->violation, "it twice");
        violation_inside_field(encoder->violation, name);
        return NULL;
    }
    encoder->places[first + i] = at;
    return at;
}

static const char *read_record(struct avro_encoder *encoder, const char *at,
                               const struct plan *plan)
{
    size_t first = encoder->n_places;
    struct members members;
    struct bytes name;
    if (at == encoder->end || *at != '{') {
        return fail(encoder, VIOLATION_TYPE, at, "an object");
    }
    encode_make_places(encoder, plan->count);
    members_begin(&members, encoder, at);
    while (members_next(&members, &name)) {
        if (note_field(encoder, members.name_at, members.value, plan, name, first) == NULL) {
            return NULL;
        }
    }
    for (uint32_t i = 0; members.behind != NULL && i < plan->count; i++) {
        const struct plan_field *field = &plan->fields[i];
        const char *value = encoder->places[first + i];
        if (value == NULL) {
            if (read_records_default(encoder, at, field) == NULL) {
                return NULL;
            }
        } else if (encode_value(encoder, value, field->plan) == NULL) {
            violation_inside_field(encoder->violation, field->name);
            return NULL;
        }
    }
    encoder->n_places = first;
    return members.behind;
}

/* A count, what is counted, and the end: one block. */
static void write_count(struct avro_encoder *encoder, size_t count)
{
    output_need(&encoder->out, VARINT_SIZE_MAX);
    output_varint(&encoder->out, zigzag((int64_t)count));
}

static const char *read_array(struct avro_encoder *encoder, const char *at, const struct plan *plan)
{
    struct members members;
    size_t count = 0;
    if (at == encoder->end || *at != '[') {
        return fail(encoder, VIOLATION_TYPE, at, "an array");
    }
    for (members_begin(&members, encoder, at); members_next(&members, NULL);) {
        count++;
    }
    if (members.behind == NULL) {
        return NULL;
    }
    if (count > 0) {
        write_count(encoder, count);
    }
    size_t i = 0;
    for (members_begin(&members, encoder, at); members_next(&members, NULL); i++) {
        if (encode_value(encoder, members.value, plan->inner[0]) == NULL) {
            violation_inside_element(encoder->violation, i);
            return NULL;
        }
    }
    write_count(encoder, 0);
    return members.behind;
}

static const char *read_map(struct avro_encoder *encoder, const char *at, const struct plan *plan)
{
    struct members members;
    struct bytes name;
    size_t first = encoder->n_keys;
    size_t count = 0;
    if (at == encoder->end || *at != '{') {
        return fail(encoder, VIOLATION_TYPE, at, "an object");
    }
    for (members_begin(&members, encoder, at); members_next(&members, &name);) {
        count++;
    }
    if (members.behind == NULL) {
        return NULL;
    }
    if (count > 0) {
        write_count(encoder, count);
    }
    for (members_begin(&members, encoder, at); members_next(&members, &name);) {
        encode_note_key(encoder, name);
        write_text(encoder, name);
        if (encode_value(encoder, members.value, plan->inner[0]) == NULL) {
            /* The name may be gone by now: the text of what was inside took its place. */
            struct bytes again = BYTES_NULL;
            (void)encode_text(encoder, members.name_at, "", &again);
            violation_inside_key(encoder->violation, again);
            return NULL;
        }
    }
    write_count(encoder, 0);
    if (!encode_keys_differ(encoder, first)) {
        return fail(encoder, VIOLATION_DUPLICATE, at, "every key once");
    }
    return members.behind;
}

static const char *read_union(struct avro_encoder *encoder, const char *at, const struct plan *plan)
{
    const char *value = at;
    const char *behind = NULL;
    uint32_t branch = encoder->of_default ? 0 : encode_choose(encoder, plan, &value, &behind);
    if (branch == UINT32_MAX) {
        return NULL;
    }
    output_need(&encoder->out, VARINT_SIZE_MAX);
    output_varint(&encoder->out, zigzag(branch));
    const char *read = encode_value(encoder, value, plan->inner[branch]);
    return read == NULL || value == at ? read : behind;
}

static const char *read_null(struct avro_encoder *encoder, const char *at)
{
    return is_word(encoder, at, "null") ? at + 4 : fail(encoder, VIOLATION_TYPE, at, "null");
}

const char *encode_value(struct avro_encoder *encoder, const char *at, const struct plan *plan)
{
    switch (plan->kind) {
    case PLAN_NULL: return read_null(encoder, at);
    case PLAN_BOOLEAN: return read_boolean(encoder, at);
    case PLAN_INT: return read_integer(encoder, at, true);
    case PLAN_LONG: return read_integer(encoder, at, false);
    case PLAN_FLOAT: return read_float(encoder, at);
    case PLAN_DOUBLE: return read_double(encoder, at);
    case PLAN_STRING: return read_string(encoder, at);
    case PLAN_ENUM: return read_enum(encoder, at, plan);
    case PLAN_BYTES:
    case PLAN_FIXED: return read_bytes(encoder, at, plan);
    case PLAN_UNION: return read_union(encoder, at, plan);
    case PLAN_RECORD:
    case PLAN_ARRAY:
    case PLAN_MAP: break;
    }
    return plan->kind == PLAN_RECORD  ? read_record(encoder, at, plan)
           : plan->kind == PLAN_ARRAY ? read_array(encoder, at, plan)
                                      : read_map(encoder, at, plan);
}
