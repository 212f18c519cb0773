/* SPDX-License-Identifier: Apache-2.0
 *
 * tree.h - a JSON text as a tree, for contracts that are JSON themselves.
 * In -> out: text -> values with their members, and the line of each.
 * Owns: nothing: values live in the arena, and look into the text.
 * Thread: built by one; then read-only.
 * Keeps: the text is strict JSON in UTF-8, no name stands twice in an object, and nothing is nested
 *        deeper than TREE_DEPTH_MAX. */
#ifndef WALPOST_CONTRACT_TREE_H
#define WALPOST_CONTRACT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "contract/arena.h"

enum { TREE_DEPTH_MAX = 100 };

enum tree_kind {
    TREE_NULL,
    TREE_BOOLEAN,
    TREE_NUMBER,
    TREE_STRING,
    TREE_ARRAY,
    TREE_OBJECT,
};

struct tree {
    enum tree_kind kind;
    bool truth;         /* of a boolean */
    uint32_t line;      /* from 1 */
    struct bytes name;  /* of a member; NULL: it is none */
    struct bytes text;  /* what a string means; of anything else as it stands */
    struct bytes whole; /* as it stands */
    const struct tree *first;
    const struct tree *next;
    uint32_t count; /* of elements or members */
};

/* INVALID, with the line, otherwise. The text must stay. */
enum verdict MUST_CHECK tree_parse(struct arena *arena, struct bytes text, const struct tree **root,
                                   struct error *error);

/* NULL: there is none, or it is no object (tree may be NULL). */
const struct tree *tree_member(const struct tree *tree, struct bytes name);
static inline const struct tree *tree_get(const struct tree *tree, const char *name)
{
    return tree_member(tree, bytes_of(name));
}

/* Is it this very string? tree may be NULL. */
static inline bool tree_is(const struct tree *tree, const char *text)
{
    return tree != NULL && tree->kind == TREE_STRING && bytes_equal(tree->text, bytes_of(text));
}

static inline bool tree_is_kind(const struct tree *tree, enum tree_kind kind)
{
    return tree != NULL && tree->kind == kind;
}

#endif
