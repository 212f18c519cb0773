/* SPDX-License-Identifier: Apache-2.0
 *
 * What a version reserved stays reserved in all that come after it, though they may not say so. */
#include "contract/compat.h"

#include <stdio.h>

struct side {
    struct bytes scope;
    const struct reserved *reserved;
};

static bool is_reserved(const struct reserved *reserved, int32_t number, int32_t *last)
{
    for (uint32_t i = 0; i < reserved->n_ranges; i++) {
        if (reserved->ranges[i].first <= number && number <= reserved->ranges[i].last) {
            *last = reserved->ranges[i].last;
            return true;
        }
    }
    return false;
}

static bool has_name(const struct reserved *reserved, struct bytes name)
{
    for (uint32_t i = 0; i < reserved->n_names; i++) {
        if (bytes_equal(reserved->names[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* What uses a number or name: a field, or a value of an enum. */
static void find_use(const struct reserved *old, const struct side *new, struct bytes name,
                     int32_t number, int32_t line, struct differences *out)
{
    char subject[sizeof(out->all->subject)];
    int32_t last;
    snprintf(subject, sizeof(subject), "%.*s.%.*s", (int)new->scope.len, new->scope.data,
             (int)name.len, name.data);
    if (is_reserved(old, number, &last)) {
        differences_add(out, RESERVED_NUMBER_USED, false, line, subject, "%d", (int)number);
    }
    if (has_name(old, name)) {
        differences_add(out, RESERVED_NAME_USED, false, line, subject, "%s", "");
    }
}

/* Is every number of the range reserved still, or used, which has been said? */
static bool is_kept(const struct reserved_range *range, const struct reserved *now,
                    const struct message *message, const struct enumeration *enumeration)
{
    int64_t at = range->first;
    while (at <= range->last) {
        int32_t last;
        if (is_reserved(now, (int32_t)at, &last)) {
            at = (int64_t)last + 1;
        } else if (message != NULL ? message_field(message, (uint32_t)at) != NULL
                                   : enumeration_value(enumeration, (int32_t)at) != NULL) {
            at++;
        } else {
            return false;
        }
    }
    return true;
}

static void find_given_up(const struct side *old, const struct side *new,
                          const struct message *message, const struct enumeration *enumeration,
                          struct differences *out)
{
    for (uint32_t i = 0; i < old->reserved->n_ranges; i++) {
        const struct reserved_range *range = &old->reserved->ranges[i];
        if (!is_kept(range, new->reserved, message, enumeration)) {
            differences_add(out, RESERVED_REMOVED, true, range->line, old->scope.data, "%d to %d",
                            (int)range->first, (int)range->last);
        }
    }
    for (uint32_t i = 0; i < old->reserved->n_names; i++) {
        struct bytes name = old->reserved->names[i].name;
        bool used = message != NULL ? message_field_named(message, name) != NULL
                                    : enumeration_value_named(enumeration, name) != NULL;
        if (!used && !has_name(new->reserved, name)) {
            differences_add(out, RESERVED_REMOVED, true, old->reserved->names[i].line,
                            old->scope.data, "%s", name.data);
        }
    }
}

static void compare_message(const struct message *old, const struct message *new,
                            struct differences *out)
{
    struct side before = {old->local, &old->reserved};
    struct side now = {new->local, &new->reserved};
    for (uint32_t i = 0; i < new->n_fields; i++) {
        const struct field *field = &new->fields[i];
        find_use(&old->reserved, &now, field->name, field->number, field->line, out);
    }
    find_given_up(&before, &now, new, NULL, out);
}

static void compare_enum(const struct enumeration *old, const struct enumeration *new,
                         struct differences *out)
{
    struct side before = {old->local, &old->reserved};
    struct side now = {new->local, &new->reserved};
    for (uint32_t i = 0; i < new->n_values; i++) {
        find_use(&old->reserved, &now, new->values[i].name, new->values[i].number, new->line, out);
    }
    find_given_up(&before, &now, NULL, new, out);
}

static bool reserves(const struct reserved *reserved)
{
    return reserved->n_ranges + reserved->n_names > 0;
}

void compat_compare_reserved(const struct version *older, const struct version *newer,
                             struct differences *differences)
{
    for (uint32_t i = 0; i < pool_messages(older->pool); i++) {
        const struct message *old = pool_message_at(older->pool, i);
        if (!reserves(&old->reserved) || !version_owns(older, old->file)) {
            continue;
        }
        const struct message *new = version_message(newer, old->local);
        if (new != NULL) {
            compare_message(old, new, differences);
        }
    }
    for (uint32_t i = 0; i < pool_enumerations(older->pool); i++) {
        const struct enumeration *old = pool_enumeration_at(older->pool, i);
        if (!reserves(&old->reserved) || !version_owns(older, old->file)) {
            continue;
        }
        const struct enumeration *new = version_enumeration(newer, old->local);
        if (new != NULL) {
            compare_enum(old, new, differences);
        }
    }
}
