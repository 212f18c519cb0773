/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check.h"

#include <stdlib.h>

#include "base/check.h"
#include "cli/reach.h"
#include "cli/say.h"

/* Do slot and checkpoint belong together? */
static void check_position(struct points *points, const struct look *look)
{
    struct error error;
    const struct findings *found = &look->found;
    if (judge_starts_over(found)) {
        point_wrong(points, "position", "Run `walpost init` again: it starts over.",
                    "an init of this stream did not end");
    } else if (judge_position(look->config, found, &error) != OK) {
        point_error(points, "position", &error);
    } else if (!found->slot.exists) {
        point_wrong(points, "position", "Run `walpost init`.",
                    "neither slot nor checkpoint is there: the stream was not initialised");
    } else {
        point_ok(points, "position",
                 "slot at " LSN_FORMAT ", checkpoint settled to " LSN_FORMAT ": no gap",
                 LSN_ARGS(found->slot.confirmed_lsn), LSN_ARGS(found->checkpoint.settled_lsn));
    }
}

static void check_recover(struct points *points, const struct config *config)
{
    if (config->recover == RECOVER_TABLE) {
        point_ok(points, "recover", "table: %s", RECOVER_TABLE_MEANS);
    }
}

/* Only while its table is there. */
static void check_snapshot(struct points *points, struct look *look)
{
    const char *table = look->config->snapshot_table;
    struct error error;
    if (look_at_snapshot(look->sql, look->config->stream, &look->snapshot, &error) != OK) {
        point_error(points, "snapshot", &error);
    } else if (look->snapshot.exists && !look->snapshot.readable) {
        char *remedy =
            must_printf("ALTER TABLE %s OWNER TO %s; GRANT USAGE ON SCHEMA walpost TO %s;", table,
                        look->role, look->role);
        point_wrong(points, "snapshot", remedy, "role %s may not read %s", look->role, table);
        free(remedy);
    } else if (look->snapshot.exists && judge_snapshot_waits(&look->found)) {
        point_ok(points, "snapshot", "the rows of %s come first", table);
    }
}

static int check_stream(const struct invocation *invocation)
{
    struct error error;
    struct config *config = NULL;
    if (reach_config(invocation, true, &config, &error) != OK) {
        return say_error(&error);
    }
    struct look look = {.config = config};
    struct points points;
    bool slot_known = false;
    bool checkpoint_known = false;
    points_begin(&points, invocation->json, config->stream);
    point_ok(&points, "configuration", "%s",
             config->file == NULL ? "from the environment and --set" : config->file);
    check_postgres(&points, &look, &slot_known);
    check_kafka(&points, &look, &checkpoint_known);
    check_registry(&points, config);
    check_contracts(&points, config);
    check_recover(&points, config);
    if (slot_known && checkpoint_known) {
        check_snapshot(&points, &look);
        check_position(&points, &look);
    } else {
        point_skip(&points, "position",
                   slot_known ? "the checkpoint is not known"
                              : "the slot is not known, or not one to go by");
    }
    look_release(&look);
    config_free(config);
    return points_end(&points);
}

const struct command command_check = {
    .name = "check",
    .summary = "looks at everything that a run needs, and says what is wrong",
    .details =
        "Looks at the server's settings, rights, table, publication and slot, at brokers, topics\n"
        "and transactions, at contracts and schema registry, and whether slot and checkpoint fit "
        "together. "
        "Every point that is "
        "wrong\n"
        "comes with its remedy. Nothing is changed. Exit status 0: ready to run; 1: not.\n",
    .examples = "  walpost check\n"
                "  walpost check --json | jq '.points[] | select(.state != \"ok\")'\n",
    .json = true,
    .run = check_stream,
};
