/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages of google.protobuf that have a JSON of their own. Their fields are written by
 * number here: they are as old as the mapping and do not change. */
#include "contract/reader.h"

#include <math.h>

#include "contract/number.h"
#include "contract/time_text.h"

#define TAG(field, wire) ((field) << 3 | (wire))
enum { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LEN = 2 };

static const char *read_value(struct reader *reader, const char *at);

/* --- times ----------------------------------------------------------------------------------- */

static const char *read_time(struct reader *reader, const char *at, bool timestamp)
{
    const char *expected = timestamp ? "a timestamp, like \"2024-01-31T23:59:59.5Z\""
                                     : "a duration in seconds, like \"1.5s\"";
    struct bytes text;
    struct time_value time;
    const char *from = at;
    at = read_text(reader, at, expected, &text);
    if (at == NULL) {
        return NULL;
    }
    if (!(timestamp ? rfc3339_parse(text, &time) : duration_parse(text, &time))) {
        return reader_fail(reader, VIOLATION_FORMAT, from, "%s", expected);
    }
    output_need(&reader->out, (size_t)2 * (1 + VARINT_SIZE_MAX));
    if (time.seconds != 0) {
        output_byte(&reader->out, TAG(1, WIRE_VARINT));
        output_varint(&reader->out, (uint64_t)time.seconds);
    }
    if (time.nanos != 0) {
        output_byte(&reader->out, TAG(2, WIRE_VARINT));
        output_varint(&reader->out, (uint64_t)(int64_t)time.nanos);
    }
    return at;
}

/* --- field masks ----------------------------------------------------------------------------- */

/* lowerCamel.paths become snake_case.paths. False: it could not become JSON again as it was. */
static bool put_path(struct output *out, struct bytes path)
{
    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];
        if (c >= 'A' && c <= 'Z') {
            output_byte(out, '_');
            c = (char)(c | 0x20);
        } else if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '.') {
            return false;
        }
        output_byte(out, c);
    }
    return path.len > 0;
}

static const char *read_field_mask(struct reader *reader, const char *at)
{
    static const char expected[] = "names of fields in lowerCamelCase, with commas in between";
    struct bytes text;
    const char *from = at;
    at = read_text(reader, at, expected, &text);
    if (at == NULL) {
        return NULL;
    }
    for (size_t i = 0; text.len > 0 && i <= text.len;) {
        const char *comma = memchr(text.data + i, ',', text.len - i);
        size_t len = comma == NULL ? text.len - i : (size_t)(comma - (text.data + i));
        output_need(&reader->out, 1 + 2 * len);
        output_byte(&reader->out, TAG(1, WIRE_LEN));
        size_t opened = reader_open(reader);
        output_need(&reader->out, 2 * len);
        if (!put_path(&reader->out, (struct bytes){text.data + i, len})) {
            return reader_fail(reader, VIOLATION_FORMAT, from, expected);
        }
        reader_close(reader, opened);
        i += len + 1;
    }
    return at;
}

/* --- Struct, Value, ListValue ---------------------------------------------------------------- */

/* A Value with its tag and length, as a field of what holds it. */
static const char *read_value_field(struct reader *reader, const char *at, char tag)
{
    if (!reader_enter(reader, at)) {
        return NULL;
    }
    output_need(&reader->out, 1);
    output_byte(&reader->out, tag);
    size_t opened = reader_open(reader);
    at = read_value(reader, at);
    if (at != NULL) {
        reader_close(reader, opened);
        reader_leave(reader);
    }
    return at;
}

static const char *read_struct_entry(struct reader *reader, const char *at)
{
    if (!reader_is(reader, at, '"')) {
        return reader_fail_json(reader, at, "a key, in double quotes");
    }
    const char *key_at = at;
    output_need(&reader->out, 1);
    output_byte(&reader->out, TAG(1, WIRE_LEN));
    size_t opened = reader_open(reader);
    size_t from = output_len(&reader->out);
    at = read_string(reader, at, TAG(1, WIRE_LEN), 1);
    if (at == NULL) {
        return NULL;
    }
    reader_key(reader, from);
    struct bytes key = {key_at + 1, (size_t)(at - key_at) - 2};
    at = reader_space(reader, at);
    if (!reader_is(reader, at, ':')) {
        return reader_fail_json(reader, at, "a colon");
    }
    at = read_value_field(reader, reader_space(reader, at + 1), TAG(2, WIRE_LEN));
    if (at == NULL) {
        violation_inside_key(reader->violation, key);
        return NULL;
    }
    reader_close(reader, opened);
    return at;
}

static const char *read_struct(struct reader *reader, const char *at)
{
    const char *from = at;
    if (!reader_is(reader, at, '{')) {
        return reader_fail(reader, VIOLATION_TYPE, at, "an object");
    }
    at = reader_space(reader, at + 1);
    if (reader_is(reader, at, '}')) {
        return at + 1;
    }
    size_t first = reader->n_keys;
    for (;;) {
        if (!reader_enter(reader, at)) {
            return NULL;
        }
        at = read_struct_entry(reader, at);
        if (at == NULL) {
            return NULL;
        }
        reader_leave(reader);
        at = reader_space(reader, at);
        if (reader_is(reader, at, '}')) {
            break;
        }
        if (!reader_is(reader, at, ',')) {
            return reader_fail_json(reader, at, "a comma, or the end of the object");
        }
        at = reader_space(reader, at + 1);
    }
    if (!reader_keys_differ(reader, first)) {
        reader_fail(reader, VIOLATION_DUPLICATE, from, "every key once");
        violation_found(reader->violation, "one twice");
        return NULL;
    }
    return at + 1;
}

static const char *read_list_value(struct reader *reader, const char *at)
{
    if (!reader_is(reader, at, '[')) {
        return reader_fail(reader, VIOLATION_TYPE, at, "an array");
    }
    at = reader_space(reader, at + 1);
    if (reader_is(reader, at, ']')) {
        return at + 1;
    }
    for (size_t i = 0;; i++) {
        at = read_value_field(reader, at, TAG(1, WIRE_LEN));
        if (at == NULL) {
            violation_inside_element(reader->violation, i);
            return NULL;
        }
        at = reader_space(reader, at);
        if (reader_is(reader, at, ']')) {
            return at + 1;
        }
        if (!reader_is(reader, at, ',')) {
            return reader_fail_json(reader, at, "a comma, or the end of the array");
        }
        at = reader_space(reader, at + 1);
    }
}

static const char *read_number_value(struct reader *reader, const char *at)
{
    double number;
    uint64_t bits;
    enum number_trouble trouble = NUMBER_SYNTAX;
    const char *from = at;
    at = number_double(at, reader->end, &number, &trouble);
    if (at == NULL) {
        return reader_fail(reader, trouble == NUMBER_RANGE ? VIOLATION_RANGE : VIOLATION_JSON, from,
                           trouble == NUMBER_RANGE ? "a double" : "a value");
    }
    memcpy(&bits, &number, sizeof(bits));
    output_need(&reader->out, 9);
    output_byte(&reader->out, TAG(2, WIRE_64BIT));
    output_fixed64(&reader->out, bits);
    return at;
}

static const char *read_word(struct reader *reader, const char *at)
{
    static const struct {
        struct bytes word;
        char tag;
        char value;
    } words[] = {
        {{"null", 4}, TAG(1, WIRE_VARINT), 0},
        {{"true", 4}, TAG(4, WIRE_VARINT), 1},
        {{"false", 5}, TAG(4, WIRE_VARINT), 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if ((size_t)(reader->end - at) >= words[i].word.len &&
            memcmp(at, words[i].word.data, words[i].word.len) == 0) {
            output_need(&reader->out, 2);
            output_byte(&reader->out, words[i].tag);
            output_byte(&reader->out, words[i].value);
            return at + words[i].word.len;
        }
    }
    return reader_fail_json(reader, at, "a value");
}

/* A Struct or ListValue inside a Value. */
static const char *read_nested_value(struct reader *reader, const char *at, bool object)
{
    if (!reader_enter(reader, at)) {
        return NULL;
    }
    output_need(&reader->out, 1);
    output_byte(&reader->out, object ? TAG(5, WIRE_LEN) : TAG(6, WIRE_LEN));
    size_t opened = reader_open(reader);
    at = object ? read_struct(reader, at) : read_list_value(reader, at);
    if (at != NULL) {
        reader_close(reader, opened);
        reader_leave(reader);
    }
    return at;
}

static const char *read_value(struct reader *reader, const char *at)
{
    if (at == reader->end) {
        return reader_fail_json(reader, at, "a value");
    }
    switch (*at) {
    case '"': return read_string(reader, at, TAG(3, WIRE_LEN), 1);
    case '{': return read_nested_value(reader, at, true);
    case '[': return read_nested_value(reader, at, false);
    default: break;
    }
    return *at == '-' || is_digit(*at) ? read_number_value(reader, at) : read_word(reader, at);
}

/* --- Any ------------------------------------------------------------------------------------- */

/* The text of "@type", wherever in the object it stands; *url->data NULL: it has none. Behind the
 * opening brace. */
static const char *find_type(struct reader *reader, const char *at, struct bytes *url)
{
    struct scan_failure failure;
    struct bytes name;
    *url = BYTES_NULL;
    while (!reader_is(reader, at, '}')) {
        at = read_name(reader, at, &name);
        if (at == NULL) {
            return NULL;
        }
        if (bytes_equal(name, BYTES_LIT("@type"))) {
            return read_text(reader, at, "the URL of a type", url);
        }
        at = scan_value(at, reader->end, NESTING_MAX - reader->depth, &failure);
        if (at == NULL) {
            return reader_fail_scan(reader, &failure);
        }
        at = reader_space(reader, at);
        if (reader_is(reader, at, ',')) {
            at = reader_space(reader, at + 1);
        } else if (!reader_is(reader, at, '}')) {
            return reader_fail_json(reader, at, "a comma, or the end of the object");
        }
    }
    return at;
}

/* In an Any, a well-known type stands as "value". */
static const char *read_any_known(struct reader *reader, const char *at,
                                  const struct message *message)
{
    struct scan_failure failure;
    bool typed = false;
    bool valued = false;
    at = reader_space(reader, at + 1);
    for (;;) {
        const char *name_at = at;
        struct bytes name;
        at = read_name(reader, at, &name);
        if (at == NULL) {
            return NULL;
        }
        if (bytes_equal(name, BYTES_LIT("@type")) && !typed) {
            typed = true;
            at = scan_value(at, reader->end, 0, &failure);
            at = at == NULL ? reader_fail_scan(reader, &failure) : at;
        } else if (bytes_equal(name, BYTES_LIT("value")) && !valued) {
            valued = true;
            at = read_message(reader, at, message);
            if (at == NULL) {
                violation_inside_field(reader->violation, BYTES_LIT("value"));
            }
        } else {
            at = reader_fail(reader, VIOLATION_UNKNOWN_FIELD, name_at,
                             "only \"@type\" and \"value\", as %s has it", message->name.data);
        }
        if (at == NULL) {
            return NULL;
        }
        at = reader_space(reader, at);
        if (reader_is(reader, at, '}')) {
            break;
        }
        if (!reader_is(reader, at, ',')) {
            return reader_fail_json(reader, at, "a comma, or the end of the object");
        }
        at = reader_space(reader, at + 1);
    }
    return valued ? at + 1
                  : reader_fail(reader, VIOLATION_MISSING_FIELD, at, "a \"value\" of %s",
                                message->name.data);
}

static const struct message *type_of(struct reader *reader, struct bytes url)
{
    const char *slash = memrchr(url.data, '/', url.len);
    if (slash == NULL || slash == url.data) {
        return NULL;
    }
    return pool_message(reader->pool,
                        (struct bytes){slash + 1, (size_t)(url.data + url.len - slash) - 1});
}

static const char *read_any(struct reader *reader, const char *at)
{
    const char *from = at;
    if (!reader_is(reader, at, '{')) {
        return reader_fail(reader, VIOLATION_TYPE, at, "an object with \"@type\"");
    }
    at = reader_space(reader, at + 1);
    if (reader_is(reader, at, '}')) {
        return at + 1;
    }
    struct bytes url;
    at = find_type(reader, at, &url);
    if (at == NULL) {
        return NULL;
    }
    if (url.data == NULL) {
        return reader_fail(reader, VIOLATION_MISSING_FIELD, from, "an \"@type\"");
    }
    const struct message *message = type_of(reader, url);
    if (message == NULL) {
        reader_fail(reader, VIOLATION_TYPE, from, "a type that the contract knows, behind a slash");
        violation_found_text(reader->violation, "the \"@type\"", url);
        return NULL;
    }
    output_need(&reader->out, 2 + VARINT_SIZE_MAX + url.len);
    output_byte(&reader->out, TAG(1, WIRE_LEN));
    output_varint(&reader->out, url.len);
    output_copy(&reader->out, url.data, url.len);
    struct reader_mark before = reader_mark(reader);
    output_byte(&reader->out, TAG(2, WIRE_LEN));
    size_t opened = reader_open(reader);
    at = message->well_known == WELL_KNOWN_NOT ? read_members(reader, from, message, true)
                                               : read_any_known(reader, from, message);
    if (at == NULL) {
        return NULL;
    }
    if (output_len(&reader->out) == before.len + 2) {
        reader_rewind(reader, before);
    } else {
        reader_close(reader, opened);
    }
    return at;
}

const char *read_well_known(struct reader *reader, const char *at, const struct message *message)
{
    switch ((enum well_known)message->well_known) {
    case WELL_KNOWN_ANY: return read_any(reader, at);
    case WELL_KNOWN_TIMESTAMP: return read_time(reader, at, true);
    case WELL_KNOWN_DURATION: return read_time(reader, at, false);
    case WELL_KNOWN_STRUCT: return read_struct(reader, at);
    case WELL_KNOWN_VALUE: return read_value(reader, at);
    case WELL_KNOWN_LIST_VALUE: return read_list_value(reader, at);
    case WELL_KNOWN_FIELD_MASK: return read_field_mask(reader, at);
    case WELL_KNOWN_WRAPPER:
        at = read_scalar(reader, at, &message->fields[0], FORM_FIELD);
        reader->left_out = false;
        return at;
    case WELL_KNOWN_NOT: break;
    }
    return read_members(reader, at, message, false);
}
