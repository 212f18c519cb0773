/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/snapshot.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/crash_point.h"
#include "base/macros.h"
#include "config/config.h"

enum {
    PAGE_ROWS = 1000,
    PAGE_BYTES =
        4 * 1024 * 1024, /* a page ends before the row that passes this, but has one at least */
};

struct snapshot {
    const struct pg_table *table;
    struct intake *intake;
    lsn origin_lsn;
    uint64_t last;
    uint64_t rows;
    char *sql;
    bool begun;
    struct tuple tuple;
};

/* A row that was deleted since the slot was made has nothing to publish: the join leaves it out. */
static char *page_sql(const struct config *config)
{
    char *id = pg_quote_identifier(config->outbox.columns.id);
    char *payload = pg_quote_identifier(config->outbox.columns.payload);
    char *sql = must_printf(
        "WITH page AS ("
        " SELECT n, id, pg_catalog.sum(size) OVER (ORDER BY n) AS bytes FROM ("
        "  SELECT s.n, s.id, pg_catalog.octet_length(t.%s::text) AS size"
        "  FROM %s s JOIN %s t ON t.%s = s.id WHERE s.n > $1::bigint ORDER BY s.n LIMIT %d) first)"
        " SELECT page.n AS walpost_snapshot_number, t.* FROM page JOIN %s t ON t.%s = page.id"
        " WHERE page.bytes <= %d OR page.n = (SELECT pg_catalog.min(n) FROM page) ORDER BY page.n",
        payload, config->snapshot_table, config->table, id, PAGE_ROWS, config->table, id,
        PAGE_BYTES);
    free(id);
    free(payload);
    return sql;
}

struct snapshot *snapshot_new(const struct config *config, const struct pg_table *table,
                              lsn origin_lsn, struct intake *intake)
{
    struct snapshot *snapshot = must_calloc(1, sizeof(*snapshot));
    snapshot->table = table;
    snapshot->intake = intake;
    snapshot->origin_lsn = origin_lsn;
    snapshot->sql = page_sql(config);
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot != NULL) {
        free(snapshot->sql);
        free(snapshot);
    }
}

enum verdict snapshot_send(struct snapshot *snapshot, struct link *link, struct error *error)
{
    char *last = must_printf("%llu", (unsigned long long)snapshot->last);
    const char *params[] = {last};
    enum verdict verdict = link_send(link, snapshot->sql, params, 1, error);
    free(last);
    return verdict;
}

/* The catalogue's name of a type -> the OID that a RELATION message would carry; the mapper looks
 * at these only. */
static uint32_t type_oid(const struct pg_table *table, const char *column)
{
    static const struct {
        const char *name;
        uint32_t oid;
    } known[] = {{"bytea", 17}, {"text", 25}, {"json", 114}, {"uuid", 2950}, {"jsonb", 3802}};
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, column) != 0) {
            continue;
        }
        for (size_t k = 0; k < ARRAY_LEN(known); k++) {
            if (strcmp(table->columns[i].type, known[k].name) == 0) {
                return known[k].oid;
            }
        }
    }
    return 0;
}

/* Column 0 is the row's number; the others are the table's. */
static enum verdict plan(struct snapshot *snapshot, const struct pg_result *result,
                         struct error *error)
{
    size_t n = pg_result_columns(result) - 1;
    struct relation_column *columns = must_calloc(n, sizeof(*columns));
    for (size_t i = 0; i < n; i++) {
        const char *name = pg_result_name(result, i + 1);
        columns[i].name = bytes_of(name);
        columns[i].type_oid = type_oid(snapshot->table, name);
    }
    enum verdict verdict = intake_plan(snapshot->intake, columns, (uint16_t)n, error);
    free(columns);
    return verdict;
}

static enum verdict take_row(struct snapshot *snapshot, const struct pg_result *result, size_t row,
                             struct error *error)
{
    struct tuple *tuple = &snapshot->tuple;
    tuple->n_columns = (uint16_t)(pg_result_columns(result) - 1);
    for (uint16_t i = 0; i < tuple->n_columns; i++) {
        struct bytes value = pg_result_get(result, row, (size_t)i + 1);
        tuple->columns[i] = (struct column){value.data == NULL ? COLUMN_NULL : COLUMN_TEXT, value};
    }
    snapshot->last = strtoull(pg_result_text(result, row, 0), NULL, 10);
    snapshot->rows++;
    return intake_snapshot_row(snapshot->intake, tuple, (uint32_t)snapshot->last, error);
}

enum verdict snapshot_answer(struct snapshot *snapshot, const struct pg_result *result, bool *done,
                             struct error *error)
{
    if (!snapshot->begun) {
        snapshot->begun = true;
        intake_begin_snapshot(snapshot->intake, snapshot->origin_lsn - 1);
    }
    size_t rows = pg_result_rows(result);
    enum verdict verdict = plan(snapshot, result, error);
    for (size_t i = 0; verdict == OK && i < rows; i++) {
        verdict = take_row(snapshot, result, i, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    *done = rows == 0;
    if (*done) {
        intake_end_snapshot(snapshot->intake, snapshot->origin_lsn);
    } else {
        /* A page goes out at once: the pseudo-transaction may be as large as the table. */
        intake_cut(snapshot->intake);
        crash_point("mid_snapshot");
    }
    return OK;
}

uint64_t snapshot_rows(const struct snapshot *snapshot)
{
    return snapshot->rows;
}
