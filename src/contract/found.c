/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/check.h"
#include "contract/printer.h"

void printer_init(struct printer *printer, const struct pool *pool)
{
    *printer = (struct printer){.pool = pool};
    output_init(&printer->out);
}

void printer_release(struct printer *printer)
{
    output_release(&printer->out);
    free(printer->found);
}

bool printer_fail(struct printer *printer, enum violation_kind kind, const char *expected,
                  const char *found)
{
    violation_set(printer->violation, kind, 0, "%s", expected);
    violation_found(printer->violation, "%s", found);
    return false;
}

bool printer_fail_wire(struct printer *printer, const struct message *message)
{
    violation_set(printer->violation, VIOLATION_WIRE, 0, "Protobuf (%s)", message->name.data);
    violation_found(printer->violation, "bytes that are not");
    return false;
}

void printer_note(struct printer *printer, const struct found *found)
{
    if (printer->n_found == printer->max_found) {
        printer->max_found = printer->max_found == 0 ? 64 : printer->max_found * 2;
        printer->found = must_realloc(printer->found, printer->max_found * sizeof(*printer->found));
    }
    printer->found[printer->n_found++] = *found;
}

/* --- which fields count ------------------------------------------------------------------------
 */

static enum wire_type wire_of(const struct field *field)
{
    switch ((enum field_type)field->type) {
    case TYPE_DOUBLE:
    case TYPE_FIXED64:
    case TYPE_SFIXED64: return WIRE_64BIT;
    case TYPE_FLOAT:
    case TYPE_FIXED32:
    case TYPE_SFIXED32: return WIRE_32BIT;
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_MESSAGE: return WIRE_LEN;
    case TYPE_GROUP: return WIRE_GROUP;
    default: return WIRE_VARINT;
    }
}

/* A number that a closed enum does not list is an unknown field. */
static bool is_listed(const struct field *field, uint64_t bits)
{
    return field->type != TYPE_ENUM || !field->enumeration->closed ||
           enumeration_value(field->enumeration, (int32_t)bits) != NULL;
}

/* A packed list becomes one found value for each of its numbers. */
static bool unpack(struct printer *printer, struct found *found, enum wire_type type)
{
    const char *at = found->value.data.data;
    const char *end = at + found->value.data.len;
    found->value.type = (uint8_t)type;
    while (at < end) {
        if (!wire_packed(&at, end, type, &found->value.bits)) {
            return printer_fail_wire(printer, found->field->parent);
        }
        if (is_listed(found->field, found->value.bits)) {
            printer_note(printer, found);
        }
    }
    return true;
}

/* An item of a message set names its extension inside. */
static const struct field *item_field(const struct message *set, struct wire_value *value)
{
    const char *at = value->data.data;
    const char *end = at + value->data.len;
    struct wire_value part;
    uint32_t type = 0;
    bool found = false;
    while (at < end && wire_next(&at, end, &part)) {
        if (part.number == 2 && part.type == WIRE_VARINT) {
            type = (uint32_t)part.bits;
        } else if (part.number == 3 && part.type == WIRE_LEN && !found) {
            found = true;
            value->data = part.data;
        }
    }
    const struct field *field = found ? message_field(set, type) : NULL;
    value->type = WIRE_LEN;
    return field != NULL && field->type == TYPE_MESSAGE ? field : NULL;
}

static bool note(struct printer *printer, const struct message *message, struct wire_value *value,
                 size_t order)
{
    const struct field *field = message_field(message, value->number);
    if (message->message_set && value->number == 1 && value->type == WIRE_GROUP) {
        field = item_field(message, value);
    }
    if (field == NULL) {
        return true;
    }
    struct found found = {field, *value, order};
    enum wire_type wanted = wire_of(field);
    if (value->type != wanted) {
        bool packable = wanted != WIRE_LEN && wanted != WIRE_GROUP;
        if (value->type != WIRE_LEN || !packable || field->shape != SHAPE_REPEATED) {
            return true; /* another wire type is another, unknown field */
        }
        return unpack(printer, &found, wanted);
    }
    if (is_listed(field, value->bits)) {
        printer_note(printer, &found);
    }
    return true;
}

/* The last field of a oneof wins; what came of others before, and of itself before those, is gone.
 * From the end to the front, so that the winner comes first. */
static void settle_oneofs(struct printer *printer, size_t from, const struct message *message)
{
    struct {
        const struct field *winner;
        bool closed;
    } *states = must_calloc(message->n_oneofs, sizeof(*states));
    for (size_t i = printer->n_found; i-- > from;) {
        struct found *found = &printer->found[i];
        if (found->field->oneof < 0) {
            continue;
        }
        int oneof = found->field->oneof;
        if (states[oneof].winner == NULL) {
            states[oneof].winner = found->field;
        }
        if (states[oneof].closed || states[oneof].winner != found->field) {
            states[oneof].closed = true;
            found->field = NULL;
        }
    }
    free(states);
    size_t kept = from;
    for (size_t i = from; i < printer->n_found; i++) {
        if (printer->found[i].field != NULL) {
            printer->found[kept++] = printer->found[i];
        }
    }
    printer->n_found = kept;
}

static int compare_found(const void *a, const void *b)
{
    const struct found *left = a;
    const struct found *right = b;
    if (left->field->number != right->field->number) {
        return left->field->number < right->field->number ? -1 : 1;
    }
    if (left->order != right->order) {
        return left->order < right->order ? -1 : 1;
    }
    return (left->value.data.data > right->value.data.data) -
           (left->value.data.data < right->value.data.data);
}

bool printer_find(struct printer *printer, struct bytes content, const struct message *message,
                  struct range *range)
{
    const char *at = content.data;
    const char *end = content.data + content.len;
    size_t from = printer->n_found;
    unsigned in_oneofs = 0;
    bool sorted = true;
    while (at < end) {
        struct wire_value value;
        size_t before = printer->n_found;
        if (!wire_next(&at, end, &value)) {
            return printer_fail_wire(printer, message);
        }
        if (!note(printer, message, &value, before)) {
            return false;
        }
        /* The numbers of a packed list have places of their own in the order. */
        for (size_t i = before; i < printer->n_found; i++) {
            printer->found[i].order = i;
        }
        if (printer->n_found > before) {
            const struct found *found = &printer->found[before];
            in_oneofs += found->field->oneof >= 0;
            sorted = sorted && (before == from || found[-1].field->number <= found->field->number);
        }
    }
    if (in_oneofs > 1) {
        settle_oneofs(printer, from, message);
    }
    if (!sorted) {
        qsort(printer->found + from, printer->n_found - from, sizeof(*printer->found),
              compare_found);
    }
    *range = (struct range){from, printer->n_found};
    return true;
}
