/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects, fields, lists and maps. What a contract is about is decided here: which field a name
 * means, whether it may come (again), and whether all came that must. */
#include "contract/reader.h"

/* --- names ----------------------------------------------------------------------------------- */

/* Is `name`, its quote included, what stands here? Both are readable in blocks of 8. */
static inline bool is_name(const char *at, const char *name, uint32_t len)
{
    for (; len >= 8; len -= 8, at += 8, name += 8) {
        if (memcmp(at, name, 8) != 0) {
            return false;
        }
    }
    if (len == 0) {
        return true;
    }
    uint64_t found;
    uint64_t wanted;
    memcpy(&found, at, 8);
    memcpy(&wanted, name, 8);
    return le64toh(found ^ wanted) << (64 - 8 * len) == 0;
}

/* Payloads of one type name their fields in one order: the field that followed the last time is
 * tried first, without looking where the name ends. NULL: it is another one. */
static inline const struct field *guess_field(const struct reader *reader, const char *at,
                                              const struct message *message, uint16_t guess)
{
    if (guess >= message->n_fields) {
        return NULL;
    }
    const struct field *field = &message->fields[guess];
    if ((size_t)(reader->end - at) < (size_t)field->quoted_len + 8) {
        return NULL;
    }
    return is_name(at, field->quoted, field->quoted_len) ? field : NULL;
}

static const char *read_colon(struct reader *reader, const char *at)
{
    at = reader_space(reader, at);
    if (!reader_is(reader, at, ':')) {
        return reader_fail_json(reader, at, "a colon");
    }
    return reader_space(reader, at + 1);
}

const char *read_name(struct reader *reader, const char *at, struct bytes *name)
{
    struct scan_failure failure;
    if (!reader_is(reader, at, '"')) {
        return reader_fail_json(reader, at, "the name of a field, in double quotes");
    }
    at = scan_text(at + 1, reader->end, &reader->scratch, name, &failure);
    return at == NULL ? reader_fail_scan(reader, &failure) : read_colon(reader, at);
}

/* A member that the contract does not know: passed over, or a violation. */
static const char *read_unknown(struct reader *reader, const char *at, const char *name_at,
                                const struct message *message, struct bytes name)
{
    if (reader->policy == UNKNOWN_REJECT) {
        reader_fail(reader, VIOLATION_UNKNOWN_FIELD, name_at, "a field of %s", message->name.data);
        violation_inside_field(reader->violation, name);
        return NULL;
    }
    struct scan_failure failure;
    at = scan_value(at, reader->end, NESTING_MAX - reader->depth, &failure);
    return at == NULL ? reader_fail_scan(reader, &failure) : at;
}

/* --- which fields were there ----------------------------------------------------------------- */

/* Sets a bit; was it set before? */
static inline bool mark(uint64_t *marks, unsigned i)
{
    uint64_t bit = UINT64_C(1) << (i % 64);
    bool before = (marks[i / 64] & bit) != 0;
    marks[i / 64] |= bit;
    return before;
}

static const char *fail_duplicate(struct reader *reader, const char *at, const struct field *field)
{
    violation_set(reader->violation, VIOLATION_DUPLICATE, (size_t)(at - reader->begin),
                  "every field once");
    violation_found(reader->violation, "it twice");
    violation_inside_field(reader->violation, field->json_name);
    return NULL;
}

static const char *fail_oneof(struct reader *reader, const char *at, const struct field *field)
{
    const struct message *message = field->parent;
    violation_set(reader->violation, VIOLATION_ONEOF, (size_t)(at - reader->begin),
                  "one field of the oneof %s", message->oneofs[field->oneof].name.data);
    violation_found(reader->violation, "a second one");
    violation_inside_field(reader->violation, field->json_name);
    return NULL;
}

static const char *fail_missing(struct reader *reader, const char *at, const struct field *field)
{
    violation_set(reader->violation, VIOLATION_MISSING_FIELD, (size_t)(at - reader->begin),
                  "a value: the field is required");
    violation_found(reader->violation, "none");
    violation_inside_field(reader->violation, field->json_name);
    return NULL;
}

static const char *check_required(struct reader *reader, const char *at,
                                  const struct message *message, const uint64_t *marks)
{
    for (uint32_t i = 0; i < message->n_fields; i++) {
        if (message->fields[i].must_come && (marks[i / 64] >> (i % 64) & 1) == 0) {
            return fail_missing(reader, at, &message->fields[i]);
        }
    }
    return at;
}

/* --- nested messages ------------------------------------------------------------------------- */

const char *read_message(struct reader *reader, const char *at, const struct message *message)
{
    if (!reader_enter(reader, at)) {
        return NULL;
    }
    if (message->well_known == WELL_KNOWN_NOT) {
        at = read_members(reader, at, message, false);
    } else {
        at = read_well_known(reader, at, message);
    }
    reader_leave(reader);
    return at;
}

static const char *read_group(struct reader *reader, const char *at, const struct field *field)
{
    at = read_message(reader, at, field->message);
    if (at != NULL) {
        output_need(&reader->out, VARINT_SIZE_MAX);
        output_varint(&reader->out, (uint32_t)field->number << 3 | 4);
    }
    return at;
}

/* An item of a message set: a group 1 with the type, 2, and the message, 3. */
static const char *read_item(struct reader *reader, const char *at, const struct field *field)
{
    output_need(&reader->out, 4 + VARINT_SIZE_MAX);
    output_byte(&reader->out, 1 << 3 | 3);
    output_byte(&reader->out, 2 << 3 | 0);
    output_varint(&reader->out, (uint32_t)field->number);
    output_byte(&reader->out, 3 << 3 | 2);
    size_t opened = reader_open(reader);
    at = read_message(reader, at, field->message);
    if (at != NULL) {
        reader_close(reader, opened);
        output_need(&reader->out, 1);
        output_byte(&reader->out, 1 << 3 | 4);
    }
    return at;
}

static const char *read_nested(struct reader *reader, const char *at, const struct field *field)
{
    if (field->parent->message_set) {
        return read_item(reader, at, field);
    }
    output_need(&reader->out, VARINT_SIZE_MAX);
    output_tag(&reader->out, field->tag, field->tag_len);
    if (field->type == TYPE_GROUP) {
        return read_group(reader, at, field);
    }
    size_t opened = reader_open(reader);
    at = read_message(reader, at, field->message);
    if (at != NULL) {
        reader_close(reader, opened);
    }
    return at;
}

/* --- lists and maps -------------------------------------------------------------------------- */

/* Where JSON's null is a value like others. */
static bool takes_null(const struct field *field)
{
    return (field->message != NULL && field->message->well_known == WELL_KNOWN_VALUE) ||
           (field->enumeration != NULL && field->enumeration->null_value);
}

static const char *read_element(struct reader *reader, const char *at, const struct field *field)
{
    if (reader_is(reader, at, 'n') && !takes_null(field)) {
        return reader_fail(reader, VIOLATION_TYPE, at, "a value");
    }
    if (field->message != NULL) {
        return read_nested(reader, at, field);
    }
    return read_scalar(reader, at, field, field->packed ? FORM_PACKED : FORM_ALWAYS);
}

static const char *read_elements(struct reader *reader, const char *at, const struct field *field)
{
    for (size_t i = 0;; i++) {
        at = read_element(reader, at, field);
        if (at == NULL) {
            violation_inside_element(reader->violation, i);
            return NULL;
        }
        at = reader_space(reader, at);
        if (reader_is(reader, at, ',')) {
            at = reader_space(reader, at + 1);
        } else if (reader_is(reader, at, ']')) {
            return at + 1;
        } else {
            return reader_fail_json(reader, at, "a comma, or the end of the array");
        }
    }
}

static const char *read_list(struct reader *reader, const char *at, const struct field *field)
{
    if (!reader_is(reader, at, '[')) {
        return reader_fail(reader, VIOLATION_TYPE, at, "an array");
    }
    at = reader_space(reader, at + 1);
    if (reader_is(reader, at, ']')) {
        return at + 1;
    }
    if (!field->packed) {
        at = read_elements(reader, at, field);
        reader->left_out = false;
        return at;
    }
    struct reader_mark before = reader_mark(reader);
    output_need(&reader->out, VARINT_SIZE_MAX);
    output_tag(&reader->out, field->tag, field->tag_len);
    size_t opened = reader_open(reader);
    size_t from = output_len(&reader->out);
    at = read_elements(reader, at, field);
    reader->left_out = false;
    if (at == NULL) {
        return NULL;
    }
    if (output_len(&reader->out) == from) { /* names of enum values that were all left out */
        reader_rewind(reader, before);
    } else {
        reader_close(reader, opened);
    }
    return at;
}

/* A key, its colon and its value, as the message that an entry of a map is. */
static const char *read_entry(struct reader *reader, const char *at, const struct field *field)
{
    const struct field *key = &field->message->fields[0];
    const struct field *value = &field->message->fields[1];
    struct reader_mark before = reader_mark(reader);
    output_need(&reader->out, VARINT_SIZE_MAX);
    output_tag(&reader->out, field->tag, field->tag_len);
    size_t opened = reader_open(reader);
    size_t from = output_len(&reader->out);
    const char *key_at = at;
    at = read_key(reader, at, key);
    if (at == NULL) {
        return NULL;
    }
    reader_key(reader, from);
    struct bytes text = {key_at + 1, (size_t)(at - key_at) - 2};
    at = read_colon(reader, at);
    if (at == NULL) {
        return NULL;
    }
    if (reader_is(reader, at, 'n') && !takes_null(value)) {
        at = reader_fail(reader, VIOLATION_TYPE, at, "a value");
    } else if (value->message != NULL) {
        at = read_nested(reader, at, value);
    } else {
        at = read_scalar(reader, at, value, FORM_ALWAYS);
    }
    if (at == NULL) {
        violation_inside_key(reader->violation, text);
        return NULL;
    }
    if (reader->left_out) {
        reader->left_out = false;
        reader->n_keys--;
        reader_rewind(reader, before);
    } else {
        reader_close(reader, opened);
    }
    return at;
}

static const char *read_map(struct reader *reader, const char *at, const struct field *field)
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
        at = read_entry(reader, at, field);
        if (at == NULL) {
            return NULL;
        }
        reader_leave(reader);
        at = reader_space(reader, at);
        if (reader_is(reader, at, ',')) {
            at = reader_space(reader, at + 1);
        } else if (reader_is(reader, at, '}')) {
            break;
        } else {
            return reader_fail_json(reader, at, "a comma, or the end of the object");
        }
    }
    if (!reader_keys_differ(reader, first)) {
        reader_fail(reader, VIOLATION_DUPLICATE, from, "every key once");
        violation_found(reader->violation, "one twice");
        return NULL;
    }
    return at + 1;
}

/* --- objects --------------------------------------------------------------------------------- */

static const char *read_field(struct reader *reader, const char *at, const struct field *field,
                              uint64_t *marks, const char *name_at)
{
    const struct message *message = field->parent;
    if (mark(marks, field->index)) {
        return fail_duplicate(reader, name_at, field);
    }
    if (reader_is(reader, at, 'n') && (!takes_null(field) || field->shape != SHAPE_SINGULAR)) {
        if (!reader_is_null(reader, at)) {
            reader_fail_json(reader, at, "a value");
            violation_inside_field(reader->violation, field->json_name);
            return NULL;
        }
        return field->must_come ? fail_missing(reader, at, field) : at + 4;
    }
    if (field->oneof >= 0 &&
        mark(marks, (unsigned)message->n_fields + message->n_extensions + (unsigned)field->oneof)) {
        return fail_oneof(reader, name_at, field);
    }
    if (field->shape == SHAPE_REPEATED) {
        at = read_list(reader, at, field);
    } else if (field->shape == SHAPE_MAP) {
        at = read_map(reader, at, field);
    } else if (field->message != NULL) {
        at = read_nested(reader, at, field);
    } else {
        at = read_scalar(reader, at, field, FORM_FIELD);
        reader->left_out = false;
    }
    if (at == NULL) {
        violation_inside_field(reader->violation, field->json_name);
    }
    return at;
}

/* From the quote of a name to behind the value. *previous: the index of the field before, by which
 * this one is guessed. */
static const char *read_member(struct reader *reader, const char *at, const struct message *message,
                               uint64_t *marks, uint16_t *previous)
{
    const char *name_at = at;
    uint16_t *guess = &reader->guesses[message->guess_base + *previous];
    const struct field *field = NULL;
    if (reader_is(reader, at, '"')) {
        field = guess_field(reader, at + 1, message, *guess);
    }
    if (field != NULL) {
        at = read_colon(reader, at + 1 + field->quoted_len);
    } else {
        struct bytes name = BYTES_NULL;
        at = read_name(reader, at, &name);
        if (at == NULL) {
            return NULL;
        }
        field = message_field_named(message, name);
        if (field == NULL) {
            return read_unknown(reader, at, name_at, message, name);
        }
        if (!field->extension) {
            *guess = field->index;
        }
    }
    if (at == NULL) {
        return NULL;
    }
    if (!field->extension) {
        *previous = field->index;
    }
    return read_field(reader, at, field, marks, name_at);
}

/* In an Any: behind the name "@type", however it is escaped. NULL: it is another name. */
static const char *behind_type(struct reader *reader, const char *at)
{
    struct scan_failure failure;
    struct bytes name;
    if (!reader_is(reader, at, '"')) {
        return NULL;
    }
    at = scan_text(at + 1, reader->end, &reader->scratch, &name, &failure);
    return at != NULL && bytes_equal(name, BYTES_LIT("@type")) ? at : NULL;
}

/* The value of "@type", which was read before. */
static const char *pass_type(struct reader *reader, const char *at)
{
    struct scan_failure failure;
    at = read_colon(reader, at);
    if (at == NULL) {
        return NULL;
    }
    at = scan_value(at, reader->end, 0, &failure);
    return at == NULL ? reader_fail_scan(reader, &failure) : at;
}

static const char *read_all_members(struct reader *reader, const char *at,
                                    const struct message *message, uint64_t *marks, bool in_any)
{
    uint16_t previous = message->n_fields;
    bool typed = false;
    at = reader_space(reader, at + 1);
    if (reader_is(reader, at, '}')) {
        return at;
    }
    for (;;) {
        const char *type = in_any && !typed ? behind_type(reader, at) : NULL;
        if (type != NULL) {
            typed = true;
            at = pass_type(reader, type);
        } else {
            at = read_member(reader, at, message, marks, &previous);
        }
        if (at == NULL) {
            return NULL;
        }
        at = reader_space(reader, at);
        if (reader_is(reader, at, ',')) {
            at = reader_space(reader, at + 1);
        } else if (reader_is(reader, at, '}')) {
            return at;
        } else {
            return reader_fail_json(reader, at, "a comma, or the end of the object");
        }
    }
}

const char *read_members(struct reader *reader, const char *at, const struct message *message,
                         bool in_any)
{
    if (!reader_is(reader, at, '{')) {
        return reader_fail(reader, VIOLATION_TYPE, at, "an object (%s)", message->name.data);
    }
    uint64_t *marks = reader->marks + reader->n_marks;
    reader->n_marks += message->mark_words;
    memset(marks, 0, message->mark_words * sizeof(*marks));
    const char *from = at;
    at = read_all_members(reader, at, message, marks, in_any);
    reader->n_marks -= message->mark_words;
    if (at != NULL && message->n_must_come > 0) {
        at = check_required(reader, from, message, marks) == NULL ? NULL : at;
    }
    return at == NULL ? NULL : at + 1;
}
