/* SPDX-License-Identifier: Apache-2.0
 *
 * Avro's own rules for a reader's schema and a writer's: what the specification calls schema
 * resolution. Types match by their names without the namespace, or by an alias of the reader. */
#include <stdio.h>
#include <stdlib.h>

#include "avro/plan.h"
#include "base/check.h"

struct pair {
    const struct plan *writer;
    const struct plan *reader;
};

struct comparison {
    struct differences *out;
    struct pair *pairs; /* that are being compared, or were */
    size_t n_pairs;
    char subject[160];
};

static void compare(struct comparison *comparison, const struct plan *writer,
                    const struct plan *reader, uint32_t line);

/* Comes with a line of the reader's file. */
static void note(const struct comparison *comparison, enum change change, uint32_t line,
                 const char *detail)
{
    differences_add(comparison->out, change, false, (int32_t)line, comparison->subject, "%s",
                    detail);
}

static void note_change(const struct comparison *comparison, enum change change, uint32_t line,
                        const char *before, const char *after)
{
    differences_add(comparison->out, change, false, (int32_t)line, comparison->subject,
                    "%s became %s", before, after);
}

/* --- names ------------------------------------------------------------------------------------ */

static const char *local_of(struct bytes name, size_t *len)
{
    const char *dot = memrchr(name.data, '.', name.len);
    const char *local = dot == NULL ? name.data : dot + 1;
    *len = (size_t)(name.data + name.len - local);
    return local;
}

static bool alias_is(const struct tree *aliases, struct bytes name)
{
    const struct tree *alias = aliases == NULL ? NULL : aliases->first;
    for (; alias != NULL; alias = alias->next) {
        size_t len;
        const char *local = alias->kind != TREE_STRING ? NULL : local_of(alias->text, &len);
        if (local != NULL && bytes_equal((struct bytes){local, len}, name)) {
            return true;
        }
    }
    return false;
}

static bool names_match(const struct plan *writer, const struct plan *reader)
{
    return strcmp(writer->local, reader->local) == 0 ||
           alias_is(reader->aliases, bytes_of(writer->local));
}

/* The writer's field of the reader's: by name, else by an alias of the reader's. */
static const struct plan_field *writers_field(const struct plan *writer,
                                              const struct plan_field *field)
{
    uint32_t i = name_table_find(&writer->names, field->name);
    if (i != NAME_NOT_FOUND) {
        return &writer->fields[i];
    }
    for (i = 0; i < writer->count; i++) {
        if (alias_is(field->aliases, writer->fields[i].name)) {
            return &writer->fields[i];
        }
    }
    return NULL;
}

/* --- one kind after the other ----------------------------------------------------------------- */

static bool is_promoted(enum plan_kind from, enum plan_kind to)
{
    switch (from) {
    case PLAN_INT: return to == PLAN_LONG || to == PLAN_FLOAT || to == PLAN_DOUBLE;
    case PLAN_LONG: return to == PLAN_FLOAT || to == PLAN_DOUBLE;
    case PLAN_FLOAT: return to == PLAN_DOUBLE;
    case PLAN_STRING: return to == PLAN_BYTES;
    case PLAN_BYTES: return to == PLAN_STRING;
    default: return false;
    }
}

static void compare_enums(const struct comparison *comparison, const struct plan *writer,
                          const struct plan *reader)
{
    char missing[96];
    size_t len = 0;
    for (uint32_t i = 0; i < writer->count && len < sizeof(missing); i++) {
        if (name_table_find(&reader->names, writer->symbols[i]) == NAME_NOT_FOUND) {
            len += (size_t)snprintf(missing + len, sizeof(missing) - len, "%s%.*s",
                                    len == 0 ? "" : ", ", (int)writer->symbols[i].len,
                                    writer->symbols[i].data);
        }
    }
    if (len > 0) {
        note(comparison, reader->fallback == NULL ? MISSING_ENUM_SYMBOLS : ENUM_SYMBOLS_DEFAULTED,
             reader->line, missing);
    }
}

/* The subject gets longer by a name, and is cut again by inside_end. */
static size_t inside_begin(struct comparison *comparison, struct bytes name, const char *brackets)
{
    size_t len = strlen(comparison->subject);
    snprintf(comparison->subject + len, sizeof(comparison->subject) - len, "%s%.*s%s",
             len > 0 && name.len > 0 ? "." : "", (int)name.len, name.len == 0 ? "" : name.data,
             brackets);
    return len;
}

static void compare_records(struct comparison *comparison, const struct plan *writer,
                            const struct plan *reader)
{
    for (uint32_t i = 0; i < reader->count; i++) {
        const struct plan_field *field = &reader->fields[i];
        const struct plan_field *written = writers_field(writer, field);
        size_t outer = inside_begin(comparison, field->name, "");
        if (written != NULL) {
            compare(comparison, written->plan, field->plan, field->line);
        } else if (field->fallback == NULL) {
            note(comparison, READER_FIELD_MISSING_DEFAULT_VALUE, field->line, "");
        }
        comparison->subject[outer] = '\0';
    }
}

/* Does it match, without a word? */
static bool matches(const struct comparison *comparison, const struct plan *writer,
                    const struct plan *reader)
{
    struct differences quiet = {0};
    struct comparison inner = *comparison;
    inner.out = &quiet;
    inner.pairs = must_malloc((comparison->n_pairs + 1) * sizeof(*inner.pairs));
    for (size_t i = 0; i < comparison->n_pairs; i++) {
        inner.pairs[i] = comparison->pairs[i];
    }
    compare(&inner, writer, reader, 0);
    bool fine = differences_judgment(&quiet) != JUDGED_BROKEN;
    differences_release(&quiet);
    free(inner.pairs);
    return fine;
}

static void compare_to_union(struct comparison *comparison, const struct plan *writer,
                             const struct plan *reader, uint32_t line)
{
    for (uint32_t i = 0; i < reader->count; i++) {
        if (matches(comparison, writer, reader->inner[i])) {
            return;
        }
    }
    note(comparison, MISSING_UNION_BRANCH, line, writer->name);
}

static void compare_same(struct comparison *comparison, const struct plan *writer,
                         const struct plan *reader)
{
    if ((reader->kind == PLAN_RECORD || reader->kind == PLAN_ENUM || reader->kind == PLAN_FIXED) &&
        !names_match(writer, reader)) {
        note_change(comparison, NAME_MISMATCH, reader->line, writer->name, reader->name);
        return;
    }
    switch (reader->kind) {
    case PLAN_RECORD: compare_records(comparison, writer, reader); return;
    case PLAN_ENUM: compare_enums(comparison, writer, reader); return;
    case PLAN_FIXED:
        if (writer->size != reader->size) {
            note(comparison, FIXED_SIZE_MISMATCH, reader->line, "");
        }
        return;
    case PLAN_ARRAY:
    case PLAN_MAP: {
        size_t outer = inside_begin(comparison, BYTES_NULL, "[]");
        compare(comparison, writer->inner[0], reader->inner[0], reader->line);
        comparison->subject[outer] = '\0';
        return;
    }
    default: return;
    }
}

/* Was the pair met already? A type that holds itself would never end. */
static bool is_known(struct comparison *comparison, const struct plan *writer,
                     const struct plan *reader)
{
    for (size_t i = 0; i < comparison->n_pairs; i++) {
        if (comparison->pairs[i].writer == writer && comparison->pairs[i].reader == reader) {
            return true;
        }
    }
    size_t n = comparison->n_pairs + 1;
    comparison->pairs = must_realloc(comparison->pairs, n * sizeof(*comparison->pairs));
    comparison->pairs[comparison->n_pairs++] = (struct pair){writer, reader};
    return false;
}

static void compare(struct comparison *comparison, const struct plan *writer,
                    const struct plan *reader, uint32_t line)
{
    if (is_known(comparison, writer, reader)) {
        return;
    }
    if (writer->kind == PLAN_UNION) {
        for (uint32_t i = 0; i < writer->count; i++) {
            if (reader->kind == PLAN_UNION) {
                compare_to_union(comparison, writer->inner[i], reader, line);
            } else {
                compare(comparison, writer->inner[i], reader, line);
            }
        }
    } else if (reader->kind == PLAN_UNION) {
        compare_to_union(comparison, writer, reader, line);
    } else if (writer->kind == reader->kind) {
        compare_same(comparison, writer, reader);
    } else if (!is_promoted(writer->kind, reader->kind)) {
        note_change(comparison, TYPE_MISMATCH, line, writer->name, reader->name);
    }
}

void avro_compare(const struct avro_contract *writer, const struct avro_contract *reader,
                  struct differences *differences)
{
    struct comparison comparison = {.out = differences};
    snprintf(comparison.subject, sizeof(comparison.subject), "%s", reader->root->local);
    compare(&comparison, writer->root, reader->root, reader->root->line);
    free(comparison.pairs);
}
