/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/schemas.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "schemas/schema_files.h"

enum { SOURCE_MAX = 4 << 20 };

void schemas_release(struct schemas *schemas)
{
    for (size_t i = 0; i < schemas->n; i++) {
        free(schemas->all[i].type);
        free(schemas->all[i].file);
        pool_free(schemas->all[i].pool);
    }
    free(schemas->all);
    free(schemas->folder);
    *schemas = (struct schemas){0};
}

/* --- reading them ------------------------------------------------------------------------------
 */

static struct bytes read_source(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = must_malloc(SOURCE_MAX);
    size_t len = file == NULL ? 0 : fread(text, 1, SOURCE_MAX, file);
    if (file != NULL) {
        fclose(file);
    }
    return (struct bytes){text, len};
}

static enum verdict load_one(const char *folder, struct schema *schema, struct error *error)
{
    enum verdict verdict = protoc_compile(folder, schema->file, &schema->pool, error);
    if (verdict != OK) {
        return verdict;
    }
    char *path = must_printf("%s/%s", folder, schema->file);
    struct bytes source = read_source(path);
    verdict = schema_find_event(schema->pool, schema->file, schema->type, source, &schema->message,
                                error);
    if (verdict == OK) {
        verdict = schema_check_marks(schema->pool, schema->file, source, error);
    }
    free((char *)source.data);
    free(path);
    return verdict;
}

static void add_versions(struct schemas *schemas, const struct schema_type *type)
{
    schemas->all =
        must_realloc(schemas->all, (schemas->n + type->versions) * sizeof(*schemas->all));
    for (uint32_t version = 1; version <= type->versions; version++) {
        schemas->all[schemas->n++] = (struct schema){
            .type = must_strdup(type->event_type),
            .file = must_printf("%s/v%u.proto", type->event_type, version),
            .version = version,
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
