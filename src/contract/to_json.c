/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages, lists and maps. */
#include <stdlib.h>

#include "base/check.h"
#include "contract/printer.h"

/* --- messages -------------------------------------------------------------------------------- */

bool print_message(struct printer *printer, struct bytes content, const struct message *message)
{
    if (printer->depth == NESTING_MAX) {
        return printer_fail(printer, VIOLATION_DEPTH, "at most 100 levels", "more");
    }
    printer->depth++;
    bool good;
    if (message->well_known == WELL_KNOWN_NOT) {
        output_need(&printer->out, 1);
        output_byte(&printer->out, '{');
        good = print_members(printer, content, message, true);
        output_need(&printer->out, 1);
        output_byte(&printer->out, '}');
    } else {
        good = print_well_known(printer, content, message);
    }
    printer->depth--;
    return good;
}

/* Several pieces of one message on the wire, one behind the other, are the merged message. */
static bool print_merged(struct printer *printer, struct range range)
{
    const struct message *message = printer->found[range.from].field->message;
    if (range.to - range.from == 1) {
        return print_message(printer, printer->found[range.from].value.data, message);
    }
    size_t len = 0;
    for (size_t i = range.from; i < range.to; i++) {
        len += printer->found[i].value.data.len;
    }
    char *merged = must_malloc(len + 1);
    char *at = merged;
    for (size_t i = range.from; i < range.to; i++) {
        struct bytes piece = printer->found[i].value.data;
        memcpy(at, piece.data, piece.len);
        at += piece.len;
    }
    bool good = print_message(printer, (struct bytes){merged, len}, message);
    free(merged);
    return good;
}

static void print_name(struct printer *printer, const struct field *field, bool first)
{
    output_need(&printer->out, field->quoted_len + 3);
    if (!first) {
        output_byte(&printer->out, ',');
    }
    output_byte(&printer->out, '"');
    output_copy(&printer->out, field->quoted, field->quoted_len);
    output_byte(&printer->out, ':');
}

/* A zero that was written out means the same as none where presence does not count. */
static bool is_left_out(const struct found *found)
{
    const struct field *field = found->field;
    if (field->presence || field->shape != SHAPE_SINGULAR) {
        return false;
    }
    switch ((enum field_type)field->type) {
    case TYPE_STRING:
    case TYPE_BYTES: return found->value.data.len == 0;
    case TYPE_INT32:
    case TYPE_UINT32:
    case TYPE_SINT32:
    case TYPE_ENUM: return (uint32_t)found->value.bits == 0; /* longer varints are cut */
    default: return found->value.bits == 0;
    }
}

/* A field with its name; nothing for a map whose entries are all unknown. */
static bool print_member(struct printer *printer, struct range range, bool *first)
{
    const struct field *field = printer->found[range.from].field;
    size_t before = output_len(&printer->out);
    print_name(printer, field, *first);
    size_t from = output_len(&printer->out);
    if (!print_field(printer, range)) {
        violation_inside_field(printer->violation, field->json_name);
        return false;
    }
    if (field->shape == SHAPE_MAP && output_len(&printer->out) == from + 2) {
        printer->out.at = printer->out.begin + before;
    } else {
        *first = false;
    }
    return true;
}

static bool check_required(struct printer *printer, struct range range,
                           const struct message *message)
{
    size_t at = range.from;
    for (uint32_t i = 0; message->n_must_come > 0 && i < message->n_by_number; i++) {
        const struct field *field = message->by_number[i];
        while (at < range.to && printer->found[at].field->number < field->number) {
            at++;
        }
        if (field->required && (at == range.to || printer->found[at].field != field)) {
            printer_fail(printer, VIOLATION_MISSING_FIELD, "a value: the field is required",
                         "none");
            violation_inside_field(printer->violation, field->json_name);
            return false;
        }
    }
    return true;
}

bool print_members(struct printer *printer, struct bytes content, const struct message *message,
                   bool first)
{
    struct range range;
    if (!printer_find(printer, content, message, &range)) {
        return false;
    }
    bool good = check_required(printer, range, message);
    for (size_t from = range.from; good && from < range.to;) {
        const struct field *field = printer->found[from].field;
        size_t to = from + 1;
        while (to < range.to && printer->found[to].field == field) {
            to++;
        }
        if (!is_left_out(&printer->found[to - 1])) {
            good = print_member(printer, (struct range){from, to}, &first);
        }
        from = to;
    }
    printer_forget(printer, range);
    return good;
}

/* --- lists and maps -------------------------------------------------------------------------- */

static bool print_element(struct printer *printer, size_t i)
{
    const struct found *found = &printer->found[i];
    if (found->field->message != NULL) {
        return print_message(printer, found->value.data, found->field->message);
    }
    return print_scalar(printer, found->field, &found->value);
}

static bool print_list(struct printer *printer, struct range range)
{
    output_need(&printer->out, 1);
    output_byte(&printer->out, '[');
    for (size_t i = range.from; i < range.to; i++) {
        if (i > range.from) {
            output_need(&printer->out, 1);
            output_byte(&printer->out, ',');
        }
        if (!print_element(printer, i)) {
            violation_inside_element(printer->violation, i - range.from);
            return false;
        }
    }
    output_need(&printer->out, 1);
    output_byte(&printer->out, ']');
    return true;
}

/* The key of an entry, as a JSON string. */
static bool print_key(struct printer *printer, const struct field *key, struct range range)
{
    struct output *out = &printer->out;
    bool there = range.from < range.to && printer->found[range.from].field == key;
    size_t last = range.from;
    while (there && last + 1 < range.to && printer->found[last + 1].field == key) {
        last++;
    }
    size_t from = output_len(out);
    bool good =
        there ? print_scalar(printer, key, &printer->found[last].value) : print_zero(printer, key);
    if (good && out->begin[from] != '"') {
        output_need(out, 2);
        size_t len = output_len(out) - from;
        memmove(out->begin + from + 1, out->begin + from, len);
        out->begin[from] = '"';
        out->at++;
        output_byte(out, '"');
    }
    return good;
}

/* Absent keys and values of an entry mean zero. Closed enums: a value that is not listed makes the
 * whole entry unknown, which *counts says. */
static bool print_entry(struct printer *printer, struct bytes content, const struct message *entry,
                        size_t *key_len, bool *counts)
{
    const struct field *key = &entry->fields[0];
    const struct field *value = &entry->fields[1];
    struct range range;
    if (!printer_find(printer, content, entry, &range)) {
        return false;
    }
    size_t before = output_len(&printer->out);
    bool good = print_key(printer, key, range);
    *key_len = output_len(&printer->out) - before;
    output_need(&printer->out, 1);
    output_byte(&printer->out, ':');
    struct range values = range;
    while (values.from < values.to && printer->found[values.from].field != value) {
        values.from++;
    }
    if (good) {
        good = values.from < values.to ? print_field(printer, values) : print_zero(printer, value);
        if (!good) {
            struct bytes text = {printer->out.begin + before + 1, *key_len - 2};
            violation_inside_key(printer->violation, text);
        }
    }
    *counts = true;
    if (value->type == TYPE_ENUM && value->enumeration->closed && values.from == values.to) {
        const char *at = content.data;
        struct wire_value part;
        while (at < content.data + content.len &&
               wire_next(&at, content.data + content.len, &part)) {
            *counts = *counts && part.number != 2;
        }
    }
    printer_forget(printer, range);
    return good;
}

struct printed_entry {
    size_t at; /* of its key in the output */
    size_t key_len;
    size_t len; /* of the whole */
    size_t order;
    bool superseded;
};

static int compare_keys(const void *a, const void *b, void *begin)
{
    const struct printed_entry *left = a;
    const struct printed_entry *right = b;
    if (left->key_len != right->key_len) {
        return left->key_len < right->key_len ? -1 : 1;
    }
    int order = memcmp((char *)begin + left->at, (char *)begin + right->at, left->key_len);
    return order != 0 ? order : (left->order > right->order) - (left->order < right->order);
}

static int compare_orders(const void *a, const void *b)
{
    const struct printed_entry *left = a;
    const struct printed_entry *right = b;
    return (left->order > right->order) - (left->order < right->order);
}

/* Of the entries with one key, the last counts: marks the others. */
static bool find_superseded(struct printed_entry *entries, size_t n, char *begin)
{
    bool any = false;
    qsort_r(entries, n, sizeof(*entries), compare_keys, begin);
    for (size_t i = 1; i < n; i++) {
        struct printed_entry *before = &entries[i - 1];
        if (before->key_len == entries[i].key_len &&
            memcmp(begin + before->at, begin + entries[i].at, before->key_len) == 0) {
            before->superseded = any = true;
        }
    }
    qsort(entries, n, sizeof(*entries), compare_orders);
    return any;
}

/* Moves what counts together; each entry stands with a comma behind it. */
static void drop_superseded(struct printer *printer, const struct printed_entry *entries, size_t n)
{
    char *begin = printer->out.begin;
    char *to = begin + entries[0].at;
    for (size_t i = 0; i < n; i++) {
        if (!entries[i].superseded) {
            memmove(to, begin + entries[i].at, entries[i].len);
            to += entries[i].len;
        }
    }
    printer->out.at = to;
}

static bool print_entries(struct printer *printer, struct range range,
                          struct printed_entry *entries, size_t *n)
{
    const struct message *entry = printer->found[range.from].field->message;
    for (size_t i = range.from; i < range.to; i++) {
        struct printed_entry *made = &entries[*n];
        bool counts;
        *made = (struct printed_entry){.at = output_len(&printer->out), .order = i};
        struct bytes content = printer->found[i].value.data;
        if (!print_entry(printer, content, entry, &made->key_len, &counts)) {
            return false;
        }
        output_need(&printer->out, 1);
        output_byte(&printer->out, ',');
        made->len = output_len(&printer->out) - made->at;
        if (counts) {
            ++*n;
        } else {
            printer->out.at = printer->out.begin + made->at;
        }
    }
    return true;
}

static bool print_map(struct printer *printer, struct range range)
{
    struct printed_entry *entries = must_calloc(range.to - range.from, sizeof(*entries));
    size_t n = 0;
    output_need(&printer->out, 2);
    output_byte(&printer->out, '{');
    bool good = print_entries(printer, range, entries, &n);
    if (good && n > 1 && find_superseded(entries, n, printer->out.begin)) {
        drop_superseded(printer, entries, n);
    }
    if (good && n > 0) {
        printer->out.at--; /* the last comma */
    }
    output_need(&printer->out, 1);
    output_byte(&printer->out, '}');
    free(entries);
    return good;
}

bool print_field(struct printer *printer, struct range range)
{
    const struct field *field = printer->found[range.from].field;
    if (field->shape == SHAPE_MAP) {
        return print_map(printer, range);
    }
    if (field->shape == SHAPE_REPEATED) {
        return print_list(printer, range);
    }
    return field->message != NULL ? print_merged(printer, range)
                                  : print_element(printer, range.to - 1);
}
