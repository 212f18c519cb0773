/* SPDX-License-Identifier: Apache-2.0
 *
 * One message: a function that returns NULL, or {path, expected, found}. The statements stand in
 * the order of the fields; which of several violations is told may differ from the stream, whether
 * there is one may not. */
#include <stdlib.h>

#include "base/check.h"
#include "guard/writer.h"

/* A declared name that JSON may have as well; data NULL: it is the JSON name, or another field's.
 */
static struct bytes other_name(const struct field *field)
{
    bool own = !bytes_equal(field->name, field->json_name) &&
               message_field_named(field->parent, field->name) == field;
    return own ? field->name : BYTES_NULL;
}

/* What JSON has for a field: SQL's NULL where there is nothing. The caller frees it. */
static char *access_of(const struct field *field)
{
    struct bytes other = other_name(field);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    fprintf(out, other.data == NULL ? "(p->" : "coalesce(p->");
    sql_literal(out, field->json_name);
    if (other.data != NULL) {
        fprintf(out, ", p->");
        sql_literal(out, other);
    }
    fprintf(out, ")");
    check(fclose(out) == 0);
    return text;
}

static void write_access(const struct writer *writer, const struct field *field)
{
    char *access = access_of(field);
    fputs(access, writer->out);
    free(access);
}

static uint32_t n_all_fields(const struct message *message)
{
    return (uint32_t)message->n_fields + message->n_extensions;
}

static const struct field *field_at(const struct message *message, uint32_t i)
{
    return i < message->n_fields ? &message->fields[i] : message->extensions[i - message->n_fields];
}

/* --- about all fields ------------------------------------------------------------------------ */

static void write_names(const struct writer *writer, const struct message *message)
{
    FILE *out = writer->out;
    fprintf(out, "ARRAY[");
    for (uint32_t i = 0; i < n_all_fields(message); i++) {
        const struct field *field = field_at(message, i);
        fprintf(out, i == 0 ? "" : ", ");
        sql_literal(out, field->json_name);
        if (other_name(field).data != NULL) {
            fprintf(out, ", ");
            sql_literal(out, field->name);
        }
    }
    fprintf(out, "]::text[]");
}

static void write_unknown_check(const struct writer *writer, const struct message *message)
{
    FILE *out = writer->out;
    if (writer->guard->policy == UNKNOWN_IGNORE) {
        return;
    }
    fprintf(out, "    IF p - ");
    write_names(writer, message);
    fprintf(out, " <> '{}' THEN\n        RETURN ");
    write_helper(writer, "unknown");
    fprintf(out, "(p - ");
    write_names(writer, message);
    fprintf(out, ", ");
    char *expected = must_printf("a field of %s", message->name.data);
    sql_literal(out, bytes_of(expected));
    free(expected);
    fprintf(out, ");\n    END IF;\n");
}

/* "IF p has a field under both of its names"; false: none of them has two. */
static bool write_twice(const struct writer *writer, const struct message *message,
                        const char *before)
{
    FILE *out = writer->out;
    bool any = false;
    for (uint32_t i = 0; i < n_all_fields(message); i++) {
        const struct field *field = field_at(message, i);
        if (other_name(field).data == NULL) {
            continue;
        }
        fprintf(out, "%sp ?& ARRAY[", any ? "\n        OR " : before);
        sql_literal(out, field->name);
        fprintf(out, ", ");
        sql_literal(out, field->json_name);
        fprintf(out, "]");
        any = true;
    }
    return any;
}

static void write_twice_check(const struct writer *writer, const struct message *message)
{
    if (write_twice(writer, message, "    IF ")) {
        fprintf(writer->out,
                " THEN\n        RETURN ARRAY['', 'every field once', 'one under both of its "
                "names'];\n    END IF;\n");
    }
}

/* How many of its fields are set. */
static void write_oneof(const struct writer *writer, const struct message *message, int oneof)
{
    FILE *out = writer->out;
    fprintf(out, "pg_catalog.num_nonnulls(");
    bool first = true;
    for (uint32_t i = 0; i < message->n_fields; i++) {
        const struct field *field = &message->fields[i];
        if (field->oneof != oneof) {
            continue;
        }
        bool is_value = takes_null(field);
        fprintf(out, "%s%s", first ? "" : ",\n            ", is_value ? "" : "nullif(");
        write_access(writer, field);
        fprintf(out, is_value ? "" : ", 'null')");
        first = false;
    }
    fprintf(out, ")");
}

static void write_oneof_check(const struct writer *writer, const struct message *message, int oneof)
{
    FILE *out = writer->out;
    fprintf(out, "    IF ");
    write_oneof(writer, message, oneof);
    fprintf(out,
            " > 1 THEN\n        RETURN ARRAY['', 'one field of the oneof %s', 'a second "
            "one'];\n    END IF;\n",
            message->oneofs[oneof].name.data);
}

/* --- one field ------------------------------------------------------------------------------- */

/* The name as a path in SQL, with something behind it. */
static char *path_of(const struct field *field, const char *behind)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    sql_literal(out, field->json_name);
    fputs(behind, out);
    check(fclose(out) == 0);
    return text;
}

static void write_missing_check(const struct writer *writer, const struct field *field)
{
    bool is_value = takes_null(field) && field->shape == SHAPE_SINGULAR;
    fprintf(writer->out, "    IF v IS NULL%s THEN\n        RETURN ARRAY[",
            is_value ? "" : " OR v = 'null'");
    sql_literal(writer->out, field->json_name);
    fprintf(writer->out, ", 'a value: the field is required', 'none'];\n    END IF;\n");
}

/* The type of a list or map itself, at the end of its IF. */
static void write_else_type(const struct writer *writer, const struct field *field,
                            const char *expected)
{
    fprintf(writer->out, "    ELSIF v <> 'null' THEN\n        RETURN ARRAY[");
    sql_literal(writer->out, field->json_name);
    fprintf(writer->out, ", '%s', ", expected);
    write_helper(writer, "found");
    fprintf(writer->out, "(v)];\n    END IF;\n");
}

/* IF one of the values is not plainly right THEN; false: nothing was written. */
static bool begin_suspects(const struct writer *writer, const struct field *field,
                           const char *elements)
{
    char *filter = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&filter, &size);
    check(out != NULL);
    bool has = field->message == NULL && write_suspects(out, field);
    check(fclose(out) == 0);
    if (has) {
        fprintf(writer->out, "        IF v @? 'strict %s %s' THEN\n", elements, filter);
    }
    free(filter);
    return has;
}

static void write_list(const struct writer *writer, const struct field *field)
{
    FILE *out = writer->out;
    fprintf(out, "    IF pg_catalog.jsonb_typeof(v) = 'array' THEN\n");
    bool suspects = begin_suspects(writer, field, "$[*]");
    fprintf(out, "        FOR i IN 0 .. pg_catalog.jsonb_array_length(v) - 1 LOOP\n"
                 "            w := v->i;\n");
    char *path = path_of(field, " || '[' || i || ']'");
    struct place place = {.variable = "w", .path = path, .indent = "            "};
    write_value_check(writer, field, &place);
    free(path);
    fprintf(out, "        END LOOP;\n%s", suspects ? "        END IF;\n" : "");
    write_else_type(writer, field, "an array");
}

static void write_keys_check(const struct writer *writer, const struct field *field)
{
    const struct field *key = &field->message->fields[0];
    const struct range *range = range_of(key);
    FILE *out = writer->out;
    if (key->type == TYPE_STRING) {
        return;
    }
    fprintf(out, "        e := ");
    if (range != NULL) {
        write_helper(writer, "keys");
        fprintf(out, "(v, %s, %s, '%s');\n", range->low, range->high, range->name);
    } else {
        write_helper(writer, "unknown");
        fprintf(out, "(v - ARRAY['true', 'false'], '\"true\" or \"false\"');\n");
    }
    fprintf(out, "        IF e IS NOT NULL THEN\n            RETURN ");
    write_helper(writer, "inside");
    fprintf(out, "(e, ");
    sql_literal(out, field->json_name);
    fprintf(out, ");\n        END IF;\n");
}

static void write_map(const struct writer *writer, const struct field *field)
{
    const struct field *value = &field->message->fields[1];
    FILE *out = writer->out;
    fprintf(out, "    IF pg_catalog.jsonb_typeof(v) = 'object' THEN\n");
    if (writer->deep) {
        fprintf(out, "        IF depth >= %d AND v <> '{}' THEN\n            RETURN ARRAY[",
                NESTING_MAX);
        sql_literal(out, field->json_name);
        fprintf(out, ", 'at most 100 levels of messages', 'one more'];\n        END IF;\n");
    }
    write_keys_check(writer, field);
    bool suspects = begin_suspects(writer, value, "$.*");
    fprintf(out, "        FOR k, w IN SELECT * FROM pg_catalog.jsonb_each(v) LOOP\n");
    char *path = path_of(field, " || '[\"' || k || '\"]'");
    struct place place = {.variable = "w", .path = path, .indent = "            ", .levels = 1};
    write_value_check(writer, value, &place);
    free(path);
    fprintf(out, "        END LOOP;\n%s", suspects ? "        END IF;\n" : "");
    write_else_type(writer, field, "an object");
}

static void write_field(const struct writer *writer, const struct field *field)
{
    fprintf(writer->out, "    v := ");
    write_access(writer, field);
    fprintf(writer->out, ";\n");
    if (field->must_come) {
        write_missing_check(writer, field);
    }
    if (field->shape == SHAPE_REPEATED) {
        write_list(writer, field);
    } else if (field->shape == SHAPE_MAP) {
        write_map(writer, field);
    } else {
        char *path = path_of(field, "");
        struct place place = {.variable = "v",
                              .path = path,
                              .indent = "    ",
                              .there = takes_null(field) ? "v IS NOT NULL" : "v <> 'null'"};
        write_value_check(writer, field, &place);
        free(path);
    }
}

/* --- the shortcut ---------------------------------------------------------------------------- */

static bool is_plain(const struct writer *writer, const struct field *field)
{
    char *expression = plain_expression(writer, field, "v");
    bool plain = expression != NULL;
    free(expression);
    return plain;
}

/* Nothing is left to say about a message whose other fields are as they nearly always are. */
static void write_shortcut(const struct writer *writer, const struct message *message)
{
    FILE *out = writer->out;
    fprintf(out, "    IF %s", writer->deep ? "depth < 100" : "true");
    if (writer->guard->policy == UNKNOWN_REJECT) {
        fprintf(out, "\n        AND p - ");
        write_names(writer, message);
        fprintf(out, " = '{}'");
    }
    if (write_twice(writer, message, "\n        AND NOT (")) {
        fprintf(out, ")");
    }
    for (uint32_t i = 0; i < n_all_fields(message); i++) {
        char *access = access_of(field_at(message, i));
        char *expression = plain_expression(writer, field_at(message, i), access);
        if (expression != NULL) {
            fprintf(out, "\n        AND %s", expression);
        }
        free(expression);
        free(access);
    }
    for (int i = 0; i < message->n_oneofs; i++) {
        fprintf(out, "\n        AND ");
        write_oneof(writer, message, i);
        fprintf(out, " <= 1");
    }
    fprintf(out, " THEN\n        RETURN NULL;\n    END IF;\n");
}

/* --- the functions --------------------------------------------------------------------------- */

static void begin_function(const struct writer *writer, const struct message *message)
{
    FILE *out = writer->out;
    fprintf(out, "CREATE OR REPLACE FUNCTION ");
    write_function_name(writer, message);
    fprintf(out, "(p jsonb, depth int)\nRETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS "
                 "$walpost$\n"
                 "DECLARE v jsonb; w jsonb; k text; e text[];\n"
                 "BEGIN\n");
}

static void end_function(const struct writer *writer)
{
    fprintf(writer->out, "    RETURN NULL;\nEND $walpost$;\n\n");
}

static void write_object_check(const struct writer *writer, const char *expected)
{
    fprintf(writer->out,
            "    IF pg_catalog.jsonb_typeof(p) <> 'object' THEN\n"
            "        RETURN ARRAY['', '%s', ",
            expected);
    write_helper(writer, "found");
    fprintf(writer->out, "(p)];\n    END IF;\n");
    if (writer->deep) {
        fprintf(writer->out,
                "    IF depth > %d THEN\n        RETURN ARRAY['', 'at most 100 levels of "
                "messages', 'one more'];\n    END IF;\n",
                NESTING_MAX);
    }
}

void write_message(const struct writer *writer, const struct message *message)
{
    begin_function(writer, message);
    char *expected = must_printf("an object (%s)", message->name.data);
    write_object_check(writer, expected);
    free(expected);
    bool *plain = must_calloc(n_all_fields(message) + 1, sizeof(*plain));
    for (uint32_t i = 0; i < n_all_fields(message); i++) {
        plain[i] = is_plain(writer, field_at(message, i));
        if (!plain[i]) {
            write_field(writer, field_at(message, i));
        }
    }
    write_shortcut(writer, message);
    write_unknown_check(writer, message);
    write_twice_check(writer, message);
    for (uint32_t i = 0; i < n_all_fields(message); i++) {
        if (plain[i]) {
            write_field(writer, field_at(message, i));
        }
    }
    free(plain);
    for (int i = 0; i < message->n_oneofs; i++) {
        write_oneof_check(writer, message, i);
    }
    end_function(writer);
}

/* What stands in an Any: the fields of its message, or the "value" of one of google.protobuf's. */
static void write_any_of(const struct writer *writer, const struct message *message)
{
    FILE *out = writer->out;
    fprintf(out, "    WHEN '%s' THEN\n", message->name.data);
    if (message->well_known == WELL_KNOWN_NOT) {
        fprintf(out, "        RETURN ");
        write_function_name(writer, message);
        fprintf(out, "(p - '@type', depth);\n");
        return;
    }
    fprintf(out, "        IF p - ARRAY['@type', 'value'] <> '{}' THEN\n            RETURN ");
    write_helper(writer, "unknown");
    fprintf(out,
            "(p - ARRAY['@type', 'value'], 'only \"@type\" and \"value\", as %s has it');\n"
            "        END IF;\n"
            "        v := p->'value';\n"
            "        IF v IS NULL THEN\n"
            "            RETURN ARRAY['', 'a \"value\" of %s', 'none'];\n"
            "        END IF;\n",
            message->name.data, message->name.data);
    struct place place = {.variable = "v", .path = "'value'", .indent = "        "};
    write_message_check(writer, message, &place);
}

void write_any(const struct writer *writer)
{
    const struct pool *pool = writer->contract->pool;
    FILE *out = writer->out;
    const struct message *any = pool_message(pool, BYTES_LIT("google.protobuf.Any"));
    begin_function(writer, any);
    write_object_check(writer, "an object with \"@type\"");
    fprintf(out, "    IF p = '{}' THEN\n        RETURN NULL;\n    END IF;\n"
                 "    v := p->'@type';\n"
                 "    IF v IS NULL THEN\n        RETURN ARRAY['', 'an \"@type\"', ");
    write_helper(writer, "found");
    fprintf(out, "(p)];\n    END IF;\n"
                 "    IF pg_catalog.jsonb_typeof(v) <> 'string' THEN\n"
                 "        RETURN ARRAY['', 'the URL of a type', ");
    write_helper(writer, "found");
    fprintf(out, "(v)];\n    END IF;\n"
                 "    CASE pg_catalog.substring(v #>> '{}', '^.+/([^/]*)$')\n");
    for (uint32_t i = 0; i < pool_messages(pool); i++) {
        write_any_of(writer, pool_message_at(pool, i));
    }
    fprintf(out, "    ELSE\n        RETURN ARRAY['', 'a type that the contract knows, behind a "
                 "slash', ");
    write_helper(writer, "found");
    fprintf(out, "(v)];\n    END CASE;\n");
    end_function(writer);
}
