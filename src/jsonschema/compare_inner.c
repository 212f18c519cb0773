/* SPDX-License-Identifier: Apache-2.0
 *
 * What is inside of what is compared: members, elements, and schemas made of others. */
#include "base/macros.h"
#include "jsonschema/compare.h"

/* --- objects ---------------------------------------------------------------------------------- */

static bool is_false(const struct tree *schema)
{
    return tree_is_kind(schema, TREE_BOOLEAN) && !schema->truth;
}

/* Does it allow everything, as an open content model's does? */
static bool is_anything(const struct tree *schema)
{
    return schema == NULL || (schema->kind == TREE_BOOLEAN && schema->truth) ||
           (schema->kind == TREE_OBJECT && schema->count == 0);
}

static void compare_required(struct json_comparison *comparison, const struct tree *writer,
                             const struct tree *reader)
{
    const struct tree *wanted = tree_get(reader, "required");
    const struct tree *written = tree_get(writer, "required");
    for (const struct tree *name = wanted == NULL ? NULL : wanted->first; name != NULL;
         name = name->next) {
        bool before = false;
        for (const struct tree *other = written == NULL ? NULL : written->first; other != NULL;
             other = other->next) {
            before = before || bytes_equal(other->text, name->text);
        }
        if (!before) {
            size_t outer = compare_inside(comparison, name->text, "");
            compare_note(comparison, JSON_REQUIRED_PROPERTY_ADDED, name, "");
            comparison->subject[outer] = '\0';
        }
    }
}

/* A property that only the reader knows. */
static void compare_added(struct json_comparison *comparison, const struct tree *others,
                          const struct tree *added)
{
    if (is_false(others) || is_anything(added)) {
        return;
    }
    if (is_anything(others)) {
        compare_note(comparison, JSON_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL, added, "");
    } else {
        compare_schemas(comparison, others, added);
    }
}

/* A property that only the writer knows. */
static void compare_removed(struct json_comparison *comparison, const struct tree *removed,
                            const struct tree *others)
{
    if (is_false(others)) {
        comparison->in_writer = true;
        compare_note(comparison, JSON_PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL, removed, "");
        comparison->in_writer = false;
    } else if (!is_anything(others)) {
        compare_schemas(comparison, removed, others);
    }
}

void compare_objects(struct json_comparison *comparison, const struct tree *writer,
                     const struct tree *reader)
{
    const struct tree *wanted = tree_get(reader, "properties");
    const struct tree *written = tree_get(writer, "properties");
    const struct tree *wanted_others = tree_get(reader, "additionalProperties");
    const struct tree *written_others = tree_get(writer, "additionalProperties");
    bool patterns = tree_get(reader, "patternProperties") != NULL;
    compare_required(comparison, writer, reader);
    for (const struct tree *property = wanted == NULL ? NULL : wanted->first; property != NULL;
         property = property->next) {
        const struct tree *other = tree_member(written, property->name);
        size_t outer = compare_inside(comparison, property->name, "");
        if (other != NULL) {
            compare_schemas(comparison, other, property);
        } else {
            compare_added(comparison, written_others, property);
        }
        comparison->subject[outer] = '\0';
    }
    for (const struct tree *property = written == NULL ? NULL : written->first;
         property != NULL && !patterns; property = property->next) {
        if (tree_member(wanted, property->name) == NULL) {
            size_t outer = compare_inside(comparison, property->name, "");
            compare_removed(comparison, property, wanted_others);
            comparison->subject[outer] = '\0';
        }
    }
    if (is_false(wanted_others) && !is_false(written_others)) {
        compare_note(comparison, JSON_ADDITIONAL_PROPERTIES_REMOVED, wanted_others, "");
    } else if (!is_anything(wanted_others) && !is_false(written_others)) {
        size_t outer = compare_inside(comparison, BYTES_NULL, "[*]");
        compare_schemas(comparison, written_others, wanted_others);
        comparison->subject[outer] = '\0';
    }
}

void compare_arrays(struct json_comparison *comparison, const struct tree *writer,
                    const struct tree *reader)
{
    const struct tree *wanted = tree_get(reader, "items");
    const struct tree *written = tree_get(writer, "items");
    /* Lists of items are compared as a whole. */
    if (wanted == NULL || wanted->kind == TREE_ARRAY || tree_is_kind(written, TREE_ARRAY)) {
        return;
    }
    size_t outer = compare_inside(comparison, BYTES_NULL, "[]");
    compare_schemas(comparison, written, wanted);
    comparison->subject[outer] = '\0';
}

/* --- schemas made of others ------------------------------------------------------------------- */

static const struct tree *choice_of(const struct tree *schema)
{
    const struct tree *any = tree_get(schema, "anyOf");
    return any == NULL ? tree_get(schema, "oneOf") : any;
}

static bool one_matches(const struct json_comparison *comparison, const struct tree *writer,
                        const struct tree *choice)
{
    for (const struct tree *branch = choice->first; branch != NULL; branch = branch->next) {
        if (compare_matches(comparison, writer, branch)) {
            return true;
        }
    }
    return false;
}

/* Every branch of the writer's must be taken by one of the reader's. */
static void compare_choices(struct json_comparison *comparison, const struct tree *written,
                            const struct tree *writer, const struct tree *wanted)
{
    if (written == NULL) {
        if (!one_matches(comparison, writer, wanted)) {
            compare_note(comparison, JSON_COMBINED_TYPE_CHANGED, wanted, "");
        }
        return;
    }
    unsigned i = 0;
    for (const struct tree *branch = written->first; branch != NULL; branch = branch->next, i++) {
        if (!one_matches(comparison, branch, wanted)) {
            char detail[32];
            snprintf(detail, sizeof(detail), "branch %u", i);
            compare_note(comparison, JSON_COMBINED_TYPE_SUBSCHEMAS_CHANGED, wanted, detail);
        }
    }
}

static bool any_part_matches(const struct json_comparison *comparison, const struct tree *all,
                             const struct tree *reader)
{
    for (const struct tree *part = all == NULL ? NULL : all->first; part != NULL;
         part = part->next) {
        if (compare_matches(comparison, part, reader)) {
            return true;
        }
    }
    return false;
}

bool compare_combined(struct json_comparison *comparison, const struct tree *writer,
                      const struct tree *reader)
{
    const struct tree *written = choice_of(writer);
    const struct tree *wanted = choice_of(reader);
    const struct tree *parts = tree_get(reader, "allOf");
    const struct tree *written_parts = tree_get(writer, "allOf");
    if (wanted != NULL && !compare_equal(written, wanted)) {
        compare_choices(comparison, written, writer, wanted);
    }
    for (const struct tree *part =
             parts == NULL || compare_equal(parts, written_parts) ? NULL : parts->first;
         part != NULL; part = part->next) {
        if (!any_part_matches(comparison, written_parts, part)) {
            compare_schemas(comparison, writer, part);
        }
    }
    if (parts == NULL && any_part_matches(comparison, written_parts, reader)) {
        return false;
    }
    if (written == NULL || wanted != NULL || tree_get(writer, "type") != NULL) {
        return true;
    }
    /* The reader has one schema for all branches. */
    for (const struct tree *branch = written->first; branch != NULL; branch = branch->next) {
        compare_schemas(comparison, branch, reader);
    }
    return false;
}

void compare_unjudged(struct json_comparison *comparison, const struct tree *writer,
                      const struct tree *reader)
{
    static const char *const keywords[] = {
        "not",
        "if",
        "then",
        "else",
        "contains",
        "additionalItems",
        "dependencies",
        "propertyNames",
        "patternProperties",
    };
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        const struct tree *wanted = tree_get(reader, keywords[i]);
        if (wanted != NULL && !compare_equal(tree_get(writer, keywords[i]), wanted)) {
            compare_note(comparison, JSON_NOT_JUDGED, wanted, keywords[i]);
        }
    }
    const struct tree *items = tree_get(reader, "items");
    const struct tree *written = tree_get(writer, "items");
    if ((tree_is_kind(items, TREE_ARRAY) || (items != NULL && tree_is_kind(written, TREE_ARRAY))) &&
        !compare_equal(items, written)) {
        compare_note(comparison, JSON_NOT_JUDGED, items, "items, as a list");
    }
}
