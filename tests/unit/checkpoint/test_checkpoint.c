/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/murmur2.h"
#include "topic.h"

static struct generation_options options_of(uint32_t lanes, const char *key_template)
{
    return (struct generation_options){.system_id = 7,
                                       .timeline = 1,
                                       .instance = "test",
                                       .lanes = lanes,
                                       .key_template = key_template};
}

/* The first generation: S and origin at start. */
static void found(uint32_t lanes, lsn start, struct checkpoint *next)
{
    struct checkpoint none;
    checkpoint_init(&none);
    struct generation_options options = options_of(lanes, "k");
    options.forget_positions = true;
    options.accept_lsn = start;
    checkpoint_next_generation(&none, &options, next);
}

static void next_of(const struct checkpoint *from, uint32_t lanes, struct checkpoint *next)
{
    struct generation_options options = options_of(lanes, "k");
    checkpoint_next_generation(from, &options, next);
}

/* A key that lane `lane` of `lanes` owns. */
static struct bytes key_in(uint32_t lane, uint32_t lanes, char text[static 16])
{
    for (unsigned i = 0;; i++) {
        int len = snprintf(text, 16, "key-%u", i);
        struct bytes key = {text, (size_t)len};
        if (murmur2_bucket(key, lanes) == lane) {
            return key;
        }
    }
}

static enum leaving at(const struct checkpoint *checkpoint, lsn commit_lsn, uint32_t ordinal,
                       uint32_t lane)
{
    char text[16];
    struct bytes key = key_in(lane, checkpoint->layout.lanes, text);
    return checkpoint_compare(checkpoint, (struct position){commit_lsn, ordinal}, key, NULL);
}

Test(checkpoint, nothing_read_is_nothing_found)
{
    struct topic topic = {0};
    struct checkpoint read;
    topic_read(&topic, 0, &read);
    cr_expect_not(read.found);
    cr_expect_eq(read.generation, 0);
    checkpoint_release(&read);
}

Test(checkpoint, I3_S_is_exclusive)
{
    struct checkpoint first;
    found(1, 1000, &first);
    cr_expect_eq(at(&first, 999, UINT32_MAX, 0), EVENT_IS_COMMITTED);
    cr_expect_eq(at(&first, 1000, 0, 0), EVENT_IS_NEW);
    checkpoint_release(&first);
}

Test(checkpoint, I3_watermarks_are_compared_lane_by_lane)
{
    struct checkpoint checkpoint;
    found(3, 100, &checkpoint);
    checkpoint.layout.watermarks[0] = (struct position){500, 3};
    checkpoint.layout.watermarks[1] = (struct position){200, 0};
    cr_expect_eq(at(&checkpoint, 500, 3, 0), EVENT_IS_COMMITTED);
    cr_expect_eq(at(&checkpoint, 500, 4, 0), EVENT_IS_NEW);
    cr_expect_eq(at(&checkpoint, 499, 9, 0), EVENT_IS_COMMITTED);
    cr_expect_eq(at(&checkpoint, 500, 3, 1), EVENT_IS_NEW);
    cr_expect_eq(at(&checkpoint, 200, 0, 1), EVENT_IS_COMMITTED);
    cr_expect_eq(at(&checkpoint, 200, 1, 1), EVENT_IS_NEW);
    cr_expect_eq(at(&checkpoint, 150, 0, 2), EVENT_IS_NEW);
    struct position position = {400, 0}; /* no key: lane 0 */
    cr_expect_eq(checkpoint_compare(&checkpoint, position, BYTES_NULL, NULL), EVENT_IS_COMMITTED);
    cr_expect_eq(checkpoint_compare(&checkpoint, position, BYTES_LIT(""), NULL),
                 EVENT_IS_COMMITTED);
    checkpoint_release(&checkpoint);
}

Test(checkpoint, partitions_may_be_read_in_any_order)
{
    struct checkpoint first;
    found(3, 100, &first);
    struct topic topic = {0};
    topic_add_generation(&topic, &first);
    topic_add_lane(&topic, &first, 0, (struct position){500, 3}, 120);
    topic_add_settled(&topic, &first, 150);
    topic_add_lane(&topic, &first, 2, (struct position){300, 0}, 110);
    topic_add_lane(&topic, &first, 0, (struct position){600, 1}, 130);
    for (unsigned seed = 0; seed < 2 * (LANES_MAX + 1); seed++) {
        struct checkpoint read;
        topic_read(&topic, seed, &read);
        cr_assert_eq(read.settled_lsn, 150);
        cr_assert_eq(read.layout.watermarks[0].commit_lsn, 600);
        cr_assert_eq(read.layout.watermarks[1].commit_lsn, 0);
        cr_assert_eq(read.layout.watermarks[2].commit_lsn, 300);
        checkpoint_release(&read);
    }
    checkpoint_release(&first);
    topic_release(&topic);
}

Test(checkpoint, I3_lane_records_of_an_older_generation_are_no_watermarks_of_this_one)
{
    struct checkpoint first;
    struct checkpoint second;
    found(1, 100, &first);
    struct topic topic = {0};
    topic_add_generation(&topic, &first);
    topic_add_lane(&topic, &first, 0, (struct position){500, 3}, 400);
    struct checkpoint read;
    topic_read(&topic, 0, &read);
    next_of(&read, 3, &second);
    topic_add_generation(&topic, &second);
    checkpoint_release(&read);
    topic_read(&topic, 0, &read);
    cr_expect_eq(read.generation, second.generation);
    cr_expect_eq(read.layout.watermarks[0].commit_lsn, 0);
    cr_expect_eq(read.settled_lsn, 400);
    cr_expect_eq(read.lanes_seen, 3);
    cr_assert_eq(read.n_history, 1);
    cr_expect_eq(read.history[0].watermarks[0].commit_lsn, 500);
    cr_expect_eq(at(&read, 500, 3, 2), EVENT_IS_COMMITTED);
    cr_expect_eq(at(&read, 500, 4, 2), EVENT_IS_NEW);
    checkpoint_release(&read);
    checkpoint_release(&first);
    checkpoint_release(&second);
    topic_release(&topic);
}

/* A lane without a transactional id that wakes up may append behind its successor's records. */
Test(checkpoint, a_late_record_of_an_older_generation_changes_nothing)
{
    struct checkpoint first;
    struct checkpoint second;
    found(1, 100, &first);
    next_of(&first, 1, &second);
    struct topic topic = {0};
    topic_add_generation(&topic, &second);
    topic_add_lane(&topic, &second, 0, (struct position){900, 0}, 850);
    topic_add_settled(&topic, &second, 870);
    topic_add_lane(&topic, &first, 0, (struct position){500, 0}, 450);
    topic_add_settled(&topic, &first, 460);
    topic_add_generation(&topic, &first);
    struct checkpoint read;
    topic_read(&topic, 0, &read);
    cr_expect_eq(read.generation, second.generation);
    cr_expect_eq(read.layout.watermarks[0].commit_lsn, 900);
    cr_expect_eq(read.settled_lsn, 870);
    checkpoint_release(&read);
    checkpoint_release(&first);
    checkpoint_release(&second);
    topic_release(&topic);
}

Test(checkpoint, S_is_the_largest_of_all_records)
{
    for (int largest = 0; largest < 4; largest++) {
        struct checkpoint first;
        found(2, largest == 0 ? 900 : 100, &first);
        struct topic topic = {0};
        topic_add_generation(&topic, &first);
        topic_add_lane(&topic, &first, 0, (struct position){1000, 0}, largest == 1 ? 900 : 200);
        topic_add_lane(&topic, &first, 1, (struct position){1000, 0}, largest == 2 ? 900 : 300);
        topic_add_settled(&topic, &first, largest == 3 ? 900 : 250);
        struct checkpoint read;
        topic_read(&topic, 0, &read);
        cr_expect_eq(read.settled_lsn, 900, "%d", largest);
        checkpoint_release(&read);
        checkpoint_release(&first);
        topic_release(&topic);
    }
}

Test(history, I3_an_entry_stays_until_S_has_passed_its_largest_watermark)
{
    static const struct {
        lsn settled_lsn;
        size_t entries;
    } cases[] = {{300, 1}, {301, 1}, {699, 1}, {700, 1}, {701, 0}, {5000, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct checkpoint first;
        struct checkpoint second;
        found(2, 100, &first);
        first.layout.watermarks[0] = (struct position){700, 4};
        first.layout.watermarks[1] = (struct position){300, 0}; /* lags: not the one that counts */
        first.settled_lsn = cases[i].settled_lsn;
        next_of(&first, 3, &second);
        cr_expect_eq(second.n_history, cases[i].entries, "S %lu",
                     (unsigned long)cases[i].settled_lsn);
        checkpoint_release(&first);
        checkpoint_release(&second);
    }
}

Test(history, older_entries_are_dropped_when_S_passes_them)
{
    struct checkpoint first;
    struct checkpoint second;
    struct checkpoint third;
    found(2, 100, &first);
    first.layout.watermarks[1] = (struct position){700, 4};
    next_of(&first, 3, &second);
    cr_assert_eq(second.n_history, 1);
    second.settled_lsn = 701;
    second.layout.watermarks[0] = (struct position){900, 0};
    next_of(&second, 1, &third);
    cr_assert_eq(third.n_history, 1);
    cr_expect_eq(third.history[0].lanes, 3);
    checkpoint_release(&first);
    checkpoint_release(&second);
    checkpoint_release(&third);
}

Test(history, entries_of_one_layout_are_merged)
{
    struct checkpoint first;
    struct checkpoint second;
    struct checkpoint third;
    found(2, 100, &first);
    first.layout.watermarks[0] = (struct position){700, 4};
    first.layout.watermarks[1] = (struct position){300, 1};
    next_of(&first, 2, &second);
    second.layout.watermarks[0] = (struct position){0, 0};
    second.layout.watermarks[1] = (struct position){800, 0};
    next_of(&second, 1, &third);
    cr_assert_eq(third.n_history, 1);
    cr_expect_eq(third.history[0].watermarks[0].commit_lsn, 700);
    cr_expect_eq(third.history[0].watermarks[0].ordinal, 4);
    cr_expect_eq(third.history[0].watermarks[1].commit_lsn, 800);
    checkpoint_release(&first);
    checkpoint_release(&second);
    checkpoint_release(&third);
}

Test(history, does_not_grow_with_the_number_of_restarts)
{
    struct checkpoint now;
    found(1, 100, &now);
    for (uint32_t i = 0; i < 1000; i++) {
        now.layout.watermarks[0] = (struct position){1000 + i, 0};
        struct checkpoint next;
        next_of(&now, 1 + i % 3, &next);
        checkpoint_release(&now);
        now = next;
    }
    cr_expect_leq(now.n_history, 3);
    cr_expect_eq(now.generation, 1001);
    checkpoint_release(&now);
}

Test(history, another_key_template_answers_by_the_range)
{
    struct checkpoint first;
    struct checkpoint second;
    found(2, 100, &first);
    first.layout.watermarks[0] = (struct position){700, 4};
    first.layout.watermarks[1] = (struct position){300, 1};
    struct generation_options options = options_of(2, "other");
    checkpoint_next_generation(&first, &options, &second);
    for (uint32_t lane = 0; lane < 2; lane++) {
        cr_expect_eq(at(&second, 99, 0, lane), EVENT_IS_COMMITTED);
        cr_expect_eq(at(&second, 300, 1, lane), EVENT_IS_COMMITTED);
        cr_expect_eq(at(&second, 300, 2, lane), EVENT_IS_UNKNOWN);
        cr_expect_eq(at(&second, 700, 4, lane), EVENT_IS_UNKNOWN);
        cr_expect_eq(at(&second, 700, 5, lane), EVENT_IS_NEW);
    }
    /* What this generation has committed is known, whatever an older one cannot tell. */
    second.layout.watermarks[0] = (struct position){500, 0};
    cr_expect_eq(at(&second, 500, 0, 0), EVENT_IS_COMMITTED);
    cr_expect_eq(at(&second, 500, 0, 1), EVENT_IS_UNKNOWN);
    checkpoint_release(&first);
    checkpoint_release(&second);
}

/* --- other keys --- */

struct past {
    struct bytes key;
    bool known;
    int asked;
    size_t index;
};

static bool past_key(void *context, size_t index, struct bytes *key)
{
    struct past *past = context;
    past->asked++;
    past->index = index;
    *key = past->key;
    return past->known;
}

static enum leaving with_past(const struct checkpoint *checkpoint, lsn commit_lsn,
                              struct past *past)
{
    return checkpoint_compare(checkpoint, (struct position){commit_lsn, 0}, BYTES_LIT("today"),
                              &(struct past_keys){past_key, past});
}

/* First, then second: two lanes under template "k", then one lane under the columns given. */
static void change_keys(const char *key_template, const char *columns_then, const char *columns_now,
                        struct checkpoint *first, struct checkpoint *second)
{
    struct checkpoint none;
    checkpoint_init(&none);
    struct generation_options options = options_of(2, "k");
    options.forget_positions = true;
    options.accept_lsn = 100;
    options.key_columns = columns_then;
    checkpoint_next_generation(&none, &options, first);
    first->layout.watermarks[0] = (struct position){700, 4};
    first->layout.watermarks[1] = (struct position){300, 1};
    options = options_of(2, key_template);
    options.key_columns = columns_now;
    checkpoint_next_generation(first, &options, second);
}

Test(history, I3_an_event_is_looked_up_by_the_key_that_it_had)
{
    static const struct {
        const char *key_template, *columns_then, *columns_now;
    } changes[] = {{"other", "a", "a"}, {"k", "a", "b"}, {"k", NULL, "a"}, {"other", NULL, NULL}};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct checkpoint first;
        struct checkpoint second;
        change_keys(changes[i].key_template, changes[i].columns_then, changes[i].columns_now,
                    &first, &second);
        char text[16];
        struct past ahead = {.key = key_in(0, 2, text), .known = true};
        cr_expect_eq(with_past(&second, 500, &ahead), EVENT_IS_COMMITTED, "change %zu", i);
        cr_expect_eq(ahead.asked, 1);
        cr_expect_eq(ahead.index, 0);
        struct past behind = {.key = key_in(1, 2, text), .known = true};
        cr_expect_eq(with_past(&second, 500, &behind), EVENT_IS_NEW, "change %zu", i);
        struct past none = {.key = BYTES_NULL, .known = true}; /* a dead letter of that time */
        cr_expect_eq(with_past(&second, 500, &none), EVENT_IS_COMMITTED, "change %zu", i);
        struct past unknown = {.known = false};
        cr_expect_eq(with_past(&second, 500, &unknown), EVENT_IS_UNKNOWN, "change %zu", i);
        /* Where the lanes agree, nobody asks. */
        struct past unasked = {.known = false};
        cr_expect_eq(with_past(&second, 300, &unasked), EVENT_IS_COMMITTED);
        cr_expect_eq(with_past(&second, 701, &unasked), EVENT_IS_NEW);
        cr_expect_eq(unasked.asked, 0);
        checkpoint_release(&first);
        checkpoint_release(&second);
    }
}

Test(history, the_same_keys_are_not_asked_for)
{
    struct checkpoint first;
    struct checkpoint second;
    change_keys("k", "a", "a", &first, &second);
    struct past past = {.known = false};
    with_past(&second, 500, &past);
    cr_expect_eq(past.asked, 0);
    checkpoint_release(&first);
    checkpoint_release(&second);
}

Test(history, entries_of_other_keys_are_not_merged)
{
    struct checkpoint first;
    struct checkpoint second;
    struct checkpoint third;
    change_keys("k", "a", "b", &first, &second);
    second.layout.watermarks[0] = (struct position){800, 0};
    struct generation_options options = options_of(2, "k");
    options.key_columns = "b";
    checkpoint_next_generation(&second, &options, &third);
    cr_assert_eq(third.n_history, 2);
    cr_expect_str_eq(third.history[0].key_columns, "a");
    cr_expect_str_eq(third.history[1].key_columns, "b");
    checkpoint_release(&first);
    checkpoint_release(&second);
    checkpoint_release(&third);
}

Test(generation, is_above_the_newest_that_was_seen)
{
    struct checkpoint first;
    struct checkpoint second;
    found(1, 100, &first);
    struct generation_options options = options_of(1, "k");
    options.at_least = 9; /* seen uncommitted */
    checkpoint_next_generation(&first, &options, &second);
    cr_expect_eq(second.generation, 10);
    checkpoint_release(&second);
    first.generation = 20;
    checkpoint_next_generation(&first, &options, &second);
    cr_expect_eq(second.generation, 21);
    checkpoint_release(&first);
    checkpoint_release(&second);
}

Test(generation, an_accepted_gap_raises_S_and_keeps_the_watermarks)
{
    struct checkpoint first;
    struct checkpoint second;
    found(2, 100, &first);
    first.layout.watermarks[0] = (struct position){700, 4};
    struct generation_options options = options_of(2, "k");
    options.accept_lsn = 600;
    checkpoint_next_generation(&first, &options, &second);
    cr_expect_eq(second.settled_lsn, 600);
    cr_expect_eq(at(&second, 599, 0, 1), EVENT_IS_COMMITTED);
    cr_expect_eq(at(&second, 600, 0, 1), EVENT_IS_NEW);
    cr_expect_eq(at(&second, 700, 4, 0), EVENT_IS_COMMITTED);
    checkpoint_release(&second);
    options.accept_lsn = 50; /* never back */
    checkpoint_next_generation(&first, &options, &second);
    cr_expect_eq(second.settled_lsn, 100);
    checkpoint_release(&first);
    checkpoint_release(&second);
}

/* Another system: small positions there are new, whatever records of the old one are left. */
Test(generation, forgetting_positions_outlives_the_old_records)
{
    struct checkpoint first;
    struct checkpoint second;
    found(2, 100, &first);
    struct topic topic = {0};
    topic_add_generation(&topic, &first);
    topic_add_lane(&topic, &first, 0, (struct position){90000, 4}, 80000);
    topic_add_lane(&topic, &first, 1, (struct position){90000, 4}, 80000);
    topic_add_settled(&topic, &first, 85000);
    struct checkpoint read;
    topic_read(&topic, 0, &read);
    struct generation_options options = options_of(2, "k");
    options.system_id = 8;
    options.forget_positions = true;
    options.accept_lsn = 50;
    checkpoint_next_generation(&read, &options, &second);
    checkpoint_release(&read);
    topic_add_generation(&topic, &second);
    for (unsigned seed = 0; seed < 2 * (LANES_MAX + 1); seed++) {
        topic_read(&topic, seed, &read);
        cr_assert_eq(read.system_id, 8);
        cr_assert_eq(read.first_generation, second.generation);
        cr_assert_eq(read.settled_lsn, 50);
        cr_assert_eq(read.n_history, 0);
        cr_assert_eq(at(&read, 50, 0, 0), EVENT_IS_NEW);
        struct checkpoint third; /* and so it stays in the generations after */
        next_of(&read, 1, &third);
        cr_assert_eq(third.first_generation, second.generation);
        checkpoint_release(&third);
        checkpoint_release(&read);
    }
    checkpoint_release(&first);
    checkpoint_release(&second);
    topic_release(&topic);
}

Test(generation, too_many_lanes_are_a_bug, .signal = SIGABRT)
{
    struct checkpoint none;
    struct checkpoint next;
    checkpoint_init(&none);
    struct generation_options options = options_of(LANES_MAX + 1, "k");
    checkpoint_next_generation(&none, &options, &next);
}
