/* SPDX-License-Identifier: Apache-2.0
 *
 * Dead letters whose rows may not be marked yet. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "topic.h"

static struct generation_options options_of(uint32_t lanes)
{
    return (struct generation_options){
        .system_id = 7, .timeline = 1, .instance = "test", .lanes = lanes, .key_template = "k"};
}

/* The first generation: S at start. */
static void found(uint32_t lanes, lsn start, struct checkpoint *next)
{
    struct checkpoint none;
    checkpoint_init(&none);
    struct generation_options options = options_of(lanes);
    options.forget_positions = true;
    options.accept_lsn = start;
    checkpoint_next_generation(&none, &options, next);
}

static void add_lane(struct topic *topic, const struct checkpoint *checkpoint, uint32_t lane,
                     lsn watermark, struct unmarked unmarked)
{
    char value[CHECKPOINT_RECORD_MAX];
    size_t size =
        checkpoint_write_lane(checkpoint, (struct position){watermark, 0}, 1, &unmarked, value);
    topic_add(topic, (int32_t)lane + 1, CHECKPOINT_KEY_LANE, value, size);
}

static void expect_unmarked(const struct checkpoint *checkpoint, bool any, int64_t since_ms,
                            lsn until_lsn)
{
    cr_expect_eq(checkpoint->unmarked.any, any);
    cr_expect_eq(checkpoint->unmarked.since_ms, since_ms, "%ld",
                 (long)checkpoint->unmarked.since_ms);
    cr_expect_eq(checkpoint->unmarked.until_lsn, until_lsn, LSN_FORMAT,
                 LSN_ARGS(checkpoint->unmarked.until_lsn));
}

Test(unmarked, I10_letters_of_all_lanes_and_generations_until_they_are_marked)
{
    struct checkpoint first, second, third, read;
    struct topic topic = {0};
    found(3, 100, &first);
    expect_unmarked(&first, false, 0, 0);
    topic_add_generation(&topic, &first);
    add_lane(&topic, &first, 0, 200, (struct unmarked){true, 20, 150});
    add_lane(&topic, &first, 1, 300, (struct unmarked){true, 10, 130});
    add_lane(&topic, &first, 2, 400, (struct unmarked){.any = false});
    topic_read(&topic, 0, &read);
    expect_unmarked(&read, true, 10, 150);

    struct generation_options options = options_of(1);
    options.marked_lsn = 120;
    checkpoint_next_generation(&read, &options, &second);
    checkpoint_release(&read);
    topic_add_generation(&topic, &second);
    topic_read(&topic, 0, &read); /* lanes of the first count no more: the second took them over */
    expect_unmarked(&read, true, 10, 150);
    add_lane(&topic, &second, 0, 500, (struct unmarked){true, 40, 450});
    checkpoint_release(&read);
    topic_read(&topic, 0, &read);
    expect_unmarked(&read, true, 10, 450);

    options.marked_lsn = 451;
    checkpoint_next_generation(&read, &options, &third);
    expect_unmarked(&third, false, 0, 0);
    checkpoint_release(&first);
    checkpoint_release(&second);
    checkpoint_release(&third);
    checkpoint_release(&read);
    topic_release(&topic);
}

/* A version that did not know of them wrote these records: any may be there, up to what was
 * published. */
Test(unmarked, I10_letters_of_an_older_version_are_not_known)
{
    struct checkpoint checkpoint, read, next;
    struct topic topic = {0};
    found(1, 100, &checkpoint);
    size_t size;
    char *value = checkpoint_write_generation(&checkpoint, 0, &size);
    /* The field stands last, and is empty: tag, length. */
    cr_assert_eq((uint8_t)value[size - 1], 0);
    topic_add(&topic, 0, CHECKPOINT_KEY_GENERATION, value, size - 3);
    free(value);
    topic_add_lane(&topic, &checkpoint, 0, (struct position){300, 1}, 200);
    topic_read(&topic, 0, &read);
    cr_expect(read.unmarked.any);
    cr_expect_eq(read.unmarked.since_ms, 0);
    struct generation_options options = options_of(1);
    options.marked_lsn = 300;
    checkpoint_next_generation(&read, &options, &next);
    expect_unmarked(&next, true, 0, 300);
    checkpoint_release(&next);
    options.marked_lsn = 301; /* nothing can come that was published */
    checkpoint_next_generation(&read, &options, &next);
    expect_unmarked(&next, false, 0, 0);
    checkpoint_release(&next);
    checkpoint_release(&read);
    checkpoint_release(&checkpoint);
    topic_release(&topic);
}
