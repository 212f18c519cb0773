/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/recover.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/crash_point.h"
#include "config/config.h"
#include "pipeline/snapshot_copy.h"
#include "pipeline/source.h"

enum { QUERY_TIMEOUT_MS = 15000 };

/* Two instances that find the slot gone must not drop each other's new one. Held by the session
 * that makes the slot, for as long as that takes. */
static enum verdict take_turn(const struct session_options *options, struct link *sql,
                              struct error *error)
{
    char *name = must_printf("walpost recovers %s", options->config->stream);
    const char *params[] = {name};
    struct pg_result *result = NULL;
    enum verdict verdict = link_query(
        sql, "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0))", params,
        1, QUERY_TIMEOUT_MS, &result, error);
    free(name);
    if (verdict != OK) {
        return verdict;
    }
    bool ours = strcmp(pg_result_text(result, 0, 0), "t") == 0;
    pg_result_free(result);
    if (!ours) {
        error_set(error, WAIT, "another walpost of this stream makes slot \"%s\" anew",
                  options->config->postgres.slot);
        return error_remedy(error, "Nothing: this one goes on when that is done. If it does not "
                                   "end, `walpost status` and pg_stat_activity show who it is.");
    }
    return OK;
}

/* OK: there is none any more. */
static enum verdict drop_remains(const struct session_options *options, struct link *sql,
                                 struct error *error)
{
    const struct config *config = options->config;
    struct pg_slot slot;
    lsn birth = 0;
    enum verdict verdict = catalog_slot(sql, config->postgres.slot, &slot, error);
    if (verdict != OK || !slot.exists) {
        return verdict;
    }
    if (slot.active) {
        error_set(error, WAIT, "slot \"%s\" is in use by process %d", config->postgres.slot,
                  slot.active_pid);
        return error_remedy(error,
                            "Stop the program that reads it: pg_stat_activity shows whose process "
                            "%d is. If nobody needs it, SELECT pg_terminate_backend(%d).",
                            slot.active_pid, slot.active_pid);
    }
    verdict = snapshot_birth(sql, config, &birth, error);
    if (verdict == OK && birth != 0 && birth == slot.confirmed_lsn) {
        return error_set(error, RESTART, "slot \"%s\" was made anew meanwhile",
                         config->postgres.slot);
    }
    return verdict != OK ? verdict : catalog_drop_slot(sql, config->postgres.slot, error);
}

static enum verdict make_slot(const struct session_options *options, struct link *sql,
                              struct link *replication, struct error *error)
{
    const struct config *config = options->config;
    struct pg_table table = {.exists = false};
    char snapshot_name[64];
    lsn birth = 0;
    int64_t rows = 0;
    enum verdict verdict = catalog_table(sql, config->outbox.schema_name, config->outbox.table_name,
                                         config->outbox.columns.id, &table, error);
    if (verdict == OK) {
        verdict =
            catalog_create_slot(replication, config->postgres.slot, &birth, snapshot_name, error);
        verdict = verdict == REFUSE ? RETRY : verdict; /* somebody was faster: look again */
    }
    crash_point("recover_after_slot");
    if (verdict == OK) {
        verdict = snapshot_copy(sql, config, &table, snapshot_name, birth, &rows, error);
    }
    crash_point("recover_after_snapshot");
    pg_table_release(&table);
    if (verdict != OK) {
        return verdict;
    }
    log_write(options->log, LOG_WARN,
              "recover: the slot was made anew; rows that are still PENDING come first",
              F_TEXT("slot", config->postgres.slot), F_LSN("at", birth),
              F_U64("rows", (uint64_t)rows));
    return error_set(error, RESTART, "slot \"%s\" was made anew", config->postgres.slot);
}

enum verdict recover_slot(const struct session_options *options, struct error *error)
{
    struct link *sql = NULL;
    struct link *replication = NULL;
    enum verdict verdict = source_connect(options, false, &sql, error);
    if (verdict == OK) {
        verdict = source_connect(options, true, &replication, error);
    }
    if (verdict == OK) {
        verdict = take_turn(options, sql, error);
    }
    if (verdict == OK) {
        verdict = drop_remains(options, sql, error);
    }
    if (verdict == OK) {
        verdict = make_slot(options, sql, replication, error);
    }
    link_close(replication);
    link_close(sql);
    return verdict;
}

enum verdict recover_is_prepared(const struct session_options *options,
                                 const struct session *session, bool *prepared, struct error *error)
{
    lsn birth = 0;
    enum verdict verdict = snapshot_birth(session->sql, options->config, &birth, error);
    *prepared = verdict == OK && birth != 0 && birth == session->slot_lsn;
    return verdict;
}
