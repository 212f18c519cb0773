/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/say.h"

enum { COUNT_MAX = 1000000, COUNT_TIMEOUT_MS = 5000 };

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
    if (look->table.exists && table_has_column(&look->table, config->outbox.columns.status) &&
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
}

static void print_checkpoint(const struct findings *found, const struct error *kafka_error)
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
    print_lsn("settled", checkpoint->settled_lsn);
    snprintf(text, sizeof(text), "%" PRIu64 ", %u %s", checkpoint->generation, checkpoint->lanes,
             checkpoint->lanes == 1 ? "lane" : "lanes");
    line("generation", text);
    line("instance", checkpoint->instance);
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

static void print_screen(const struct look *look, const struct rows *rows,
                         const struct error *kafka_error)
{
    line("stream", look->config->stream);
    print_slot(look->config, &look->found.slot);
    print_checkpoint(&look->found, kafka_error);
    print_rows(rows);
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

static void print_json(const struct look *look, const struct rows *rows,
                       const struct error *kafka_error)
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
    }
    json_close(&json, '}');
    json_open(&json, "checkpoint", '{');
    json_text(&json, "topic", look->config->checkpoint_topic);
    json_text(&json, "error", kafka_error->verdict == OK ? NULL : kafka_error->what);
    json_bool(&json, "exists", look->found.has_checkpoint);
    if (look->found.has_checkpoint) {
        json_int(&json, "generation", (int64_t)checkpoint->generation);
        json_text(&json, "instance", checkpoint->instance);
        json_int(&json, "lanes", checkpoint->lanes);
        json_lsn(&json, "settled_lsn", checkpoint->settled_lsn);
        json_lsn(&json, "origin_lsn", checkpoint->origin_lsn);
        json_int(&json, "timeline", checkpoint->timeline);
    }
    json_close(&json, '}');
    print_count(&json, "pending_rows", rows->pending);
    print_count(&json, "snapshot_rows", rows->snapshot);
    json_close(&json, '}');
    printf("\n");
}

/* --- the command --- */

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
        if (invocation->json) {
            print_json(&look, &rows, &kafka_error);
        } else {
            print_screen(&look, &rows, &kafka_error);
        }
        exit_status = kafka_error.verdict == OK ? 0 : 1;
    }
    look_release(&look);
    config_free(config);
    return exit_status;
}

const struct command command_status = {
    .name = "status",
    .summary = "says where the stream stands",
    .details = "Reads slot and checkpoint; needs no walpost that runs. Lag is what the server has\n"
               "written since the confirmed position, other databases' WAL included.\n",
    .examples = "  walpost status\n"
                "  watch walpost status -c orders.yaml\n"
                "  walpost status --json | jq .slot.lag_bytes\n",
    .json = true,
    .run = status,
};
