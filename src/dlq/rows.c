/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "outbox/map.h"
#include "pg/catalog.h"
#include "pipeline/table.h"

enum { MARK_ROWS = 5000, SQL_TIMEOUT_MS = 60000 };

/* The class of SQLSTATEs for values that are none of their type. */
#define DATA_EXCEPTION "22"

struct rows {
    struct link *link;
    char *mark_sql;  /* NULL: rows are not marked */
    char *fetch_sql; /* NULL: there is no table, or no id in it */
};

static void make_sql(const struct config *config, const struct pg_table *table, struct rows *rows)
{
    const struct pg_table_column *id_column = table_column(table, config->outbox.columns.id);
    const struct pg_table_column *status_column =
        table_column(table, config->outbox.columns.status);
    if (!table->exists || id_column == NULL) {
        return;
    }
    char *id = pg_quote_identifier(config->outbox.columns.id);
    char *status = pg_quote_identifier(config->outbox.columns.status);
    rows->fetch_sql =
        must_printf("SELECT * FROM %s WHERE %s = $1::%s", config->table, id, id_column->type);
    if (status_column != NULL && config->outbox.after_publish != AFTER_KEEP) {
        rows->mark_sql = must_printf("UPDATE %s SET %s = 'COMMITTED' WHERE %s = ANY ($1::%s[]) AND "
                                     "%s = 'DEAD'",
                                     config->table, status, id, id_column->type, status);
    }
    free(id);
    free(status);
}

enum verdict rows_open(const struct config *config, struct link *link, struct rows **rows,
                       struct error *error)
{
    struct pg_table table = {.exists = false};
    enum verdict verdict =
        catalog_table(link, config->outbox.schema_name, config->outbox.table_name,
                      config->outbox.columns.id, &table, error);
    if (verdict != OK) {
        return verdict;
    }
    struct rows *made = must_calloc(1, sizeof(*made));
    made->link = link;
    make_sql(config, &table, made);
    pg_table_release(&table);
    *rows = made;
    return OK;
}

void rows_close(struct rows *rows)
{
    if (rows != NULL) {
        free(rows->mark_sql);
        free(rows->fetch_sql);
        free(rows);
    }
}

bool rows_are_marked(const struct rows *rows)
{
    return rows->mark_sql != NULL;
}

/* "{"a","b"}": a text id may hold anything. */
static char *array_of(const struct bytes *ids, size_t n_ids)
{
    size_t size = 3;
    for (size_t i = 0; i < n_ids; i++) {
        size += 2 * ids[i].len + 3;
    }
    char *text = must_malloc(size);
    char *at = text;
    *at++ = '{';
    for (size_t i = 0; i < n_ids; i++) {
        *at++ = '"';
        for (size_t k = 0; k < ids[i].len; k++) {
            if (ids[i].data[k] == '"' || ids[i].data[k] == '\\') {
                *at++ = '\\';
            }
            *at++ = ids[i].data[k];
        }
        *at++ = '"';
        *at++ = ',';
    }
    at -= n_ids > 0;
    *at++ = '}';
    *at = '\0';
    return text;
}

enum verdict rows_mark(struct rows *rows, const struct bytes *ids, size_t n_ids, uint64_t *marked,
                       struct error *error)
{
    *marked = 0;
    for (size_t done = 0; rows->mark_sql != NULL && done < n_ids; done += MARK_ROWS) {
        size_t n = n_ids - done < MARK_ROWS ? n_ids - done : MARK_ROWS;
        char *array = array_of(ids + done, n);
        const char *params[] = {array};
        struct pg_result *result = NULL;
        enum verdict verdict =
            link_query(rows->link, rows->mark_sql, params, 1, SQL_TIMEOUT_MS, &result, error);
        free(array);
        if (verdict != OK) {
            return verdict;
        }
        *marked += pg_result_affected(result);
        pg_result_free(result);
    }
    return OK;
}

enum verdict rows_fetch(struct rows *rows, struct bytes id, struct pg_result **row,
                        struct error *error)
{
    if (rows->fetch_sql == NULL) {
        error_set(error, REFUSE, "the outbox table is not there, or has no column for the id");
        return error_remedy(error, "`walpost check` says which. Without the row, give the payload "
                                   "with --payload-file.");
    }
    char *text = must_printf("%.*s", (int)id.len, id.data);
    const char *params[] = {text};
    enum verdict verdict =
        link_query(rows->link, rows->fetch_sql, params, 1, SQL_TIMEOUT_MS, row, error);
    free(text);
    bool misfit = verdict != OK && strncmp(error->code, DATA_EXCEPTION, 2) == 0;
    if (misfit) { /* no UUID for a column of UUIDs, say: of this letter alone */
        char why[sizeof(error->what)];
        snprintf(why, sizeof(why), "%s", error->what);
        error_set(error, REJECT, "its id cannot be that of a row (%.400s)", why);
        return error_remedy(error, "Insert the event again with a valid id, then purge this "
                                   "letter.");
    }
    return verdict;
}
