/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pg/internal.h"

/* What PostgreSQL itself never answers. */
static enum verdict no_postgres(struct error *error)
{
    return error_remedy(error, "Let postgres.dsn lead to PostgreSQL itself, not to a pooler or "
                               "another program that speaks its protocol.");
}

static enum verdict one_row(struct link *link, const char *sql, size_t columns,
                            struct pg_result **result, struct error *error)
{
    enum verdict verdict = link_query(link, sql, NULL, 0, CATALOG_TIMEOUT_MS, result, error);
    if (verdict != OK) {
        return verdict;
    }
    if (pg_result_rows(*result) != 1 || pg_result_columns(*result) < columns) {
        pg_result_free(*result);
        error_set(error, FATAL, "PostgreSQL at %s gave an answer of another form to: %s",
                  link_host(link), sql);
        return no_postgres(error);
    }
    return OK;
}

/* --- the cluster --- */

enum verdict catalog_identify(struct link *replication, struct pg_identity *identity,
                              struct error *error)
{
    struct pg_result *result = NULL;
    enum verdict verdict = one_row(replication, "IDENTIFY_SYSTEM", 4, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    struct pg_identity found = {
        .system_id = strtoull(pg_result_text(result, 0, 0), NULL, 10),
        .timeline = (uint32_t)strtoul(pg_result_text(result, 0, 1), NULL, 10),
    };
    result_copy(result, 3, found.database, sizeof(found.database));
    bool readable = lsn_parse(pg_result_text(result, 0, 2), &found.wal_lsn) &&
                    found.system_id != 0 && found.timeline != 0;
    pg_result_free(result);
    if (!readable) {
        error_set(error, FATAL, "PostgreSQL at %s does not identify itself",
                  link_host(replication));
        return no_postgres(error);
    }
    verdict = one_row(replication,
                      "SELECT oid FROM pg_catalog.pg_database"
                      " WHERE datname = pg_catalog.current_database()",
                      1, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    found.database_oid = (uint32_t)strtoul(pg_result_text(result, 0, 0), NULL, 10);
    pg_result_free(result);
    *identity = found;
    return OK;
}

/* The first column of the answer says where. *result is to be freed when it is OK. */
static enum verdict ask_wal_end(struct link *link, const char *sql, size_t columns,
                                struct pg_result **result, lsn *wal_lsn, struct error *error)
{
    enum verdict verdict = one_row(link, sql, columns, result, error);
    if (verdict != OK || lsn_parse(pg_result_text(*result, 0, 0), wal_lsn)) {
        return verdict;
    }
    pg_result_free(*result);
    error_set(error, FATAL, "PostgreSQL at %s does not say where its WAL ends", link_host(link));
    return no_postgres(error);
}

enum verdict catalog_wal_end(struct link *link, lsn *wal_lsn, struct error *error)
{
    struct pg_result *result = NULL;
    enum verdict verdict = ask_wal_end(link, "SELECT pg_catalog.pg_current_wal_flush_lsn()", 1,
                                       &result, wal_lsn, error);
    if (verdict == OK) {
        pg_result_free(result);
    }
    return verdict;
}

enum verdict catalog_clock(struct link *link, lsn *wal_lsn, int64_t *time_us, struct error *error)
{
    struct pg_result *result = NULL;
    enum verdict verdict = ask_wal_end(
        link,
        "SELECT pg_catalog.pg_current_wal_insert_lsn(),"
        " (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::pg_catalog.int8",
        2, &result, wal_lsn, error);
    if (verdict == OK) {
        *time_us = strtoll(pg_result_text(result, 0, 1), NULL, 10);
        pg_result_free(result);
    }
    return verdict;
}

/* A history file has a line for each ancestor: timeline, tab, where it was left, tab, why. */
static bool find_in_history(const char *history, uint32_t timeline, lsn *switch_lsn)
{
    for (const char *line = history; *line != '\0';) {
        unsigned long ancestor = 0;
        char position[LSN_TEXT_SIZE] = "";
        if (sscanf(line, "%lu %17[0-9A-Fa-f/]", &ancestor, position) == 2 && ancestor == timeline &&
            lsn_parse(position, switch_lsn)) {
            return true;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return false;
}

enum verdict catalog_timeline_end(struct link *replication, uint32_t current, uint32_t timeline,
                                  lsn *switch_lsn, struct error *error)
{
    bool found = false;
    if (current > 1) { /* the first timeline has no history */
        char command[48];
        snprintf(command, sizeof(command), "TIMELINE_HISTORY %u", current);
        struct pg_result *result = NULL;
        enum verdict verdict = one_row(replication, command, 2, &result, error);
        if (verdict != OK) {
            return verdict;
        }
        found = find_in_history(pg_result_text(result, 0, 1), timeline, switch_lsn);
        pg_result_free(result);
    }
    return found ? OK
                 : error_set(error, REFUSE,
                             "timeline %u is no ancestor of timeline %u of PostgreSQL at %s",
                             timeline, current, link_host(replication));
}

/* --- the server --- */

enum verdict catalog_server(struct link *link, struct pg_server *server, struct error *error)
{
    static const char sql[] =
        "SELECT pg_catalog.current_setting('wal_level'),"
        " pg_catalog.current_setting('max_replication_slots'),"
        " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_replication_slots),"
        " pg_catalog.current_setting('max_wal_senders'),"
        " (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'),"
        " (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size'),"
        " (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles"
        "   WHERE rolname = current_user),"
        " pg_catalog.pg_is_in_recovery(), current_user";
    struct pg_result *result = NULL;
    enum verdict verdict = one_row(link, sql, 9, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    struct pg_server found = {
        .version = link_server_version(link),
        .max_replication_slots = atoi(pg_result_text(result, 0, 1)),
        .used_replication_slots = atoi(pg_result_text(result, 0, 2)),
        .max_wal_senders = atoi(pg_result_text(result, 0, 3)),
        .wal_sender_timeout_ms = (uint32_t)strtoul(pg_result_text(result, 0, 4), NULL, 10),
        .max_slot_wal_keep_mb = strtoll(pg_result_text(result, 0, 5), NULL, 10),
        .role_replication = result_true(result, 6),
        .in_recovery = result_true(result, 7),
    };
    result_copy(result, 0, found.wal_level, sizeof(found.wal_level));
    result_copy(result, 8, found.role, sizeof(found.role));
    pg_result_free(result);
    *server = found;
    return OK;
}

/* --- the table --- */

/* One row a column, with the facts of the table repeated: a table without columns is none for us.
 * Rights may be given for single columns. On a partitioned table a unique index must hold the
 * partition key, so there any index that begins with the id will do. */
static const char table_sql[] =
    "SELECT c.oid, c.relkind = 'p', c.relpersistence <> 'p',"
    " pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
    "  AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT'),"
    " pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
    "  AND pg_catalog.has_any_column_privilege(c.oid, 'UPDATE'),"
    " pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
    "  AND pg_catalog.has_table_privilege(c.oid, 'DELETE'),"
    " EXISTS (SELECT FROM pg_catalog.pg_index i"
    "   JOIN pg_catalog.pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[0]"
    "   WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND k.attname = $3"
    "   AND (c.relkind = 'p' OR (i.indisunique AND i.indnkeyatts = 1))),"
    " a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) t"
    "   JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = t.relid"
    "   JOIN pg_catalog.pg_attribute k ON k.attrelid = p.partrelid"
    "   WHERE k.attnum = ANY (p.partattrs) AND k.attname = a.attname)"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
    " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')"
    " AND a.attnum > 0 AND NOT a.attisdropped"
    " ORDER BY a.attnum";

/* First the schemas in which the role itself looks for tables. */
static const char elsewhere_sql[] =
    "SELECT n.nspname FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relname = $1 AND c.relkind IN ('r', 'p')"
    " AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
    " ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), n.nspname), 1 LIMIT 1";

static enum verdict find_elsewhere(struct link *link, const char *table_name,
                                   struct pg_table *table, struct error *error)
{
    const char *params[] = {table_name};
    struct pg_result *result = NULL;
    enum verdict verdict =
        link_query(link, elsewhere_sql, params, 1, CATALOG_TIMEOUT_MS, &result, error);
    if (verdict == OK) {
        if (pg_result_rows(result) == 1) {
            result_copy(result, 0, table->elsewhere, sizeof(table->elsewhere));
        }
        pg_result_free(result);
    }
    return verdict;
}

static void read_columns(const struct pg_result *result, struct pg_table *table)
{
    table->n_columns = pg_result_rows(result);
    table->columns = must_calloc(table->n_columns, sizeof(*table->columns));
    for (size_t i = 0; i < table->n_columns; i++) {
        table->columns[i].name = must_strdup(pg_result_text(result, i, 7));
        table->columns[i].type = must_strdup(pg_result_text(result, i, 8));
        table->columns[i].not_null = strcmp(pg_result_text(result, i, 9), "t") == 0;
        table->columns[i].partitions = strcmp(pg_result_text(result, i, 10), "t") == 0;
    }
}

enum verdict catalog_table(struct link *link, const char *schema_name, const char *table_name,
                           const char *id_column, struct pg_table *table, struct error *error)
{
    const char *params[] = {schema_name, table_name, id_column};
    struct pg_result *result = NULL;
    enum verdict verdict =
        link_query(link, table_sql, params, 3, CATALOG_TIMEOUT_MS, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    *table = (struct pg_table){.exists = pg_result_rows(result) > 0};
    if (table->exists) {
        table->oid = (uint32_t)strtoul(pg_result_text(result, 0, 0), NULL, 10);
        table->partitioned = result_true(result, 1);
        table->unlogged_or_temporary = result_true(result, 2);
        table->can_select = result_true(result, 3);
        table->can_update = result_true(result, 4);
        table->can_delete = result_true(result, 5);
        table->id_indexed = result_true(result, 6);
        read_columns(result, table);
    }
    pg_result_free(result);
    return table->exists ? OK : find_elsewhere(link, table_name, table, error);
}

void pg_table_release(struct pg_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        free(table->columns[i].name);
        free(table->columns[i].type);
    }
    free(table->columns);
    *table = (struct pg_table){.exists = false};
}
