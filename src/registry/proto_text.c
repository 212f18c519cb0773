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

static char *copy(struct token token)
{
    return must_printf("%.*s", (int)token.len, token.text);
}

static void add(struct name_list *list, struct token token)
{
    list->items = must_realloc(list->items, (list->count + 1) * sizeof(list->items[0]));
    list->items[list->count++] = copy(token);
}

/* What a statement outside of all braces says; the token behind what was read. */
static struct token take_statement(struct scan *scan, struct token first,
                                   struct proto_text *scanned)
{
    struct token token = next_token(scan);
    if (is(first, "import")) {
        if (is(token, "public") || is(token, "weak")) {
            token = next_token(scan);
        }
        if (token.kind == TOKEN_STRING) {
            add(&scanned->imports, token);
        }
    } else if (is(first, "package") && token.kind == TOKEN_WORD) {
        free(scanned->package);
        scanned->package = copy(token);
    } else if (is(first, "message") && token.kind == TOKEN_WORD) {
        add(&scanned->messages, token);
    } else {
        return token;
    }
    return token.kind == TOKEN_BROKEN ? token : next_token(scan);
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
    *scanned = (struct proto_text){.package = must_strdup("")};
    struct token token = next_token(&scan);
    while (token.kind != TOKEN_END && token.kind != TOKEN_BROKEN) {
        if (begins && depth == 0 && token.kind == TOKEN_WORD) {
            begins = false;
            token = take_statement(&scan, token, scanned);
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

static void release_list(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
}

void proto_text_release(struct proto_text *scanned)
{
    free(scanned->package);
    release_list(&scanned->imports);
    release_list(&scanned->messages);
    *scanned = (struct proto_text){0};
}

static const char *find(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], name) == 0) {
            return list->items[i];
        }
    }
    return NULL;
}

const char *proto_text_event(const struct proto_text *scanned, const char *event_type)
{
    const char *dot = strrchr(event_type, '.');
    const char *found = find(&scanned->messages, dot == NULL ? event_type : dot + 1);
    if (found != NULL) {
        return found;
    }
    char *joined = must_strdup(event_type);
    char *at = joined;
    for (const char *from = event_type; *from != '\0'; from++) {
        if (*from != '.') {
            *at++ = *from;
        }
    }
    *at = '\0';
    found = find(&scanned->messages, joined);
    free(joined);
    if (found == NULL && scanned->messages.count == 1) {
        return scanned->messages.items[0];
    }
    return found;
}
