/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "anchor/anchor.h"
#include "anchor/journal_topic.h"
#include "anchor/window.h"
#include "base/check.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/say.h"
#include "dlq/topic.h"
#include "encode/timestamp.h"
#include "pipeline/table.h"

enum { COUNT_MAX = 1000000, COUNT_TIMEOUT_MS = 5000, DEPTH_TIMEOUT_MS = 5000 };

/* What takes a count or cannot be had; -1: not known. */
struct rows {
    int64_t pending;  /* up to COUNT_MAX */
    int64_t snapshot; /* of the snapshot table; 0: it is done, or there was none */
};

static int64_t count_rows(struct look *look, const char *from)
{
    char *sql = must_printf("SELECT pg_catalog.count(*) FROM (SELECT 1 FROM %s LIMIT %d) AS few",
                            from, COUNT_MAX);
    struct pg_result *result = NULL;
    struct error error;
    int64_t rows = -1;
    if (link_query(look->sql, sql, NULL, 0, COUNT_TIMEOUT_MS, &result, &error) == OK) {
        rows = strtoll(pg_result_text(result, 0, 0), NULL, 10);
        pg_result_free(result);
    }
    free(sql);
    return rows;
}

static struct rows look_at_rows(struct look *look)
{
    const struct config *config = look->config;
    struct rows rows = {-1, -1};
    if (look->table.exists && table_column(&look->table, config->outbox.columns.status) != NULL &&
        config->outbox.after_publish == AFTER_MARK) {
        char *status = pg_quote_identifier(config->outbox.columns.status);
        char *from = must_printf("%s WHERE %s = 'PENDING'", config->table, status);
        rows.pending = count_rows(look, from);
        free(from);
        free(status);
    }
    /* A table that is done with may still wait to be dropped. */
    bool done = look->found.has_checkpoint && !judge_snapshot_waits(&look->found);
    if (!look->snapshot.exists || done) {
        rows.snapshot = 0;
    } else if (look->snapshot.readable) {
        rows.snapshot = count_rows(look, config->snapshot_table);
    }
    return rows;
}

/* What can be replayed, and since when. */
struct replays {
    struct journal journal;
    struct error error;
    int64_t now_us, since_us; /* by the server's clock; 0: not known */
};

static void look_at_replays(struct look *look, bool kafka, struct replays *replays)
{
    struct error ignored;
    lsn wal_lsn;
    *replays = (struct replays){.error = {.verdict = OK}};
    journal_init(&replays->journal);
    if (!kafka || (!look->anchor.exists && !config_keeps_anchor(look->config))) {
        return;
    }
    replays->error.verdict = journal_read(look->config, false, KAFKA_TIMEOUT_MS, NULL,
                                          &replays->journal, &replays->error);
    if (catalog_clock(look->sql, &wal_lsn, &replays->now_us, &ignored) == OK &&
        replays->journal.clock.system_id == look->found.identity.system_id) {
        replays->since_us = wal_clock_since(&replays->journal.clock, look->anchor.confirmed_lsn);
    }
}

/* --- one screen --- */

static void line(const char *name, const char *text)
{
    printf("%-16s %s\n", name, text);
}

static void print_lsn(const char *name, lsn position)
{
    char text[LSN_TEXT_SIZE];
    snprintf(text, sizeof(text), LSN_FORMAT, LSN_ARGS(position));
    line(name, text);
}

static void print_slot(const struct config *config, const struct pg_slot *slot)
{
    char text[256];
    char bytes[BYTES_TEXT_SIZE];
    if (!slot->exists) {
        snprintf(text, sizeof(text), "%s is not there; `walpost check` says more",
                 config->postgres.slot);
        line("slot", text);
        return;
    }
    if (slot->active) {
        snprintf(text, sizeof(text), "%s, in use by pid %d", config->postgres.slot,
                 slot->active_pid);
    } else {
        snprintf(text, sizeof(text), "%s, free: nobody streams", config->postgres.slot);
    }
    line("slot", text);
    print_lsn("confirmed", slot->confirmed_lsn);
    line("lag", say_bytes(slot->lag_bytes, bytes));
    snprintf(text, sizeof(text), "%s, %s kept", slot->wal_status,
             say_bytes(slot->retained_bytes, bytes));
    line("WAL", text);
    line("may still grow",
         slot->safe_bytes < 0 ? "without limit" : say_bytes(slot->safe_bytes, bytes));
    struct error shortage;
    if (catalog_slot_shortage(slot, config->postgres.slot, &shortage)) {
        line("warning", shortage.what);
        line("", shortage.remedy);
    }
}

static void print_checkpoint(const struct config *config, const struct findings *found,
                             const struct error *kafka_error)
{
    char text[256];
    const struct checkpoint_summary *checkpoint = &found->checkpoint;
    if (kafka_error->verdict != OK) {
        line("checkpoint", kafka_error->what);
        return;
    }
    if (!found->has_checkpoint) {
        line("checkpoint", "is not there");
        return;
    }
    struct error whose;
    if (judge_slot_name(config, found, &whose) != OK) {
        line("warning", whose.what);
        line("", whose.remedy);
    }
    print_lsn("settled", checkpoint->settled_lsn);
    if (checkpoint->recovered_lsn != 0) {
        snprintf(text, sizeof(text),
                 "from the table, " LSN_FORMAT " to " LSN_FORMAT
                 ": rows that were PENDING there may be in Kafka twice, logical messages are lost",
                 LSN_ARGS(checkpoint->recovered_lsn), LSN_ARGS(checkpoint->origin_lsn));
        line("recovered", text);
    }
    snprintf(text, sizeof(text), "%" PRIu64 ", %u %s", checkpoint->generation, checkpoint->lanes,
             checkpoint->lanes == 1 ? "lane" : "lanes");
    line("generation", text);
    if (found->slot.active) {
        line("leader", checkpoint->instance);
    } else {
        snprintf(text, sizeof(text), "nobody; the last was %s", checkpoint->instance);
        line("leader", text);
    }
}

static void print_rows(const struct rows *rows)
{
    char text[64];
    if (rows->pending >= 0) {
        snprintf(text, sizeof(text), "%" PRId64 "%s", rows->pending,
                 rows->pending == COUNT_MAX ? " or more" : "");
        line("pending rows", text);
    }
    if (rows->snapshot > 0) {
        snprintf(text, sizeof(text), "%" PRId64 "%s", rows->snapshot,
                 rows->snapshot == COUNT_MAX ? " or more" : "");
        line("snapshot rows", text);
    }
}

/* Dead letters that are neither replayed nor purged. */
struct depth {
    uint64_t count;
    struct error error;
};

static void look_at_dead_letters(const struct look *look, struct depth *depth)
{
    *depth = (struct depth){.error = {.verdict = OK}};
    depth->error.verdict = dlq_depth(look->config, DEPTH_TIMEOUT_MS, &depth->count, &depth->error);
}

static void print_depth(const struct depth *depth)
{
    char text[96];
    if (depth->error.verdict != OK) {
        line("dead letters", depth->error.what);
        return;
    }
    snprintf(text, sizeof(text), "%" PRIu64 "%s", depth->count,
             depth->count == 0 ? "" : ", neither replayed nor purged: `walpost dlq list`");
    line("dead letters", text);
}

static void print_window(const struct look *look, const struct replays *replays)
{
    const struct pg_slot *anchor = &look->anchor;
    char text[256];
    char bytes[BYTES_TEXT_SIZE];
    if (!anchor->exists) {
        if (config_keeps_anchor(look->config)) {
            line("replay window", "none yet: the anchor slot is not there; `walpost init` or "
                                  "`walpost run` makes it");
        }
        return;
    }
    if (anchor_is_lost(anchor)) {
        line("replay window",
             "none: the anchor slot is lost (max_slot_wal_keep_size); `walpost run` "
             "makes it again");
        return;
    }
    lsn end = look->found.slot.confirmed_lsn;
    int64_t size = end > anchor->confirmed_lsn ? (int64_t)(end - anchor->confirmed_lsn) : 0;
    int used = snprintf(text, sizeof(text), LSN_FORMAT " to " LSN_FORMAT ", %s",
                        LSN_ARGS(anchor->confirmed_lsn), LSN_ARGS(end), say_bytes(size, bytes));
    if (replays->since_us > 0) {
        char since[TIMESTAMP_TEXT_SIZE];
        timestamp_format(replays->since_us, since);
        snprintf(text + used, sizeof(text) - (size_t)used, ", since %s", since);
    }
    line("replay window", text);
    snprintf(text, sizeof(text), "%s for replays, by slot %s",
             say_bytes(anchor->retained_bytes, bytes), look->config->anchor_slot);
    line("WAL kept", text);
    for (size_t i = 0; i < replays->journal.n_jobs; i++) {
        if (!replays->journal.jobs[i].done) {
            snprintf(text, sizeof(text),
                     "%s is not done: it runs, or waits for `walpost replay "
                     "--resume %s`",
                     replays->journal.jobs[i].id, replays->journal.jobs[i].id);
            line("replay", text);
        }
    }
}

static void print_screen(const struct look *look, const struct rows *rows,
                         const struct depth *depth, const struct replays *replays,
                         const struct error *kafka_error)
{
    line("stream", look->config->stream);
    print_slot(look->config, &look->found.slot);
    print_checkpoint(look->config, &look->found, kafka_error);
    print_rows(rows);
    print_depth(depth);
    print_window(look, replays);
}

/* --- JSON --- */

static void print_count(struct json *json, const char *name, int64_t count)
{
    if (count < 0) {
        json_null(json, name);
    } else {
        json_int(json, name, count);
    }
}

static void print_window_json(struct json *json, const struct look *look,
                              const struct replays *replays)
{
    const struct pg_slot *anchor = &look->anchor;
    bool whole = anchor->exists && !anchor_is_lost(anchor);
    char since[TIMESTAMP_TEXT_SIZE];
    json_open(json, "replay", '{');
    json_bool(json, "kept", config_keeps_anchor(look->config));
    json_text(json, "slot", look->config->anchor_slot);
    json_bool(json, "exists", anchor->exists);
    json_bool(json, "lost", anchor->exists && !whole);
    json_lsn(json, "from_lsn", whole ? anchor->confirmed_lsn : 0);
    json_lsn(json, "to_lsn", whole ? look->found.slot.confirmed_lsn : 0);
    print_count(json, "retained_bytes", whole ? anchor->retained_bytes : -1);
    print_count(json, "lag_bytes", whole ? anchor->lag_bytes : -1);
    json_text(json, "since",
              whole && timestamp_format(replays->since_us, since) > 0 && replays->since_us > 0
                  ? since
                  : NULL);
    print_count(json, "age_seconds",
                whole && replays->since_us > 0 ? (replays->now_us - replays->since_us) / 1000000
                                               : -1);
    json_open(json, "unfinished", '[');
    for (size_t i = 0; i < replays->journal.n_jobs; i++) {
        if (!replays->journal.jobs[i].done) {
            json_text(json, NULL, replays->journal.jobs[i].id);
        }
    }
    json_close(json, ']');
    json_close(json, '}');
}

static void print_depth_json(struct json *json, const struct look *look, const struct depth *depth)
{
    bool known = depth->error.verdict == OK;
    json_open(json, "dead_letters", '{');
    json_text(json, "topic", look->config->dead_letter_topic);
    print_count(json, "depth", known ? (int64_t)depth->count : -1);
    json_text(json, "error", known ? NULL : depth->error.what);
    json_close(json, '}');
}

static void print_json(const struct look *look, const struct rows *rows, const struct depth *depth,
                       const struct replays *replays, const struct error *kafka_error)
{
    const struct pg_slot *slot = &look->found.slot;
    const struct checkpoint_summary *checkpoint = &look->found.checkpoint;
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "stream", look->config->stream);
    json_open(&json, "slot", '{');
    json_text(&json, "name", look->config->postgres.slot);
    json_bool(&json, "exists", slot->exists);
    if (slot->exists) {
        json_bool(&json, "active", slot->active);
        print_count(&json, "active_pid", slot->active ? slot->active_pid : -1);
        json_lsn(&json, "confirmed_lsn", slot->confirmed_lsn);
        json_lsn(&json, "restart_lsn", slot->restart_lsn);
        json_int(&json, "lag_bytes", slot->lag_bytes);
        json_text(&json, "wal_status", slot->wal_status);
        json_int(&json, "retained_bytes", slot->retained_bytes);
        print_count(&json, "safe_bytes", slot->safe_bytes);
        struct error shortage;
        bool is_short = catalog_slot_shortage(slot, look->config->postgres.slot, &shortage);
        json_text(&json, "warning", is_short ? shortage.what : NULL);
        json_text(&json, "remedy", is_short ? shortage.remedy : NULL);
    }
    json_close(&json, '}');
    json_open(&json, "checkpoint", '{');
    json_text(&json, "topic", look->config->checkpoint_topic);
    json_text(&json, "error", kafka_error->verdict == OK ? NULL : kafka_error->what);
    json_bool(&json, "exists", look->found.has_checkpoint);
    if (look->found.has_checkpoint) {
        json_int(&json, "generation", (int64_t)checkpoint->generation);
        json_text(&json, "instance", checkpoint->instance);
        json_text(&json, "slot", checkpoint->slot[0] == '\0' ? NULL : checkpoint->slot);
        json_text(&json, "leader", slot->active ? checkpoint->instance : NULL);
        json_int(&json, "lanes", checkpoint->lanes);
        json_lsn(&json, "settled_lsn", checkpoint->settled_lsn);
        json_lsn(&json, "origin_lsn", checkpoint->origin_lsn);
        json_int(&json, "timeline", checkpoint->timeline);
        if (checkpoint->recovered_lsn != 0) {
            json_lsn(&json, "recovered_from_lsn", checkpoint->recovered_lsn);
        } else {
            json_null(&json, "recovered_from_lsn");
        }
    }
    json_close(&json, '}');
    print_count(&json, "pending_rows", rows->pending);
    print_count(&json, "snapshot_rows", rows->snapshot);
    print_depth_json(&json, look, depth);
    print_window_json(&json, look, replays);
    json_close(&json, '}');
    printf("\n");
}

/* --- the command --- */

/* Neither half is there: nothing was ever initialised, or stream or server is misspelt. */
static enum verdict judge_existence(const struct look *look, const struct error *kafka_error,
                                    struct error *error)
{
    bool known = kafka_error->verdict == OK; /* else nobody knows whether there is a checkpoint */
    if (!known || look->found.slot.exists || look->found.has_checkpoint) {
        return OK;
    }
    error_set(error, FATAL,
              "there is no stream \"%s\": database \"%s\" has no slot \"%s\", and there is no "
              "checkpoint in topic \"%s\"",
              look->config->stream, look->found.identity.database, look->config->postgres.slot,
              look->config->checkpoint_topic);
    return error_remedy(error, "For a new stream run `walpost init`. For one that is there, look "
                               "whether stream, postgres.dsn and kafka.bootstrap.servers name it.");
}

static int status(const struct invocation *invocation)
{
    struct error error;
    struct config *config = NULL;
    if (reach_config(invocation, true, &config, &error) != OK) {
        return say_error(&error);
    }
    struct look look = {.config = config};
    int exit_status = 1;
    enum verdict verdict = look_at_postgres(&look, &error);
    if (verdict != OK) {
        error.verdict = verdict;
        exit_status = say_error(&error);
    } else {
        /* Without Kafka half the screen is still worth having. */
        struct error kafka_error = {.verdict = OK};
        kafka_error.verdict = look_at_kafka(&look, &kafka_error);
        struct rows rows = look_at_rows(&look);
        struct depth depth = {.error = kafka_error};
        if (kafka_error.verdict == OK) {
            look_at_dead_letters(&look, &depth);
        }
        struct replays replays;
        look_at_replays(&look, kafka_error.verdict == OK, &replays);
        bool missing = judge_existence(&look, &kafka_error, &error) != OK;
        if (invocation->json) {
            print_json(&look, &rows, &depth, &replays, &kafka_error);
        } else if (!missing) {
            print_screen(&look, &rows, &depth, &replays, &kafka_error);
        }
        journal_release(&replays.journal);
        exit_status = missing ? say_error(&error) : kafka_error.verdict == OK ? 0 : 1;
    }
    look_release(&look);
    config_free(config);
    return exit_status;
}

const struct command command_status = {
    .name = "status",
    .summary = "says where the stream stands",
    .details = "Reads slot and checkpoint; needs no walpost that runs. Lag is what the server has\n"
               "written since the confirmed position, other databases' WAL included. Exit status "
               "1: there\n"
               "is no such stream, or PostgreSQL or Kafka does not answer.\n",
    .examples = "  walpost status\n"
                "  watch walpost status -c orders.yaml\n"
                "  walpost status --json | jq .slot.lag_bytes\n",
    .json = true,
    .run = status,
};
