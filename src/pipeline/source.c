/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "config/config.h"
#include "pg/stream.h"
#include "pipeline/table.h"

enum {
    CONNECT_TIMEOUT_MS = 15000,
    QUERY_TIMEOUT_MS = 15000,
    TAKE_OVER_TRIES = 100,
    TAKE_OVER_ASK_AGAIN = 50,
    TAKE_OVER_PAUSE_MS = 20,
};

enum verdict source_connect(const struct session_options *options, bool replication,
                            struct link **link, struct error *error)
{
    char *name = must_printf("walpost %s", options->config->stream);
    enum verdict verdict = link_open(
        &(struct link_options){
            .dsn = options->config->postgres.dsn,
            .replication = replication,
            .application_name = name,
            .connect_timeout_ms = CONNECT_TIMEOUT_MS,
            .stop = options->stop,
        },
        link, error);
    free(name);
    return verdict;
}

static enum verdict check_server(const struct session *session, struct error *error)
{
    if (session->server.version < 140000) {
        error_set(error, FATAL, "the server is PostgreSQL %d; walpost needs 14 or newer",
                  session->server.version / 10000);
        return error_remedy(error, "Upgrade the server.");
    }
    if (session->server.in_recovery) {
        error_set(error, WAIT, "PostgreSQL at %s is a standby: the stream needs its primary",
                  link_host(session->sql));
        return error_remedy(error,
                            "It is waited for: promote it, or name the primary in postgres.dsn. "
                            "Several hosts with target_session_attrs=read-write find it by "
                            "themselves.");
    }
    if (strcmp(session->server.wal_level, "logical") != 0) {
        error_set(error, FATAL,
                  "the server runs with wal_level=%s; logical replication needs "
                  "wal_level=logical",
                  session->server.wal_level);
        return error_remedy(error,
                            "ALTER SYSTEM SET wal_level = 'logical'; and restart PostgreSQL.");
    }
    return OK;
}

static enum verdict check_table(const struct session_options *options,
                                const struct session *session, struct error *error)
{
    const struct config *config = options->config;
    enum verdict verdict = table_judge_schema(config, &session->table, error);
    if (verdict != OK) {
        return verdict;
    }
    if (!session->table.exists) {
        error_set(error, REFUSE, "there is no table %s in database \"%s\"", config->table,
                  session->identity.database);
        return error_remedy(error,
                            "For a new stream `walpost init` creates it. If it was there before, "
                            "bring it back under its name, or name the right one as outbox.table.");
    }
    verdict = table_judge(config, &session->table, options->kafka, error);
    return verdict != OK || !options->kafka
               ? verdict
               : table_judge_rights(config, &session->table, session->server.role, error);
}

static enum verdict look_at_server(const struct session_options *options, struct session *session,
                                   struct error *error)
{
    const struct config *config = options->config;
    enum verdict verdict = catalog_server(session->sql, &session->server, error);
    if (verdict == OK) {
        verdict = check_server(session, error);
    }
    if (verdict == OK) {
        verdict = catalog_table(session->sql, config->outbox.schema_name, config->outbox.table_name,
                                config->outbox.columns.id, &session->table, error);
    }
    if (verdict == OK) {
        verdict = check_table(options, session, error);
    }
    if (verdict == OK) {
        verdict = catalog_publication(session->sql, config->postgres.publication,
                                      config->outbox.schema_name, config->outbox.table_name,
                                      &session->publication, error);
    }
    return verdict != OK ? verdict
                         : source_judge_publication(config, &session->publication, &session->table,
                                                    0, 0, error);
}

/* --take-over: the walsender that holds the slot is told to end; the next try finds the slot free.
 */
static void take_over(const struct session_options *options, struct session *session)
{
    struct pg_slot slot;
    struct error error;
    if (catalog_slot(session->sql, options->config->postgres.slot, &slot, &error) != OK ||
        slot.active_pid == 0) {
        return;
    }
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", slot.active_pid);
    const char *params[] = {pid};
    struct pg_result *result = NULL;
    enum verdict verdict =
        link_query(session->sql, "SELECT pg_catalog.pg_terminate_backend($1::int)", params, 1,
                   QUERY_TIMEOUT_MS, &result, &error);
    if (verdict != OK) {
        log_error(options->log, LOG_WARN, &error);
    } else {
        log_write(options->log, LOG_WARN,
                  "taking over: asked the walsender that holds the slot to end",
                  F_U64("pid", slot.active_pid));
        pg_result_free(result);
    }
}

/* The walsender has ended behind our back; what it said on its way out waits on the link. A
 * publication that was missing when the WAL was written ends every try at the same place: that is
 * no lost connection. */
static enum verdict slot_lost(struct session *session, const char *slot, struct error *error)
{
    struct error said;
    enum verdict verdict = stream_read(session->replication, &said);
    while (verdict == OK) {
        struct stream_message message;
        verdict = stream_next(session->replication, &message, &said);
        if (verdict == OK) {
            stream_free_buffer(message.buffer);
        }
    }
    if (verdict == REFUSE || verdict == FATAL) {
        *error = said;
        return verdict;
    }
    return error_set(error, RETRY, "slot \"%s\" is no longer held by this session", slot);
}

static enum verdict start_stream(const struct session_options *options, struct session *session,
                                 struct error *error)
{
    return stream_start(session->replication,
                        &(struct stream_options){
                            .slot = options->config->postgres.slot,
                            .publication = options->config->postgres.publication,
                            .messages = session->server.version >= 140000,
                        },
                        error);
}

/* Refused: because of the slot itself? */
static bool slot_is_gone(const struct session_options *options, struct session *session)
{
    struct pg_slot slot;
    struct error ignored;
    return catalog_slot(session->sql, options->config->postgres.slot, &slot, &ignored) == OK &&
           (!slot.exists || strcmp(slot.wal_status, "lost") == 0 || slot.invalidation[0] != '\0');
}

static enum verdict acquire_slot(const struct session_options *options, struct session *session,
                                 struct error *error)
{
    enum verdict verdict = start_stream(options, session, error);
    for (int tries = 0; verdict == WAIT && options->take_over && tries < TAKE_OVER_TRIES; tries++) {
        if (tries % TAKE_OVER_ASK_AGAIN == 0) {
            take_over(options, session);
        }
        clock_wait_ms(
            TAKE_OVER_PAUSE_MS); /* ahead of any other standby, which asks once a second */
        verdict = start_stream(options, session, error);
    }
    if (verdict != OK) {
        session->slot_gone = verdict == REFUSE && slot_is_gone(options, session);
        return verdict;
    }
    struct pg_slot slot;
    verdict = catalog_slot(session->sql, options->config->postgres.slot, &slot, error);
    if (verdict != OK) {
        return verdict;
    }
    if (!slot.exists || slot.active_pid != link_backend_pid(session->replication)) {
        return slot_lost(session, options->config->postgres.slot, error);
    }
    session->slot_lsn = slot.confirmed_lsn;
    struct error shortage; /* a start that Kafka holds up goes on trying for long */
    if (catalog_slot_shortage(&slot, options->config->postgres.slot, &shortage)) {
        log_error(options->log, LOG_WARN, &shortage);
    }
    crash_point("slot_acquired");
    return OK;
}

enum verdict source_open(const struct session_options *options, struct session *session,
                         struct error *error)
{
    enum verdict verdict = source_connect(options, false, &session->sql, error);
    if (verdict == OK) {
        verdict = source_connect(options, true, &session->replication, error);
    }
    if (verdict == OK) {
        verdict = catalog_identify(session->replication, &session->identity, error);
    }
    if (verdict == OK) {
        session->good_lsn = session->identity.wal_lsn;
        verdict = look_at_server(options, session, error);
    }
    return verdict != OK ? verdict : acquire_slot(options, session, error);
}

enum verdict source_alive(struct session *session, const struct config *config, struct error *error)
{
    struct pg_slot slot;
    enum verdict verdict = catalog_slot(session->sql, config->postgres.slot, &slot, error);
    if (verdict != OK) {
        return verdict;
    }
    if (!slot.exists || slot.active_pid != link_backend_pid(session->replication)) {
        return slot_lost(session, config->postgres.slot, error);
    }
    return OK;
}

enum verdict source_still_ours(const struct session_options *options, struct session *session,
                               enum verdict verdict, struct error *error)
{
    struct error found = *error;
    enum verdict alive = source_alive(session, options->config, error);
    if (alive == OK) {
        *error = found;
    }
    return alive == OK ? verdict : alive;
}

/* --- I9 --- */

enum verdict source_judge_publication(const struct config *config,
                                      const struct pg_publication *publication,
                                      const struct pg_table *table, lsn from_lsn, lsn to_lsn,
                                      struct error *error)
{
    const char *name = config->postgres.publication;
    char trouble[320];
    char remedy[400];
    if (!publication->exists) {
        snprintf(trouble, sizeof(trouble), "publication \"%s\" does not exist", name);
        snprintf(remedy, sizeof(remedy),
                 "For a new stream `walpost init` creates it. A stream that ran before begins anew "
                 "with `walpost drop` and `walpost init`: rows that still have status PENDING are "
                 "published by the snapshot.");
    } else if (!publication->insert_published) {
        snprintf(trouble, sizeof(trouble), "publication \"%s\" does not publish inserts", name);
        snprintf(remedy, sizeof(remedy), "ALTER PUBLICATION \"%s\" SET (publish = 'insert');",
                 name);
    } else if (publication->table_oid == 0) {
        snprintf(trouble, sizeof(trouble), "table %s is not there any more", config->table);
        snprintf(remedy, sizeof(remedy),
                 "Bring the table back under its name, or name the right one as outbox.table.");
    } else if (table->partitioned && !publication->via_root) {
        snprintf(trouble, sizeof(trouble),
                 "publication \"%s\" publishes the rows of %s under the names of its partitions",
                 name, config->table);
        snprintf(remedy, sizeof(remedy),
                 "ALTER PUBLICATION \"%s\" SET (publish_via_partition_root = true);", name);
    } else if (!publication->covers_table) {
        snprintf(trouble, sizeof(trouble), "publication \"%s\" does not cover table %s", name,
                 config->table);
        snprintf(remedy, sizeof(remedy), "ALTER PUBLICATION \"%s\" ADD TABLE %s;", name,
                 config->table);
    } else if (from_lsn != 0 && publication->table_oid != table->oid) {
        snprintf(trouble, sizeof(trouble), "table %s was replaced by another one of the same name",
                 config->table);
        snprintf(remedy, sizeof(remedy), "Start walpost again: it then follows the new table.");
    } else {
        return OK;
    }
    if (from_lsn == 0) {
        error_set(error, REFUSE, "%s: rows inserted into the outbox do not reach the stream",
                  trouble);
    } else {
        error_set(error, REFUSE,
                  "%s: rows inserted between " LSN_FORMAT " and " LSN_FORMAT
                  " may not have reached the stream",
                  trouble, LSN_ARGS(from_lsn), LSN_ARGS(to_lsn));
    }
    return error_remedy(error, "%s%s", remedy,
                        !publication->exists ? ""
                        : from_lsn == 0
                            ? " Rows that were inserted meanwhile stay out: insert them again."
                            : " Then compare the rows of that window with the topic, and insert "
                              "again what is missing.");
}

struct seen source_seen(const struct session_options *options, const struct session *session)
{
    return (struct seen){
        .config = options->config,
        .identity = &session->identity,
        .has_slot = !session->slot_gone,
        .slot_lsn = session->slot_lsn,
    };
}

/* The replication link streams already, so the history is asked for on one of its own. */
static enum verdict branch_point(const struct session_options *options, struct session *session,
                                 uint32_t timeline, lsn *branched, struct error *error)
{
    struct link *link = NULL;
    enum verdict verdict = source_connect(options, true, &link, error);
    if (verdict == OK) {
        verdict = catalog_timeline_end(link, session->identity.timeline, timeline, branched, error);
    }
    link_close(link);
    return verdict;
}

enum verdict source_judge_lineage(const struct session_options *options,
                                  const struct checkpoint *found, struct session *session,
                                  struct error *error)
{
    struct seen seen = source_seen(options, session);
    struct checkpoint_summary recorded = checkpoint_summarize(found);
    enum verdict verdict = belongs_to_server(&seen, &recorded, error);
    if (verdict == OK && session->identity.wal_lsn < recorded.furthest_lsn) {
        /* Another walpost may have published since the server was asked. */
        verdict = catalog_wal_end(session->sql, &session->identity.wal_lsn, error);
    }
    if (verdict == OK) {
        verdict = belongs_to_present(&seen, &recorded, error);
    }
    if (verdict != OK || recorded.timeline == session->identity.timeline) {
        return verdict;
    }
    lsn branched = 0;
    if (session->identity.timeline > recorded.timeline) {
        verdict = branch_point(options, session, recorded.timeline, &branched, error);
        if (verdict != OK && verdict != REFUSE) {
            return verdict;
        }
    }
    return belongs_to_timeline(&seen, &recorded, branched, error);
}
