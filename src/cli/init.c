/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anchor/journal_topic.h"
#include "base/check.h"
#include "cli/init_slot.h"
#include "cli/limits.h"
#include "cli/reach.h"
#include "cli/say.h"
#include "cli/stream_sql.h"
#include "cli/topics.h"
#include "pipeline/table.h"

/* --- may it? Nothing is made before all of this is well --- */

static enum verdict judge_server(const struct look *look, struct error *error)
{
    const struct pg_server *server = &look->server;
    if (server->version < 140000) {
        error_set(error, FATAL, "the server is PostgreSQL %d; walpost needs 14 or newer",
                  server->version / 10000);
        return error_remedy(error, "Upgrade the server.");
    }
    if (strcmp(server->wal_level, "logical") != 0) {
        error_set(error, FATAL, "the server runs with wal_level=%s, walpost needs logical",
                  server->wal_level);
        return error_remedy(error,
                            "ALTER SYSTEM SET wal_level = 'logical'; and restart PostgreSQL.");
    }
    return OK;
}

static enum verdict judge_table(const struct look *look, struct error *error)
{
    enum verdict verdict = table_judge_schema(look->config, &look->table, error);
    if (verdict != OK || !look->table.exists) {
        return verdict;
    }
    return table_judge(look->config, &look->table, true, error) == OK ? OK : FATAL;
}

/* A slot decodes with the catalogue of the time: what was inserted while the publication did not
 * cover the table is not sent later, so a publication is not mended behind a slot's back. */
static enum verdict judge_publication(const struct look *look, struct error *error)
{
    const struct pg_publication *publication = &look->publication;
    const char *name = look->config->postgres.publication;
    bool covers = publication->exists && publication->covers_table;
    if (publication->exists && !publication->insert_published) {
        error_set(error, REFUSE, "publication \"%s\" is there, but does not publish inserts", name);
        return error_remedy(error,
                            "ALTER PUBLICATION \"%s\" SET (publish = 'insert'); or set "
                            "postgres.publication to another name.",
                            name);
    }
    if (!look->table.exists && look->found.slot.exists && !judge_starts_over(&look->found)) {
        error_set(error, REFUSE,
                  "there is no table %s, while slot \"%s\" is there: rows of the table that it was "
                  "made for do not reach the stream",
                  look->config->table, look->config->postgres.slot);
        return error_remedy(error, "Bring the table back under its name, or name the right one as "
                                   "outbox.table. To begin anew: `walpost drop`, then `walpost "
                                   "init`.");
    }
    if (!covers && look->found.slot.exists && !judge_starts_over(&look->found)) {
        error_set(error, REFUSE,
                  "publication \"%s\" %s, while slot \"%s\" is there: rows inserted since did not "
                  "reach the stream and never will",
                  name, publication->exists ? "does not cover the outbox table" : "is missing",
                  look->config->postgres.slot);
        return error_remedy(error, "`walpost drop` and `walpost init` begin anew: rows that still "
                                   "have status PENDING are published by the snapshot.");
    }
    if (publication->exists && look->table.partitioned && !publication->via_root) {
        error_set(error, REFUSE,
                  "publication \"%s\" is there, but publishes rows of %s under the names of its "
                  "partitions",
                  name, look->config->table);
        return error_remedy(error,
                            "ALTER PUBLICATION \"%s\" SET (publish_via_partition_root = true); or "
                            "set postgres.publication to another name.",
                            name);
    }
    return OK;
}

static enum verdict judge_stream(const struct look *look, struct error *error)
{
    if (judge_starts_over(&look->found)) {
        return OK;
    }
    /* First whose slot it is: the position of somebody else's says nothing. */
    enum verdict verdict =
        look->found.slot.exists ? judge_slot(look->config, &look->found, error) : OK;
    return verdict != OK ? verdict : judge_position(look->config, &look->found, error);
}

static enum verdict judge(const struct look *look, struct error *error)
{
    enum verdict verdict = judge_server(look, error);
    if (verdict == OK) {
        verdict = judge_table(look, error);
    }
    if (verdict == OK) {
        verdict = judge_stream(look, error);
    }
    return verdict != OK ? verdict : judge_publication(look, error);
}

/* Brokers that do not let themselves be asked say it later, to the first transaction. */
static enum verdict judge_transactions(const struct look *look, struct error *error)
{
    struct transaction_limit limit;
    struct error ignored;
    return transaction_limit_find(look->config, look->cluster, &limit, &ignored) == OK
               ? transaction_limit_judge(&limit, error)
               : OK;
}

/* --- PostgreSQL --- */

#define NO_RIGHT "42501"

/* Runs the statement, or only prints it. */
static enum verdict make(const struct look *look, bool dry_run, const char *what, char *sql,
                         struct error *error)
{
    enum verdict verdict = OK;
    if (dry_run) {
        printf("%s;\n", sql);
    } else {
        verdict = reach_execute(look->sql, sql, error);
        if (verdict == OK) {
            printf("created  %s\n", what);
        } else {
            error_prefix(error, "%s could not be created: ", what);
        }
    }
    free(sql);
    return verdict;
}

static enum verdict make_schema(const struct look *look, bool dry_run, const char *name,
                                struct error *error)
{
    int64_t there = 0;
    if (look->sql != NULL) {
        enum verdict verdict = reach_number(
            look->sql, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1",
            name, &there, error);
        if (verdict != OK) {
            return verdict;
        }
    } else {
        there = strcmp(name, "public") == 0;
    }
    if (there != 0) {
        return OK;
    }
    char *what = must_printf("schema %s", name);
    enum verdict verdict = make(look, dry_run, what, sql_create_schema(name), error);
    if (verdict != OK && strcmp(error->code, NO_RIGHT) == 0) {
        error_remedy(
            error, "Let the owner of the database run: GRANT CREATE ON DATABASE \"%s\" TO \"%s\";",
            look->found.identity.database, look->server.role);
    }
    free(what);
    return verdict;
}

static enum verdict make_table(struct look *look, bool dry_run, struct error *error)
{
    const struct config *config = look->config;
    if (look->table.exists) {
        printf("%s table %s\n", dry_run ? "-- exists:" : "exists  ", config->table);
        return OK;
    }
    enum verdict verdict = make_schema(look, dry_run, config->outbox.schema_name, error);
    char *what = must_printf("table %s", config->table);
    if (verdict == OK) {
        verdict = make(look, dry_run, what, sql_create_table(config), error);
        if (verdict != OK && strcmp(error->code, NO_RIGHT) == 0) {
            error_remedy(
                error, "Let the owner of the schema run: GRANT CREATE ON SCHEMA \"%s\" TO \"%s\";",
                config->outbox.schema_name, look->server.role);
        }
    }
    free(what);
    if (verdict != OK || dry_run) {
        return verdict;
    }
    return catalog_table(look->sql, config->outbox.schema_name, config->outbox.table_name,
                         config->outbox.columns.id, &look->table, error);
}

static enum verdict make_publication(const struct look *look, bool dry_run, struct error *error)
{
    const struct config *config = look->config;
    const struct pg_publication *publication = &look->publication;
    if (publication->exists && publication->covers_table) {
        printf("%s publication %s\n", dry_run ? "-- exists:" : "exists  ",
               config->postgres.publication);
        return OK;
    }
    char *what =
        must_printf("%s %s", publication->exists ? "outbox table in publication" : "publication",
                    config->postgres.publication);
    char *(*sql)(const struct config *) =
        publication->exists ? sql_extend_publication : sql_create_publication;
    enum verdict verdict = make(look, dry_run, what, sql(config), error);
    free(what);
    if (verdict != OK && strcmp(error->code, NO_RIGHT) == 0) { /* no GRANT makes an owner */
        char *statement = sql(config);
        error_remedy(error, "Let the owner of the table run: %s;", statement);
        free(statement);
    }
    return verdict;
}

/* --- Kafka --- */

static void print_topic(const struct topic_spec *spec)
{
    printf("kafka-topics.sh --create --if-not-exists --topic %s --partitions %d", spec->name,
           spec->partitions);
    if (spec->replication_factor > 0) {
        printf(" --replication-factor %d", spec->replication_factor);
    }
    for (size_t i = 0; i < spec->n_settings; i++) {
        printf(" --config %s=%s", spec->settings[i][0], spec->settings[i][1]);
    }
    printf("\n");
}

/* A checkpoint that time may delete would be a gap some weeks later. */
static enum verdict judge_checkpoint_topic(const struct look *look, const struct topic_spec *spec,
                                           struct error *error)
{
    char policy[64];
    enum verdict verdict = cluster_setting(look->cluster, spec->name, "cleanup.policy",
                                           KAFKA_TIMEOUT_MS, policy, sizeof(policy), error);
    if (verdict != OK || strcmp(policy, "compact") == 0) {
        return verdict;
    }
    error_set(error, REFUSE, "topic \"%s\" has cleanup.policy=%s: the checkpoint would be deleted",
              spec->name, policy);
    return error_remedy(error,
                        "kafka-configs.sh --alter --topic %s --add-config "
                        "cleanup.policy=compact",
                        spec->name);
}

static enum verdict make_topic(const struct look *look, const struct topic_spec *spec,
                               struct error *error)
{
    bool is_checkpoint = strcmp(spec->name, look->config->checkpoint_topic) == 0;
    struct topic_state state;
    enum verdict verdict =
        cluster_topic(look->cluster, spec->name, KAFKA_TIMEOUT_MS, &state, error);
    if (verdict == OK && !state.exists) {
        verdict = cluster_create_topic(look->cluster, spec, KAFKA_TIMEOUT_MS, error);
        if (verdict == OK) {
            printf("created  topic %s with %d partitions\n", spec->name, spec->partitions);
        }
    } else if (verdict == OK && is_checkpoint && state.partitions < spec->partitions) {
        verdict = cluster_grow_topic(look->cluster, spec->name, spec->partitions, KAFKA_TIMEOUT_MS,
                                     error);
        if (verdict == OK) {
            printf("grown    topic %s from %d to %d partitions\n", spec->name, state.partitions,
                   spec->partitions);
        }
    } else if (verdict == OK) {
        printf("exists   topic %s with %d partitions\n", spec->name, state.partitions);
    }
    /* One that was just created is as asked for, and not every broker may know it yet. */
    bool judged = verdict == OK && is_checkpoint && state.exists;
    return judged ? judge_checkpoint_topic(look, spec, error) : verdict;
}

/* --- all of it --- */

/* Two at the same time would each take the other's slot for a leftover. */
static enum verdict take_turn(const struct look *look, struct error *error)
{
    int64_t mine = 0;
    enum verdict verdict =
        reach_number(look->sql,
                     "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('walpost init'), "
                     "pg_catalog.hashtext($1))::int",
                     look->config->stream, &mine, error);
    if (verdict == OK && mine == 0) {
        error_set(error, WAIT, "another `walpost init` of stream \"%s\" is running",
                  look->config->stream);
        return error_remedy(error, "Wait for it to end, then look with `walpost check`.");
    }
    return verdict;
}

static enum verdict make_all(struct look *look, struct error *error)
{
    enum verdict verdict = make_table(look, false, error);
    if (verdict == OK) {
        verdict = make_schema(look, false, "walpost", error);
    }
    if (verdict == OK) { /* before the slot: a slot decodes what was published at the time */
        verdict = make_publication(look, false, error);
    }
    struct topic_spec specs[STREAM_TOPICS_MAX];
    size_t n_specs = stream_topics(look->config, look->lanes.count, specs);
    for (size_t i = 0; i < n_specs && verdict == OK; i++) {
        verdict = make_topic(look, &specs[i], error);
    }
    if (verdict == OK) {
        verdict = init_slot(look, error);
    }
    return verdict != OK ? verdict : init_anchor(look, error);
}

static enum verdict really(struct look *look, struct error *error)
{
    /* The link is opened twice: here for the turn, so that what is looked at stays true. */
    struct look turn = {.config = look->config};
    enum verdict verdict = reach_postgres(look->config, false, &turn.sql, error);
    if (verdict == OK) {
        verdict = take_turn(&turn, error);
    }
    if (verdict == OK) {
        verdict = look_at_postgres(look, error);
    }
    if (verdict == OK) {
        verdict = look_at_kafka(look, error);
    }
    if (verdict == OK) {
        verdict = judge(look, error);
    }
    if (verdict == OK) {
        verdict = judge_transactions(look, error);
    }
    if (verdict == OK) {
        verdict = lanes_find(look->config, look->cluster, &look->lanes, error);
    }
    if (verdict == OK && look->lanes.partitions > 0) {
        char lanes[400];
        lanes_describe(&look->lanes, lanes, sizeof(lanes));
        printf("lanes    %s\n", lanes);
    }
    if (verdict == OK && look->config->recover == RECOVER_TABLE) {
        printf("recover  table: %s\n", RECOVER_TABLE_MEANS);
    }
    if (verdict == OK) {
        verdict = make_all(look, error);
    }
    look_release(&turn);
    return verdict;
}

/* Prints what is missing; everything, where there is nobody to ask. */
static enum verdict only_print(struct look *look, struct error *error)
{
    printf("-- PostgreSQL\n");
    if (look_at_postgres(look, error) != OK) {
        printf("-- It could not be asked, so this is for an empty database: %s\n", error->what);
        look_release(look);
        *look = (struct look){.config = look->config};
    } else {
        enum verdict verdict = judge_server(look, error);
        verdict = verdict == OK ? judge_table(look, error) : verdict;
        verdict = verdict == OK ? judge_publication(look, error) : verdict;
        if (verdict != OK) {
            return verdict;
        }
    }
    bool slot_exists = look->found.slot.exists;
    enum verdict verdict = make_table(look, true, error);
    if (verdict == OK) {
        verdict = make_schema(look, true, "walpost", error);
    }
    if (verdict == OK) {
        verdict = make_publication(look, true, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    printf(slot_exists ? "-- exists: slot %s\n"
                       : "-- then `walpost init` itself creates slot %s and the first checkpoint,\n"
                         "-- for only then it knows that nothing lies between the two\n",
           look->config->postgres.slot);
    if (config_keeps_anchor(look->config) && !look->anchor.exists) {
        printf("-- and, beside it, anchor slot %s\n", look->config->anchor_slot);
    }
    if (look->config->recover == RECOVER_TABLE) {
        printf("-- recover: table: %s\n", RECOVER_TABLE_MEANS);
    }
    printf("\n-- Kafka\n");
    verdict = lanes_find(look->config, NULL, &look->lanes, error);
    if (verdict != OK) {
        return verdict;
    }
    if (look->lanes.partitions > 0) {
        char lanes[400];
        lanes_describe(&look->lanes, lanes, sizeof(lanes));
        printf("-- Kafka is not asked: %s\n", lanes);
    }
    struct topic_spec specs[STREAM_TOPICS_MAX];
    size_t n_specs = stream_topics(look->config, look->lanes.count, specs);
    for (size_t i = 0; i < n_specs; i++) {
        print_topic(&specs[i]);
    }
    return OK;
}

static int init(const struct invocation *invocation)
{
    struct error error;
    struct config *config = NULL;
    bool dry_run = invocation_value(invocation, "--dry-run") != NULL;
    if (reach_config(invocation, !dry_run, &config, &error) != OK) {
        return say_error(&error);
    }
    struct look look = {.config = config};
    enum verdict verdict = dry_run ? only_print(&look, &error) : really(&look, &error);
    look_release(&look);
    int status = 0;
    if (verdict != OK) {
        error.verdict = verdict;
        status = say_error(&error);
    } else if (!dry_run) {
        printf("Stream %s is ready: `walpost check`, then `walpost run`.\n", config->stream);
    }
    config_free(config);
    return status;
}

static const struct flag flags[] = {
    {"--dry-run", NULL, "print the SQL and the topics instead, change nothing"},
    {NULL},
};

const struct command command_init = {
    .name = "init",
    .summary = "creates or completes what a stream needs",
    .details =
        "Creates what is missing of: the outbox table, the schema walpost, the publication, the\n"
        "topics, and the slot with the first checkpoint. Rows that are already in the table with\n"
        "status PENDING are published first (outbox.snapshot). What is there already is kept. An\n"
        "init that was interrupted starts over.\n",
    .examples = "  walpost init --dry-run\n"
                "  walpost init -c orders.yaml\n"
                "  walpost init --set outbox.snapshot=none\n",
    .flags = flags,
    .run = init,
};
