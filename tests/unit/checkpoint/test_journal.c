/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "checkpoint/journal.h"

static struct error error;

static enum verdict put(struct journal *journal, const char *key, char *value, size_t size)
{
    enum verdict verdict =
        journal_apply(journal, bytes_of(key), (struct bytes){value, size}, &error);
    free(value);
    return verdict;
}

static enum verdict put_bookmark(struct journal *journal, const char *name, lsn position)
{
    char key[JOURNAL_KEY_MAX];
    size_t size;
    struct bookmark bookmark = {
        .system_id = 7, .timeline = 2, .position = position, .created_us = 5};
    journal_bookmark_key(name, key);
    char *value = journal_write_bookmark(&bookmark, &size);
    return put(journal, key, value, size);
}

Test(journal, bookmarks_come_move_and_go)
{
    struct journal journal;
    journal_init(&journal);
    cr_assert_eq(put_bookmark(&journal, "a", 10), OK);
    cr_assert_eq(put_bookmark(&journal, "b", 20), OK);
    cr_assert_eq(put_bookmark(&journal, "a", 30), OK);
    cr_expect_eq(journal.n_bookmarks, 2);
    const struct bookmark *a = journal_bookmark(&journal, "a");
    cr_assert_not_null(a);
    cr_expect(a->position == 30 && a->system_id == 7 && a->timeline == 2 && a->created_us == 5);
    cr_assert_eq(journal_apply(&journal, bytes_of("bookmark/a"), BYTES_NULL, &error), OK);
    cr_assert_eq(journal_apply(&journal, bytes_of("bookmark/c"), BYTES_NULL, &error), OK);
    cr_expect_null(journal_bookmark(&journal, "a"));
    cr_expect_not_null(journal_bookmark(&journal, "b"));
    journal_release(&journal);
}

Test(journal, the_clock_comes_back_as_it_was)
{
    struct wal_clock clock = {.system_id = 9, .count = MOMENTS_MAX};
    for (size_t i = 0; i < MOMENTS_MAX; i++) {
        clock.moments[i] = (struct moment){i * 1000, -(int64_t)i};
    }
    struct journal journal;
    journal_init(&journal);
    size_t size;
    char *value = journal_write_clock(&clock, &size);
    cr_assert_eq(put(&journal, JOURNAL_CLOCK_KEY, value, size), OK);
    cr_expect_eq(memcmp(&journal.clock, &clock, sizeof(clock)), 0);
    journal_release(&journal);
}

Test(journal, a_replay_comes_back_with_its_progress)
{
    struct replay_job job = {.system_id = 9,
                             .timeline = 3,
                             .from_lsn = 10,
                             .to_lsn = 99,
                             .from_us = -5,
                             .to_us = 6,
                             .topic = "t",
                             .event_type = "Order.Paid",
                             .lanes = 3,
                             .key_template = "{aggregate_id}",
                             .started_us = 8};
    struct checkpoint progress, written;
    checkpoint_next_generation(&(struct checkpoint){.found = false},
                               &(struct generation_options){.instance = "i",
                                                            .lanes = 3,
                                                            .key_template = "{aggregate_id}",
                                                            .forget_positions = true,
                                                            .accept_lsn = 10},
                               &progress);
    checkpoint_next_generation(&(struct checkpoint){.found = false},
                               &(struct generation_options){.instance = "i",
                                                            .lanes = 3,
                                                            .key_template = "{aggregate_id}",
                                                            .forget_positions = true,
                                                            .accept_lsn = 10},
                               &written);
    struct journal journal;
    journal_init(&journal);
    journal.wanted_id = "r1";
    journal.progress = &progress;
    char key[JOURNAL_KEY_MAX];
    size_t size;
    journal_job_key("r1", key);
    char *value = journal_write_job(&job, &size);
    cr_assert_eq(put(&journal, key, value, size), OK);
    char lane[CHECKPOINT_RECORD_MAX];
    struct unmarked none = {.any = false};
    const char *ids[] = {"r1", "r2"}; /* the other one is somebody else's */
    for (lsn i = 0; i < 2; i++) {
        size = checkpoint_write_lane(&written, (struct position){50 + i, 4}, 40 + i, &none, lane);
        journal_progress_key(ids[i], 1, key);
        cr_assert_eq(journal_apply(&journal, bytes_of(key), (struct bytes){lane, size}, &error),
                     OK);
    }
    checkpoint_complete(&progress);
    const struct replay_job *found = journal_job(&journal, "r1");
    cr_assert_not_null(found);
    cr_expect(found->from_lsn == 10 && found->to_lsn == 99 && found->from_us == -5 &&
              found->to_us == 6 && found->lanes == 3 && !found->done && found->key == NULL);
    cr_expect_str_eq(found->topic, "t");
    cr_expect_str_eq(found->event_type, "Order.Paid");
    cr_expect_eq(progress.settled_lsn, 40);
    cr_expect_eq(progress.layout.watermarks[1].commit_lsn, 50);
    cr_expect_eq(progress.layout.watermarks[0].commit_lsn, 0);
    checkpoint_release(&progress);
    checkpoint_release(&written);
    journal_release(&journal);
}

Test(journal, kinds_of_later_versions_are_passed_over_and_garbage_is_told)
{
    struct journal journal;
    journal_init(&journal);
    struct bytes junk = BYTES_LIT("\xff\xff\xff");
    cr_expect_eq(journal_apply(&journal, BYTES_LIT("later/x"), junk, &error), OK);
    cr_expect_eq(journal_apply(&journal, BYTES_NULL, junk, &error), OK);
    cr_expect_eq(journal_apply(&journal, BYTES_LIT("bookmark/x"), junk, &error), FATAL);
    cr_expect_eq(journal_apply(&journal, BYTES_LIT("clock"), junk, &error), FATAL);
    struct checkpoint progress;
    checkpoint_init(&progress);
    journal.wanted_id = "r1";
    journal.progress = &progress;
    cr_expect_eq(journal_apply(&journal, BYTES_LIT("replay/r1/0"), junk, &error), FATAL);
    cr_expect(strstr(error.what, "\"replay/r1/0\" in the topic of replays") != NULL, "%s",
              error.what);
    cr_expect_eq(journal_apply(&journal, BYTES_LIT("replay/x"), junk, &error), FATAL);
    cr_expect_eq(journal_apply(&journal, BYTES_LIT("replay/x"), BYTES_LIT(""), &error), FATAL);
    journal_release(&journal);
}

Test(journal, a_bookmarks_name_is_neither_a_position_nor_a_time)
{
    cr_expect(bookmark_name_valid("a"));
    cr_expect(bookmark_name_valid("Before_v2.1-x"));
    const char *wrong[] = {
        "",    "1",   "0/16", "2026-01-01",
        "a/b", "a b", "-a",   "a2345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_not(bookmark_name_valid(wrong[i]), "%s", wrong[i]);
    }
    cr_expect(replay_id_valid("20261123-1a"));
    cr_expect_not(replay_id_valid("a/b"));
    cr_expect_not(replay_id_valid(""));
}
