/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cli/check.h"
#include "cli/reach.h"
#include "cli/say.h"
#include "pipeline/table.h"

enum {
    OLD_ROWS_MAX = 100000,
    OLD_ROWS_TIMEOUT_MS = 10000,
    MORE = 10, /* of slots and walsenders, as the server has by default */
};

/* --- the server --- */

/* For remedies that can be pasted. */
static bool look_at_role(struct points *points, struct look *look)
{
    struct pg_result *result = NULL;
    struct error error;
    if (link_query(look->sql, "SELECT pg_catalog.quote_ident(current_user)", NULL, 0,
                   SQL_TIMEOUT_MS, &result, &error) != OK) {
        point_error(points, "server settings", &error);
        return false;
    }
    snprintf(look->role, sizeof(look->role), "%s", pg_result_text(result, 0, 0));
    pg_result_free(result);
    return true;
}

static bool check_server(struct points *points, struct look *look)
{
    struct error error;
    if (reach_postgres(look->config, false, &look->sql, &error) != OK) {
        point_error(points, "server", &error);
        return false;
    }
    int version = link_server_version(look->sql);
    point_ok(points, "server", "PostgreSQL %d.%d at %s", version / 10000, version % 10000,
             link_host(look->sql));
    if (catalog_server(look->sql, &look->server, &error) != OK) {
        point_error(points, "server settings", &error);
        return false;
    }
    return look_at_role(points, look);
}

static void check_settings(struct points *points, const struct look *look)
{
    const struct pg_server *server = &look->server;
    if (server->version < 140000) {
        point_wrong(points, "version", "Upgrade the server to PostgreSQL 14 or newer.",
                    "PostgreSQL %d is too old", server->version / 10000);
    } else {
        point_ok(points, "version", "14 or newer");
    }
    if (strcmp(server->wal_level, "logical") != 0) {
        point_wrong(points, "wal_level",
                    "ALTER SYSTEM SET wal_level = 'logical'; then restart PostgreSQL.",
                    "is %s, must be logical", server->wal_level);
    } else {
        point_ok(points, "wal_level", "logical");
    }
    if (server->in_recovery) {
        point_wrong(points, "primary", "Name the primary in postgres.dsn, or several hosts.",
                    "this server is a standby");
    }
}

static void check_senders(struct points *points, const struct look *look)
{
    int64_t used = 0;
    struct error error;
    if (reach_number(look->sql, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication",
                     NULL, &used, &error) != OK) {
        point_error(points, "max_wal_senders", &error);
        return;
    }
    used -= look->replication != NULL; /* this command's own */
    if (used >= look->server.max_wal_senders && !look->found.slot.active) {
        char *remedy = must_printf("ALTER SYSTEM SET max_wal_senders = %d; then restart "
                                   "PostgreSQL. Or end a replication connection: see "
                                   "pg_stat_replication.",
                                   look->server.max_wal_senders + MORE);
        point_wrong(points, "max_wal_senders", remedy, "all %d are in use",
                    look->server.max_wal_senders);
        free(remedy);
    } else {
        point_ok(points, "max_wal_senders", "%" PRId64 " of %d in use", used,
                 look->server.max_wal_senders);
    }
}

static void check_slot_room(struct points *points, const struct look *look)
{
    const struct pg_server *server = &look->server;
    if (!look->found.slot.exists &&
        server->used_replication_slots >= server->max_replication_slots) {
        char *remedy = must_printf("ALTER SYSTEM SET max_replication_slots = %d; then restart "
                                   "PostgreSQL. Or drop a slot that nobody needs: see "
                                   "pg_replication_slots.",
                                   server->max_replication_slots + MORE);
        point_wrong(points, "max_replication_slots", remedy, "all %d are in use",
                    server->max_replication_slots);
        free(remedy);
    } else {
        point_ok(points, "max_replication_slots", "%d of %d in use", server->used_replication_slots,
                 server->max_replication_slots);
    }
}

/* The right, and that such a connection really comes about. */
static bool check_replication(struct points *points, struct look *look)
{
    struct error error;
    if (!look->server.role_replication) {
        char *remedy = must_printf("ALTER ROLE %s REPLICATION;", look->role);
        point_wrong(points, "replication right", remedy, "role %s may not replicate", look->role);
        free(remedy);
        return false;
    }
    if (reach_postgres(look->config, true, &look->replication, &error) != OK ||
        catalog_identify(look->replication, &look->found.identity, &error) != OK) {
        point_error(points, "replication right", &error);
        return false;
    }
    point_ok(points, "replication right", "system %" PRIu64 ", timeline %u, database %s",
             look->found.identity.system_id, look->found.identity.timeline,
             look->found.identity.database);
    return true;
}

/* --- the table --- */

static void check_columns(struct points *points, const struct look *look)
{
    const struct config *config = look->config;
    const struct {
        const char *role;
        const char *column;
    } required[] = {{"id", config->outbox.columns.id},
                    {"aggregate_id", config->outbox.columns.aggregate_id},
                    {"event_type", config->outbox.columns.event_type},
                    {"payload", config->outbox.columns.payload}};
    bool well = true;
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (table_column(&look->table, required[i].column) == NULL) {
            char remedy[256];
            snprintf(remedy, sizeof(remedy),
                     "Add the column, or name the right one as outbox.columns.%s.",
                     required[i].role);
            point_wrong(points, "columns", remedy, "there is no column \"%s\"", required[i].column);
            well = false;
        }
    }
    struct error error;
    if (well && !look->table.unlogged_or_temporary &&
        table_judge(config, &look->table, true, &error) != OK) {
        point_error(points, "columns", &error);
        well = false;
    }
    if (well) {
        point_ok(points, "columns", "all that the stream needs");
    }
}

static void check_right(struct points *points, const struct look *look, bool has, const char *right,
                        const char *why)
{
    if (has) {
        return;
    }
    char *remedy = must_printf("GRANT %s ON %s TO %s;", right, look->config->table, look->role);
    point_wrong(points, "table rights", remedy, "role %s may not %s: %s", look->role, right, why);
    free(remedy);
}

static void check_rights(struct points *points, const struct look *look)
{
    const struct pg_table *table = &look->table;
    enum after_publish after = look->config->outbox.after_publish;
    bool may_update = after != AFTER_MARK || table->can_update;
    bool may_delete = after != AFTER_DELETE || table->can_delete;
    /* A dead-lettered row is marked DEAD, never deleted. */
    bool mark_dead = after != AFTER_DELETE || table->can_update ||
                     table_column(table, look->config->outbox.columns.status) == NULL;
    if (table->can_select && may_update && may_delete && mark_dead) {
        point_ok(points, "table rights", "SELECT%s",
                 after == AFTER_MARK     ? ", UPDATE"
                 : after == AFTER_DELETE ? ", UPDATE, DELETE"
                                         : "");
        return;
    }
    check_right(points, look, table->can_select, "SELECT", "rows are found with it");
    check_right(points, look, may_update && mark_dead, "UPDATE", "rows are marked with it");
    check_right(points, look, may_delete, "DELETE", "rows are deleted with it");
}

static void check_id_index(struct points *points, const struct look *look)
{
    if (look->config->outbox.after_publish == AFTER_KEEP) {
        return;
    }
    if (look->table.id_indexed) {
        point_ok(points, "index on id", "unique");
        return;
    }
    char *remedy = must_printf("CREATE UNIQUE INDEX%s ON %s (\"%s\");",
                               look->table.partitioned ? "" : " CONCURRENTLY", look->config->table,
                               look->config->outbox.columns.id);
    point_warn(points, "index on id", remedy, "there is none: every mark reads the whole table");
    free(remedy);
}

/* Published rows whose mark was lost look just like rows that were never published. */
static void check_old_rows(struct points *points, const struct look *look)
{
    const struct config *config = look->config;
    const char *status = config->outbox.columns.status;
    const char *created_at = config->outbox.columns.created_at;
    if (config->outbox.after_publish != AFTER_MARK || !look->table.can_select ||
        table_column(&look->table, status) == NULL ||
        table_column(&look->table, created_at) == NULL) {
        return;
    }
    char *status_name = pg_quote_identifier(status);
    char *time_name = pg_quote_identifier(created_at);
    char *sql =
        must_printf("SELECT pg_catalog.count(*) FROM (SELECT 1 FROM %s WHERE %s = 'PENDING' "
                    "AND %s < pg_catalog.now() - interval '1 hour' LIMIT %d) AS old",
                    config->table, status_name, time_name, OLD_ROWS_MAX);
    struct pg_result *result = NULL;
    struct error error;
    if (link_query(look->sql, sql, NULL, 0, OLD_ROWS_TIMEOUT_MS, &result, &error) != OK) {
        point_warn(points, "old PENDING rows", error.remedy, "could not be counted: %s",
                   error.what);
    } else {
        int64_t rows = strtoll(pg_result_text(result, 0, 0), NULL, 10);
        if (rows == 0) {
            point_ok(points, "old PENDING rows", "none is older than an hour");
        } else {
            point_warn(
                points, "old PENDING rows",
                "The snapshot of a new stream publishes them at its first run, and a run that is "
                "far behind comes to them. Else they are rows from before "
                "outbox.snapshot=none, or rows whose mark was lost: look for their ids in Kafka "
                "before you insert them again.",
                "%" PRId64 "%s with status PENDING are older than an hour", rows,
                rows == OLD_ROWS_MAX ? " or more" : "");
        }
        pg_result_free(result);
    }
    free(sql);
    free(time_name);
    free(status_name);
}

static void check_table(struct points *points, struct look *look)
{
    static const char *const later[] = {"columns", "table rights", "index on id"};
    const struct config *config = look->config;
    struct error error;
    const char *because = NULL;
    if (catalog_table(look->sql, config->outbox.schema_name, config->outbox.table_name,
                      config->outbox.columns.id, &look->table, &error) != OK) {
        point_error(points, "table", &error);
        because = "the table could not be looked at";
    } else if (table_judge_schema(config, &look->table, &error) != OK) {
        point_error(points, "table", &error);
        because = "there is no table";
    } else if (!look->table.exists) {
        point_wrong(points, "table",
                    look->found.slot.exists
                        ? "Bring it back under its name, or name the right one as outbox.table."
                        : "Run `walpost init`, or name the right one as outbox.table.",
                    "there is no table %s", config->table);
        because = "there is no table";
    } else if (look->table.unlogged_or_temporary) {
        char *remedy = must_printf("ALTER TABLE %s SET LOGGED;", config->table);
        point_wrong(points, "table", remedy,
                    "%s is unlogged or temporary: it never reaches the WAL", config->table);
        free(remedy);
    } else {
        point_ok(points, "table", "%s%s", config->table,
                 look->table.partitioned ? ", partitioned" : "");
    }
    if (because != NULL) {
        for (size_t i = 0; i < ARRAY_LEN(later); i++) {
            point_skip(points, later[i], because);
        }
        return;
    }
    check_columns(points, look);
    check_rights(points, look);
    check_id_index(points, look);
    check_old_rows(points, look);
}

/* --- publication and slot --- */

static void check_publication(struct points *points, struct look *look)
{
    const struct config *config = look->config;
    const char *name = config->postgres.publication;
    struct pg_publication *publication = &look->publication;
    struct error error;
    if (catalog_publication(look->sql, name, config->outbox.schema_name, config->outbox.table_name,
                            publication, &error) != OK) {
        point_error(points, "publication", &error);
        return;
    }
    if (publication->exists && !look->table.exists) {
        point_skip(points, "publication", "there is no table");
        return;
    }
    char *quoted = pg_quote_identifier(name);
    char *remedy = NULL;
    if (!publication->exists) {
        point_wrong(points, "publication",
                    look->found.slot.exists
                        ? "`walpost drop` and `walpost init` begin anew: the slot cannot get past "
                          "what was written without its publication. Rows that still have status "
                          "PENDING are published by the snapshot."
                        : "Run `walpost init`.",
                    "there is no publication \"%s\"", name);
    } else if (!publication->insert_published) {
        remedy = must_printf("ALTER PUBLICATION %s SET (publish = 'insert');", quoted);
        point_wrong(points, "publication", remedy, "\"%s\" does not publish inserts", name);
    } else if (look->table.partitioned && !publication->via_root) {
        remedy =
            must_printf("ALTER PUBLICATION %s SET (publish_via_partition_root = true);", quoted);
        point_wrong(points, "publication", remedy,
                    "\"%s\" sends rows under the names of the partitions", name);
    } else if (!publication->covers_table) {
        remedy = must_printf("ALTER PUBLICATION %s ADD TABLE %s;%s", quoted, config->table,
                             look->found.slot.exists
                                 ? " Rows that were inserted meanwhile stay out: insert them again."
                                 : "");
        point_wrong(points, "publication", remedy, "\"%s\" does not cover table %s", name,
                    config->table);
    } else if (publication->column_list) {
        remedy = must_printf("ALTER PUBLICATION %s SET TABLE %s;", quoted, config->table);
        point_warn(points, "publication", remedy, "\"%s\" sends some columns only", name);
    } else if (publication->row_filter) {
        remedy = must_printf("Where that is not meant: ALTER PUBLICATION %s SET TABLE %s;", quoted,
                             config->table);
        point_warn(points, "publication", remedy,
                   "\"%s\" has a row filter: other rows are never published", name);
    } else {
        point_ok(points, "publication", "%s covers the table", name);
    }
    free(remedy);
    free(quoted);
}

static void check_slot_health(struct points *points, const struct look *look)
{
    const struct pg_slot *slot = &look->found.slot;
    char retained[BYTES_TEXT_SIZE];
    char safe[BYTES_TEXT_SIZE];
    say_bytes(slot->retained_bytes, retained);
    struct error shortage;
    if (catalog_slot_shortage(slot, look->config->postgres.slot, &shortage)) {
        point_warn(points, "WAL budget", shortage.remedy, "%s", shortage.what);
    } else if (slot->safe_bytes >= 0) {
        point_ok(points, "WAL budget", "%s kept for the slot, %s more until it is lost", retained,
                 say_bytes(slot->safe_bytes, safe));
    } else {
        point_ok(points, "WAL budget",
                 "%s kept for the slot; no limit is set (max_slot_wal_keep_size), so a long pause "
                 "fills the disk",
                 retained);
    }
}

static bool check_slot(struct points *points, struct look *look, bool identified)
{
    const char *name = look->config->postgres.slot;
    struct pg_slot *slot = &look->found.slot;
    struct error error;
    if (catalog_slot(look->sql, name, slot, &error) != OK ||
        look_at_intent(look->sql, look->config->stream, &look->found.intent, &error) != OK) {
        point_error(points, "slot", &error);
        return false;
    }
    if (!slot->exists) {
        point_wrong(points, "slot",
                    "Run `walpost init` for a new stream; for one that ran before, see the "
                    "position below.",
                    "there is no slot \"%s\"", name);
    } else if (!identified) {
        point_skip(points, "slot", "a replication connection is not possible");
    } else if (judge_slot(look->config, &look->found, &error) != OK) {
        point_error(points, "slot", &error);
        return false;
    } else if (slot->active) {
        point_ok(points, "slot", "%s, in use by pid %d", name, slot->active_pid);
        check_slot_health(points, look);
    } else {
        point_ok(points, "slot", "%s, free", name);
        check_slot_health(points, look);
    }
    return identified;
}

/* Remedies depend on it, long before its own point. */
static void glance_at_slot(struct look *look)
{
    struct error ignored;
    if (catalog_slot(look->sql, look->config->postgres.slot, &look->found.slot, &ignored) != OK) {
        look->found.slot.exists = false; /* check_slot will say why */
    }
}

void check_postgres(struct points *points, struct look *look, bool *slot_known)
{
    static const char *const all[] = {"version",     "wal_level", "replication right", "table",
                                      "publication", "slot",      "replay window"};
    *slot_known = false;
    if (!check_server(points, look)) {
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            point_skip(points, all[i], "there is no connection to PostgreSQL");
        }
        return;
    }
    check_settings(points, look);
    glance_at_slot(look);
    bool identified = check_replication(points, look);
    check_table(points, look);
    check_publication(points, look);
    *slot_known = check_slot(points, look, identified);
    check_slot_room(points, look);
    check_senders(points, look);
    check_anchor(points, look);
}
