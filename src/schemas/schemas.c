/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/schemas.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "avro/avro_contract.h"
#include "base/check.h"
#include "jsonschema/json_schema.h"

enum { SOURCE_MAX = 4 << 20 };

void schemas_release(struct schemas *schemas)
{
    for (size_t i = 0; i < schemas->n; i++) {
        free(schemas->all[i].type);
        free(schemas->all[i].file);
        pool_free(schemas->all[i].pool);
        avro_contract_free(schemas->all[i].avro);
        json_schema_free(schemas->all[i].json);
    }
    free(schemas->all);
    free(schemas->folder);
    *schemas = (struct schemas){0};
}

/* --- reading them ------------------------------------------------------------------------------
 */

static enum verdict read_source(const char *path, struct bytes *source, struct error *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        error_set(error, INVALID, "%s cannot be read: %s", path, strerror(errno));
        return error_remedy(error, "Make it readable, or take it away.");
    }
    char *text = must_malloc(SOURCE_MAX + 1);
    size_t len = fread(text, 1, SOURCE_MAX + 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || len > SOURCE_MAX) {
        free(text);
        error_set(error, INVALID, "%s %s", path, failed ? "cannot be read" : "is larger than 4 MB");
        return error_remedy(error, "Mend the file.");
    }
    *source = (struct bytes){text, len};
    return OK;
}

static enum verdict load_protobuf(const char *folder, struct schema *schema, struct bytes source,
                                  struct error *error)
{
    enum verdict verdict = protoc_compile(folder, schema->file, &schema->pool, error);
    if (verdict == OK) {
        verdict = schema_find_event(schema->pool, schema->file, schema->type, source,
                                    &schema->message, error);
    }
    if (verdict == OK) {
        verdict = schema_check_marks(schema->pool, schema->file, source, error);
    }
    if (verdict == OK) {
        schema->event = schema->message->name.data;
        schema->fields = schema->message->n_fields;
        schema->line = schema->message->line;
    }
    return verdict;
}

static enum verdict no_schema(const struct schema *schema, struct error *error)
{
    error_prefix(error, "%s: ", schema->file);
    return error->remedy[0] != '\0' ? INVALID : error_remedy(error, "Mend the file.");
}

static enum verdict load_avro(struct schema *schema, struct bytes source, struct error *error)
{
    enum verdict verdict = avro_contract_load(source, &schema->avro, error);
    if (verdict != OK) {
        return no_schema(schema, error);
    }
    schema->event = avro_contract_name(schema->avro);
    schema->fields = avro_contract_fields(schema->avro);
    return OK;
}

static enum verdict load_json(struct schema *schema, struct bytes source, struct error *error)
{
    enum verdict verdict = json_schema_load(source, &schema->json, error);
    if (verdict != OK) {
        return no_schema(schema, error);
    }
    const char *title = json_schema_title(schema->json);
    schema->event = title == NULL ? schema->type : title;
    schema->fields = json_schema_properties(schema->json);
    return OK;
}

static enum verdict load_one(const char *folder, struct schema *schema, struct error *error)
{
    char *path = must_printf("%s/%s", folder, schema->file);
    struct bytes source = BYTES_NULL;
    enum verdict verdict = read_source(path, &source, error);
    free(path);
    if (verdict != OK) {
        return verdict;
    }
    schema->line = 1;
    switch (schema->kind) {
    case SCHEMA_PROTOBUF: verdict = load_protobuf(folder, schema, source, error); break;
    case SCHEMA_AVRO: verdict = load_avro(schema, source, error); break;
    case SCHEMA_JSON: verdict = load_json(schema, source, error); break;
    }
    free((char *)source.data);
    return verdict;
}

void schema_compare(const struct schema *writer, const struct schema *reader,
                    struct differences *differences)
{
    check(writer->kind == reader->kind);
    switch (writer->kind) {
    case SCHEMA_PROTOBUF:
        compat_compare(&(struct version){writer->pool, writer->file},
                       &(struct version){reader->pool, reader->file}, differences);
        schema_compare_events(writer, reader, differences);
        break;
    case SCHEMA_AVRO: avro_compare(writer->avro, reader->avro, differences); break;
    case SCHEMA_JSON: json_schema_compare(writer->json, reader->json, differences); break;
    }
}

void schema_compare_reserved(const struct schema *older, const struct schema *newer,
                             struct differences *differences)
{
    if (older->kind == SCHEMA_PROTOBUF && newer->kind == SCHEMA_PROTOBUF) {
        compat_compare_reserved(&(struct version){older->pool, older->file},
                                &(struct version){newer->pool, newer->file}, differences);
    }
}

static void add_versions(struct schemas *schemas, const struct schema_type *type)
{
    schemas->all =
        must_realloc(schemas->all, (schemas->n + type->versions) * sizeof(*schemas->all));
    for (uint32_t version = 1; version <= type->versions; version++) {
        schemas->all[schemas->n++] = (struct schema){
            .type = must_strdup(type->event_type),
            .file =
                must_printf("%s/v%u.%s", type->event_type, version, schema_kind_ending(type->kind)),
            .version = version,
            .kind = type->kind,
        };
    }
}

enum verdict schemas_load(const char *folder, struct schemas *schemas, struct error *error)
{
    struct schema_list list;
    enum verdict verdict = schema_list_read(folder, &list, error);
    if (verdict != OK) {
        return verdict;
    }
    struct schemas found = {.folder = must_strdup(folder)};
    for (size_t i = 0; i < list.count; i++) {
        add_versions(&found, &list.items[i]);
    }
    schema_list_release(&list);
    for (size_t i = 0; verdict == OK && i < found.n; i++) {
        verdict = load_one(folder, &found.all[i], error);
    }
    if (verdict != OK) {
        schemas_release(&found);
        return verdict;
    }
    *schemas = found;
    return OK;
}
