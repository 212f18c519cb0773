/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers, booleans, enums, strings and bytes. */
#include "contract/reader.h"

#include <float.h>
#include <math.h>

#include "contract/base64.h"
#include "contract/number.h"

/* --- strings --------------------------------------------------------------------------------- */

const char *read_text(struct reader *reader, const char *at, const char *expected,
                      struct bytes *text)
{
    struct scan_failure failure;
    if (!reader_is(reader, at, '"')) {
        return reader_fail(reader, VIOLATION_TYPE, at, "%s", expected);
    }
    at = scan_text(at + 1, reader->end, &reader->scratch, text, &failure);
    return at == NULL ? reader_fail_scan(reader, &failure) : at;
}

/* Its length gets one byte, and what was copied moves when it needs more. */
const char *read_string(struct reader *reader, const char *at, uint64_t tag, size_t tag_len)
{
    struct scan_failure failure;
    struct output *out = &reader->out;
    if (!reader_is(reader, at, '"')) {
        return reader_fail(reader, VIOLATION_TYPE, at, "a string");
    }
    output_need(out, VARINT_SIZE_MAX + 1);
    output_tag(out, tag, tag_len);
    output_byte(out, 0);
    size_t from = output_len(out);
    at = scan_string(at + 1, reader->end, out, &failure);
    if (at == NULL) {
        return reader_fail_scan(reader, &failure);
    }
    size_t len = output_len(out) - from;
    char *start = out->begin + from;
    if (len < 0x80) {
        start[-1] = (char)len;
        return at;
    }
    size_t more = varint_size(len) - 1;
    output_need(out, more);
    start = out->begin + from;
    memmove(start + more, start, len);
    varint_put(start - 1, len);
    out->at += more;
    return at;
}

static const char *read_bytes(struct reader *reader, const char *at, const struct field *field,
                              enum element_form form)
{
    struct bytes text;
    struct output *out = &reader->out;
    const char *from = at;
    at = read_text(reader, at, "a string of Base64", &text);
    if (at == NULL || (text.len == 0 && form == FORM_FIELD && !field->presence)) {
        return at;
    }
    output_need(out, (size_t)2 * VARINT_SIZE_MAX + base64_decoded_max(text.len));
    output_tag(out, field->tag, field->tag_len);
    /* What it becomes is known up to the two bytes that padding takes. */
    size_t len;
    size_t room = varint_size(base64_decoded_max(text.len));
    if (!base64_decode(text, out->at + room, &len)) {
        return reader_fail(reader, VIOLATION_FORMAT, from, "a string of Base64");
    }
    size_t size = varint_size(len);
    if (size < room) {
        memmove(out->at + size, out->at + room, len);
    }
    output_varint(out, len);
    out->at += len;
    return at;
}

/* --- numbers --------------------------------------------------------------------------------- */

static const char *type_text(const struct field *field)
{
    switch ((enum field_type)field->type) {
    case TYPE_INT32:
    case TYPE_SINT32:
    case TYPE_SFIXED32: return "an int32";
    case TYPE_INT64:
    case TYPE_SINT64:
    case TYPE_SFIXED64: return "an int64";
    case TYPE_UINT32:
    case TYPE_FIXED32: return "a uint32";
    case TYPE_UINT64:
    case TYPE_FIXED64: return "a uint64";
    case TYPE_FLOAT: return "a float";
    case TYPE_DOUBLE: return "a double";
    case TYPE_BOOL: return "true or false";
    case TYPE_STRING: return "a string";
    case TYPE_BYTES: return "a string of Base64";
    case TYPE_ENUM:
    case TYPE_GROUP:
    case TYPE_MESSAGE: break;
    }
    return "a value";
}

/* Where a number that must be there begins: at a digit, or inside the quotes. */
struct numeral {
    const char *at;
    const char *end;  /* of the text that it stands in */
    const char *next; /* behind the quotes; NULL: it is not quoted */
};

static const char *find_numeral(struct reader *reader, const char *at, const char *expected,
                                struct numeral *numeral)
{
    if (at < reader->end && (*at == '-' || is_digit(*at))) {
        *numeral = (struct numeral){at, reader->end, NULL};
        return at;
    }
    struct bytes text;
    const char *next = read_text(reader, at, expected, &text);
    if (next == NULL) {
        return NULL;
    }
    *numeral = (struct numeral){text.data, text.data + text.len, next};
    return at;
}

static const char *fail_number(struct reader *reader, const char *at, const char *expected,
                               enum number_trouble trouble)
{
    if (trouble == NUMBER_RANGE) {
        return reader_fail(reader, VIOLATION_RANGE, at, "%s", expected);
    }
    if (trouble == NUMBER_FRACTION) {
        return reader_fail(reader, VIOLATION_TYPE, at, "%s, without a fraction", expected);
    }
    bool unquoted = !reader_is(reader, at, '"');
    return reader_fail(reader, unquoted ? VIOLATION_JSON : VIOLATION_TYPE, at, "%s", expected);
}

/* 18 digits at most, then something that ends a number: nearly all integers there are. NULL: look
 * again, slowly. */
static const char *read_short(const char *at, const char *end, struct integer *integer)
{
    integer->negative = *at == '-';
    at += integer->negative;
    const char *from = at;
    uint64_t value = 0;
    while (at < end && is_digit(*at)) {
        value = value * 10 + (unsigned)(*at - '0');
        at++;
    }
    size_t n = (size_t)(at - from);
    if (n == 0 || n > 18 || (*from == '0' && n > 1) ||
        (at < end && (*at == '.' || (*at | 0x20) == 'e'))) {
        return NULL;
    }
    integer->magnitude = value;
    return at;
}

static const char *read_integer(struct reader *reader, const char *at, const char *expected,
                                struct integer *integer)
{
    struct numeral numeral;
    enum number_trouble trouble = NUMBER_SYNTAX;
    const char *from = at;
    if (find_numeral(reader, at, expected, &numeral) == NULL) {
        return NULL;
    }
    at = numeral.at < numeral.end ? read_short(numeral.at, numeral.end, integer) : NULL;
    if (at == NULL) {
        at = number_integer(numeral.at, numeral.end, integer, &trouble);
    }
    if (at == NULL) {
        return fail_number(reader, from, expected, trouble);
    }
    if (numeral.next == NULL) {
        return at;
    }
    return at == numeral.end ? numeral.next : fail_number(reader, from, expected, NUMBER_SYNTAX);
}

static const char *read_signed(struct reader *reader, const char *at, const struct field *field,
                               int64_t max, int64_t *value)
{
    struct integer integer;
    const char *from = at;
    at = read_integer(reader, at, type_text(field), &integer);
    if (at == NULL) {
        return NULL;
    }
    if (integer.magnitude > (uint64_t)max + integer.negative) {
        return fail_number(reader, from, type_text(field), NUMBER_RANGE);
    }
    *value = (int64_t)(integer.negative ? -integer.magnitude : integer.magnitude);
    return at;
}

static const char *read_unsigned(struct reader *reader, const char *at, const struct field *field,
                                 uint64_t max, uint64_t *value)
{
    struct integer integer;
    const char *from = at;
    at = read_integer(reader, at, type_text(field), &integer);
    if (at == NULL) {
        return NULL;
    }
    if (integer.magnitude > max || (integer.negative && integer.magnitude > 0)) {
        return fail_number(reader, from, type_text(field), NUMBER_RANGE);
    }
    *value = integer.magnitude;
    return at;
}

static bool read_special_double(const struct numeral *numeral, double *value)
{
    struct bytes text = {numeral->at, (size_t)(numeral->end - numeral->at)};
    if (bytes_equal(text, BYTES_LIT("NaN"))) {
        *value = NAN;
    } else if (bytes_equal(text, BYTES_LIT("Infinity"))) {
        *value = INFINITY;
    } else if (bytes_equal(text, BYTES_LIT("-Infinity"))) {
        *value = -INFINITY;
    } else {
        return false;
    }
    return true;
}

static const char *read_double(struct reader *reader, const char *at, const struct field *field,
                               double *value)
{
    struct numeral numeral;
    enum number_trouble trouble = NUMBER_SYNTAX;
    const char *from = at;
    const char *expected = type_text(field);
    if (find_numeral(reader, at, expected, &numeral) == NULL) {
        return NULL;
    }
    if (numeral.next != NULL && read_special_double(&numeral, value)) {
        return numeral.next;
    }
    at = number_double(numeral.at, numeral.end, value, &trouble);
    if (at == NULL) {
        return fail_number(reader, from, expected, trouble);
    }
    if (numeral.next != NULL && at != numeral.end) {
        return fail_number(reader, from, expected, NUMBER_SYNTAX);
    }
    /* What rounds to the largest float still is one. */
    if (field->type == TYPE_FLOAT && isinf((float)*value)) {
        return fail_number(reader, from, expected, NUMBER_RANGE);
    }
    return numeral.next == NULL ? at : numeral.next;
}

static const char *read_bool(struct reader *reader, const char *at, uint64_t *value)
{
    size_t left = (size_t)(reader->end - at);
    if (left >= 4 && memcmp(at, "true", 4) == 0) {
        *value = 1;
        return at + 4;
    }
    if (left >= 5 && memcmp(at, "false", 5) == 0) {
        *value = 0;
        return at + 5;
    }
    return reader_fail(reader, VIOLATION_TYPE, at, "true or false");
}

/* --- enums ----------------------------------------------------------------------------------- */

static const char *fail_enum(struct reader *reader, const char *at,
                             const struct enumeration *enumeration)
{
    return reader_fail(reader, VIOLATION_ENUM, at, "a value of %s", enumeration->name.data);
}

/* Of numbers proto3 takes any. */
static const char *read_enum_number(struct reader *reader, const char *at,
                                    const struct enumeration *enumeration, uint64_t *value)
{
    struct integer integer;
    const char *from = at;
    at = read_integer(reader, at, "the number of an enum value", &integer);
    if (at == NULL) {
        return NULL;
    }
    if (integer.magnitude > (uint64_t)INT32_MAX + integer.negative) {
        return fail_number(reader, from, "the number of an enum value", NUMBER_RANGE);
    }
    *value = integer.negative ? -integer.magnitude : integer.magnitude;
    if (enumeration->closed && enumeration_value(enumeration, (int32_t)*value) == NULL) {
        return fail_enum(reader, from, enumeration);
    }
    return at;
}

/* By name or by number, the number with quotes or without, as Protobuf's own readers take it. */
static const char *read_enum(struct reader *reader, const char *at,
                             const struct enumeration *enumeration, uint64_t *value)
{
    const char *from = at;
    struct bytes name = BYTES_NULL;
    if (enumeration->null_value && reader_is_null(reader, at)) {
        *value = 0;
        return at + 4;
    }
    if (at < reader->end && (*at == '-' || is_digit(*at))) {
        return read_enum_number(reader, at, enumeration, value);
    }
    at = read_text(reader, at, "the name of an enum value", &name);
    if (at == NULL) {
        return NULL;
    }
    const struct enum_value *found = enumeration_value_named(enumeration, name);
    if (found != NULL) {
        *value = (uint64_t)(int64_t)found->number;
        return at;
    }
    struct integer integer;
    enum number_trouble trouble;
    if (number_integer(name.data, name.data + name.len, &integer, &trouble) ==
        name.data + name.len) {
        return read_enum_number(reader, from, enumeration, value);
    }
    if (reader->policy == UNKNOWN_REJECT) {
        return fail_enum(reader, from, enumeration);
    }
    reader->left_out = true;
    return at;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* What stands on the wire behind the tag: a varint's value, or the bytes of a fixed one. */
static const char *read_bits(struct reader *reader, const char *at, const struct field *field,
                             uint64_t *bits)
{
    int64_t number = 0;
    double real;
    switch ((enum field_type)field->type) {
    case TYPE_INT32:
    case TYPE_SFIXED32:
    case TYPE_SINT32: at = read_signed(reader, at, field, INT32_MAX, &number); break;
    case TYPE_INT64:
    case TYPE_SFIXED64:
    case TYPE_SINT64: at = read_signed(reader, at, field, INT64_MAX, &number); break;
    case TYPE_UINT32:
    case TYPE_FIXED32: return read_unsigned(reader, at, field, UINT32_MAX, bits);
    case TYPE_UINT64:
    case TYPE_FIXED64: return read_unsigned(reader, at, field, UINT64_MAX, bits);
    case TYPE_DOUBLE:
    case TYPE_FLOAT:
        at = read_double(reader, at, field, &real);
        if (at != NULL) {
            *bits = field->type == TYPE_DOUBLE ? double_bits(real) : float_bits((float)real);
        }
        return at;
    case TYPE_ENUM: return read_enum(reader, at, field->enumeration, bits);
    default: return read_bool(reader, at, bits);
    }
    if (at != NULL) {
        bool zigzags = field->type == TYPE_SINT32 || field->type == TYPE_SINT64;
        *bits = zigzags ? zigzag(number) : (uint64_t)number;
    }
    return at;
}

static void put_bits(struct output *out, const struct field *field, uint64_t bits)
{
    switch ((enum field_type)field->type) {
    case TYPE_DOUBLE:
    case TYPE_FIXED64:
    case TYPE_SFIXED64: output_fixed64(out, bits); break;
    case TYPE_FLOAT:
    case TYPE_FIXED32:
    case TYPE_SFIXED32: output_fixed32(out, (uint32_t)bits); break;
    default: output_varint(out, bits); break;
    }
}

const char *read_scalar(struct reader *reader, const char *at, const struct field *field,
                        enum element_form form)
{
    if (field->type == TYPE_STRING) {
        if (form == FORM_FIELD && !field->presence && reader->end - at >= 2 && at[0] == '"' &&
            at[1] == '"') {
            return at + 2;
        }
        return read_string(reader, at, field->tag, field->tag_len);
    }
    if (field->type == TYPE_BYTES) {
        return read_bytes(reader, at, field, form);
    }
    uint64_t bits = 0;
    reader->left_out = false;
    at = read_bits(reader, at, field, &bits);
    if (at == NULL || reader->left_out || (bits == 0 && form == FORM_FIELD && !field->presence)) {
        return at;
    }
    output_need(&reader->out, (size_t)2 * VARINT_SIZE_MAX);
    if (form != FORM_PACKED) {
        output_tag(&reader->out, field->tag, field->tag_len);
    }
    put_bits(&reader->out, field, bits);
    return at;
}

/* Keys are strings in JSON, whatever they are in the contract. */
const char *read_key(struct reader *reader, const char *at, const struct field *field)
{
    if (!reader_is(reader, at, '"')) {
        return reader_fail_json(reader, at, "a key, in double quotes");
    }
    if (field->type != TYPE_BOOL) {
        return read_scalar(reader, at, field, FORM_ALWAYS);
    }
    struct bytes text;
    const char *from = at;
    at = read_text(reader, at, "true or false", &text);
    if (at == NULL) {
        return NULL;
    }
    bool is_true = bytes_equal(text, BYTES_LIT("true"));
    if (!is_true && !bytes_equal(text, BYTES_LIT("false"))) {
        return reader_fail(reader, VIOLATION_TYPE, from, "\"true\" or \"false\"");
    }
    output_need(&reader->out, VARINT_SIZE_MAX + 1);
    output_tag(&reader->out, field->tag, field->tag_len);
    output_byte(&reader->out, is_true);
    return at;
}
