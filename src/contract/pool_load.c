/* SPDX-License-Identifier: Apache-2.0
 *
 * How protoc writes descriptors is known here, and in source_place.c. Three passes: every message
 * and enum gets its place and its name; then fields can point at their types; then extensions are
 * given to the messages they extend and everything is compiled. */
#include "contract/pool.h"

#include <stdlib.h>

#include "base/check.h"
#include "contract/mark.h"
#include "contract/pool_build.h"
#include "contract/source_place.h"

typedef Google__Protobuf__FileDescriptorSet pb_set;
typedef Google__Protobuf__DescriptorProto pb_message;
typedef Google__Protobuf__EnumDescriptorProto pb_enum;
typedef Google__Protobuf__FieldDescriptorProto pb_field;

/* What the fields of a message are read from, once every type has its place. */
struct source {
    const pb_file *file;
    const pb_message *message;
    struct source_path path;
};

struct extension {
    const pb_file *file;
    const pb_field *field;
    struct bytes scope;
    struct field *made;
};

struct loader {
    struct pool *pool;
    struct error *error;
    struct source *sources; /* one a message */
    struct extension *extensions;
    uint32_t n_extensions;
};

static bool is_proto3(const pb_file *file)
{
    return file->syntax != NULL && strcmp(file->syntax, "proto3") == 0;
}

static struct bytes qualified(struct pool *pool, struct bytes scope, const char *name)
{
    struct bytes local = bytes_of(name);
    if (scope.len == 0) {
        return arena_copy(&pool->arena, local);
    }
    char *text = arena_alloc(&pool->arena, scope.len + 1 + local.len + 8);
    memcpy(text, scope.data, scope.len);
    text[scope.len] = '.';
    memcpy(text + scope.len + 1, local.data, local.len);
    return (struct bytes){text, scope.len + 1 + local.len};
}

/* A name without the package of its file. */
static struct bytes without_package(struct bytes name, const pb_file *file)
{
    size_t package = file->package == NULL ? 0 : strlen(file->package);
    size_t cut = package == 0 ? 0 : package + 1;
    return (struct bytes){name.data + cut, name.len - cut};
}

/* --- first pass: places and names --------------------------------------------------------------
 */

struct counts {
    uint32_t messages;
    uint32_t enums;
    uint32_t extensions;
};

static void count_message(const pb_message *message, struct counts *counts)
{
    counts->messages++;
    counts->enums += (uint32_t)message->n_enum_type;
    counts->extensions += (uint32_t)message->n_extension;
    for (size_t i = 0; i < message->n_nested_type; i++) {
        count_message(message->nested_type[i], counts);
    }
}

static struct counts count(const pb_set *set)
{
    struct counts counts = {0};
    for (size_t i = 0; i < set->n_file; i++) {
        counts.enums += (uint32_t)set->file[i]->n_enum_type;
        counts.extensions += (uint32_t)set->file[i]->n_extension;
        for (size_t j = 0; j < set->file[i]->n_message_type; j++) {
            count_message(set->file[i]->message_type[j], &counts);
        }
    }
    return counts;
}

static void place_enum(struct loader *loader, const pb_file *file, const pb_enum *from,
                       struct bytes scope, const struct source_path *above, size_t index)
{
    struct pool *pool = loader->pool;
    struct enumeration *to = &pool->enumerations[pool->n_enumerations++];
    struct enum_value *values = arena_alloc(&pool->arena, (from->n_value + 1) * sizeof(*values));
    for (size_t i = 0; i < from->n_value; i++) {
        values[i].name = arena_copy(&pool->arena, bytes_of(from->value[i]->name));
        values[i].number = from->value[i]->number;
    }
    to->name = qualified(pool, scope, from->name);
    to->local = without_package(to->name, file);
    to->values = values;
    to->n_values = (uint32_t)from->n_value;
    to->closed = !is_proto3(file);
    to->null_value = bytes_equal(to->name, BYTES_LIT("google.protobuf.NullValue"));
    to->file = arena_copy(&pool->arena, bytes_of(file->name)).data;
    int32_t kind = above->n == 0 ? IN_FILE_ENUM : IN_MESSAGE_ENUM;
    struct source_path path = *above;
    to->line = source_line(file, above, kind, index);
    if (source_path_descend(&path, kind, index)) {
        to->reserved = reserved_in_enum(&pool->arena, file, from, &path);
    }
    enumeration_compile(pool, to);
}

static void place_extension(struct loader *loader, const pb_file *file, const pb_field *field,
                            struct bytes scope)
{
    loader->extensions[loader->n_extensions++] =
        (struct extension){.file = file, .field = field, .scope = scope};
}

static enum verdict place_message(struct loader *loader, const pb_file *file,
                                  const pb_message *from, const struct message *outer,
                                  const struct source_path *path)
{
    struct pool *pool = loader->pool;
    struct bytes scope = outer == NULL ? bytes_of(file->package) : outer->name;
    loader->sources[pool->n_messages] = (struct source){file, from, *path};
    struct message *to = &pool->messages[pool->n_messages++];
    to->name = qualified(pool, scope, from->name);
    to->local = without_package(to->name, file);
    to->outer = outer;
    to->file = arena_copy(&pool->arena, bytes_of(file->name)).data;
    to->map_entry = from->options != NULL && from->options->map_entry;
    to->message_set = from->options != NULL && from->options->message_set_wire_format;
    struct source_path above = {.n = path->n - 2};
    memcpy(above.parts, path->parts, above.n * sizeof(above.parts[0]));
    to->line =
        source_line(file, &above, path->parts[path->n - 2], (size_t)path->parts[path->n - 1]);
    to->reserved = reserved_in_message(&pool->arena, file, from, path);

    struct bytes name = to->name;
    for (size_t i = 0; i < from->n_enum_type; i++) {
        place_enum(loader, file, from->enum_type[i], name, path, i);
    }
    for (size_t i = 0; i < from->n_extension; i++) {
        place_extension(loader, file, from->extension[i], name);
    }
    for (size_t i = 0; i < from->n_nested_type; i++) {
        struct source_path inner = *path;
        if (!source_path_descend(&inner, IN_MESSAGE_NESTED, i)) {
            error_set(loader->error, INVALID, "%s: messages are nested too deep", file->name);
            return error_remedy(loader->error, "Declare the inner message beside the outer one.");
        }
        enum verdict verdict = place_message(loader, file, from->nested_type[i], to, &inner);
        if (verdict != OK) {
            return verdict;
        }
    }
    return OK;
}

static enum verdict place_file(struct loader *loader, const pb_file *file)
{
    if (file->name == NULL) {
        return error_set(loader->error, INVALID, "the descriptor set has a file without a name");
    }
    if (file->syntax != NULL && !is_proto3(file) && strcmp(file->syntax, "proto2") != 0) {
        error_set(loader->error, INVALID,
                  "%s is written for \"%s\"; proto2 and proto3 can be contracts", file->name,
                  file->syntax);
        return error_remedy(loader->error, "Write syntax = \"proto3\"; at its top.");
    }
    struct bytes package = arena_copy(&loader->pool->arena, bytes_of(file->package));
    struct source_path top = {.n = 0};
    for (size_t i = 0; i < file->n_enum_type; i++) {
        place_enum(loader, file, file->enum_type[i], package, &top, i);
    }
    for (size_t i = 0; i < file->n_extension; i++) {
        place_extension(loader, file, file->extension[i], package);
    }
    for (size_t i = 0; i < file->n_message_type; i++) {
        struct source_path path = {.parts = {IN_FILE_MESSAGE, (int32_t)i}, .n = 2};
        enum verdict verdict = place_message(loader, file, file->message_type[i], NULL, &path);
        if (verdict != OK) {
            return verdict;
        }
    }
    return OK;
}

/* --- second pass: fields -----------------------------------------------------------------------
 */

static bool is_packable(uint8_t type)
{
    return type != TYPE_STRING && type != TYPE_BYTES && type != TYPE_MESSAGE && type != TYPE_GROUP;
}

/* protoc writes type names in full, with a dot in front. */
static bool find_type(struct loader *loader, const pb_field *from, struct field *to)
{
    if (is_packable(to->type) && to->type != TYPE_ENUM) {
        return true;
    }
    if (to->type == TYPE_STRING || to->type == TYPE_BYTES) {
        return true;
    }
    if (from->type_name == NULL || from->type_name[0] != '.') {
        return false;
    }
    struct bytes name = bytes_of(from->type_name + 1);
    if (to->type == TYPE_ENUM) {
        to->enumeration = pool_enumeration(loader->pool, name);
        return to->enumeration != NULL;
    }
    to->message = pool_message(loader->pool, name);
    return to->message != NULL;
}

static enum verdict fill_field(struct loader *loader, const pb_file *file, const pb_field *from,
                               struct field *to)
{
    struct pool *pool = loader->pool;
    const char *name = from->name == NULL ? "?" : from->name;
    to->number = from->number;
    to->type = (uint8_t)from->type;
    if (from->number < 1 || from->number > FIELD_NUMBER_MAX || to->type < TYPE_DOUBLE ||
        to->type > TYPE_SINT64) {
        return error_set(loader->error, INVALID, "%s: the field %s has no valid number or type",
                         file->name, name);
    }
    if (!find_type(loader, from, to)) {
        return error_set(loader->error, INVALID,
                         "%s: the type %s of the field %s is not in the descriptor set", file->name,
                         from->type_name == NULL ? "?" : from->type_name, name);
    }
    bool repeated = from->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REPEATED;
    to->shape = repeated ? SHAPE_REPEATED : SHAPE_SINGULAR;
    if (repeated && to->message != NULL && to->message->map_entry) {
        to->shape = SHAPE_MAP;
    }
    to->required = from->label == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_REQUIRED;
    to->packed = repeated && is_packable(to->type) && is_proto3(file);
    if (repeated && from->options != NULL && from->options->has_packed) {
        to->packed = from->options->packed && is_packable(to->type);
    }
    to->presence = !is_proto3(file) || to->message != NULL || from->has_oneof_index;
    to->labelled = !is_proto3(file) || from->proto3_optional || repeated;
    to->oneof = from->has_oneof_index && !from->proto3_optional ? (int16_t)from->oneof_index : -1;
    to->name = arena_copy(&pool->arena, bytes_of(name));
    to->json_name =
        from->json_name == NULL ? to->name : arena_copy(&pool->arena, bytes_of(from->json_name));
    return OK;
}

static bool is_synthetic(const pb_message *message, size_t oneof)
{
    for (size_t i = 0; i < message->n_field; i++) {
        if (message->field[i]->has_oneof_index && message->field[i]->proto3_optional &&
            message->field[i]->oneof_index == (int32_t)oneof) {
            return true;
        }
    }
    return false;
}

/* protoc puts the oneofs of proto3 optional behind all others. */
static void fill_oneofs(struct loader *loader, const struct source *source, struct message *to)
{
    const pb_message *from = source->message;
    struct oneof *oneofs =
        arena_alloc(&loader->pool->arena, (from->n_oneof_decl + 1) * sizeof(*oneofs));
    to->oneofs = oneofs;
    for (size_t i = 0; i < from->n_oneof_decl && !is_synthetic(from, i); i++) {
        oneofs[i].name = arena_copy(&loader->pool->arena, bytes_of(from->oneof_decl[i]->name));
        oneofs[i].line = source_line(source->file, &source->path, IN_MESSAGE_ONEOF, i);
        to->n_oneofs++;
    }
}

/* What (google.api.field_behavior) says stands in the options as bytes, since its file is not
 * compiled into this program: protoc writes its numbers one by one, or packed. */
static bool behaves_required(const pb_field *from)
{
    enum { FIELD_BEHAVIOR = 1052, REQUIRED = 2 };
    for (size_t i = 0; from->options != NULL && i < from->options->base.n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *option = &from->options->base.unknown_fields[i];
        size_t first = option->wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED ? 1 : 0;
        if (option->tag == FIELD_BEHAVIOR && option->len > first &&
            memchr(option->data + first, REQUIRED, option->len - first) != NULL) {
            return true;
        }
    }
    return false;
}

static void find_marks(const struct source *source, size_t i, struct field *to)
{
    const pb_location *location = source_location(source->file, &source->path, IN_MESSAGE_FIELD, i);
    unsigned marks = 0;
    if (location != NULL) {
        marks = marks_in_comment(bytes_of(location->leading_comments)) +
                marks_in_comment(bytes_of(location->trailing_comments));
        to->line = location->span[0] + 1;
    }
    to->marks = (uint8_t)(marks < UINT8_MAX ? marks : UINT8_MAX);
    to->must_come = to->required || marks > 0 || behaves_required(source->message->field[i]);
}

static enum verdict fill_message(struct loader *loader, const struct source *source,
                                 struct message *to)
{
    const pb_message *from = source->message;
    if (from->n_field > FIELDS_MAX || from->n_oneof_decl > FIELDS_MAX) {
        error_set(loader->error, INVALID, "the message %s has more than %d fields", to->name.data,
                  FIELDS_MAX);
        return error_remedy(loader->error, "Move some of its fields into a message of their own.");
    }
    fill_oneofs(loader, source, to);
    struct field *fields = arena_alloc(&loader->pool->arena, (from->n_field + 1) * sizeof(*fields));
    to->fields = fields;
    to->n_fields = (uint16_t)from->n_field;
    for (size_t i = 0; i < from->n_field; i++) {
        enum verdict verdict = fill_field(loader, source->file, from->field[i], &fields[i]);
        if (verdict != OK) {
            return verdict;
        }
        if (fields[i].oneof >= (int)to->n_oneofs) {
            return error_set(loader->error, INVALID, "the field %s of %s is in no oneof there is",
                             fields[i].name.data, to->name.data);
        }
        fields[i].parent = to;
        fields[i].index = (uint16_t)i;
        find_marks(source, i, &fields[i]);
        field_compile(loader->pool, &fields[i]);
    }
    return OK;
}

/* --- third pass: extensions, and compiling --------------------------------------------- */

static enum verdict fill_extension(struct loader *loader, struct extension *extension)
{
    struct pool *pool = loader->pool;
    const char *extendee = extension->field->extendee;
    uint32_t i = extendee == NULL || extendee[0] != '.'
                     ? (uint32_t)NAME_NOT_FOUND
                     : name_table_find(&pool->message_names, bytes_of(extendee + 1));
    if (i == NAME_NOT_FOUND || pool->messages[i].n_extensions == FIELDS_MAX) {
        return error_set(loader->error, INVALID, "%s: the extension %s extends nothing",
                         extension->file->name, extension->field->name);
    }
    struct field *field = arena_alloc(&pool->arena, sizeof(*field));
    enum verdict verdict = fill_field(loader, extension->file, extension->field, field);
    if (verdict != OK) {
        return verdict;
    }
    struct bytes name = qualified(pool, extension->scope, extension->field->name);
    char *bracketed = arena_alloc(&pool->arena, name.len + 3);
    bracketed[0] = '[';
    memcpy(bracketed + 1, name.data, name.len);
    bracketed[name.len + 1] = ']';
    field->name = field->json_name = (struct bytes){bracketed, name.len + 2};
    field->presence = true;
    field->extension = true;
    field->parent = &pool->messages[i];
    pool->messages[i].n_extensions++;
    field_compile(pool, field);
    extension->made = field;
    return OK;
}

static enum verdict add_extensions(struct loader *loader)
{
    struct pool *pool = loader->pool;
    for (uint32_t i = 0; i < loader->n_extensions; i++) {
        enum verdict verdict = fill_extension(loader, &loader->extensions[i]);
        if (verdict != OK) {
            return verdict;
        }
    }
    for (uint32_t i = 0; i < pool->n_messages; i++) {
        struct message *message = &pool->messages[i];
        message->extensions =
            arena_alloc(&pool->arena, (message->n_extensions + 1u) * sizeof(*message->extensions));
        message->n_extensions = 0; /* counted again as they come */
    }
    for (uint32_t i = 0; i < loader->n_extensions; i++) {
        struct field *field = loader->extensions[i].made;
        struct message *message = &pool->messages[field->parent - pool->messages];
        field->index = (uint16_t)(message->n_fields + message->n_extensions);
        message->extensions[message->n_extensions++] = field;
    }
    return OK;
}

static enum verdict compile_all(struct loader *loader)
{
    struct pool *pool = loader->pool;
    for (uint32_t i = 0; i < pool->n_messages; i++) {
        struct message *message = &pool->messages[i];
        enum verdict verdict = message_find_kind(message, loader->error);
        if (verdict == OK) {
            verdict = message_compile(pool, message, loader->error);
        }
        if (verdict != OK) {
            return verdict;
        }
    }
    return OK;
}

static enum verdict load(struct loader *loader, const pb_set *set)
{
    struct pool *pool = loader->pool;
    for (size_t i = 0; i < set->n_file; i++) {
        enum verdict verdict = place_file(loader, set->file[i]);
        if (verdict != OK) {
            return verdict;
        }
    }
    enum verdict verdict = pool_index(pool, loader->error);
    for (uint32_t i = 0; verdict == OK && i < pool->n_messages; i++) {
        verdict = fill_message(loader, &loader->sources[i], &pool->messages[i]);
    }
    if (verdict == OK) {
        verdict = add_extensions(loader);
    }
    return verdict == OK ? compile_all(loader) : verdict;
}

/* protoc checks what it writes: whatever else is wrong is no mistake in a .proto file. */
static enum verdict not_of_protoc(struct error *error)
{
    if (error == NULL || error->remedy[0] != '\0') {
        return INVALID;
    }
    return error_remedy(error, "protoc writes no such descriptors: see whether the protoc in PATH "
                               "is the real one, and write the file again with it.");
}

enum verdict pool_load(struct bytes descriptor_set, struct pool **pool, struct error *error)
{
    pb_set *set = google__protobuf__file_descriptor_set__unpack(
        NULL, descriptor_set.len, (const uint8_t *)descriptor_set.data);
    if (set == NULL) {
        error_set(error, INVALID, "these bytes are not a FileDescriptorSet");
        return not_of_protoc(error);
    }
    struct counts counts = count(set);
    struct pool *made = must_calloc(1, sizeof(*made));
    made->messages = arena_alloc(&made->arena, (counts.messages + 1) * sizeof(*made->messages));
    made->enumerations =
        arena_alloc(&made->arena, (counts.enums + 1) * sizeof(*made->enumerations));
    struct loader loader = {
        .pool = made,
        .error = error,
        .sources = must_calloc(counts.messages + 1, sizeof(*loader.sources)),
        .extensions = must_calloc(counts.extensions + 1, sizeof(*loader.extensions)),
    };
    enum verdict verdict = load(&loader, set);
    free(loader.extensions);
    free(loader.sources);
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    if (verdict != OK) {
        pool_free(made);
        return not_of_protoc(error);
    }
    *pool = made;
    return OK;
}
