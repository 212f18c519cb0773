/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages captured from a real server by scripts/capture-golden.sh, whole, cut, extended and
 * altered. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "base/check.h"
#include "golden.h"

enum { SCENARIO_NAME_SIZE = 16 };

static char scenarios[][SCENARIO_NAME_SIZE] = {"insert", "update",  "delete", "truncate", "types",
                                               "origin", "message", "alter",  "savepoint"};

static struct decoder decoder;

static char *read_all(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL, "cannot open %s", path);
    if (getdelim(&text, &size, '\0', file) < 0) {
        cr_assert_fail("%s is empty", path);
    }
    fclose(file);
    return text;
}

static char *decode_all(const struct golden *golden)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    for (size_t i = 0; i < golden->n_messages; i++) {
        struct change change;
        struct error error;
        enum verdict verdict = pgoutput_decode(&decoder, golden->messages[i], &change, &error);
        cr_assert(verdict == OK, "message %zu: %s", i + 1, error.what);
        golden_print(to, &decoder, &change);
    }
    fclose(to);
    return text;
}

ParameterizedTestParameters(golden, decodes_to_what_was_written)
{
    return cr_make_param_array(char[SCENARIO_NAME_SIZE], scenarios,
                               sizeof(scenarios) / sizeof(scenarios[0]), NULL);
}

ParameterizedTest(char scenario[SCENARIO_NAME_SIZE], golden, decodes_to_what_was_written)
{
    struct golden golden;
    golden_read(&golden, scenario);
    char *decoded = decode_all(&golden);
    char *path = golden_path(scenario, ".expected");
    if (getenv("WRITE_EXPECTED") != NULL) {
        FILE *file = fopen(path, "w");
        cr_assert(file != NULL, "cannot write %s", path);
        fputs(decoded, file);
        fclose(file);
    }
    char *expected = read_all(path);
    cr_assert_str_eq(decoded, expected);
    free(expected);
    free(path);
    free(decoded);
    golden_release(&golden);
}

/* Decodes a copy in an allocation of exactly its size. */
static enum verdict decode_copy(struct bytes message, struct error *error)
{
    char *data = must_malloc(message.len);
    memcpy(data, message.data, message.len);
    struct change change;
    enum verdict verdict =
        pgoutput_decode(&decoder, (struct bytes){data, message.len}, &change, error);
    free(data);
    return verdict;
}

ParameterizedTestParameters(golden, a_cut_message_is_an_error)
{
    return cr_make_param_array(char[SCENARIO_NAME_SIZE], scenarios,
                               sizeof(scenarios) / sizeof(scenarios[0]), NULL);
}

ParameterizedTest(char scenario[SCENARIO_NAME_SIZE], golden, a_cut_message_is_an_error)
{
    struct golden golden;
    golden_read(&golden, scenario);
    for (size_t i = 0; i < golden.n_messages; i++) {
        for (size_t len = 0; len < golden.messages[i].len; len++) {
            struct bytes cut = {golden.messages[i].data, len};
            struct error error;
            cr_assert(decode_copy(cut, &error) == FATAL, "message %zu cut to %zu bytes", i + 1,
                      len);
            cr_assert(error.what[0] != '\0' && error.remedy[0] != '\0');
        }
    }
    golden_release(&golden);
}

ParameterizedTestParameters(golden, a_byte_too_many_is_an_error)
{
    return cr_make_param_array(char[SCENARIO_NAME_SIZE], scenarios,
                               sizeof(scenarios) / sizeof(scenarios[0]), NULL);
}

ParameterizedTest(char scenario[SCENARIO_NAME_SIZE], golden, a_byte_too_many_is_an_error)
{
    struct golden golden;
    golden_read(&golden, scenario);
    for (size_t i = 0; i < golden.n_messages; i++) {
        struct bytes message = golden.messages[i];
        char *longer = must_malloc(message.len + 1);
        memcpy(longer, message.data, message.len);
        for (int byte = 0; byte < 256; byte++) {
            longer[message.len] = (char)byte;
            struct change change;
            struct error error;
            cr_assert(pgoutput_decode(&decoder, (struct bytes){longer, message.len + 1}, &change,
                                      &error) == FATAL,
                      "message %zu and a byte %d", i + 1, byte);
        }
        free(longer);
    }
    golden_release(&golden);
}

static void check_inside(struct bytes view, struct bytes message)
{
    static const char own[] = "pg_catalog";
    if (view.data == NULL || (view.len == strlen(own) && memcmp(view.data, own, view.len) == 0)) {
        return;
    }
    cr_assert(view.data >= message.data && view.data + view.len <= message.data + message.len);
}

static void check_views(struct bytes message, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_INSERT:
    case CHANGE_UPDATE:
        for (uint16_t i = 0; i < decoder.tuple.n_columns; i++) {
            check_inside(decoder.tuple.columns[i].value, message);
        }
        break;
    case CHANGE_RELATION:
        check_inside(change->relation.schema_name, message);
        check_inside(change->relation.table_name, message);
        for (uint16_t i = 0; i < change->relation.n_columns; i++) {
            check_inside(decoder.relation_columns[i].name, message);
        }
        break;
    case CHANGE_ORIGIN: check_inside(change->origin.name, message); break;
    case CHANGE_MESSAGE:
        check_inside(change->message.prefix, message);
        check_inside(change->message.content, message);
        break;
    default: break;
    }
}

ParameterizedTestParameters(golden, an_altered_byte_never_reads_outside)
{
    return cr_make_param_array(char[SCENARIO_NAME_SIZE], scenarios,
                               sizeof(scenarios) / sizeof(scenarios[0]), NULL);
}

ParameterizedTest(char scenario[SCENARIO_NAME_SIZE], golden, an_altered_byte_never_reads_outside)
{
    struct golden golden;
    golden_read(&golden, scenario);
    for (size_t i = 0; i < golden.n_messages; i++) {
        struct bytes message = golden.messages[i];
        char *altered = (char *)message.data;
        for (size_t at = 0; at < message.len; at++) {
            char right = altered[at];
            for (int byte = 0; byte < 256; byte++) {
                altered[at] = (char)byte;
                struct change change;
                struct error error;
                enum verdict verdict = pgoutput_decode(&decoder, message, &change, &error);
                cr_assert(verdict == OK || verdict == FATAL);
                if (verdict == OK) {
                    check_views(message, &change);
                }
            }
            altered[at] = right;
        }
    }
    golden_release(&golden);
}
