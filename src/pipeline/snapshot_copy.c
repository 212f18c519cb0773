/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/snapshot_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "config/config.h"
#include "pipeline/table.h"

enum { QUERY_TIMEOUT_MS = 15000, NO_LIMIT = 0 /* the table may be large */ };

#define NOTE "walpost: the rows that were there when the slot was made at "

static enum verdict execute(struct link *link, const char *sql, int timeout_ms, struct error *error)
{
    return link_query(link, sql, NULL, 0, timeout_ms, NULL, error);
}

static enum verdict execute_and_free(struct link *link, char *sql, int timeout_ms,
                                     struct error *error)
{
    enum verdict verdict = execute(link, sql, timeout_ms, error);
    free(sql);
    return verdict;
}

char *snapshot_create_sql(const struct config *config, bool pending, bool timed)
{
    char *id = pg_quote_identifier(config->outbox.columns.id);
    char *created_at = pg_quote_identifier(config->outbox.columns.created_at);
    char *status = pg_quote_identifier(config->outbox.columns.status);
    char *sql = must_printf("CREATE TABLE %s AS SELECT pg_catalog.row_number() OVER (ORDER BY "
                            "%s%s%s) AS n, %s AS id FROM %s%s%s%s",
                            config->snapshot_table, timed ? created_at : "", timed ? ", " : "", id,
                            id, config->table, pending ? " WHERE " : "", pending ? status : "",
                            pending ? " = 'PENDING'" : "");
    free(id);
    free(created_at);
    free(status);
    return sql;
}

char *snapshot_drop_sql(const struct config *config)
{
    return must_printf("DROP TABLE IF EXISTS %s", config->snapshot_table);
}

static enum verdict copy(struct link *link, const struct config *config,
                         const struct pg_table *table, const char *snapshot_name, lsn birth,
                         struct error *error)
{
    char *literal = pg_quote_literal(snapshot_name);
    enum verdict verdict = execute_and_free(
        link, must_printf("SET TRANSACTION SNAPSHOT %s", literal), QUERY_TIMEOUT_MS, error);
    free(literal);
    if (verdict == OK) {
        verdict = execute_and_free(link, snapshot_drop_sql(config), QUERY_TIMEOUT_MS, error);
    }
    if (verdict == OK) {
        bool pending = table_column(table, config->outbox.columns.status) != NULL;
        bool timed = table_column(table, config->outbox.columns.created_at) != NULL;
        verdict =
            execute_and_free(link, snapshot_create_sql(config, pending, timed), NO_LIMIT, error);
    }
    if (verdict == OK) {
        verdict = execute_and_free(
            link, must_printf("ALTER TABLE %s ADD PRIMARY KEY (n)", config->snapshot_table),
            NO_LIMIT, error);
    }
    if (verdict == OK) {
        verdict = execute_and_free(link,
                                   must_printf("COMMENT ON TABLE %s IS '" NOTE LSN_FORMAT "'",
                                               config->snapshot_table, LSN_ARGS(birth)),
                                   QUERY_TIMEOUT_MS, error);
    }
    return verdict;
}

static enum verdict count(struct link *link, const struct config *config, int64_t *rows,
                          struct error *error)
{
    char *sql = must_printf("SELECT pg_catalog.count(*) FROM %s", config->snapshot_table);
    struct pg_result *result = NULL;
    enum verdict verdict = link_query(link, sql, NULL, 0, NO_LIMIT, &result, error);
    free(sql);
    if (verdict == OK) {
        *rows = strtoll(pg_result_text(result, 0, 0), NULL, 10);
        pg_result_free(result);
    }
    return verdict;
}

enum verdict snapshot_copy(struct link *link, const struct config *config,
                           const struct pg_table *table, const char *snapshot_name, lsn birth,
                           int64_t *rows, struct error *error)
{
    enum verdict verdict =
        execute(link, "BEGIN ISOLATION LEVEL REPEATABLE READ", QUERY_TIMEOUT_MS, error);
    if (verdict == OK) {
        verdict = copy(link, config, table, snapshot_name, birth, error);
        if (verdict == OK) {
            verdict = count(link, config, rows, error);
        }
        struct error ignored;
        bool well = verdict == OK;
        enum verdict ended =
            execute(link, well ? "COMMIT" : "ROLLBACK", QUERY_TIMEOUT_MS, well ? error : &ignored);
        verdict = well ? ended : verdict; /* the first error is the one to tell */
    }
    if (verdict != OK) {
        error_prefix(error, "the rows that are there could not be numbered for the snapshot: ");
    }
    return verdict;
}

enum verdict snapshot_birth(struct link *link, const struct config *config, lsn *birth,
                            struct error *error)
{
    char *name = must_printf("snapshot_%s", config->stream);
    const char *params[] = {name};
    struct pg_result *result = NULL;
    enum verdict verdict = link_query(
        link,
        "SELECT pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'walpost' AND "
        "c.relname = $1",
        params, 1, QUERY_TIMEOUT_MS, &result, error);
    free(name);
    if (verdict != OK) {
        return verdict;
    }
    *birth = 0;
    if (pg_result_rows(result) == 1) {
        const char *note = pg_result_text(result, 0, 0);
        size_t length = strlen(NOTE);
        if (strncmp(note, NOTE, length) != 0 || !lsn_parse(note + length, birth)) {
            *birth = 0;
        }
    }
    pg_result_free(result);
    return OK;
}
