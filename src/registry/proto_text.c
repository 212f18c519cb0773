/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/proto_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_SIGN, TOKEN_BROKEN };

struct token {
    enum token_kind kind;
    const char *text; /* of a string, what is between the quotes */
    size_t len;
};

struct scan {
    const char *at;
    const char *broken; /* where what is not closed began */
};

static bool skip_comment(struct scan *scan)
{
    const char *begin = scan->at;
    if (begin[1] == '/') {
        scan->at += strcspn(scan->at, "\n");
        return true;
    }
    const char *end = strstr(begin + 2, "*/");
    if (end == NULL) {
        scan->broken = begin;
        return false;
    }
    scan->at = end + 2;
    return true;
}

static bool skip_space(struct scan *scan)
{
    while (true) {
        scan->at += strspn(scan->at, " \t\r\n\v\f");
        if (scan->at[0] != '/' || (scan->at[1] != '/' && scan->at[1] != '*')) {
            return true;
        }
        if (!skip_comment(scan)) {
            return false;
        }
    }
}

static struct token read_string(struct scan *scan)
{
    const char *begin = scan->at;
    const char *end = begin + 1;
    while (*end != *begin && *end != '\0' && *end != '\n') {
        end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
    }
    if (*end != *begin) {
        scan->broken = begin;
        return (struct token){.kind = TOKEN_BROKEN};
    }
    scan->at = end + 1;
    return (struct token){TOKEN_STRING, begin + 1, (size_t)(end - begin - 1)};
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static struct token next_token(struct scan *scan)
{
    if (!skip_space(scan)) {
        return (struct token){.kind = TOKEN_BROKEN};
    }
    const char *begin = scan->at;
    if (*begin == '\0') {
        return (struct token){.kind = TOKEN_END};
    }
    if (*begin == '"' || *begin == '\'') {
        return read_string(scan);
    }
    if (is_word(*begin)) {
        while (is_word(*scan->at)) {
            scan->at++;
        }
        return (struct token){TOKEN_WORD, begin, (size_t)(scan->at - begin)};
    }
    scan->at++;
    return (struct token){TOKEN_SIGN, begin, 1};
}

static bool is(struct token token, const char *word)
{
    return token.kind != TOKEN_STRING && token.len == strlen(word) &&
           memcmp(token.text, word, token.len) == 0;
}

static void add_import(struct proto_text *scanned, struct token token)
{
    scanned->imports =
        must_realloc(scanned->imports, (scanned->n_imports + 1) * sizeof(scanned->imports[0]));
    scanned->imports[scanned->n_imports++] = must_printf("%.*s", (int)token.len, token.text);
}

/* Behind "import"; the token behind what was read. */
static struct token take_import(struct scan *scan, struct proto_text *scanned)
{
    struct token token = next_token(scan);
    if (is(token, "public") || is(token, "weak")) {
        token = next_token(scan);
    }
    if (token.kind != TOKEN_STRING) {
        return token;
    }
    add_import(scanned, token);
    return next_token(scan);
}

static size_t line_of(const char *text, const char *at)
{
    size_t line = 1;
    for (; text < at; text++) {
        line += *text == '\n' ? 1 : 0;
    }
    return line;
}

bool proto_text_scan(const char *text, struct proto_text *scanned, size_t *line)
{
    struct scan scan = {.at = text};
    const char *open = NULL; /* the first brace that is open */
    size_t depth = 0;
    bool begins = true; /* a statement begins here */
    *scanned = (struct proto_text){0};
    struct token token = next_token(&scan);
    while (token.kind != TOKEN_END && token.kind != TOKEN_BROKEN) {
        if (begins && depth == 0 && is(token, "import")) {
            begins = false;
            token = take_import(&scan, scanned);
            continue;
        }
        if (is(token, "{")) {
            open = depth == 0 ? token.text : open;
            depth++;
        } else if (is(token, "}")) {
            depth -= depth > 0 ? 1 : 0;
        }
        begins = is(token, ";") || is(token, "}");
        token = next_token(&scan);
    }
    if (token.kind == TOKEN_END && depth == 0) {
        return true;
    }
    *line = line_of(text, token.kind == TOKEN_BROKEN ? scan.broken : open);
    proto_text_release(scanned);
    return false;
}

void proto_text_release(struct proto_text *scanned)
{
    for (size_t i = 0; i < scanned->n_imports; i++) {
        free(scanned->imports[i]);
    }
    free(scanned->imports);
    *scanned = (struct proto_text){0};
}
