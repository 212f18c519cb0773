/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/init_slot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "anchor/anchor.h"
#include "anchor/journal_topic.h"
#include "anchor/window.h"
#include "base/check.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "cli/reach.h"
#include "cli/stream_sql.h"
#include "pipeline/snapshot_copy.h"

static enum verdict execute_and_free(struct link *link, char *sql, int timeout_ms,
                                     struct error *error)
{
    enum verdict verdict = link_query(link, sql, NULL, 0, timeout_ms, NULL, error);
    free(sql);
    return verdict;
}

/* --- the intent --- */

static enum verdict begin_intent(struct look *look, struct error *error)
{
    const char *params[] = {look->config->stream};
    enum verdict verdict = reach_execute(look->sql, SQL_CREATE_INTENTS, error);
    return verdict != OK
               ? verdict
               : link_query(look->sql, SQL_BEGIN_INTENT, params, 1, SQL_TIMEOUT_MS, NULL, error);
}

static enum verdict update_intent(struct look *look, lsn consistent_point, struct error *error)
{
    char text[LSN_TEXT_SIZE];
    snprintf(text, sizeof(text), LSN_FORMAT, LSN_ARGS(consistent_point));
    const char *params[] = {look->config->stream, text};
    return link_query(look->sql, SQL_UPDATE_INTENT, params, 2, SQL_TIMEOUT_MS, NULL, error);
}

static enum verdict end_intent(struct look *look, struct error *error)
{
    const char *params[] = {look->config->stream};
    return link_query(look->sql, SQL_END_INTENT, params, 1, SQL_TIMEOUT_MS, NULL, error);
}

/* --- the snapshot --- */

/* Inside the snapshot that the slot exports, what is seen and what will be streamed meet exactly.
 */
static enum verdict take_snapshot(struct look *look, const char *snapshot_name,
                                  lsn consistent_point, int64_t *rows, struct error *error)
{
    const struct config *config = look->config;
    *rows = 0;
    if (config->outbox.snapshot == SNAPSHOT_NONE) {
        return OK;
    }
    enum verdict verdict = snapshot_copy(look->sql, config, &look->table, snapshot_name,
                                         consistent_point, rows, error);
    if (verdict == OK && *rows == 0) {
        verdict = execute_and_free(look->sql, snapshot_drop_sql(config), SQL_TIMEOUT_MS, error);
    }
    return verdict;
}

/* --- the slot --- */

static enum verdict start_over(struct look *look, struct error *error)
{
    if (look->found.slot.active) {
        error_set(error, REFUSE,
                  "slot \"%s\" was left by an init that did not end, but pid %d uses it",
                  look->config->postgres.slot, look->found.slot.active_pid);
        return error_remedy(error, "Stop that walpost, then run `walpost init` again.");
    }
    enum verdict verdict = catalog_drop_slot(look->sql, look->config->postgres.slot, error);
    if (verdict == OK) {
        printf("removed  slot %s: an init that did not end had left it, nothing was streamed yet\n",
               look->config->postgres.slot);
    }
    return verdict;
}

static enum verdict create_slot(struct look *look, struct error *error)
{
    const struct config *config = look->config;
    char snapshot_name[64];
    lsn consistent_point = 0;
    int64_t rows = 0;
    printf("creating slot %s: waits for the transactions that are open now\n",
           config->postgres.slot);
    fflush(stdout);
    enum verdict verdict = catalog_create_slot(look->replication, config->postgres.slot,
                                               &consistent_point, snapshot_name, error);
    crash_point("init_after_slot");
    if (verdict == OK) {
        printf("created  slot %s at " LSN_FORMAT "\n", config->postgres.slot,
               LSN_ARGS(consistent_point));
        verdict = take_snapshot(look, snapshot_name, consistent_point, &rows, error);
    }
    crash_point("init_after_snapshot");
    if (verdict == OK && rows > 0) {
        printf("created  table %s: %" PRId64 " rows that were there before come first\n",
               config->snapshot_table, rows);
    }
    if (verdict == OK) {
        verdict = update_intent(look, consistent_point, error);
    }
    if (verdict == OK) {
        struct log log = reach_log(config);
        verdict = checkpoint_found(config, &look->found.identity, look->lanes.count,
                                   consistent_point, rows > 0, &log, error);
    }
    crash_point("init_after_checkpoint");
    if (verdict == OK) {
        printf("created  first checkpoint in topic %s\n", config->checkpoint_topic);
    }
    return verdict;
}

enum verdict init_slot(struct look *look, struct error *error)
{
    const struct config *config = look->config;
    enum verdict verdict = OK;
    if (look->found.slot.exists && look->found.has_checkpoint) {
        printf("exists   slot %s at " LSN_FORMAT ", checkpoint at " LSN_FORMAT "\n",
               config->postgres.slot, LSN_ARGS(look->found.slot.confirmed_lsn),
               LSN_ARGS(look->found.checkpoint.settled_lsn));
        return look->found.intent.exists ? end_intent(look, error) : OK;
    }
    if (look->found.slot.exists) {
        verdict = start_over(look, error);
    }
    if (verdict == OK) {
        verdict = begin_intent(look, error);
    }
    crash_point("init_after_intent");
    if (verdict == OK) {
        verdict = create_slot(look, error);
        if (verdict != OK && error->remedy[0] == '\0') {
            error_remedy(error,
                         "Nothing was streamed yet: run `walpost init` again, it starts over.");
        }
    }
    return verdict != OK ? verdict : end_intent(look, error);
}

/* --- the anchor --- */

/* Since when there is something to replay. */
static enum verdict note_birth(const struct look *look, struct error *error)
{
    struct journal journal;
    struct pg_slot anchor;
    struct moment birth;
    lsn wal_lsn;
    journal_init(&journal);
    enum verdict verdict =
        journal_read(look->config, false, KAFKA_TIMEOUT_MS, NULL, &journal, error);
    if (verdict == OK) {
        verdict = catalog_slot(look->sql, look->config->anchor_slot, &anchor, error);
    }
    if (verdict == OK) {
        verdict = catalog_clock(look->sql, &wal_lsn, &birth.time_us, error);
    }
    if (verdict == OK) {
        birth.wal_lsn = anchor.confirmed_lsn;
        if (journal.clock.system_id != look->found.identity.system_id) {
            journal.clock = (struct wal_clock){.system_id = look->found.identity.system_id};
        }
        (void)wal_clock_note(&journal.clock, birth, anchor.confirmed_lsn);
        struct log log = reach_log(look->config);
        verdict = journal_write_wal_clock(look->config, &log, &journal.clock, NULL, error);
    }
    journal_release(&journal);
    return verdict;
}

enum verdict init_anchor(struct look *look, struct error *error)
{
    const struct config *config = look->config;
    const struct pg_slot *anchor = &look->anchor;
    if (!config_keeps_anchor(config)) {
        if (anchor->exists) {
            printf("exists   anchor slot %s, which nobody asks for any more: it holds WAL until "
                   "`walpost drop`, or SELECT pg_drop_replication_slot('%s')\n",
                   config->anchor_slot, config->anchor_slot);
        }
        return OK;
    }
    if (anchor->exists && !anchor_is_lost(anchor)) {
        printf("exists   anchor slot %s at " LSN_FORMAT "\n", config->anchor_slot,
               LSN_ARGS(anchor->confirmed_lsn));
        return OK;
    }
    enum verdict verdict = anchor_make(config, look->sql, anchor, error);
    if (verdict == OK) {
        printf("%s  anchor slot %s: WAL is kept for replays from now on\n",
               anchor->exists ? "remade " : "created", config->anchor_slot);
        verdict = note_birth(look, error);
        if (verdict != OK) {
            error_prefix(error, "the anchor slot is made, but since when could not be noted: ");
        }
    }
    return verdict;
}
