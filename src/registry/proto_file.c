/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/proto_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void proto_files_init(struct proto_files *files, const char *dir)
{
    *files = (struct proto_files){.dir = dir};
}

void proto_files_release(struct proto_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i]->name);
        free(files->items[i]->text);
        proto_text_release(&files->items[i]->scanned);
        free(files->items[i]);
    }
    free(files->items);
    *files = (struct proto_files){0};
}

/* --- reading --- */

static enum verdict read_text(const char *path, char **text, struct error *error)
{
    FILE *stream = fopen(path, "re");
    char *read = must_malloc(PROTO_FILE_MAX + 1);
    size_t len = stream == NULL ? 0 : fread(read, 1, PROTO_FILE_MAX + 1, stream);
    int reason = errno;
    bool failed = stream == NULL || ferror(stream) != 0;
    if (stream != NULL) {
        fclose(stream);
    }
    enum verdict verdict = OK;
    if (failed) { /* the remedy is the caller's: it may be an import */
        verdict = error_set(error, INVALID, "%s cannot be read: %s", path, strerror(reason));
    } else if (len > PROTO_FILE_MAX) {
        error_set(error, INVALID, "%s is larger than 1 MB, so it is no schema", path);
        verdict = error_remedy(error, "Keep contracts and what they import in the directory, and "
                                      "nothing else.");
    } else if (memchr(read, '\0', len) != NULL) {
        error_set(error, INVALID, "%s is no text: there is a NUL byte in it", path);
        verdict = error_remedy(error, "Save the file as UTF-8.");
    }
    if (verdict != OK) {
        free(read);
        return verdict;
    }
    read[len] = '\0';
    *text = must_realloc(read, len + 1);
    return OK;
}

static bool is_built_in(const char *name)
{
    static const char prefix[] = "google/protobuf/";
    return strncmp(name, prefix, sizeof(prefix) - 1) == 0;
}

/* Relative, without a way out of the directory: what protoc takes as well. */
static bool name_is_valid(const char *name)
{
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        part += part == name ? 0 : 1;
        size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') ||
            (len == 2 && part[0] == '.' && part[1] == '.')) {
            return false;
        }
    }
    return strchr(name, '\\') == NULL;
}

static struct proto_file *find(const struct proto_files *files, const char *name)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i]->name, name) == 0) {
            return files->items[i];
        }
    }
    return NULL;
}

static enum verdict load_import(struct proto_files *files, struct proto_file *importer,
                                const char *name, struct error *error)
{
    struct proto_file *import = NULL;
    if (is_built_in(name)) {
        return OK;
    }
    if (!name_is_valid(name)) {
        error_set(error, INVALID, "%s/%s: import \"%.200s\" cannot be in the directory", files->dir,
                  importer->name, name);
        return error_remedy(error, "Write the path from %s on, without . and .. in it.",
                            files->dir);
    }
    enum verdict verdict = proto_files_load(files, name, &import, error);
    if (verdict != OK) {
        error_prefix(error, "%s/%s: import \"%.200s\": ", files->dir, importer->name, name);
        return error->remedy[0] != '\0'
                   ? verdict
                   : error_remedy(error, "Imports are looked for below %s (contracts.dir).",
                                  files->dir);
    }
    if (import->open) {
        error_set(error, INVALID, "%s/%s: import \"%.200s\" goes round in a circle", files->dir,
                  importer->name, name);
        return error_remedy(error, "Move what both need into a file of its own.");
    }
    importer->imports[importer->n_imports++] = import;
    return OK;
}

static enum verdict load_imports(struct proto_files *files, struct proto_file *file,
                                 struct error *error)
{
    if (file->scanned.n_imports > PROTO_IMPORTS_MAX) {
        error_set(error, INVALID, "%s/%s has more than %d imports", files->dir, file->name,
                  PROTO_IMPORTS_MAX);
        return error_remedy(error, "Put what it needs of them into fewer files.");
    }
    enum verdict verdict = OK;
    file->open = true;
    for (size_t i = 0; i < file->scanned.n_imports && verdict == OK; i++) {
        verdict = load_import(files, file, file->scanned.imports[i], error);
    }
    file->open = false;
    return verdict;
}

static const char *type_of(const char *name)
{
    const char *ending = strrchr(name, '.');
    ending = ending == NULL ? "" : ending;
    return strcmp(ending, ".avsc") == 0   ? "AVRO"
           : strcmp(ending, ".json") == 0 ? "JSON"
                                          : "PROTOBUF";
}

/* Contracts of other kinds import nothing. */
static bool is_protobuf(const char *name)
{
    return strcmp(type_of(name), "PROTOBUF") == 0;
}

enum verdict proto_files_load(struct proto_files *files, const char *name, struct proto_file **file,
                              struct error *error)
{
    *file = find(files, name);
    if (*file != NULL) {
        return OK;
    }
    if (files->count == PROTO_FILES_MAX) {
        error_set(error, INVALID, "%s has more than %d files", files->dir, PROTO_FILES_MAX);
        return error_remedy(error, "Give some of the event types a stream of their own.");
    }
    char *text = NULL;
    char *path = must_printf("%s/%s", files->dir, name);
    enum verdict verdict = read_text(path, &text, error);
    struct proto_text scanned = {0};
    size_t line = 0;
    if (verdict == OK && is_protobuf(name) && !proto_text_scan(text, &scanned, &line)) {
        free(text);
        verdict = error_set(error, INVALID, "%s:%zu: what begins here is not closed", path, line);
        error_remedy(error, "Close the string, comment or brace.");
    }
    free(path);
    if (verdict != OK) {
        return verdict;
    }
    struct proto_file *made = must_calloc(1, sizeof(*made));
    made->name = must_strdup(name);
    made->text = text;
    made->scanned = scanned;
    files->items = must_realloc(files->items, (files->count + 1) * sizeof(files->items[0]));
    files->items[files->count++] = made;
    *file = made;
    return load_imports(files, made, error);
}

/* --- asking --- */

struct registry_schema proto_file_schema(const struct proto_file *file,
                                         struct registry_reference *references)
{
    for (size_t i = 0; i < file->n_imports; i++) {
        const struct proto_file *import = file->imports[i];
        check(import->settled);
        references[i] =
            (struct registry_reference){import->name, import->name, import->found.version};
    }
    return (struct registry_schema){type_of(file->name), file->text, references, file->n_imports};
}

enum verdict proto_file_await(struct registry *registry, struct proto_file *file,
                              const char *subject, registry_say_fn *say, void *context,
                              struct registry_found *found, struct error *error)
{
    struct registry_reference references[PROTO_IMPORTS_MAX];
    for (size_t i = 0; i < file->n_imports; i++) {
        struct proto_file *import = file->imports[i];
        if (import->settled) {
            continue;
        }
        enum verdict verdict =
            proto_file_await(registry, import, import->name, say, context, &import->found, error);
        if (verdict != OK) {
            return verdict;
        }
        import->settled = true;
    }
    struct registry_schema schema = proto_file_schema(file, references);
    return registry_await(registry, subject, &schema, say, context, found, error);
}
