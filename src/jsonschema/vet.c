/* SPDX-License-Identifier: Apache-2.0
 *
 * Before a schema is compiled: what is not judged here must not be taken for judged, and no check
 * may go round in a circle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/macros.h"
#include "jsonschema/json_schema.h"

/* Keywords of other drafts that say something about payloads. */
static const char *const foreign[] = {
    "unevaluatedProperties", "unevaluatedItems", "dependentSchemas", "dependentRequired",
    "prefixItems",           "minContains",      "maxContains",      "$dynamicRef",
    "$recursiveRef",         "$anchor",          "extends",          "disallow",
    "divisibleBy",
};

enum holder { HOLDS_SCHEMA, HOLDS_LIST, HOLDS_MEMBERS };

static const struct applicator {
    const char *name;
    enum holder holder;
    bool in_place; /* to the same value, not to one inside */
} applicators[] = {
    {"allOf", HOLDS_LIST, true},
    {"anyOf", HOLDS_LIST, true},
    {"oneOf", HOLDS_LIST, true},
    {"not", HOLDS_SCHEMA, true},
    {"if", HOLDS_SCHEMA, true},
    {"then", HOLDS_SCHEMA, true},
    {"else", HOLDS_SCHEMA, true},
    {"dependencies", HOLDS_MEMBERS, true},
    {"items", HOLDS_SCHEMA, false},
    {"additionalItems", HOLDS_SCHEMA, false},
    {"contains", HOLDS_SCHEMA, false},
    {"additionalProperties", HOLDS_SCHEMA, false},
    {"propertyNames", HOLDS_SCHEMA, false},
    {"properties", HOLDS_MEMBERS, false},
    {"patternProperties", HOLDS_MEMBERS, false},
    {"definitions", HOLDS_MEMBERS, false},
    {"$defs", HOLDS_MEMBERS, false},
};

struct visit {
    const struct tree *schema;
    enum { NEW, OPEN, DONE } state; /* of the search for circles */
};

struct vet {
    const struct tree *root;
    struct visit *visits; /* every schema that was met, once */
    size_t n;
    struct error *error;
};

/* --- references ------------------------------------------------------------------------------- */

/* "a~1b" is a/b, "a~0b" is a~b. */
static bool is_token(struct bytes name, const char *token, size_t len)
{
    size_t at = 0;
    for (size_t i = 0; i < len; i++, at++) {
        char letter = token[i];
        if (letter == '~' && i + 1 < len) {
            letter = token[++i] == '1' ? '/' : '~';
        }
        if (at >= name.len || name.data[at] != letter) {
            return false;
        }
    }
    return at == name.len;
}

static const struct tree *inside(const struct tree *at, const char *token, size_t len)
{
    size_t index = 0;
    if (tree_is_kind(at, TREE_ARRAY)) {
        char *end;
        unsigned long wanted = strtoul(token, &end, 10);
        if (end != token + len) {
            return NULL;
        }
        for (at = at->first; at != NULL && index < wanted; at = at->next) {
            index++;
        }
        return at;
    }
    if (!tree_is_kind(at, TREE_OBJECT)) {
        return NULL;
    }
    for (at = at->first; at != NULL && !is_token(at->name, token, len); at = at->next) {
    }
    return at;
}

const struct tree *json_schema_target(const struct tree *root, struct bytes reference)
{
    const char *at = reference.data;
    const char *end = at + reference.len;
    if (at == end || *at++ != '#') {
        return NULL;
    }
    while (root != NULL && at < end) {
        if (*at++ != '/') {
            return NULL;
        }
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *token_end = slash == NULL ? end : slash;
        root = inside(root, at, (size_t)(token_end - at));
        at = token_end;
    }
    return root;
}

static bool vet_schema(struct vet *vet, const struct tree *schema);

static bool vet_reference(struct vet *vet, const struct tree *reference)
{
    if (reference->kind != TREE_STRING) {
        error_set(vet->error, INVALID, "line %u: \"$ref\" must be a string", reference->line);
        return false;
    }
    struct bytes text = reference->text;
    if (text.len == 0 || text.data[0] != '#') {
        error_set(vet->error, INVALID, "line %u: \"$ref\" leads to another document, %.*s",
                  reference->line, (int)(text.len < 200 ? text.len : 200), text.data);
        error_remedy(vet->error,
                     "Nothing is fetched while events are checked: put the schema below "
                     "\"definitions\" of this file, and refer to #/definitions/NAME.");
        return false;
    }
    const struct tree *target = json_schema_target(vet->root, text);
    if (target == NULL) {
        error_set(vet->error, INVALID, "line %u: \"$ref\" leads nowhere: %.*s", reference->line,
                  (int)(text.len < 200 ? text.len : 200), text.data);
        error_remedy(vet->error, "Write #/definitions/NAME; names of \"$id\" and %% escapes are "
                                 "not followed.");
        return false;
    }
    return vet_schema(vet, target);
}

/* --- one schema, and those in it -------------------------------------------------------------- */

static bool vet_words(struct vet *vet, const struct tree *schema)
{
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        const struct tree *member = tree_get(schema, foreign[i]);
        if (member != NULL) {
            error_set(vet->error, INVALID, "line %u: \"%s\" is not of draft-07", member->line,
                      foreign[i]);
            error_remedy(vet->error, "It would not be judged. Say it in the words of draft-07.");
            return false;
        }
    }
    const struct tree *id = tree_get(schema, "$id");
    if (schema != vet->root && tree_is_kind(id, TREE_STRING) && id->text.len > 0 &&
        id->text.data[0] != '#') {
        error_set(vet->error, INVALID, "line %u: \"$id\" inside of a schema is not followed",
                  id->line);
        error_remedy(vet->error, "Leave it out: references are #/definitions/NAME.");
        return false;
    }
    return true;
}

static bool vet_members(struct vet *vet, const struct tree *holder, bool dependencies)
{
    for (const struct tree *member = holder->first; member != NULL; member = member->next) {
        bool names = dependencies && member->kind == TREE_ARRAY;
        if (!names && !vet_schema(vet, member)) {
            return false;
        }
    }
    return true;
}

static bool vet_applicator(struct vet *vet, const struct tree *holder,
                           const struct applicator *applicator)
{
    bool listed_items = strcmp(applicator->name, "items") == 0 && holder->kind == TREE_ARRAY;
    if (applicator->holder == HOLDS_SCHEMA && !listed_items) {
        return vet_schema(vet, holder);
    }
    bool members = applicator->holder == HOLDS_MEMBERS;
    if (holder->kind != (members ? TREE_OBJECT : TREE_ARRAY)) {
        error_set(vet->error, INVALID, "line %u: \"%s\" must be %s", holder->line, applicator->name,
                  members ? "an object" : "a list");
        return false;
    }
    return vet_members(vet, holder, strcmp(applicator->name, "dependencies") == 0);
}

static bool vet_schema(struct vet *vet, const struct tree *schema)
{
    for (size_t i = 0; i < vet->n; i++) {
        if (vet->visits[i].schema == schema) {
            return true;
        }
    }
    if (schema->kind == TREE_BOOLEAN) {
        return true;
    }
    if (schema->kind != TREE_OBJECT) {
        error_set(vet->error, INVALID, "line %u: a schema is an object, or true or false",
                  schema->line);
        return false;
    }
    vet->visits = must_realloc(vet->visits, (vet->n + 1) * sizeof(*vet->visits));
    vet->visits[vet->n++] = (struct visit){schema, NEW};
    if (!vet_words(vet, schema)) {
        return false;
    }
    const struct tree *reference = tree_get(schema, "$ref");
    if (reference != NULL && !vet_reference(vet, reference)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(applicators); i++) {
        const struct tree *holder = tree_get(schema, applicators[i].name);
        if (holder != NULL && !vet_applicator(vet, holder, &applicators[i])) {
            return false;
        }
    }
    return true;
}

/* --- circles ---------------------------------------------------------------------------------- */

static bool goes_round(struct vet *vet, const struct tree *schema);

static bool members_go_round(struct vet *vet, const struct tree *holder)
{
    for (const struct tree *member = holder->first; member != NULL; member = member->next) {
        if (goes_round(vet, member)) {
            return true;
        }
    }
    return false;
}

/* Does judging a value by this schema come back to it, with the same value? */
static bool goes_round(struct vet *vet, const struct tree *schema)
{
    size_t i = 0;
    while (i < vet->n && vet->visits[i].schema != schema) {
        i++;
    }
    if (i == vet->n || vet->visits[i].state == DONE) {
        return false;
    }
    if (vet->visits[i].state == OPEN) {
        error_set(vet->error, INVALID, "line %u: the schema leads back to itself", schema->line);
        error_remedy(vet->error, "A circle of \"$ref\", \"allOf\" and their like never ends; one "
                                 "through \"properties\" or \"items\" does.");
        return true;
    }
    vet->visits[i].state = OPEN;
    const struct tree *reference = tree_get(schema, "$ref");
    bool round = false;
    if (reference != NULL) {
        round = goes_round(vet, json_schema_target(vet->root, reference->text));
    }
    for (size_t k = 0; reference == NULL && !round && k < ARRAY_LEN(applicators); k++) {
        const struct tree *holder = tree_get(schema, applicators[k].name);
        if (holder != NULL && applicators[k].in_place) {
            round = applicators[k].holder == HOLDS_SCHEMA ? goes_round(vet, holder)
                                                          : members_go_round(vet, holder);
        }
    }
    vet->visits[i].state = DONE;
    return round;
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool vet_draft(const struct tree *root, struct error *error)
{
    static const char *const drafts[] = {"draft-04/", "draft-06/", "draft-07/"};
    const struct tree *draft = tree_get(root, "$schema");
    if (draft == NULL) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(drafts) && draft->kind == TREE_STRING; i++) {
        if (memmem(draft->text.data, draft->text.len, drafts[i], strlen(drafts[i])) != NULL) {
            return true;
        }
    }
    error_set(error, INVALID, "line %u: \"$schema\" names a draft that is not judged here",
              draft->line);
    error_remedy(error,
                 "Write the schema for draft-07: \"http://json-schema.org/draft-07/schema#\".");
    return false;
}

enum verdict json_schema_vet(const struct tree *root, struct error *error)
{
    struct vet vet = {.root = root, .error = error};
    bool fine = vet_draft(root, error) && vet_schema(&vet, root);
    for (size_t i = 0; fine && i < vet.n; i++) {
        fine = !goes_round(&vet, vet.visits[i].schema);
    }
    free(vet.visits);
    return fine ? OK : INVALID;
}
