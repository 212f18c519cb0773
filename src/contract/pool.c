/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/pool.h"

#include <stdlib.h>

#include "contract/pool_build.h"

/* --- finding --------------------------------------------------------------------------------- */

const struct message *pool_message(const struct pool *pool, struct bytes name)
{
    uint32_t i = name_table_find(&pool->message_names, name);
    return i == NAME_NOT_FOUND ? NULL : &pool->messages[i];
}

const struct enumeration *pool_enumeration(const struct pool *pool, struct bytes name)
{
    uint32_t i = name_table_find(&pool->enumeration_names, name);
    return i == NAME_NOT_FOUND ? NULL : &pool->enumerations[i];
}

uint32_t pool_messages(const struct pool *pool)
{
    return pool->n_messages;
}

const struct message *pool_message_at(const struct pool *pool, uint32_t i)
{
    return &pool->messages[i];
}

uint32_t pool_enumerations(const struct pool *pool)
{
    return pool->n_enumerations;
}

const struct enumeration *pool_enumeration_at(const struct pool *pool, uint32_t i)
{
    return &pool->enumerations[i];
}

uint16_t pool_mark_words(const struct pool *pool)
{
    return pool->mark_words;
}

uint32_t pool_guesses(const struct pool *pool)
{
    return pool->guesses;
}

const struct field *message_field(const struct message *message, uint32_t number)
{
    if (number < message->n_low_numbers) {
        return message->low_numbers[number];
    }
    uint32_t from = 0;
    uint32_t to = message->n_by_number;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        uint32_t found = (uint32_t)message->by_number[middle]->number;
        if (found == number) {
            return message->by_number[middle];
        }
        if (found < number) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

const struct field *message_field_named(const struct message *message, struct bytes name)
{
    uint32_t i = name_table_find(&message->names, name);
    if (i == NAME_NOT_FOUND) {
        return NULL;
    }
    return i < message->n_fields ? &message->fields[i] : message->extensions[i - message->n_fields];
}

const struct enum_value *enumeration_value(const struct enumeration *enumeration, int32_t number)
{
    uint32_t from = 0;
    uint32_t to = enumeration->n_numbers;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int32_t found = enumeration->by_number[middle]->number;
        if (found == number) {
            return enumeration->by_number[middle];
        }
        if (found < number) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

const struct enum_value *enumeration_value_named(const struct enumeration *enumeration,
                                                 struct bytes name)
{
    uint32_t i = name_table_find(&enumeration->names, name);
    return i == NAME_NOT_FOUND ? NULL : &enumeration->values[i];
}

void pool_free(struct pool *pool)
{
    if (pool != NULL) {
        arena_release(&pool->arena);
        free(pool);
    }
}

/* --- building -------------------------------------------------------------------------------- */

static void new_table(struct pool *pool, struct name_table *table, uint32_t names)
{
    uint32_t slots = name_table_slots(names);
    name_table_init(table, arena_alloc(&pool->arena, slots * sizeof(struct name_slot)), slots);
}

enum verdict pool_index(struct pool *pool, struct error *error)
{
    new_table(pool, &pool->message_names, pool->n_messages);
    new_table(pool, &pool->enumeration_names, pool->n_enumerations);
    for (uint32_t i = 0; i < pool->n_messages; i++) {
        struct bytes name = pool->messages[i].name;
        if (!name_table_add(&pool->message_names, name, i)) {
            return error_set(error, INVALID, "the message %s is defined twice", name.data);
        }
    }
    for (uint32_t i = 0; i < pool->n_enumerations; i++) {
        struct bytes name = pool->enumerations[i].name;
        if (!name_table_add(&pool->enumeration_names, name, i)) {
            return error_set(error, INVALID, "the enum %s is defined twice", name.data);
        }
    }
    return OK;
}

static unsigned wire_type_of(const struct field *field)
{
    if (field->packed) {
        return 2;
    }
    switch ((enum field_type)field->type) {
    case TYPE_DOUBLE:
    case TYPE_FIXED64:
    case TYPE_SFIXED64: return 1;
    case TYPE_FLOAT:
    case TYPE_FIXED32:
    case TYPE_SFIXED32: return 5;
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_MESSAGE: return 2;
    case TYPE_GROUP: return 3;
    case TYPE_INT64:
    case TYPE_UINT64:
    case TYPE_INT32:
    case TYPE_BOOL:
    case TYPE_UINT32:
    case TYPE_ENUM:
    case TYPE_SINT32:
    case TYPE_SINT64: break;
    }
    return 0;
}

/* As JSON writes it: a contract may give a field any JSON name. */
static void quote_name(struct pool *pool, struct field *field)
{
    static const char hex[] = "0123456789abcdef";
    char *quoted = arena_alloc(&pool->arena, field->json_name.len * 6 + 9);
    char *to = quoted;
    for (size_t i = 0; i < field->json_name.len; i++) {
        unsigned char byte = (unsigned char)field->json_name.data[i];
        if (byte < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = hex[byte >> 4];
            to[5] = hex[byte & 15];
            to += 6;
            continue;
        }
        if (byte == '"' || byte == '\\') {
            *to++ = '\\';
        }
        *to++ = (char)byte;
    }
    *to++ = '"';
    field->quoted = quoted;
    field->quoted_len = (uint32_t)(to - quoted);
}

void field_compile(struct pool *pool, struct field *field)
{
    uint32_t tag = (uint32_t)field->number << 3 | wire_type_of(field);
    field->tag = 0;
    field->tag_len = 0;
    do {
        uint64_t byte = tag >= 0x80 ? (tag & 0x7F) | 0x80 : tag;
        field->tag |= byte << (8 * field->tag_len++);
        tag >>= 7;
    } while (tag > 0);

    quote_name(pool, field);
}

static int compare_fields(const void *a, const void *b)
{
    const struct field *const *left = a;
    const struct field *const *right = b;
    return ((*left)->number > (*right)->number) - ((*left)->number < (*right)->number);
}

static enum verdict index_numbers(struct pool *pool, struct message *message, struct error *error)
{
    enum { LOW_MAX = 1024 };
    uint32_t n = (uint32_t)message->n_fields + message->n_extensions;
    const struct field **by_number = arena_alloc(&pool->arena, (n + 1) * sizeof(*by_number));
    for (uint32_t i = 0; i < message->n_fields; i++) {
        by_number[i] = &message->fields[i];
    }
    for (uint32_t i = 0; i < message->n_extensions; i++) {
        by_number[message->n_fields + i] = message->extensions[i];
    }
    qsort(by_number, n, sizeof(*by_number), compare_fields);
    for (uint32_t i = 1; i < n; i++) {
        if (by_number[i]->number == by_number[i - 1]->number) {
            return error_set(error, INVALID, "the message %s has the number %d twice",
                             message->name.data, by_number[i]->number);
        }
    }
    message->by_number = by_number;
    message->n_by_number = n;

    uint32_t low = 0;
    for (uint32_t i = 0; i < n && by_number[i]->number < LOW_MAX; i++) {
        low = (uint32_t)by_number[i]->number + 1;
    }
    message->low_numbers = arena_alloc(&pool->arena, (low + 1) * sizeof(*by_number));
    message->n_low_numbers = low;
    for (uint32_t i = 0; i < n && by_number[i]->number < LOW_MAX; i++) {
        message->low_numbers[by_number[i]->number] = by_number[i];
    }
    return OK;
}

/* A JSON name goes before a declared name: protoc refuses contracts where the two meet. */
static void index_names(struct pool *pool, struct message *message)
{
    new_table(pool, &message->names, 2u * message->n_fields + message->n_extensions);
    for (uint32_t i = 0; i < message->n_fields; i++) {
        name_table_add(&message->names, message->fields[i].json_name, i);
    }
    for (uint32_t i = 0; i < message->n_fields; i++) {
        name_table_add(&message->names, message->fields[i].name, i);
    }
    for (uint32_t i = 0; i < message->n_extensions; i++) {
        name_table_add(&message->names, message->extensions[i]->json_name, message->n_fields + i);
    }
}

enum verdict message_compile(struct pool *pool, struct message *message, struct error *error)
{
    enum verdict verdict = index_numbers(pool, message, error);
    if (verdict != OK) {
        return verdict;
    }
    index_names(pool, message);
    for (uint32_t i = 0; i < message->n_fields; i++) {
        message->n_must_come += message->fields[i].must_come;
    }
    uint32_t marks = (uint32_t)message->n_fields + message->n_extensions + message->n_oneofs;
    message->mark_words = (uint16_t)(marks / 64 + 1);
    if (message->mark_words > pool->mark_words) {
        pool->mark_words = message->mark_words;
    }
    message->guess_base = pool->guesses;
    pool->guesses += message->n_fields + 1u;
    return OK;
}

/* By number, and by the order of their declaration where they share one. */
static int compare_values(const void *a, const void *b)
{
    const struct enum_value *left = *(const struct enum_value *const *)a;
    const struct enum_value *right = *(const struct enum_value *const *)b;
    if (left->number != right->number) {
        return left->number < right->number ? -1 : 1;
    }
    return (left > right) - (left < right);
}

void enumeration_compile(struct pool *pool, struct enumeration *enumeration)
{
    uint32_t n = enumeration->n_values;
    new_table(pool, &enumeration->names, n);
    const struct enum_value **by_number = arena_alloc(&pool->arena, (n + 1) * sizeof(*by_number));
    for (uint32_t i = 0; i < n; i++) {
        name_table_add(&enumeration->names, enumeration->values[i].name, i);
        by_number[i] = &enumeration->values[i];
    }
    qsort(by_number, n, sizeof(*by_number), compare_values);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (kept == 0 || by_number[kept - 1]->number != by_number[i]->number) {
            by_number[kept++] = by_number[i];
        }
    }
    enumeration->by_number = by_number;
    enumeration->n_numbers = kept;
}
