/* SPDX-License-Identifier: Apache-2.0 */
#include "golden.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"

char *golden_path(const char *scenario, const char *suffix)
{
    return must_printf(SOURCE_ROOT "/tests/golden/pgoutput/%s%s", scenario, suffix);
}

static struct bytes from_hex(const char *hex, size_t digits)
{
    cr_assert(digits % 2 == 0, "an odd number of digits: %s", hex);
    char *data = must_malloc(digits / 2);
    for (size_t i = 0; i < digits / 2; i++) {
        unsigned byte;
        cr_assert(sscanf(hex + 2 * i, "%2x", &byte) == 1, "no hexadecimal: %s", hex);
        data[i] = (char)byte;
    }
    return (struct bytes){data, digits / 2};
}

void golden_read(struct golden *golden, const char *scenario)
{
    *golden = (struct golden){0};
    char *path = golden_path(scenario, ".hex");
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL, "cannot open %s", path);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        size_t digits = strcspn(line, "\n");
        if (line[0] == '#' || digits == 0) {
            continue;
        }
        golden->messages =
            must_realloc(golden->messages, (golden->n_messages + 1) * sizeof(golden->messages[0]));
        golden->messages[golden->n_messages++] = from_hex(line, digits);
    }
    cr_assert(golden->n_messages > 0, "%s holds no message", path);
    free(line);
    fclose(file);
    free(path);
}

void golden_release(struct golden *golden)
{
    for (size_t i = 0; i < golden->n_messages; i++) {
        free((char *)golden->messages[i].data);
    }
    free(golden->messages);
}

static void print_bytes(FILE *to, struct bytes bytes)
{
    if (bytes.data == NULL) {
        fputs("(none)", to);
        return;
    }
    fputc('"', to);
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c == '"' || c == '\\') {
            fprintf(to, "\\%c", c);
        } else if (c < ' ' || c > '~') {
            fprintf(to, "\\x%02x", c);
        } else {
            fputc(c, to);
        }
    }
    fputc('"', to);
}

static void print_tuple(FILE *to, const struct tuple *tuple)
{
    for (uint16_t i = 0; i < tuple->n_columns; i++) {
        fprintf(to, "  %c ", tuple->columns[i].kind);
        print_bytes(to, tuple->columns[i].value);
        fputc('\n', to);
    }
}

static void print_relation(FILE *to, const struct decoder *decoder, const struct change *change)
{
    fprintf(to, "relation %" PRIu32 " ", change->relation.oid);
    print_bytes(to, change->relation.schema_name);
    fputc('.', to);
    print_bytes(to, change->relation.table_name);
    fprintf(to, " identity %c\n", change->relation.replica_identity);
    for (uint16_t i = 0; i < change->relation.n_columns; i++) {
        const struct relation_column *column = &decoder->relation_columns[i];
        fputs("  ", to);
        print_bytes(to, column->name);
        fprintf(to, " type %" PRIu32 " modifier %" PRId32 "%s\n", column->type_oid,
                column->type_modifier, column->key ? " key" : "");
    }
}

void golden_print(FILE *to, const struct decoder *decoder, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_BEGIN:
        fprintf(to, "begin final " LSN_FORMAT " time %" PRId64 " xid %" PRIu32 "\n",
                LSN_ARGS(change->begin.final_lsn), change->begin.commit_time_us, change->begin.xid);
        break;
    case CHANGE_COMMIT:
        fprintf(to, "commit " LSN_FORMAT " end " LSN_FORMAT " time %" PRId64 "\n",
                LSN_ARGS(change->commit.commit_lsn), LSN_ARGS(change->commit.end_lsn),
                change->commit.commit_time_us);
        break;
    case CHANGE_ORIGIN:
        fprintf(to, "origin " LSN_FORMAT " ", LSN_ARGS(change->origin.commit_lsn));
        print_bytes(to, change->origin.name);
        fputc('\n', to);
        break;
    case CHANGE_RELATION: print_relation(to, decoder, change); break;
    case CHANGE_TYPE:
        fprintf(to, "type %" PRIu32 " ", change->type.oid);
        print_bytes(to, change->type.schema_name);
        fputc('.', to);
        print_bytes(to, change->type.type_name);
        fputc('\n', to);
        break;
    case CHANGE_INSERT:
    case CHANGE_UPDATE:
        fprintf(to, "%s %" PRIu32 "\n", change->kind == CHANGE_INSERT ? "insert" : "update",
                change->row.oid);
        print_tuple(to, &decoder->tuple);
        break;
    case CHANGE_DELETE: fprintf(to, "delete %" PRIu32 "\n", change->row.oid); break;
    case CHANGE_TRUNCATE:
        fprintf(to, "truncate %" PRIu32 " tables options %u\n", change->truncate.n_relations,
                change->truncate.options);
        break;
    case CHANGE_MESSAGE:
        fprintf(to, "message %s " LSN_FORMAT " ",
                change->message.transactional ? "transactional" : "at once",
                LSN_ARGS(change->message.message_lsn));
        print_bytes(to, change->message.prefix);
        fputc(' ', to);
        print_bytes(to, change->message.content);
        fputc('\n', to);
        break;
    }
}
