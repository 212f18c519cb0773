/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pg/catalog.h"
#include "pg/internal.h"

/* A slot is born only when every transaction that is open now has ended. */
enum { CREATE_TIMEOUT_MS = 60000 };

/* --- look --- */

/* Why it was invalidated: a column of its own since 17; 16 knows one reason. */
static const char *invalidation_column(int server_version)
{
    if (server_version >= 170000) {
        return "invalidation_reason";
    }
    return server_version >= 160000 ? "CASE WHEN conflicting THEN 'conflicting' END" : "NULL";
}

/* No parameters: a replication link can ask this too, and START_REPLICATION does when it fails. */
char *catalog_slot_sql(int server_version, const char *slot)
{
    char *name = pg_quote_literal(slot);
    char *sql = must_printf(
        "SELECT plugin, database, slot_type, temporary, active, active_pid, confirmed_flush_lsn,"
        " restart_lsn, wal_status, safe_wal_size,"
        " pg_catalog.pg_wal_lsn_diff(w.lsn, restart_lsn)::pg_catalog.int8,"
        " pg_catalog.pg_wal_lsn_diff(w.lsn, confirmed_flush_lsn)::pg_catalog.int8, %s"
        " FROM pg_catalog.pg_replication_slots,"
        " (SELECT CASE WHEN pg_catalog.pg_is_in_recovery()"
        "   THEN pg_catalog.pg_last_wal_replay_lsn()"
        "   ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) w"
        " WHERE slot_name = %s",
        invalidation_column(server_version), name);
    free(name);
    return sql;
}

static int64_t number(const struct pg_result *result, size_t column)
{
    return strtoll(pg_result_text(result, 0, column), NULL, 10);
}

static void read_lsn(const struct pg_result *result, size_t column, lsn *position)
{
    *position = 0;
    (void)lsn_parse(pg_result_text(result, 0, column), position); /* NULL: no position */
}

/* NULL means "no limit", but also "lost"; below zero, the next checkpoint may remove the WAL. */
static int64_t safe_bytes(const struct pg_result *result, const char *wal_status)
{
    if (pg_result_get(result, 0, 9).data == NULL) {
        return strcmp(wal_status, "lost") == 0 ? 0 : -1;
    }
    int64_t safe = number(result, 9);
    return safe < 0 ? 0 : safe;
}

void catalog_slot_read(const struct pg_result *result, struct pg_slot *slot)
{
    *slot = (struct pg_slot){.exists = pg_result_rows(result) > 0};
    if (!slot->exists) {
        return;
    }
    result_copy(result, 0, slot->plugin, sizeof(slot->plugin));
    result_copy(result, 1, slot->database, sizeof(slot->database));
    result_copy(result, 2, slot->type, sizeof(slot->type));
    slot->temporary = result_true(result, 3);
    slot->active = result_true(result, 4);
    slot->active_pid = (int)number(result, 5);
    read_lsn(result, 6, &slot->confirmed_lsn);
    read_lsn(result, 7, &slot->restart_lsn);
    result_copy(result, 8, slot->wal_status, sizeof(slot->wal_status));
    slot->safe_bytes = safe_bytes(result, slot->wal_status);
    slot->retained_bytes = number(result, 10);
    slot->lag_bytes = number(result, 11);
    result_copy(result, 12, slot->invalidation, sizeof(slot->invalidation));
}

enum verdict catalog_slot(struct link *link, const char *slot, struct pg_slot *found,
                          struct error *error)
{
    char *sql = catalog_slot_sql(link_server_version(link), slot);
    struct pg_result *result = NULL;
    enum verdict verdict = link_query(link, sql, NULL, 0, CATALOG_TIMEOUT_MS, &result, error);
    free(sql);
    if (verdict != OK) {
        return verdict;
    }
    catalog_slot_read(result, found);
    pg_result_free(result);
    return OK;
}

bool catalog_slot_shortage(const struct pg_slot *slot, const char *name, struct error *error)
{
    bool over = strcmp(slot->wal_status, "unreserved") == 0;
    if (!slot->exists || strcmp(slot->wal_status, "lost") == 0 ||
        (!over && (slot->safe_bytes < 0 || slot->safe_bytes >= slot->retained_bytes / 3))) {
        return false;
    }
    if (over) {
        error_set(error, WAIT,
                  "slot \"%s\" is about to be lost: %" PRId64
                  " bytes of WAL are kept for it, which is over max_slot_wal_keep_size; the next "
                  "checkpoint of the server may remove them",
                  name, slot->retained_bytes);
    } else {
        error_set(error, WAIT,
                  "slot \"%s\" may soon be lost: %" PRId64
                  " bytes of WAL are kept for it, and %" PRId64
                  " more (safe_wal_size) are left until max_slot_wal_keep_size is reached",
                  name, slot->retained_bytes, slot->safe_bytes);
    }
    error_remedy(error,
                 "Raise the limit, a reload is enough: ALTER SYSTEM SET max_slot_wal_keep_size = "
                 "'%" PRId64 "MB'; SELECT pg_reload_conf(); Then find out what holds the stream "
                 "up: is Kafka away, does a lane wait, is walpost stopped?",
                 4 * (slot->retained_bytes + slot->safe_bytes) / (INT64_C(1024) * 1024) + 64);
    return true;
}

/* --- create and drop --- */

static enum verdict creation_failed(struct link *link, const char *slot, enum verdict verdict,
                                    struct error *error)
{
    char code[sizeof(error->code)];
    memcpy(code, error->code, sizeof(code));
    if (strcmp(code, "42710") == 0) {
        error_set(error, REFUSE, "slot \"%s\" exists already", slot);
        verdict = error_remedy(error, "`walpost status` shows whose it is. If nobody needs it, "
                                      "`walpost drop` removes it.");
    } else if (strcmp(code, "53400") == 0) {
        error_set(error, FATAL, "PostgreSQL at %s has no replication slot left for \"%s\"",
                  link_host(link), slot);
        verdict =
            error_remedy(error, "Raise max_replication_slots (needs a restart of PostgreSQL), or "
                                "drop a slot that nobody needs: see pg_replication_slots.");
    } else if (strcmp(code, "55000") == 0) {
        error_set(error, FATAL,
                  "PostgreSQL at %s cannot make a logical slot: it runs with a wal_level below "
                  "logical",
                  link_host(link));
        verdict =
            error_remedy(error, "ALTER SYSTEM SET wal_level = 'logical'; and restart PostgreSQL.");
    } else if (verdict == RETRY && code[0] == '\0' && link_alive(link)) {
        error_set(error, RETRY,
                  "slot \"%s\" was not created within %d s: it has to wait for the transactions "
                  "that were open before",
                  slot, CREATE_TIMEOUT_MS / 1000);
        verdict = error_remedy(error, "End the old transactions: see xact_start in "
                                      "pg_stat_activity, and pg_prepared_xacts.");
    }
    error_code(error, code);
    return verdict;
}

enum verdict catalog_create_slot(struct link *replication, const char *slot, lsn *consistent_point,
                                 char snapshot_name[static 64], struct error *error)
{
    struct error unwanted;
    error = error == NULL ? &unwanted : error;
    char *name = pg_quote_identifier(slot);
    int version = link_server_version(replication);
    char *command = must_printf("CREATE_REPLICATION_SLOT %s LOGICAL pgoutput %s", name,
                                version >= 170000   ? "(SNAPSHOT 'export', FAILOVER)"
                                : version >= 150000 ? "(SNAPSHOT 'export')"
                                                    : "EXPORT_SNAPSHOT");
    free(name);
    struct pg_result *result = NULL;
    enum verdict verdict =
        link_query(replication, command, NULL, 0, CREATE_TIMEOUT_MS, &result, error);
    free(command);
    if (verdict == AGAIN) {
        return verdict;
    }
    if (verdict != OK) {
        return creation_failed(replication, slot, verdict, error);
    }
    bool readable = pg_result_rows(result) == 1 && pg_result_columns(result) >= 3 &&
                    lsn_parse(pg_result_text(result, 0, 1), consistent_point) &&
                    pg_result_get(result, 0, 2).data != NULL;
    if (readable) {
        result_copy(result, 2, snapshot_name, 64);
    }
    pg_result_free(result);
    return readable
               ? OK
               : error_set(error, FATAL, "PostgreSQL at %s created slot \"%s\" without a snapshot",
                           link_host(replication), slot);
}

enum verdict catalog_drop_slot(struct link *link, const char *slot, struct error *error)
{
    struct error unwanted;
    error = error == NULL ? &unwanted : error;
    char *name = pg_quote_literal(slot);
    char *sql = must_printf("SELECT pg_catalog.pg_drop_replication_slot(%s)", name);
    free(name);
    enum verdict verdict = link_query(link, sql, NULL, 0, CATALOG_TIMEOUT_MS, NULL, error);
    free(sql);
    if (verdict == WAIT) {
        error_remedy(error, "Stop the walpost that streams it, or end that process with SELECT "
                            "pg_terminate_backend(...);");
    }
    return verdict;
}
