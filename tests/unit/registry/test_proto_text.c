/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/macros.h"
#include "registry/proto_text.h"

static const char tricky[] =
    "/* message A { } import \"no.proto\"; */ // message B {}\n"
    "syntax = \"proto3\";\n"
    "package shop.v1;\n"
    "import 'a.proto'; import public \"b/c.proto\";\n"
    "import weak\n  /* here */ \"d.proto\" ;\n"
    "option java_package = \"message C { import \\\"e.proto\\\"; }\";\n"
    "option (x).message = { message: \"import\" package: 'y' };\n"
    "message Order { message Inner { string import = 1; } string package = 2; \n"
    "  oneof message { int32 a = 3; } }\n"
    "enum message_kind { X = 0; }\n"
    "extend Order { string message = 100; }\n"
    "service Message { rpc message(Order) returns (Order) { option import = 'z'; } }\n"
    "message Second{};message/**/Third{}";

Test(proto_text, finds_statements_and_nothing_else)
{
    struct proto_text text;
    size_t line = 0;
    cr_assert(proto_text_scan(tricky, &text, &line));
    cr_assert_eq(text.n_imports, 3);
    cr_expect_str_eq(text.imports[0], "a.proto");
    cr_expect_str_eq(text.imports[1], "b/c.proto");
    cr_expect_str_eq(text.imports[2], "d.proto");
    proto_text_release(&text);
}

Test(proto_text, what_is_not_closed_has_a_line)
{
    static const struct {
        const char *text;
        size_t line;
    } broken[] = {
        {"\nmessage A {\n string x = 1;\n", 2},
        {"\n\n/* never", 3},
        {"option a = \"x\n\";", 1},
        {"\nimport \"", 2},
        {"message A { option x = 'a; }", 1},
        {"message A {}\nmessage B {\n{}", 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct proto_text text;
        size_t line = 0;
        cr_expect_not(proto_text_scan(broken[i].text, &text, &line), "%s", broken[i].text);
        cr_expect_eq(line, broken[i].line, "%zu: %s", line, broken[i].text);
    }
}

/* Whatever a file is cut to, the scan ends, and inside the memory: the sanitizers look on. */
Test(proto_text, any_beginning_of_a_file_is_read_to_its_end)
{
    for (size_t len = 0; len < sizeof(tricky); len++) {
        char *cut = strndup(tricky, len);
        struct proto_text text;
        size_t line = 0;
        if (proto_text_scan(cut, &text, &line)) {
            proto_text_release(&text);
        }
        free(cut);
    }
}
