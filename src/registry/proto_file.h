/* SPDX-License-Identifier: Apache-2.0
 *
 * proto_file.h - .proto files with what they import, as a registry wants them: each import is a
 * reference to a subject named like the import. An .avsc or .json file is one without imports.
 * In: files below contracts.dir. Out: texts, imports, references, ids.
 * Owns: every file that was read, once.
 * Thread: one at a time.
 * Keeps: an import names a file below the directory, or one of google/protobuf/, which every
 *        registry has. Limits on the number of files, their size and their depth. */
#ifndef WALPOST_REGISTRY_PROTO_FILE_H
#define WALPOST_REGISTRY_PROTO_FILE_H

#include "registry/proto_text.h"
#include "registry/registry.h"

enum { PROTO_FILE_MAX = 1 << 20, PROTO_FILES_MAX = 2048, PROTO_IMPORTS_MAX = 64 };

struct proto_file {
    char *name; /* below the directory: "Order.Created/v1.proto" */
    char *text;
    struct proto_text scanned;
    struct proto_file *imports[PROTO_IMPORTS_MAX]; /* without google/protobuf/ */
    size_t n_imports;
    bool open;    /* being read: an import that leads back to it goes round in a circle */
    bool said;    /* for a caller that says something about each file once */
    bool settled; /* found is there: as an import, under the subject `name` */
    struct registry_found found;
};

struct proto_files {
    const char *dir; /* borrowed */
    struct proto_file **items;
    size_t count;
};

void proto_files_init(struct proto_files *files, const char *dir);
void proto_files_release(struct proto_files *files);

/* The file, with all its imports, read once. INVALID: it, or one of its imports, cannot be read;
 * the set is then of no more use. */
enum verdict MUST_CHECK proto_files_load(struct proto_files *files, const char *name,
                                         struct proto_file **file, struct error *error);

/* The schema to ask for. Every import is settled; references has room for them. */
struct registry_schema proto_file_schema(const struct proto_file *file,
                                         struct registry_reference *references);

/* registry_await for the file under `subject`, and before it for each of its imports, under the
 * import's name. */
enum verdict MUST_CHECK proto_file_await(struct registry *registry, struct proto_file *file,
                                         const char *subject, registry_say_fn *say, void *context,
                                         struct registry_found *found, struct error *error);

#endif
