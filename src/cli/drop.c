/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "cli/look.h"
#include "cli/reach.h"
#include "cli/say.h"
#include "cli/stream_sql.h"
#include "pipeline/snapshot_copy.h"

static enum verdict confirm(const struct config *config, bool yes, struct error *error)
{
    if (yes) {
        return OK;
    }
    if (isatty(STDIN_FILENO) != 1) {
        error_set(error, INVALID, "walpost drop asks before it removes, and there is no terminal");
        return error_remedy(error, "Give --yes to say so beforehand.");
    }
    printf(
        "This removes stream %s: slots %s and %s, publication %s, table %s and topics %s and %s.\n"
        "What the slot still holds and is not in Kafka can then be found in the outbox table only."
        "\nType the name of the stream to go on: ",
        config->stream, config->postgres.slot, config->anchor_slot, config->postgres.publication,
        config->snapshot_table, config->checkpoint_topic, config->replay_topic);
    fflush(stdout);
    char answer[64] = "";
    if (fgets(answer, sizeof(answer), stdin) != NULL) {
        answer[strcspn(answer, "\n")] = '\0';
    }
    if (strcmp(answer, config->stream) != 0) {
        error_set(error, FATAL, "nothing was removed: the answer was not %s", config->stream);
        return error_remedy(error, "Type the name of the stream, or give --yes.");
    }
    return OK;
}

static enum verdict read_checkpoint(struct look *look, struct error *error)
{
    struct log log = reach_log(look->config);
    enum verdict verdict = checkpoint_exists(look->config, &log, &look->found.has_checkpoint,
                                             &look->found.checkpoint, error);
    /* no checkpoint that this version can read: the question will be asked */
    return verdict == FATAL ? OK : verdict;
}

/* A copy of a configuration shares publication and topics with the stream that it was copied from.
 */
static enum verdict judge_whose(struct look *look, struct error *error)
{
    const char *name = look->config->postgres.slot;
    const struct pg_slot *slot = &look->found.slot;
    if (slot->exists &&
        (strcmp(slot->type, "logical") != 0 || strcmp(slot->plugin, "pgoutput") != 0 ||
         strcmp(slot->database, look->found.identity.database) != 0)) {
        return judge_slot(look->config, &look->found, error);
    }
    if (judge_slot_name(look->config, &look->found, error) == OK) {
        return OK;
    }
    return error_remedy(error,
                        "Nothing was removed. To remove that stream, name its slot: `walpost drop "
                        "--set postgres.slot=%s`. What is left of slot \"%s\" goes with SELECT "
                        "pg_drop_replication_slot('%s');",
                        look->found.checkpoint.slot, name, name);
}

/* The slot goes first: it is what holds WAL back. */
static enum verdict drop_slot(struct look *look, struct error *error)
{
    const char *name = look->config->postgres.slot;
    const struct pg_slot *slot = &look->found.slot;
    if (!slot->exists) {
        printf("absent   slot %s\n", name);
        return OK;
    }
    if (slot->active) {
        error_set(error, WAIT, "slot \"%s\" is in use by pid %d; nothing was removed", name,
                  slot->active_pid);
        return error_remedy(error, "Stop the `walpost run` of this stream first.");
    }
    enum verdict verdict = catalog_drop_slot(look->sql, name, error);
    if (verdict == OK) {
        printf("removed  slot %s\n", name);
    }
    return verdict;
}

static enum verdict drop_anchor(struct look *look, struct error *error)
{
    const char *name = look->config->anchor_slot;
    enum verdict verdict = look->anchor.exists ? catalog_drop_slot(look->sql, name, error) : OK;
    if (verdict == OK && look->anchor.exists) {
        printf("removed  anchor slot %s\n", name);
    }
    return verdict;
}

static enum verdict drop_by_sql(struct look *look, bool there, const char *what, char *sql,
                                struct error *error)
{
    enum verdict verdict = there ? reach_execute(look->sql, sql, error) : OK;
    if (verdict == OK) {
        printf("%s  %s\n", there ? "removed" : "absent ", what);
    } else {
        error_prefix(error, "%s could not be removed: ", what);
    }
    free(sql);
    return verdict;
}

static enum verdict drop_publication(struct look *look, struct error *error)
{
    char *what = must_printf("publication %s", look->config->postgres.publication);
    enum verdict verdict = drop_by_sql(look, look->publication.exists, what,
                                       sql_drop_publication(look->config), error);
    free(what);
    return verdict;
}

static enum verdict drop_snapshot(struct look *look, struct error *error)
{
    char *what = must_printf("table %s", look->config->snapshot_table);
    enum verdict verdict =
        drop_by_sql(look, look->snapshot.exists, what, snapshot_drop_sql(look->config), error);
    free(what);
    if (verdict == OK && look->found.intent.exists) {
        const char *params[] = {look->config->stream};
        verdict = link_query(look->sql, SQL_END_INTENT, params, 1, SQL_TIMEOUT_MS, NULL, error);
    }
    return verdict;
}

static enum verdict drop_topic(struct look *look, const char *name, struct error *error)
{
    struct topic_state state;
    enum verdict verdict = cluster_topic(look->cluster, name, KAFKA_TIMEOUT_MS, &state, error);
    if (verdict == OK && !state.exists) {
        printf("absent   topic %s\n", name);
        return OK;
    }
    if (verdict == OK && judge_is_foreign(&look->found)) { /* a copy of a configuration */
        printf(
            "kept     topic %s: it belongs to a stream of another PostgreSQL cluster or database\n",
            name);
        return OK;
    }
    if (verdict == OK) {
        verdict = cluster_delete_topic(look->cluster, name, KAFKA_TIMEOUT_MS, error);
    }
    if (verdict == OK) {
        printf("removed  topic %s\n", name);
    }
    return verdict;
}

static enum verdict drop_all(struct look *look, bool yes, struct error *error)
{
    int n_brokers = 0;
    enum verdict verdict = look_at_postgres(look, error);
    if (verdict == OK) { /* both sides answer before anything is removed */
        verdict = reach_kafka(look->config, &look->cluster, &n_brokers, error);
    }
    if (verdict == OK) {
        verdict = read_checkpoint(look, error);
    }
    if (verdict == OK) {
        verdict = judge_whose(look, error);
    }
    if (verdict == OK) {
        verdict = confirm(look->config, yes, error);
    }
    if (verdict == OK) {
        verdict = drop_slot(look, error);
    }
    if (verdict == OK) {
        verdict = drop_anchor(look, error);
    }
    if (verdict == OK) {
        verdict = drop_publication(look, error);
    }
    if (verdict == OK) {
        verdict = drop_snapshot(look, error);
    }
    if (verdict == OK) {
        verdict = drop_topic(look, look->config->replay_topic, error);
    }
    return verdict != OK ? verdict : drop_topic(look, look->config->checkpoint_topic, error);
}

static int drop(const struct invocation *invocation)
{
    struct error error;
    struct config *config = NULL;
    if (reach_config(invocation, true, &config, &error) != OK) {
        return say_error(&error);
    }
    struct look look = {.config = config};
    enum verdict verdict = drop_all(&look, invocation_value(invocation, "--yes") != NULL, &error);
    look_release(&look);
    int exit_status = 0;
    if (verdict != OK) {
        error.verdict = verdict;
        exit_status = say_error(&error);
    } else {
        printf("Left as they are: table %s and topic %s.\n", config->table,
               config->dead_letter_topic);
    }
    config_free(config);
    return exit_status;
}

static const struct flag flags[] = {
    {"--yes", NULL, "do not ask"},
    {NULL},
};

const struct command command_drop = {
    .name = "drop",
    .summary = "removes a stream, after a question",
    .details =
        "Removes the slot and its anchor, the publication, the snapshot's table, the checkpoint "
        "topic\nand the topic of replays with its bookmarks.\n"
        "The outbox table, the topics of the events and the dead letters stay.\n",
    .examples = "  walpost drop\n"
                "  walpost drop -c orders.yaml --yes\n",
    .flags = flags,
    .run = drop,
};
