/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/mark.h"

#include <ctype.h>
#include <strings.h>

static const char mark[] = "walpost.required";
static const char beginning[] = "walpost.req"; /* what nobody writes for another reason */

static bool is_part_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool begins_with(struct bytes text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && memcmp(text.data, word, len) == 0;
}

static bool is_mark(struct bytes text)
{
    size_t len = sizeof(mark) - 1;
    return begins_with(text, mark) && (text.len == len || !is_part_of_word(text.data[len]));
}

static struct bytes from(struct bytes text, size_t at)
{
    return (struct bytes){text.data + at, text.len - at};
}

unsigned marks_in_comment(struct bytes comment)
{
    unsigned n = 0;
    bool begins = true;
    for (size_t i = 0; i < comment.len; i++) {
        char c = comment.data[i];
        n += begins && is_mark(from(comment, i));
        begins = c == '\n' || (begins && isspace((unsigned char)c));
    }
    return n;
}

struct source_marks marks_in_source(struct bytes source)
{
    struct source_marks marks = {0};
    int32_t line = 1;
    bool begins = false; /* a comment, or a line of one with a star in front */
    for (size_t i = 0; i < source.len; i++) {
        char c = source.data[i];
        struct bytes rest = from(source, i);
        if (begins && is_mark(rest)) {
            marks.n++;
        } else if (begins && rest.len >= sizeof(beginning) - 1 && marks.misspelt == 0 &&
                   strncasecmp(rest.data, beginning, sizeof(beginning) - 1) == 0) {
            marks.misspelt = line;
        }
        begins = c == '*' || (c == '/' && i > 0 && source.data[i - 1] == '/') ||
                 (begins && (c == ' ' || c == '\t'));
        line += c == '\n';
    }
    return marks;
}
