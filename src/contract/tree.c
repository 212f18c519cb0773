/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/tree.h"

#include "contract/output.h"
#include "contract/scan.h"

struct growth {
    struct arena *arena;
    struct error *error;
    const char *begin;
    const char *end;
    const char *counted; /* lines are counted up to here */
    uint32_t line;
    struct output scratch;
};

static uint32_t line_at(struct growth *growth, const char *at)
{
    for (; growth->counted < at; growth->counted++) {
        growth->line += *growth->counted == '\n';
    }
    return growth->line;
}

/* Returns NULL, as the functions below do where it is not JSON. */
static const char *refuse(struct growth *growth, const char *at, const char *why)
{
    error_set(growth->error, INVALID, "line %u is not JSON: %s", line_at(growth, at), why);
    return NULL;
}

static const char *refuse_scan(struct growth *growth, const struct scan_failure *failure)
{
    return refuse(growth, failure->at, scan_trouble_text(failure->trouble));
}

static const char *grow(struct growth *growth, const char *at, unsigned depth, struct tree *tree);

/* At the quote; returns the place behind the second one. */
static const char *take_text(struct growth *growth, const char *at, struct bytes *text)
{
    struct scan_failure failure;
    struct bytes found;
    at = scan_text(at + 1, growth->end, &growth->scratch, &found, &failure);
    if (at == NULL) {
        return refuse_scan(growth, &failure);
    }
    *text = arena_copy(growth->arena, found);
    return at;
}

static const char *take_name(struct growth *growth, const char *at, const struct tree *outer,
                             struct tree *member)
{
    if (at == growth->end || *at != '"') {
        return refuse(growth, at, "a name in double quotes was expected");
    }
    const char *name_at = at;
    at = take_text(growth, at, &member->name);
    if (at == NULL) {
        return NULL;
    }
    for (const struct tree *other = outer->first; other != member; other = other->next) {
        if (bytes_equal(other->name, member->name)) {
            return refuse(growth, name_at, "the name stands twice in one object");
        }
    }
    at = skip_space(at, growth->end);
    return at < growth->end && *at == ':' ? at + 1 : refuse(growth, at, "a colon was expected");
}

static const char *take_members(struct growth *growth, const char *at, unsigned depth,
                                struct tree *tree)
{
    char close = tree->kind == TREE_OBJECT ? '}' : ']';
    const struct tree **link = &tree->first;
    at = skip_space(at, growth->end);
    if (at < growth->end && *at == close) {
        return at + 1;
    }
    for (;;) {
        struct tree *member = arena_alloc(growth->arena, sizeof(*member));
        *link = member;
        link = &member->next;
        tree->count++;
        at = skip_space(at, growth->end);
        if (tree->kind == TREE_OBJECT) {
            at = take_name(growth, at, tree, member);
        }
        at = at == NULL ? NULL : grow(growth, at, depth, member);
        if (at == NULL) {
            return NULL;
        }
        at = skip_space(at, growth->end);
        if (at == growth->end || (*at != ',' && *at != close)) {
            return refuse(growth, at, "a comma or the closing bracket was expected");
        }
        if (*at++ == close) {
            return at;
        }
    }
}

static const char *grow(struct growth *growth, const char *at, unsigned depth, struct tree *tree)
{
    struct scan_failure failure;
    at = skip_space(at, growth->end);
    tree->line = line_at(growth, at);
    const char *from = at;
    char first = at < growth->end ? *at : '\0';
    if (first == '{' || first == '[') {
        tree->kind = first == '{' ? TREE_OBJECT : TREE_ARRAY;
        if (depth == 0) {
            return refuse(growth, at, "it is nested too deep");
        }
        at = take_members(growth, at + 1, depth - 1, tree);
    } else if (first == '"') {
        tree->kind = TREE_STRING;
        at = take_text(growth, at, &tree->text);
    } else {
        at = scan_value(at, growth->end, 1, &failure);
        if (at == NULL) {
            return refuse_scan(growth, &failure);
        }
        tree->kind = first == 'n'                   ? TREE_NULL
                     : first == 't' || first == 'f' ? TREE_BOOLEAN
                                                    : TREE_NUMBER;
        tree->truth = first == 't';
    }
    if (at == NULL) {
        return NULL;
    }
    tree->whole = (struct bytes){from, (size_t)(at - from)};
    if (tree->kind != TREE_STRING) {
        tree->text = tree->whole;
    }
    return at;
}

enum verdict tree_parse(struct arena *arena, struct bytes text, const struct tree **root,
                        struct error *error)
{
    struct growth growth = {.arena = arena,
                            .error = error,
                            .begin = text.data,
                            .end = text.data + text.len,
                            .counted = text.data,
                            .line = 1};
    struct tree *tree = arena_alloc(arena, sizeof(*tree));
    output_init(&growth.scratch);
    const char *at = grow(&growth, text.data, TREE_DEPTH_MAX, tree);
    if (at != NULL) {
        at = skip_space(at, growth.end);
        if (at != growth.end) {
            at = refuse(&growth, at, "something stands behind its end");
        }
    }
    output_release(&growth.scratch);
    *root = tree;
    return at == NULL ? INVALID : OK;
}

const struct tree *tree_member(const struct tree *tree, struct bytes name)
{
    if (!tree_is_kind(tree, TREE_OBJECT)) {
        return NULL;
    }
    for (const struct tree *member = tree->first; member != NULL; member = member->next) {
        if (bytes_equal(member->name, name)) {
            return member;
        }
    }
    return NULL;
}
