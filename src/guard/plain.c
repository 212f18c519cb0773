/* SPDX-License-Identifier: Apache-2.0
 *
 * What a field nearly always looks like, as one expression: PL/pgSQL evaluates an expression much
 * faster than a statement, and a good event passes all of a message's at once. An expression that
 * is true is right; one that is not says nothing, and the statements decide. So what is rare (an
 * int32 in quotes, an enum's number) needs no place here, while null for an absent field does.
 *
 * Messages inside are never asked here: they would be asked again by the statements, and so on at
 * every level. */
#include "guard/writer.h"

#include <stdlib.h>

#include "base/check.h"

enum { NAMES_MAX = 64 };

static bool write_number(FILE *out, const struct field *field, const char *v)
{
    const struct range *range = range_of(field);
    const char *limit = field->type == TYPE_FLOAT ? FLOAT_LIMIT : DOUBLE_LIMIT;
    if (range == NULL) {
        fprintf(out, "(%s > '-%s' AND %s < '%s')", v, limit, v, limit);
        return true;
    }
    fprintf(out,
            "CASE pg_catalog.jsonb_typeof(%s) WHEN 'number' THEN %s >= '%s' AND %s <= '%s' "
            "AND %s::numeric %% 1 = 0",
            v, v, range->low, v, range->high, v);
    if (range->high[10] != '\0') { /* 64 bits stand in quotes */
        fprintf(out,
                " WHEN 'string' THEN pg_catalog.length(%s #>> '{}') BETWEEN 1 AND 18 AND "
                "pg_catalog.btrim(%s #>> '{}', '0123456789') = '' AND NOT "
                "pg_catalog.starts_with(%s #>> '{}', '0')",
                v, v, v);
    }
    fprintf(out, " END");
    return true;
}

static bool write_enum(FILE *out, const struct enumeration *enumeration, const char *v)
{
    if (enumeration->n_values > NAMES_MAX) {
        return false;
    }
    fprintf(out, "%s = ANY ('{", v);
    for (uint32_t i = 0; i < enumeration->n_values; i++) {
        fprintf(out, "%s\"\\\"%s\\\"\"", i == 0 ? "" : ",", enumeration->values[i].name.data);
    }
    fprintf(out, "}'::jsonb[])");
    return true;
}

static bool write_scalar(FILE *out, const struct field *field, const char *v)
{
    switch ((enum field_type)field->type) {
    case TYPE_STRING: fprintf(out, "pg_catalog.jsonb_typeof(%s) = 'string'", v); return true;
    case TYPE_BOOL: fprintf(out, "pg_catalog.jsonb_typeof(%s) = 'boolean'", v); return true;
    case TYPE_BYTES:
        fprintf(out, "(pg_catalog.jsonb_typeof(%s) = 'string' AND (%s #>> '{}') ~ '%s')", v, v,
                BASE64_STRING);
        return true;
    case TYPE_ENUM: return write_enum(out, field->enumeration, v);
    default: return write_number(out, field, v);
    }
}

static bool write_known(const struct writer *writer, FILE *out, const struct message *message,
                        const char *v)
{
    switch ((enum well_known)message->well_known) {
    case WELL_KNOWN_TIMESTAMP: {
        struct writer here = *writer;
        here.out = out;
        fprintf(out, "(pg_catalog.jsonb_typeof(%s) = 'string' AND ", v);
        write_helper(&here, "timestamp");
        fprintf(out, "(%s #>> '{}'))", v);
        return true;
    }
    case WELL_KNOWN_WRAPPER: return write_scalar(out, &message->fields[0], v);
    default: return false;
    }
}

static bool write_many(FILE *out, const struct field *field, const char *v)
{
    bool map = field->shape == SHAPE_MAP;
    const struct field *element = map ? &field->message->fields[1] : field;
    if (element->message != NULL || (map && field->message->fields[0].type != TYPE_STRING)) {
        return false;
    }
    fprintf(out, "(pg_catalog.jsonb_typeof(%s) = '%s' AND NOT %s @? 'strict %s ", v,
            map ? "object" : "array", v, map ? "$.*" : "$[*]");
    bool has = write_suspects(out, element);
    fprintf(out, "')");
    return has;
}

char *plain_expression(const struct writer *writer, const struct field *field, const char *access)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    bool is_value = takes_null(field) && field->shape == SHAPE_SINGULAR;
    fprintf(out, field->must_come ? "(" : "coalesce(");
    bool has =
        !is_value && (field->shape != SHAPE_SINGULAR ? write_many(out, field, access)
                      : field->message != NULL ? write_known(writer, out, field->message, access)
                                               : write_scalar(out, field, access));
    if (field->must_come) {
        fprintf(out, ")");
    } else {
        fprintf(out, " OR %s = 'null', %s IS NULL)", access, access);
    }
    check(fclose(out) == 0);
    if (!has) {
        free(text);
        return NULL;
    }
    return text;
}
