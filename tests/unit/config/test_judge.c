/* SPDX-License-Identifier: Apache-2.0
 *
 * init, check and drop judge alike: what a slot and a checkpoint say together. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/judge.h"

static struct config config = {
    .stream = "orders",
    .postgres = {.slot = "walpost_orders"},
    .checkpoint_topic = "walpost.checkpoint.orders",
};

static struct findings healthy(void)
{
    struct findings found = {
        .identity = {.system_id = 7, .timeline = 1, .database = "shop"},
        .slot = {.exists = true,
                 .plugin = "pgoutput",
                 .database = "shop",
                 .type = "logical",
                 .confirmed_lsn = 100,
                 .wal_status = "reserved"},
        .has_checkpoint = true,
        .checkpoint =
            {.generation = 3, .system_id = 7, .timeline = 1, .settled_lsn = 100, .origin_lsn = 50},
    };
    return found;
}

Test(judge, a_slot_at_or_behind_the_checkpoint_is_well)
{
    struct error error;
    struct findings found = healthy();
    cr_expect_eq(judge_position(&config, &found, &error), OK);
    found.slot.confirmed_lsn = 60;
    cr_expect_eq(judge_position(&config, &found, &error), OK);
    cr_expect_eq(judge_slot(&config, &found, &error), OK);
    cr_expect_not(judge_snapshot_waits(&found));
}

Test(judge, I9_a_slot_ahead_of_the_checkpoint_is_refused_with_both_positions)
{
    struct error error;
    struct findings found = healthy();
    found.slot.confirmed_lsn = 0x1000000AB;
    cr_expect_eq(judge_position(&config, &found, &error), REFUSE);
    cr_expect_not_null(strstr(error.what, "1/AB"), "%s", error.what);
    cr_expect_not_null(strstr(error.what, "0/64"), "%s", error.what);
    cr_expect_not_null(strstr(error.remedy, "--accept-gap"));
}

/* While the snapshot is not published, S is one below the slot's birth. */
Test(judge, a_stream_whose_snapshot_waits_is_no_gap)
{
    struct error error;
    struct findings found = healthy();
    found.slot.confirmed_lsn = 50;
    found.checkpoint.settled_lsn = 49;
    found.checkpoint.origin_lsn = 50;
    cr_expect_eq(judge_position(&config, &found, &error), OK);
    cr_expect(judge_snapshot_waits(&found));
    found.slot.confirmed_lsn = 51;
    cr_expect_eq(judge_position(&config, &found, &error), REFUSE);
}

Test(judge, I9_a_checkpoint_without_its_slot_is_refused)
{
    struct error error;
    struct findings found = healthy();
    found.slot.exists = false;
    cr_expect_eq(judge_position(&config, &found, &error), REFUSE);
    cr_expect_not_null(strstr(error.what, "is gone"), "%s", error.what);
}

Test(judge, I9_a_slot_without_a_checkpoint_is_refused)
{
    struct error error;
    struct findings found = healthy();
    found.has_checkpoint = false;
    cr_expect_eq(judge_position(&config, &found, &error), REFUSE);
    cr_expect_not_null(strstr(error.what, "no checkpoint"), "%s", error.what);
}

Test(judge, a_stream_that_is_not_there_at_all_is_no_gap)
{
    struct error error;
    struct findings found = healthy();
    found.slot.exists = false;
    found.has_checkpoint = false;
    cr_expect_eq(judge_position(&config, &found, &error), OK);
    cr_expect_not(judge_starts_over(&found));
}

Test(judge, I9_the_checkpoint_of_another_cluster_is_refused)
{
    struct error error;
    struct findings found = healthy();
    found.checkpoint.system_id = 8;
    found.slot.confirmed_lsn = 10; /* far behind, so that only the identity speaks */
    cr_expect_eq(judge_position(&config, &found, &error), REFUSE);
    cr_expect_not_null(strstr(error.what, "another PostgreSQL cluster"), "%s", error.what);
}

/* LSNs of one cluster are alike in all its databases. */
Test(judge, I9_the_checkpoint_of_another_database_is_refused)
{
    struct error error;
    struct findings found = healthy();
    found.identity.database_oid = 16384;
    found.checkpoint.database_oid = 16384;
    cr_expect_eq(judge_position(&config, &found, &error), OK);
    cr_expect_not(judge_is_foreign(&found));
    found.checkpoint.database_oid = 0; /* of a version that did not record it */
    cr_expect_eq(judge_position(&config, &found, &error), OK);
    found.checkpoint.database_oid = 16385;
    for (int i = 0; i < 2; i++) {
        found.slot.exists = i == 0;
        cr_expect_eq(judge_position(&config, &found, &error), REFUSE);
        cr_expect_not_null(strstr(error.what, "another database"), "%s", error.what);
        cr_expect_null(strstr(error.remedy, "walpost drop"), "%s", error.remedy);
        cr_expect(judge_is_foreign(&found));
    }
}

/* Two configurations with one stream name and a slot each would fence each other in turns. */
Test(judge, I11_the_checkpoint_of_a_stream_with_another_slot_is_refused)
{
    struct error error;
    struct findings found = healthy(); /* of a version that did not record it */
    cr_expect_eq(judge_slot_name(&config, &found, &error), OK);
    snprintf(found.checkpoint.slot, sizeof(found.checkpoint.slot), "walpost_orders");
    cr_expect_eq(judge_position(&config, &found, &error), OK);
    snprintf(found.checkpoint.slot, sizeof(found.checkpoint.slot), "walpost_orders_2");
    cr_expect_eq(judge_slot_name(&config, &found, &error), REFUSE);
    found.slot.confirmed_lsn = 60; /* no gap */
    for (int i = 0; i < 2; i++) {
        found.slot.exists = i == 0;
        cr_expect_eq(judge_position(&config, &found, &error), REFUSE);
        cr_expect_not_null(strstr(error.what, "\"walpost_orders_2\""), "%s", error.what);
        cr_expect_not_null(strstr(error.what, "\"walpost_orders\""), "%s", error.what);
        cr_expect_not_null(strstr(error.remedy, "stream name of its own"), "%s", error.remedy);
        cr_expect_not_null(strstr(error.remedy, "--accept-gap"), "%s", error.remedy);
        cr_expect_null(strstr(error.remedy, "walpost drop"), "%s", error.remedy);
    }
    found.checkpoint.system_id = 8; /* that says more, and drop leaves such a checkpoint alone */
    cr_expect_eq(judge_slot_name(&config, &found, &error), OK);
    cr_expect_eq(judge_position(&config, &found, &error), REFUSE);
    cr_expect_not_null(strstr(error.what, "another PostgreSQL cluster"), "%s", error.what);
}

/* Names as long as PostgreSQL has them: both remedies are there in full. */
Test(judge, what_is_said_of_another_slot_fits)
{
    struct error error;
    struct findings found = healthy();
    char ours[64];
    memset(ours, 'o', 63);
    ours[63] = '\0';
    memset(found.checkpoint.slot, 't', 63);
    struct config long_names = {
        .postgres = {.slot = ours},
        .checkpoint_topic = "walpost.checkpoint."
                            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    };
    found.slot.confirmed_lsn = 0x1000000000;
    for (int i = 0; i < 2; i++) {
        found.slot.exists = i == 0;
        cr_expect_eq(judge_position(&long_names, &found, &error), REFUSE);
        cr_expect_not_null(strstr(error.what, i == 0 ? ", at 10/0" : ", which is not there"));
        cr_expect_not_null(strstr(error.remedy, i == 0 ? "removes the other." : "--accept-gap`."),
                           "%s", error.remedy);
    }
}

Test(judge, an_interrupted_init_starts_over)
{
    struct findings found = healthy();
    found.has_checkpoint = false;
    found.intent = (struct intent){.exists = true, .consistent_point = 0};
    cr_expect(judge_starts_over(&found));
    found.intent.consistent_point = found.slot.confirmed_lsn;
    cr_expect(judge_starts_over(&found));
}

Test(judge, I9_a_slot_that_has_moved_is_no_leftover_of_an_init)
{
    struct findings found = healthy();
    found.has_checkpoint = false;
    found.intent = (struct intent){.exists = true, .consistent_point = 50};
    cr_expect_not(judge_starts_over(&found));
}

Test(judge, I9_a_stream_with_a_checkpoint_never_starts_over)
{
    struct findings found = healthy();
    found.intent = (struct intent){.exists = true, .consistent_point = 0};
    cr_expect_not(judge_starts_over(&found));
}

Test(judge, I9_a_slot_nobody_remembers_never_starts_over)
{
    struct findings found = healthy();
    found.has_checkpoint = false;
    cr_expect_not(judge_starts_over(&found));
}

Test(judge, a_slot_of_somebody_else_is_refused)
{
    struct error error;
    struct findings found = healthy();
    snprintf(found.slot.plugin, sizeof(found.slot.plugin), "test_decoding");
    cr_expect_eq(judge_slot(&config, &found, &error), REFUSE);
    found = healthy();
    snprintf(found.slot.type, sizeof(found.slot.type), "physical");
    cr_expect_eq(judge_slot(&config, &found, &error), REFUSE);
    found = healthy();
    snprintf(found.slot.database, sizeof(found.slot.database), "other");
    cr_expect_eq(judge_slot(&config, &found, &error), REFUSE);
    found = healthy();
    found.slot.temporary = true;
    cr_expect_eq(judge_slot(&config, &found, &error), REFUSE);
}

Test(judge, I9_a_lost_slot_is_refused)
{
    struct error error;
    struct findings found = healthy();
    snprintf(found.slot.wal_status, sizeof(found.slot.wal_status), "lost");
    cr_expect_eq(judge_slot(&config, &found, &error), REFUSE);
    found = healthy();
    snprintf(found.slot.invalidation, sizeof(found.slot.invalidation), "rows_removed");
    cr_expect_eq(judge_slot(&config, &found, &error), REFUSE);
    cr_expect_not_null(strstr(error.what, "rows_removed"), "%s", error.what);
}
