/* SPDX-License-Identifier: Apache-2.0
 *
 * Is every payload that the writer's schema allows one that the reader's schema allows? In the
 * words of Confluent's registry, where it has them. What cannot be decided from the two texts is
 * said, and left to the author. */
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "jsonschema/compare.h"

static const struct tree anything = {.kind = TREE_BOOLEAN, .truth = true};

void compare_note(const struct json_comparison *comparison, enum change change,
                  const struct tree *at, const char *detail)
{
    differences_add(comparison->out, change, comparison->in_writer, (int32_t)at->line,
                    comparison->subject, "%s", detail);
}

size_t compare_inside(struct json_comparison *comparison, struct bytes name, const char *brackets)
{
    size_t len = strlen(comparison->subject);
    snprintf(comparison->subject + len, sizeof(comparison->subject) - len, "%s%.*s%s",
             len > 0 && name.len > 0 ? "." : "", (int)name.len, name.len == 0 ? "" : name.data,
             brackets);
    return len;
}

/* --- values ----------------------------------------------------------------------------------- */

static double number_of(const struct tree *tree)
{
    char text[64];
    snprintf(text, sizeof(text), "%.*s", (int)tree->text.len, tree->text.data);
    return strtod(text, NULL);
}

bool compare_equal(const struct tree *a, const struct tree *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (a->kind != b->kind || a->count != b->count) {
        return false;
    }
    if (a->kind == TREE_NUMBER) {
        return number_of(a) == number_of(b);
    }
    if (a->kind != TREE_ARRAY && a->kind != TREE_OBJECT) {
        return bytes_equal(a->text, b->text);
    }
    const struct tree *other = b->first;
    for (const struct tree *member = a->first; member != NULL; member = member->next) {
        other = a->kind == TREE_OBJECT ? tree_member(b, member->name) : other;
        if (!compare_equal(member, other)) {
            return false;
        }
        other = other->next;
    }
    return true;
}

static bool holds(const struct tree *list, const struct tree *value)
{
    for (const struct tree *item = list->first; item != NULL; item = item->next) {
        if (compare_equal(item, value)) {
            return true;
        }
    }
    return false;
}

/* --- types ------------------------------------------------------------------------------------ */

static const char *const type_names[] = {"null",   "boolean", "integer", "number",
                                         "string", "array",   "object"};
enum { INTEGER = 1 << 2, NUMBER = 1 << 3, ALL_TYPES = (1 << 7) - 1 };

static unsigned type_bit(const struct tree *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(type_names); i++) {
        if (tree_is(name, type_names[i])) {
            return i == 3 ? NUMBER | INTEGER : 1U << i;
        }
    }
    return 0;
}

static unsigned types_of(const struct tree *schema)
{
    const struct tree *type = tree_get(schema, "type");
    unsigned types = 0;
    if (type == NULL) {
        return ALL_TYPES;
    }
    if (type->kind == TREE_STRING) {
        return type_bit(type);
    }
    for (const struct tree *name = type->first; name != NULL; name = name->next) {
        types |= type_bit(name);
    }
    return types;
}

static void compare_types(const struct json_comparison *comparison, const struct tree *writer,
                          const struct tree *reader)
{
    unsigned lost = types_of(writer) & ~types_of(reader);
    char detail[96];
    size_t len = 0;
    for (unsigned i = 0; i < ARRAY_LEN(type_names) && len < sizeof(detail); i++) {
        if ((lost >> i & 1) != 0 && tree_get(writer, "type") != NULL) {
            len += (size_t)snprintf(detail + len, sizeof(detail) - len, "%s%s", len > 0 ? ", " : "",
                                    type_names[i]);
        }
    }
    if (lost != 0) {
        detail[len < sizeof(detail) ? len : sizeof(detail) - 1] = '\0';
        compare_note(comparison, JSON_TYPE_NARROWED, tree_get(reader, "type"), detail);
    }
}

static bool value_is_listed(const struct tree *schema, const struct tree *value)
{
    const struct tree *list = tree_get(schema, "enum");
    const struct tree *only = tree_get(schema, "const");
    return (list == NULL || holds(list, value)) && (only == NULL || compare_equal(only, value));
}

static void compare_values(const struct json_comparison *comparison, const struct tree *writer,
                           const struct tree *reader)
{
    const struct tree *list = tree_get(writer, "enum");
    const struct tree *only = tree_get(writer, "const");
    const struct tree *wanted = tree_get(reader, "enum");
    wanted = wanted == NULL ? tree_get(reader, "const") : wanted;
    if (wanted == NULL) {
        return;
    }
    if (list == NULL && only == NULL) {
        compare_note(comparison, JSON_ENUM_ADDED, wanted, "");
        return;
    }
    for (const struct tree *value = only == NULL ? list->first : only; value != NULL;
         value = only == NULL ? value->next : NULL) {
        if (!value_is_listed(reader, value)) {
            char detail[96];
            snprintf(detail, sizeof(detail), "%.*s", (int)value->whole.len, value->whole.data);
            compare_note(comparison, JSON_ENUM_NARROWED, wanted, detail);
        }
    }
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void say_bound(const struct json_comparison *comparison, const struct tree *written,
                      const struct tree *wanted, enum change added, enum change tightened)
{
    char detail[96];
    if (written == NULL) {
        snprintf(detail, sizeof(detail), "%.*s", (int)wanted->text.len, wanted->text.data);
    } else {
        snprintf(detail, sizeof(detail), "%.*s became %.*s", (int)written->text.len,
                 written->text.data, (int)wanted->text.len, wanted->text.data);
    }
    compare_note(comparison, written == NULL ? added : tightened, wanted, detail);
}

/* The stricter one of a bound and its exclusive kin; NULL: there is none. */
static const struct tree *bound_of(const struct tree *schema, const char *name, const char *open,
                                   bool upper, bool *exclusive)
{
    const struct tree *closed_bound = tree_get(schema, name);
    const struct tree *open_bound = open == NULL ? NULL : tree_get(schema, open);
    if (closed_bound == NULL || open_bound == NULL) {
        *exclusive = open_bound != NULL;
        return open_bound != NULL ? open_bound : closed_bound;
    }
    double closed_at = number_of(closed_bound);
    double open_at = number_of(open_bound);
    *exclusive = upper ? open_at <= closed_at : open_at >= closed_at;
    return *exclusive ? open_bound : closed_bound;
}

static void compare_bound(const struct json_comparison *comparison, const struct tree *writer,
                          const struct tree *reader, const struct json_bound *bound)
{
    bool written_open = false;
    bool wanted_open = false;
    const struct tree *written =
        bound_of(writer, bound->name, bound->open, bound->upper, &written_open);
    const struct tree *wanted =
        bound_of(reader, bound->name, bound->open, bound->upper, &wanted_open);
    if (wanted == NULL) {
        return;
    }
    bool zero = !bound->upper && bound->open == NULL && number_of(wanted) == 0;
    double difference = written == NULL ? 0 : number_of(wanted) - number_of(written);
    bool tighter = bound->upper ? difference < 0 : difference > 0;
    if ((written == NULL && !zero) || tighter ||
        (written != NULL && difference == 0 && wanted_open && !written_open)) {
        say_bound(comparison, written, wanted, bound->added, bound->tightened);
    }
}

static const struct json_bound bounds[] = {
    {"minimum", "exclusiveMinimum", false, JSON_MINIMUM_ADDED, JSON_MINIMUM_INCREASED},
    {"maximum", "exclusiveMaximum", true, JSON_MAXIMUM_ADDED, JSON_MAXIMUM_DECREASED},
    {"minLength", NULL, false, JSON_MIN_LENGTH_ADDED, JSON_MIN_LENGTH_INCREASED},
    {"maxLength", NULL, true, JSON_MAX_LENGTH_ADDED, JSON_MAX_LENGTH_DECREASED},
    {"minItems", NULL, false, JSON_MIN_ITEMS_ADDED, JSON_MIN_ITEMS_INCREASED},
    {"maxItems", NULL, true, JSON_MAX_ITEMS_ADDED, JSON_MAX_ITEMS_DECREASED},
    {"minProperties", NULL, false, JSON_MIN_PROPERTIES_ADDED, JSON_MIN_PROPERTIES_INCREASED},
    {"maxProperties", NULL, true, JSON_MAX_PROPERTIES_ADDED, JSON_MAX_PROPERTIES_DECREASED},
};

static void compare_text_rules(const struct json_comparison *comparison, const struct tree *writer,
                               const struct tree *reader)
{
    static const struct {
        const char *name;
        enum change change;
    } rules[] = {{"pattern", JSON_PATTERN_CHANGED}, {"format", JSON_FORMAT_CHANGED}};
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct tree *wanted = tree_get(reader, rules[i].name);
        if (wanted != NULL && !compare_equal(tree_get(writer, rules[i].name), wanted)) {
            compare_note(comparison, rules[i].change, wanted, "");
        }
    }
}

static void compare_divisors(const struct json_comparison *comparison, const struct tree *writer,
                             const struct tree *reader)
{
    const struct tree *wanted = tree_get(reader, "multipleOf");
    const struct tree *written = tree_get(writer, "multipleOf");
    if (wanted == NULL) {
        return;
    }
    double quotient = written == NULL ? 0.5 : number_of(written) / number_of(wanted);
    if (fabs(quotient - round(quotient)) > 1e-9) {
        say_bound(comparison, written, wanted, JSON_MULTIPLE_OF_ADDED, JSON_MULTIPLE_OF_CHANGED);
    }
}

static void compare_unique(const struct json_comparison *comparison, const struct tree *writer,
                           const struct tree *reader)
{
    const struct tree *wanted = tree_get(reader, "uniqueItems");
    const struct tree *written = tree_get(writer, "uniqueItems");
    if (wanted != NULL && wanted->truth && (written == NULL || !written->truth)) {
        compare_note(comparison, JSON_UNIQUE_ITEMS_ADDED, wanted, "");
    }
}

/* What the schemas say of a single value, whatever its type. */
static void compare_leaves(const struct json_comparison *comparison, const struct tree *writer,
                           const struct tree *reader)
{
    compare_types(comparison, writer, reader);
    compare_values(comparison, writer, reader);
    /* Values that are listed one by one have been looked at. */
    if (tree_get(writer, "enum") != NULL || tree_get(writer, "const") != NULL) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        compare_bound(comparison, writer, reader, &bounds[i]);
    }
    compare_text_rules(comparison, writer, reader);
    compare_divisors(comparison, writer, reader);
    compare_unique(comparison, writer, reader);
}

/* --- a schema --------------------------------------------------------------------------------- */

static const struct tree *resolve(const struct tree *root, const struct tree *schema)
{
    const struct tree *reference;
    while ((reference = tree_get(schema, "$ref")) != NULL) {
        schema = json_schema_target(root, reference->text);
    }
    return schema;
}

static bool is_known(struct json_comparison *comparison, const struct tree *writer,
                     const struct tree *reader)
{
    for (size_t i = 0; i < comparison->n_pairs; i++) {
        if (comparison->pairs[i].writer == writer && comparison->pairs[i].reader == reader) {
            return true;
        }
    }
    size_t n = comparison->n_pairs + 1;
    comparison->pairs = must_realloc(comparison->pairs, n * sizeof(*comparison->pairs));
    comparison->pairs[comparison->n_pairs++] = (struct json_pair){writer, reader};
    return false;
}

bool compare_matches(const struct json_comparison *comparison, const struct tree *writer,
                     const struct tree *reader)
{
    struct differences quiet = {0};
    struct json_comparison inner = *comparison;
    inner.out = &quiet;
    inner.pairs = must_malloc((comparison->n_pairs + 1) * sizeof(*inner.pairs));
    for (size_t i = 0; i < comparison->n_pairs; i++) {
        inner.pairs[i] = comparison->pairs[i];
    }
    compare_schemas(&inner, writer, reader);
    bool fine = differences_judgment(&quiet) != JUDGED_BROKEN;
    differences_release(&quiet);
    free(inner.pairs);
    return fine;
}

void compare_schemas(struct json_comparison *comparison, const struct tree *writer,
                     const struct tree *reader)
{
    writer = resolve(comparison->writer_root, writer == NULL ? &anything : writer);
    reader = resolve(comparison->reader_root, reader == NULL ? &anything : reader);
    if (is_known(comparison, writer, reader)) {
        return;
    }
    if (reader->kind == TREE_BOOLEAN) {
        if (!reader->truth && (writer->kind != TREE_BOOLEAN || writer->truth)) {
            compare_note(comparison, JSON_TYPE_NARROWED, reader, "nothing is allowed");
        }
        return;
    }
    if (writer->kind == TREE_BOOLEAN && !writer->truth) {
        return; /* there are no such payloads */
    }
    if (!compare_combined(comparison, writer, reader)) {
        return;
    }
    compare_leaves(comparison, writer, reader);
    compare_objects(comparison, writer, reader);
    compare_arrays(comparison, writer, reader);
    compare_unjudged(comparison, writer, reader);
}

void json_schema_compare(const struct json_schema *writer, const struct json_schema *reader,
                         struct differences *differences)
{
    struct json_comparison comparison = {
        .out = differences,
        .writer_root = json_schema_root(writer),
        .reader_root = json_schema_root(reader),
    };
    compare_schemas(&comparison, comparison.writer_root, comparison.reader_root);
    free(comparison.pairs);
}
