/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "registry/proto_file.h"

static const char *const names[] = {"a.proto", "b.proto", "c.proto", "big.proto", "nul.proto"};

static void in_a_new_folder(void)
{
    char folder[] = "/tmp/walpost-proto-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
    char folder[256];
    cr_assert_not_null(getcwd(folder, sizeof(folder)));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)unlink(names[i]);
    }
    cr_assert_eq(rmdir(folder), 0);
}

TestSuite(proto_file, .init = in_a_new_folder, .fini = leave_folder);

static void write_bytes(const char *name, const char *text, size_t len)
{
    FILE *file = fopen(name, "we");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, len, file), len);
    fclose(file);
}

static void write_file(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

Test(proto_file, what_two_import_is_read_once)
{
    struct proto_files files;
    struct proto_file *file = NULL;
    struct error error;
    write_file("a.proto", "import \"b.proto\"; import \"c.proto\"; "
                          "import \"google/protobuf/timestamp.proto\"; message A {}");
    write_file("b.proto", "import \"c.proto\"; message B {}");
    write_file("c.proto", "message C {}");
    proto_files_init(&files, ".");
    cr_assert_eq(proto_files_load(&files, "a.proto", &file, &error), OK, "%s", error.what);
    cr_expect_eq(files.count, 3);
    cr_assert_eq(file->n_imports, 2);
    cr_expect_str_eq(file->imports[0]->name, "b.proto");
    cr_expect_eq(file->imports[1], file->imports[0]->imports[0]);

    struct registry_reference references[PROTO_IMPORTS_MAX];
    file->imports[0]->settled = file->imports[1]->settled = true;
    file->imports[0]->found.version = 4;
    file->imports[1]->found.version = 9;
    struct registry_schema schema = proto_file_schema(file, references);
    cr_expect_str_eq(schema.type, "PROTOBUF");
    cr_expect_str_eq(schema.text, file->text);
    cr_assert_eq(schema.n_references, 2); /* its own; the registry knows theirs */
    cr_expect_str_eq(schema.references[0].name, "b.proto");
    cr_expect_str_eq(schema.references[0].subject, "b.proto");
    cr_expect_eq(schema.references[0].version, 4);
    cr_expect_eq(schema.references[1].version, 9);
    proto_files_release(&files);
}

static void expect_refused(const char *text, const char *what, const char *remedy)
{
    struct proto_files files;
    struct proto_file *file = NULL;
    struct error error;
    write_file("a.proto", text);
    proto_files_init(&files, ".");
    cr_expect_eq(proto_files_load(&files, "a.proto", &file, &error), INVALID, "%s", text);
    cr_expect_str_eq(error.what, what);
    cr_expect_str_eq(error.remedy, remedy);
    proto_files_release(&files);
}

Test(proto_file, imports_that_cannot_be)
{
    static const char below[] = "Imports are looked for below . (contracts.dir).";
    static const char path[] = "Write the path from . on, without . and .. in it.";
    write_file("b.proto", "import \"c.proto\";");
    write_file("c.proto", "import \"a.proto\";");
    expect_refused("import \"missing.proto\";",
                   "./a.proto: import \"missing.proto\": ./missing.proto cannot be read: No such "
                   "file or directory",
                   below);
    expect_refused("import \"../a.proto\";",
                   "./a.proto: import \"../a.proto\" cannot be in the directory", path);
    expect_refused("import \"/etc/passwd\";",
                   "./a.proto: import \"/etc/passwd\" cannot be in the directory", path);
    expect_refused("import \"x/./a.proto\";",
                   "./a.proto: import \"x/./a.proto\" cannot be in the directory", path);
    expect_refused("import \"\";", "./a.proto: import \"\" cannot be in the directory", path);
    expect_refused("import \"a.proto\";", "./a.proto: import \"a.proto\" goes round in a circle",
                   "Move what both need into a file of its own.");
    expect_refused(
        "import \"b.proto\";",
        "./a.proto: import \"b.proto\": ./b.proto: import \"c.proto\": ./c.proto: import "
        "\"a.proto\" goes round in a circle",
        "Move what both need into a file of its own.");
    expect_refused("message A {", "./a.proto:1: what begins here is not closed",
                   "Close the string, comment or brace.");
}

Test(proto_file, files_that_are_no_text)
{
    struct proto_files files;
    struct proto_file *file = NULL;
    struct error error;
    size_t size = PROTO_FILE_MAX + 1;
    char *spaces = malloc(size);
    memset(spaces, ' ', size);
    write_bytes("big.proto", spaces, size);
    free(spaces);
    write_bytes("nul.proto", "message A\0{}", 12);
    proto_files_init(&files, ".");
    cr_expect_eq(proto_files_load(&files, "big.proto", &file, &error), INVALID);
    cr_expect_str_eq(error.what, "./big.proto is larger than 1 MB, so it is no schema");
    cr_expect_eq(proto_files_load(&files, "nul.proto", &file, &error), INVALID);
    cr_expect_str_eq(error.what, "./nul.proto is no text: there is a NUL byte in it");
    proto_files_release(&files);
}
