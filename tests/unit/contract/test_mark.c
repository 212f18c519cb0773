/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "contract/mark.h"

Test(mark, comments_as_protoc_hands_them_over)
{
    static const struct {
        const char *comment;
        unsigned marks;
    } comments[] = {
        {" walpost.required\n", 1},
        {"walpost.required", 1},
        {" How many.\n walpost.required: always\n", 1},
        {"\n\t walpost.required\n walpost.required", 2},
        {" not walpost.required\n", 0},
        {" walpost.requiredly\n", 0},
        {" walpost.require\n", 0},
        {" xwalpost.required", 0},
        {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
        cr_expect(marks_in_comment(bytes_of(comments[i].comment)) == comments[i].marks, "%s",
                  comments[i].comment);
    }
}

Test(mark, files_as_they_are_written)
{
    static const struct {
        const char *source;
        unsigned marks;
        int32_t misspelt;
    } sources[] = {
        {"int32 a = 1; // walpost.required\nint32 b = 2; //walpost.required", 2, 0},
        {"/* walpost.required */ int32 a = 1;\n/**\n * walpost.required\n */\nint32 b = 2;", 2, 0},
        {"// it is not walpost.required here; walpost.yaml, walpost.event", 0, 0},
        {"int32 a = 1;\n// walpost.event: A\nint32 b = 2; // walpost.requird", 0, 3},
        {"int32 a = 1; // Walpost.Required", 0, 1},
        {"a / b walpost.required", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        struct source_marks marks = marks_in_source(bytes_of(sources[i].source));
        cr_expect(marks.n == sources[i].marks && marks.misspelt == sources[i].misspelt, "%s: %u %d",
                  sources[i].source, marks.n, (int)marks.misspelt);
    }
}
