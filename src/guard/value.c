/* SPDX-License-Identifier: Apache-2.0
 *
 * One value. A condition that is cheap and true for nearly every good value comes first; only what
 * it does not pass is looked at by a function that knows all the forms JSON may have. Comparing
 * jsonb with a number is also a test of its type: other types sort before or behind all numbers. */
#include "guard/writer.h"

#include <stdlib.h>

#include "base/check.h"

const struct range *range_of(const struct field *field)
{
    static const struct range int32 = {"-2147483648", "2147483647", "an int32"};
    static const struct range int64 = {"-9223372036854775808", "9223372036854775807", "an int64"};
    static const struct range uint32 = {"0", "4294967295", "a uint32"};
    static const struct range uint64 = {"0", "18446744073709551615", "a uint64"};
    switch ((enum field_type)field->type) {
    case TYPE_INT32:
    case TYPE_SINT32:
    case TYPE_SFIXED32: return &int32;
    case TYPE_INT64:
    case TYPE_SINT64:
    case TYPE_SFIXED64: return &int64;
    case TYPE_UINT32:
    case TYPE_FIXED32: return &uint32;
    case TYPE_UINT64:
    case TYPE_FIXED64: return &uint64;
    default: return NULL;
    }
}

static const char *limit_of(const struct field *field)
{
    return field->type == TYPE_FLOAT ? FLOAT_LIMIT : DOUBLE_LIMIT;
}

bool write_suspects(FILE *out, const struct field *field)
{
    const struct range *range = range_of(field);
    if (range != NULL) {
        fprintf(out, "? (@.type() != \"number\" || @ < %s || @ > %s || @ %% 1 != 0)", range->low,
                range->high);
    } else if (field->type == TYPE_DOUBLE || field->type == TYPE_FLOAT) {
        fprintf(out, "? (@.type() != \"number\" || @ <= -%s || @ >= %s)", limit_of(field),
                limit_of(field));
    } else if (field->type == TYPE_ENUM && !field->enumeration->null_value) {
        fprintf(out, "? (@.type() != \"string\" || !(@ == \"%s\"",
                field->enumeration->values[0].name.data);
        for (uint32_t i = 1; i < field->enumeration->n_values; i++) {
            fprintf(out, " || @ == \"%s\"", field->enumeration->values[i].name.data);
        }
        fprintf(out, "))");
    } else if (field->type == TYPE_STRING || field->type == TYPE_BOOL) {
        fprintf(out, "? (@.type() != \"%s\")", field->type == TYPE_STRING ? "string" : "boolean");
    } else {
        return false;
    }
    return true;
}

/* --- returning ------------------------------------------------------------------------------- */

/* IF condition THEN ...; the caller writes what is returned. */
static void begin_if(const struct writer *writer, const struct place *place, const char *condition)
{
    fprintf(writer->out, "%sIF %s%s%s THEN\n%s    ", place->indent, condition,
            place->there == NULL ? "" : " AND ", place->there == NULL ? "" : place->there,
            place->indent);
}

static void end_if(const struct writer *writer, const struct place *place)
{
    fprintf(writer->out, "%sEND IF;\n", place->indent);
}

static void return_found(const struct writer *writer, const struct place *place,
                         const char *expected)
{
    fprintf(writer->out, "RETURN ARRAY[%s, ", place->path);
    sql_literal(writer->out, bytes_of(expected));
    fprintf(writer->out, ", ");
    write_helper(writer, "found");
    fprintf(writer->out, "(%s)];\n", place->variable);
}

/* Behind `e := a helper(...);` inside an IF, or not. */
static void return_inside(const struct writer *writer, const struct place *place, bool in_if)
{
    const char *more = in_if ? "    " : "";
    fprintf(writer->out, "%s%sIF e IS NOT NULL THEN\n%s%s    RETURN ", place->indent, more,
            place->indent, more);
    write_helper(writer, "inside");
    fprintf(writer->out, "(e, %s);\n%s%sEND IF;\n", place->path, place->indent, more);
}

/* --- scalars --------------------------------------------------------------------------------- */

static void write_type_check(const struct writer *writer, const struct place *place,
                             const char *type, const char *expected)
{
    char *condition = must_printf("pg_catalog.jsonb_typeof(%s) <> '%s'", place->variable, type);
    begin_if(writer, place, condition);
    return_found(writer, place, expected);
    end_if(writer, place);
    free(condition);
}

static void write_number_check(const struct writer *writer, const struct field *field,
                               const struct place *place)
{
    const struct range *range = range_of(field);
    const char *v = place->variable;
    char *condition =
        range != NULL
            ? must_printf("NOT (%s >= '%s' AND %s <= '%s' AND %s::numeric %% 1 = 0)", v, range->low,
                          v, range->high, v)
            : must_printf("NOT (%s > '-%s' AND %s < '%s')", v, limit_of(field), v, limit_of(field));
    begin_if(writer, place, condition);
    fprintf(writer->out, "e := ");
    if (range != NULL) {
        write_helper(writer, "integer");
        fprintf(writer->out, "(%s, %s, %s, '%s');\n", v, range->low, range->high, range->name);
    } else {
        write_helper(writer, "real");
        fprintf(writer->out, "(%s, %s, '%s');\n", v, limit_of(field),
                field->type == TYPE_FLOAT ? "a float" : "a double");
    }
    return_inside(writer, place, true);
    end_if(writer, place);
    free(condition);
}

static void write_text_check(const struct writer *writer, const struct place *place,
                             const char *regex, const char *expected)
{
    char *condition =
        must_printf("(pg_catalog.jsonb_typeof(%s) <> 'string' OR (%s #>> '{}') !~ '%s')",
                    place->variable, place->variable, regex);
    begin_if(writer, place, condition);
    return_found(writer, place, expected);
    end_if(writer, place);
    free(condition);
}

static void write_numbers(FILE *out, const struct enumeration *enumeration)
{
    if (!enumeration->closed) {
        fprintf(out, "NULL");
        return;
    }
    for (uint32_t i = 0; i < enumeration->n_numbers; i++) {
        fprintf(out, "%s%d", i == 0 ? "'{" : ",", (int)enumeration->by_number[i]->number);
    }
    fprintf(out, "}'");
}

static void write_enum_check(const struct writer *writer, const struct field *field,
                             const struct place *place)
{
    const struct enumeration *enumeration = field->enumeration;
    FILE *out = writer->out;
    fprintf(out, "%sIF NOT %s = ANY ('{", place->indent, place->variable);
    for (uint32_t i = 0; i < enumeration->n_values; i++) {
        fprintf(out, "%s\"\\\"%s\\\"\"", i == 0 ? "" : ",", enumeration->values[i].name.data);
    }
    fprintf(out, "%s}'::jsonb[])%s%s THEN\n%s    e := ", enumeration->null_value ? ",\"null\"" : "",
            place->there == NULL ? "" : " AND ", place->there == NULL ? "" : place->there,
            place->indent);
    write_helper(writer, "enum");
    fprintf(out, "(%s, ", place->variable);
    write_numbers(out, enumeration);
    fprintf(out, ", %s, 'a value of %s');\n",
            writer->guard->policy == UNKNOWN_IGNORE ? "true" : "false", enumeration->name.data);
    return_inside(writer, place, true);
    end_if(writer, place);
}

static void write_scalar_check(const struct writer *writer, const struct field *field,
                               const struct place *place)
{
    switch ((enum field_type)field->type) {
    case TYPE_STRING: write_type_check(writer, place, "string", "a string"); return;
    case TYPE_BOOL: write_type_check(writer, place, "boolean", "true or false"); return;
    case TYPE_BYTES: write_text_check(writer, place, BASE64_STRING, "a string of Base64"); return;
    case TYPE_ENUM: write_enum_check(writer, field, place); return;
    default: write_number_check(writer, field, place); return;
    }
}

/* --- messages -------------------------------------------------------------------------------- */

/* e := function(value, depth); return it. */
static void write_call(const struct writer *writer, const struct message *message,
                       const char *helper, const struct place *place)
{
    FILE *out = writer->out;
    bool in_if = place->there != NULL;
    if (in_if) {
        fprintf(out, "%sIF %s THEN\n    ", place->indent, place->there);
    }
    fprintf(out, "%se := ", place->indent);
    if (helper != NULL) {
        write_helper(writer, helper);
    } else {
        write_function_name(writer, message);
    }
    fprintf(out, "(%s, depth + %u);\n", place->variable, place->levels + 1);
    return_inside(writer, place, in_if);
    if (in_if) {
        end_if(writer, place);
    }
}

/* A message that is one text or number takes a level as well. */
static void write_level_check(const struct writer *writer, const struct place *place)
{
    char condition[64];
    if (writer->deep) {
        snprintf(condition, sizeof(condition), "depth + %u > %d", place->levels + 1, NESTING_MAX);
        begin_if(writer, place, condition);
        return_found(writer, place, "at most 100 levels of messages");
        end_if(writer, place);
    }
}

static void write_time_check(const struct writer *writer, const struct place *place, bool timestamp)
{
    FILE *out = writer->out;
    fprintf(out, "%sIF (pg_catalog.jsonb_typeof(%s) <> 'string' OR NOT ", place->indent,
            place->variable);
    write_helper(writer, timestamp ? "timestamp" : "duration");
    fprintf(out, "(%s #>> '{}'))%s%s THEN\n%s    ", place->variable,
            place->there == NULL ? "" : " AND ", place->there == NULL ? "" : place->there,
            place->indent);
    return_found(writer, place,
                 timestamp ? "a timestamp, like \"2024-01-31T23:59:59.5Z\""
                           : "a duration in seconds, like \"1.5s\"");
    end_if(writer, place);
}

void write_message_check(const struct writer *writer, const struct message *message,
                         const struct place *place)
{
    switch ((enum well_known)message->well_known) {
    case WELL_KNOWN_TIMESTAMP:
    case WELL_KNOWN_DURATION:
        write_level_check(writer, place);
        write_time_check(writer, place, message->well_known == WELL_KNOWN_TIMESTAMP);
        return;
    case WELL_KNOWN_FIELD_MASK:
        write_level_check(writer, place);
        write_text_check(writer, place, "^([A-Za-z0-9.]+(,[A-Za-z0-9.]+)*)?$",
                         "names of fields in lowerCamelCase, with commas in between");
        return;
    case WELL_KNOWN_WRAPPER:
        write_level_check(writer, place);
        write_scalar_check(writer, &message->fields[0], place);
        return;
    case WELL_KNOWN_STRUCT: write_call(writer, NULL, "struct", place); return;
    case WELL_KNOWN_VALUE: write_call(writer, NULL, "value", place); return;
    case WELL_KNOWN_LIST_VALUE: write_call(writer, NULL, "list", place); return;
    case WELL_KNOWN_ANY:
    case WELL_KNOWN_NOT: break;
    }
    write_call(writer, message, NULL, place);
}

void write_value_check(const struct writer *writer, const struct field *field,
                       const struct place *place)
{
    if (field->message != NULL) {
        write_message_check(writer, field->message, place);
    } else {
        write_scalar_check(writer, field, place);
    }
}
