/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/compat.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

struct comparison {
    const struct version *writer;
    const struct version *reader;
    struct differences *out;
    bool *visited; /* messages of the writer's pool that stand in imported files */
};

/* --- noting ---------------------------------------------------------------------------------- */

static void PRINTF_LIKE(6, 7)
    note(struct comparison *comparison, enum change change, struct bytes scope, struct bytes name,
         int32_t line, const char *format, ...)
{
    struct differences *out = comparison->out;
    if (out->n == out->max) {
        out->max = out->max == 0 ? 16 : out->max * 2;
        out->all = must_realloc(out->all, out->max * sizeof(*out->all));
    }
    struct difference *difference = &out->all[out->n++];
    *difference = (struct difference){.change = change, .line = line};
    snprintf(difference->subject, sizeof(difference->subject), "%.*s%s%.*s", (int)scope.len,
             scope.data, scope.len > 0 && name.len > 0 ? "." : "", (int)name.len,
             name.data == NULL ? "" : name.data);
    va_list args;
    va_start(args, format);
    vsnprintf(difference->detail, sizeof(difference->detail), format, args);
    va_end(args);
}

static void note_gone(struct comparison *comparison, enum change change, struct bytes scope,
                      struct bytes name, int32_t line)
{
    note(comparison, change, scope, name, line, "%s", "");
    comparison->out->all[comparison->out->n - 1].in_writer = true;
}

/* --- types ----------------------------------------------------------------------------------- */

static const char *type_name(const struct field *field)
{
    static const char *const names[] = {
        [TYPE_DOUBLE] = "double",     [TYPE_FLOAT] = "float",     [TYPE_INT64] = "int64",
        [TYPE_UINT64] = "uint64",     [TYPE_INT32] = "int32",     [TYPE_FIXED64] = "fixed64",
        [TYPE_FIXED32] = "fixed32",   [TYPE_BOOL] = "bool",       [TYPE_STRING] = "string",
        [TYPE_GROUP] = "group",       [TYPE_MESSAGE] = "message", [TYPE_BYTES] = "bytes",
        [TYPE_UINT32] = "uint32",     [TYPE_ENUM] = "enum",       [TYPE_SFIXED32] = "sfixed32",
        [TYPE_SFIXED64] = "sfixed64", [TYPE_SINT32] = "sint32",   [TYPE_SINT64] = "sint64",
    };
    if (field->shape == SHAPE_MAP) {
        return "map";
    }
    if (field->message != NULL && field->type == TYPE_MESSAGE) {
        return field->message->local.data;
    }
    return field->enumeration != NULL ? field->enumeration->local.data : names[field->type];
}

/* Inside a group the bytes of one type can be read as another. */
enum group {
    GROUP_NUMBER,
    GROUP_ZIGZAG,
    GROUP_TEXT,
    GROUP_FIXED32,
    GROUP_FIXED64,
    GROUP_FLOAT,
    GROUP_DOUBLE
};

static enum group group_of(const struct field *field)
{
    switch ((enum field_type)field->type) {
    case TYPE_SINT32:
    case TYPE_SINT64: return GROUP_ZIGZAG;
    case TYPE_STRING:
    case TYPE_BYTES: return GROUP_TEXT;
    case TYPE_FIXED32:
    case TYPE_SFIXED32: return GROUP_FIXED32;
    case TYPE_FIXED64:
    case TYPE_SFIXED64: return GROUP_FIXED64;
    case TYPE_FLOAT: return GROUP_FLOAT;
    case TYPE_DOUBLE: return GROUP_DOUBLE;
    default: return GROUP_NUMBER;
    }
}

enum kind { KIND_SCALAR, KIND_MAP, KIND_MESSAGE, KIND_GROUP };

static enum kind kind_of(const struct field *field)
{
    if (field->shape == SHAPE_MAP) {
        return KIND_MAP;
    }
    if (field->type == TYPE_GROUP) {
        return KIND_GROUP;
    }
    return field->message != NULL ? KIND_MESSAGE : KIND_SCALAR;
}

bool version_owns(const struct version *version, const char *file)
{
    return strcmp(version->file, file) == 0;
}

static void compare_messages(struct comparison *comparison, const struct message *old,
                             const struct message *new);

/* Messages of the file itself are compared where they stand; of imported ones those that are used.
 */
static void compare_used(struct comparison *comparison, const struct message *old,
                         const struct message *new)
{
    bool *visited = &comparison->visited[old - pool_message_at(comparison->writer->pool, 0)];
    if (*visited || (version_owns(comparison->writer, old->file) &&
                     version_owns(comparison->reader, new->file))) {
        return;
    }
    *visited = true;
    compare_messages(comparison, old, new);
}

static void compare_types(struct comparison *comparison, const struct field *old,
                          const struct field *new, const struct field *place)
{
    struct bytes scope = place->parent->local;
    enum kind kind = kind_of(old);
    enum change change;
    if (kind != kind_of(new)) {
        change = FIELD_KIND_CHANGED;
    } else if (kind == KIND_MAP) {
        for (int i = 0; i < 2; i++) {
            compare_types(comparison, &old->message->fields[i], &new->message->fields[i], place);
        }
        return;
    } else if (kind == KIND_SCALAR) {
        if (old->type == new->type &&
            (old->enumeration == NULL ||
             bytes_equal(old->enumeration->local, new->enumeration->local))) {
            return;
        }
        change = group_of(old) != group_of(new) ? FIELD_SCALAR_KIND_CHANGED
                 : old->type == TYPE_BYTES      ? FIELD_BYTES_BECAME_STRING
                                                : FIELD_TYPE_CHANGED;
    } else if (bytes_equal(old->message->local, new->message->local)) {
        compare_used(comparison, old->message, new->message);
        return;
    } else {
        change = FIELD_NAMED_TYPE_CHANGED;
    }
    note(comparison, change, scope, place->name, place->line, "%s became %s", type_name(old),
         type_name(new));
}

/* --- fields ---------------------------------------------------------------------------------- */

static const char *by_mark(const struct field *field)
{
    return field->must_come && !field->required ? "marked" : "";
}

static void compare_labels(struct comparison *comparison, const struct field *old,
                           const struct field *new)
{
    struct bytes scope = new->parent->local;
    if (old->shape != new->shape && old->shape != SHAPE_MAP &&new->shape != SHAPE_MAP) {
        enum change change = new->message != NULL          ? FIELD_MESSAGE_LABEL_CHANGED
                             : group_of(new) == GROUP_TEXT ? FIELD_STRING_OR_BYTES_LABEL_CHANGED
                                                           : FIELD_NUMERIC_LABEL_CHANGED;
        note(comparison, change, scope, new->name, new->line, "%s",
             new->shape == SHAPE_REPEATED ? "one value became a list" : "a list became one value");
        return;
    }
    if ((new->required && !old->required) || (new->must_come && !old->must_come)) {
        note(comparison, FIELD_BECAME_REQUIRED, scope, new->name, new->line, "%s", by_mark(new));
    } else if (old->presence && !new->presence && old->oneof < 0 && old->message == NULL &&
               old->shape == SHAPE_SINGULAR) {
        note(comparison, FIELD_PRESENCE_REMOVED, scope, new->name, new->line, "%s", "");
    }
}

static void compare_fields(struct comparison *comparison, const struct field *old,
                           const struct field *new)
{
    if (!bytes_equal(old->name, new->name)) {
        note(comparison, FIELD_NAME_CHANGED, new->parent->local, new->name, new->line,
             "%s became %s", old->name.data, new->name.data);
    } else if (!bytes_equal(old->json_name, new->json_name)) {
        note(comparison, FIELD_JSON_NAME_CHANGED, new->parent->local, new->name, new->line,
             "%s became %s", old->json_name.data, new->json_name.data);
    }
    compare_types(comparison, old, new, new);
    compare_labels(comparison, old, new);
}

static const struct oneof *oneof_named(const struct message *message, struct bytes name)
{
    for (uint32_t i = 0; i < message->n_oneofs; i++) {
        if (bytes_equal(message->oneofs[i].name, name)) {
            return &message->oneofs[i];
        }
    }
    return NULL;
}

/* The oneof of the same name in the other version. */
static const struct oneof *same_oneof(const struct field *field, const struct message *other)
{
    return field->oneof < 0 ? NULL : oneof_named(other, field->parent->oneofs[field->oneof].name);
}

static void compare_old_fields(struct comparison *comparison, const struct message *old,
                               const struct message *new)
{
    for (uint32_t i = 0; i < old->n_fields; i++) {
        const struct field *field = &old->fields[i];
        const struct field *now = message_field(new, (uint32_t)field->number);
        const struct oneof *oneof = same_oneof(field, new);
        if (now != NULL && !now->extension) {
            compare_fields(comparison, field, now);
            if (oneof != NULL && (now->oneof < 0 || &new->oneofs[now->oneof] != oneof)) {
                note(comparison, ONEOF_FIELD_MOVED_OUT, new->local, now->name, now->line, "%s", "");
            }
            continue;
        }
        enum change change = oneof != NULL     ? ONEOF_FIELD_REMOVED
                             : field->required ? REQUIRED_FIELD_REMOVED
                                               : FIELD_REMOVED;
        note_gone(comparison, change, old->local, field->name, field->line);
    }
}

static void find_new_fields(struct comparison *comparison, const struct message *old,
                            const struct message *new)
{
    for (uint32_t i = 0; i < new->n_fields; i++) {
        const struct field *field = &new->fields[i];
        const struct field *before = message_field(old, (uint32_t)field->number);
        if (before != NULL && !before->extension) {
            continue;
        }
        enum change change = same_oneof(field, old) != NULL ? ONEOF_FIELD_ADDED
                             : field->must_come             ? REQUIRED_FIELD_ADDED
                                                            : FIELD_ADDED;
        note(comparison, change, new->local, field->name, field->line, "%s", by_mark(field));
        const struct field *namesake = message_field_named(old, field->name);
        if (namesake != NULL && !namesake->extension) {
            note(comparison, FIELD_NUMBER_CHANGED, new->local, field->name, field->line,
                 "%d became %d", namesake->number, field->number);
        }
    }
}

/* --- oneofs ---------------------------------------------------------------------------------- */

/* Of fields that could be set together, a oneof keeps one. */
static void compare_members(struct comparison *comparison, const struct message *old,
                            const struct message *new, int oneof)
{
    unsigned moved = 0;
    unsigned members = 0;
    for (uint32_t i = 0; i < new->n_fields; i++) {
        if (new->fields[i].oneof != oneof) {
            continue;
        }
        const struct field *before = message_field(old, (uint32_t) new->fields[i].number);
        if (before != NULL && !before->extension) {
            moved += before->oneof < 0;
            members += before->oneof >= 0;
        }
    }
    if (moved == 0) {
        return;
    }
    enum change change = moved > 1     ? MULTIPLE_FIELDS_MOVED_TO_ONEOF
                         : members > 0 ? FIELD_MOVED_TO_EXISTING_ONEOF
                                       : FIELD_MOVED_TO_NEW_ONEOF;
    note(comparison, change, new->local, new->oneofs[oneof].name, new->oneofs[oneof].line, "%s",
         "");
}

static void compare_oneofs(struct comparison *comparison, const struct message *old,
                           const struct message *new)
{
    for (uint32_t i = 0; i < old->n_oneofs; i++) {
        if (oneof_named(new, old->oneofs[i].name) == NULL) {
            note_gone(comparison, ONEOF_REMOVED, old->local, old->oneofs[i].name,
                      old->oneofs[i].line);
        }
    }
    for (int i = 0; i < new->n_oneofs; i++) {
        if (oneof_named(old, new->oneofs[i].name) == NULL) {
            note(comparison, ONEOF_ADDED, new->local, new->oneofs[i].name, new->oneofs[i].line,
                 "%s", "");
        }
        compare_members(comparison, old, new, i);
    }
}

static void compare_messages(struct comparison *comparison, const struct message *old,
                             const struct message *new)
{
    compare_oneofs(comparison, old, new);
    compare_old_fields(comparison, old, new);
    find_new_fields(comparison, old, new);
}

/* --- enums ----------------------------------------------------------------------------------- */

static void compare_enums(struct comparison *comparison, const struct enumeration *old,
                          const struct enumeration *new)
{
    for (uint32_t i = 0; i < old->n_values; i++) {
        const struct enum_value *value = &old->values[i];
        const struct enum_value *named = enumeration_value_named(new, value->name);
        if (enumeration_value(new, value->number) == NULL) {
            note_gone(comparison, ENUM_CONST_REMOVED, old->local, value->name, old->line);
        } else if (named == NULL || named->number != value->number) {
            note(comparison, ENUM_CONST_CHANGED, new->local, value->name, new->line, "%s", "");
        }
    }
    for (uint32_t i = 0; i < new->n_values; i++) {
        if (enumeration_value(old, new->values[i].number) == NULL) {
            note(comparison, ENUM_CONST_ADDED, new->local, new->values[i].name, new->line, "%s",
                 "");
        }
    }
}

/* --- files ----------------------------------------------------------------------------------- */

const struct message *version_message(const struct version *version, struct bytes local)
{
    for (uint32_t i = 0; i < pool_messages(version->pool); i++) {
        const struct message *message = pool_message_at(version->pool, i);
        if (version_owns(version, message->file) && bytes_equal(message->local, local)) {
            return message;
        }
    }
    return NULL;
}

const struct enumeration *version_enumeration(const struct version *version, struct bytes local)
{
    for (uint32_t i = 0; i < pool_enumerations(version->pool); i++) {
        const struct enumeration *enumeration = pool_enumeration_at(version->pool, i);
        if (version_owns(version, enumeration->file) && bytes_equal(enumeration->local, local)) {
            return enumeration;
        }
    }
    return NULL;
}

/* How many stand before it in the same message or file. */
static uint32_t place_of(const struct version *version, const struct message *message)
{
    uint32_t place = 0;
    for (const struct message *other = pool_message_at(version->pool, 0); other < message;
         other++) {
        place += other->outer == message->outer && !other->map_entry &&
                 version_owns(version, other->file);
    }
    return place;
}

static struct bytes package_of(const struct message *message)
{
    size_t len = message->name.len - message->local.len;
    return (struct bytes){message->name.data, len == 0 ? 0 : len - 1};
}

static void compare_own_messages(struct comparison *comparison)
{
    const struct version *writer = comparison->writer;
    const struct version *reader = comparison->reader;
    bool packaged = false;
    for (uint32_t i = 0; i < pool_messages(writer->pool); i++) {
        const struct message *old = pool_message_at(writer->pool, i);
        if (!version_owns(writer, old->file) || old->map_entry) {
            continue;
        }
        const struct message *new = version_message(reader, old->local);
        if (new == NULL) {
            note_gone(comparison, MESSAGE_REMOVED, old->local, BYTES_NULL, old->line);
            continue;
        }
        if (!packaged && !bytes_equal(package_of(old), package_of(new))) {
            packaged = true;
            note(comparison, PACKAGE_CHANGED, package_of(new), BYTES_NULL, 0, "%s", "");
        }
        if (place_of(writer, old) != place_of(reader, new)) {
            note(comparison, MESSAGE_MOVED, new->local, BYTES_NULL, new->line, "%s", "");
        }
        compare_messages(comparison, old, new);
    }
    for (uint32_t i = 0; i < pool_messages(reader->pool); i++) {
        const struct message *new = pool_message_at(reader->pool, i);
        if (version_owns(reader, new->file) && !new->map_entry &&
            version_message(writer, new->local) == NULL) {
            note(comparison, MESSAGE_ADDED, new->local, BYTES_NULL, new->line, "%s", "");
        }
    }
}

static void compare_own_enums(struct comparison *comparison)
{
    const struct version *writer = comparison->writer;
    const struct version *reader = comparison->reader;
    for (uint32_t i = 0; i < pool_enumerations(writer->pool); i++) {
        const struct enumeration *old = pool_enumeration_at(writer->pool, i);
        if (!version_owns(writer, old->file)) {
            continue;
        }
        const struct enumeration *new = version_enumeration(reader, old->local);
        if (new == NULL) {
            note_gone(comparison, ENUM_REMOVED, old->local, BYTES_NULL, old->line);
        } else {
            compare_enums(comparison, old, new);
        }
    }
    for (uint32_t i = 0; i < pool_enumerations(reader->pool); i++) {
        const struct enumeration *new = pool_enumeration_at(reader->pool, i);
        if (version_owns(reader, new->file) && version_enumeration(writer, new->local) == NULL) {
            note(comparison, ENUM_ADDED, new->local, BYTES_NULL, new->line, "%s", "");
        }
    }
}

void compat_compare(const struct version *writer, const struct version *reader,
                    struct differences *differences)
{
    struct comparison comparison = {
        .writer = writer,
        .reader = reader,
        .out = differences,
        .visited = must_calloc(pool_messages(writer->pool) + 1, sizeof(bool)),
    };
    compare_own_messages(&comparison);
    compare_own_enums(&comparison);
    free(comparison.visited);
}
