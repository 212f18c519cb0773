/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "checkpoint.pb-c.h"
#include "topic.h"

static const struct generation_options founding = {.system_id = UINT64_MAX - 1,
                                                   .timeline = UINT32_MAX,
                                                   .instance = "host-1",
                                                   .lanes = 3,
                                                   .key_template = "{aggregate_id}",
                                                   .key_columns = "aggregate_id=customer\n",
                                                   .database_oid = UINT32_MAX,
                                                   .forget_positions = true,
                                                   .accept_lsn = 1000,
                                                   .origin_lsn = 900,
                                                   .at_least = 41};

static void found(struct checkpoint *next)
{
    struct checkpoint none;
    checkpoint_init(&none);
    checkpoint_next_generation(&none, &founding, next);
}

static enum verdict apply(struct checkpoint *checkpoint, int32_t partition, struct bytes key,
                          const char *value, size_t size, struct error *error)
{
    char *copy = malloc(size == 0 ? 1 : size); /* so that a byte too far is seen */
    if (size > 0) {
        memcpy(copy, value, size);
    }
    enum verdict verdict =
        checkpoint_apply(checkpoint, partition, key, (struct bytes){copy, size}, error);
    free(copy);
    return verdict;
}

Test(records, a_generation_goes_round_with_its_history)
{
    struct checkpoint first;
    found(&first);
    cr_expect_eq(first.generation, 42);
    first.layout.watermarks[0] = (struct position){5000, 1};
    first.layout.watermarks[2] = (struct position){UINT64_MAX, UINT32_MAX};
    struct generation_options options = {.system_id = founding.system_id,
                                         .timeline = founding.timeline,
                                         .instance = "host-2",
                                         .slot = "walpost_orders",
                                         .lanes = 64,
                                         .key_template = "{column:a}",
                                         .key_columns = "aggregate_id=aggregate\n",
                                         .database_oid = 16384};
    struct checkpoint second;
    checkpoint_next_generation(&first, &options, &second);
    struct topic topic = {0};
    topic_add_generation(&topic, &second);
    struct checkpoint read;
    topic_read(&topic, 0, &read);

    cr_expect(read.found);
    cr_expect_eq(read.generation, 43);
    cr_expect_eq(read.first_generation, 42);
    cr_expect_eq(read.system_id, founding.system_id);
    cr_expect_eq(read.timeline, founding.timeline);
    cr_expect_str_eq(read.instance, "host-2");
    cr_expect_str_eq(read.slot, "walpost_orders");
    cr_expect_eq(read.settled_lsn, 1000);
    cr_expect_eq(read.origin_lsn, 900);
    cr_expect_eq(read.layout.lanes, 64);
    cr_expect_eq(read.lanes_seen, 64);
    cr_expect_str_eq(read.layout.key_template, "{column:a}");
    cr_expect_str_eq(read.layout.key_columns, "aggregate_id=aggregate\n");
    cr_expect_eq(read.database_oid, 16384);
    cr_assert_eq(read.n_history, 1);
    cr_expect_eq(read.history[0].lanes, 3);
    cr_expect_str_eq(read.history[0].key_template, "{aggregate_id}");
    cr_expect_str_eq(read.history[0].key_columns, "aggregate_id=customer\n");
    for (uint32_t i = 0; i < 3; i++) {
        cr_expect_eq(position_compare(read.history[0].watermarks[i], first.layout.watermarks[i]),
                     0);
    }
    checkpoint_release(&read);
    checkpoint_release(&first);
    checkpoint_release(&second);
    topic_release(&topic);
}

Test(records, lane_and_settled_records_go_round)
{
    struct checkpoint generation;
    found(&generation);
    struct topic topic = {0};
    topic_add_generation(&topic, &generation);
    topic_add_lane(&topic, &generation, 2, (struct position){UINT64_MAX - 5, UINT32_MAX}, 7000);
    topic_add_settled(&topic, &generation, 6000);
    struct checkpoint read;
    topic_read(&topic, 0, &read);
    cr_expect_eq(read.layout.watermarks[2].commit_lsn, UINT64_MAX - 5);
    cr_expect_eq(read.layout.watermarks[2].ordinal, UINT32_MAX);
    cr_expect_eq(read.layout.watermarks[0].commit_lsn, 0);
    cr_expect_eq(read.settled_lsn, 7000);
    checkpoint_release(&read);
    checkpoint_release(&generation);
    topic_release(&topic);
}

Test(records, the_longest_of_each_fits)
{
    struct checkpoint checkpoint = {
        .generation = UINT64_MAX, .system_id = UINT64_MAX, .timeline = UINT32_MAX};
    char value[CHECKPOINT_RECORD_MAX];
    struct position most = {UINT64_MAX, UINT32_MAX};
    struct unmarked letters = {true, INT64_MIN, UINT64_MAX};
    cr_expect_leq(checkpoint_write_lane(&checkpoint, most, UINT64_MAX, &letters, value),
                  CHECKPOINT_RECORD_MAX);
    cr_expect_leq(checkpoint_write_settled(&checkpoint, UINT64_MAX, value), CHECKPOINT_RECORD_MAX);
}

Test(records, I9_a_newer_format_is_refused)
{
    Walpost__V1__LaneCheckpoint lane = WALPOST__V1__LANE_CHECKPOINT__INIT;
    Walpost__V1__SettledCheckpoint settled = WALPOST__V1__SETTLED_CHECKPOINT__INIT;
    Walpost__V1__GenerationCheckpoint generation = WALPOST__V1__GENERATION_CHECKPOINT__INIT;
    lane.version = settled.version = generation.version = CHECKPOINT_VERSION + 1;
    generation.lanes = 1;
    char value[3][64];
    size_t size[3] = {walpost__v1__lane_checkpoint__pack(&lane, (uint8_t *)value[0]),
                      walpost__v1__settled_checkpoint__pack(&settled, (uint8_t *)value[1]),
                      walpost__v1__generation_checkpoint__pack(&generation, (uint8_t *)value[2])};
    struct bytes keys[3] = {CHECKPOINT_KEY_LANE, CHECKPOINT_KEY_SETTLED, CHECKPOINT_KEY_GENERATION};
    for (int i = 0; i < 3; i++) {
        struct checkpoint checkpoint;
        checkpoint_init(&checkpoint);
        struct error error = {0};
        cr_expect_eq(apply(&checkpoint, i == 0, keys[i], value[i], size[i], &error), FATAL);
        cr_expect_not_null(strstr(error.what, "newer walpost"), "%s", error.what);
        cr_expect_not(checkpoint.found);
        checkpoint_release(&checkpoint);
    }
}

Test(records, I9_what_is_no_checkpoint_is_refused)
{
    struct checkpoint generation;
    found(&generation);
    char good[CHECKPOINT_RECORD_MAX];
    struct unmarked none = {.any = false};
    size_t size = checkpoint_write_lane(&generation, (struct position){1, 1}, 1, &none, good);
    const struct {
        int32_t partition;
        struct bytes key;
        size_t size;
    } wrong[] = {
        {-1, CHECKPOINT_KEY_LANE, size},
        {LANES_MAX + 1, CHECKPOINT_KEY_LANE, size},
        {0, CHECKPOINT_KEY_LANE, size},
        {1, CHECKPOINT_KEY_SETTLED, size},
        {1, CHECKPOINT_KEY_GENERATION, size},
        {1, BYTES_LIT("else"), size},
        {1, BYTES_NULL, size},
        {1, CHECKPOINT_KEY_LANE, 0}, /* an empty value: all fields have their defaults */
        {0, CHECKPOINT_KEY_SETTLED, 0},
        {0, CHECKPOINT_KEY_GENERATION, 0},
        {1, CHECKPOINT_KEY_LANE, size - 1}, /* cut */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct checkpoint checkpoint;
        checkpoint_init(&checkpoint);
        struct error error = {0};
        cr_expect_eq(
            apply(&checkpoint, wrong[i].partition, wrong[i].key, good, wrong[i].size, &error),
            FATAL, "%zu", i);
        cr_expect_not_null(strstr(error.what, "no checkpoint"), "%zu: %s", i, error.what);
        cr_expect_neq(error.remedy[0], '\0');
        checkpoint_release(&checkpoint);
    }
    struct checkpoint checkpoint;
    checkpoint_init(&checkpoint);
    struct error error;
    cr_expect_eq(checkpoint_apply(&checkpoint, 1, CHECKPOINT_KEY_LANE, BYTES_NULL, &error), FATAL);
    checkpoint_release(&checkpoint);
    checkpoint_release(&generation);
}

/* As 0.1.0 wrote it before it knew columns and databases: byte for byte. */
Test(records, a_generation_of_an_older_version_is_read)
{
    static const unsigned char value[] = {
        0x08, 0x01,                                                    /* version 1 */
        0x10, 0x05,                                                    /* generation 5 */
        0x18, 0x07,                                                    /* system 7 */
        0x20, 0x01,                                                    /* timeline 1 */
        0x2a, 0x01, 'h',                                               /* instance */
        0x30, 0x02,                                                    /* lanes 2 */
        0x3a, 0x03, '{',  'k',  '}',                                   /* key template */
        0x41, 0x64, 0,    0,    0,   0,   0,   0, 0,                   /* S 100 */
        0x52, 0x12, 0x0a, 0x03, '{', 'o', '}',                         /* history: template */
        0x12, 0x0b, 0x09, 0xc8, 0,   0,   0,   0, 0, 0, 0, 0x10, 0x03, /* 200, 3 */
    };
    struct checkpoint read;
    struct error error;
    checkpoint_init(&read);
    cr_assert_eq(
        apply(&read, 0, CHECKPOINT_KEY_GENERATION, (const char *)value, sizeof(value), &error), OK,
        "%s", error.what);
    checkpoint_complete(&read);
    cr_expect_eq(read.generation, 5);
    cr_expect_eq(read.layout.lanes, 2);
    cr_expect_str_eq(read.layout.key_template, "{k}");
    cr_expect_null(read.layout.key_columns);
    cr_expect_eq(read.database_oid, 0);
    cr_expect_str_eq(read.slot, "");
    cr_assert_eq(read.n_history, 1);
    cr_expect_str_eq(read.history[0].key_template, "{o}");
    cr_expect_null(read.history[0].key_columns);
    cr_expect_eq(read.history[0].watermarks[0].commit_lsn, 200);
    cr_expect_eq(read.history[0].watermarks[0].ordinal, 3);
    checkpoint_release(&read);
}

/* More lanes than this program can have must not be read as fewer: every key would be looked up in
 * the wrong lane. */
Test(records, I3_an_impossible_number_of_lanes_is_refused)
{
    static const uint32_t lanes[] = {0, LANES_MAX + 1, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
        Walpost__V1__GenerationCheckpoint record = WALPOST__V1__GENERATION_CHECKPOINT__INIT;
        record.version = CHECKPOINT_VERSION;
        record.generation = 1;
        record.lanes = lanes[i];
        char value[64];
        size_t size = walpost__v1__generation_checkpoint__pack(&record, (uint8_t *)value);
        struct checkpoint checkpoint;
        checkpoint_init(&checkpoint);
        struct error error;
        cr_expect_eq(apply(&checkpoint, 0, CHECKPOINT_KEY_GENERATION, value, size, &error), FATAL,
                     "%u lanes", lanes[i]);
        checkpoint_release(&checkpoint);
    }
}

Test(records, I3_an_impossible_number_of_lanes_in_the_history_is_refused)
{
    for (size_t n = 0; n <= LANES_MAX + 1; n += LANES_MAX + 1) {
        Walpost__V1__Watermark mark = WALPOST__V1__WATERMARK__INIT;
        mark.commit_lsn = 5;
        Walpost__V1__Watermark *marks[LANES_MAX + 1];
        for (size_t i = 0; i < n; i++) {
            marks[i] = &mark;
        }
        Walpost__V1__Layout layout = WALPOST__V1__LAYOUT__INIT;
        layout.n_watermarks = n;
        layout.watermarks = marks;
        Walpost__V1__Layout *layouts[] = {&layout};
        Walpost__V1__GenerationCheckpoint record = WALPOST__V1__GENERATION_CHECKPOINT__INIT;
        record.version = CHECKPOINT_VERSION;
        record.generation = 1;
        record.lanes = 1;
        record.n_history = 1;
        record.history = layouts;
        char value[2048];
        size_t size = walpost__v1__generation_checkpoint__pack(&record, (uint8_t *)value);
        struct checkpoint checkpoint;
        checkpoint_init(&checkpoint);
        struct error error;
        cr_expect_eq(apply(&checkpoint, 0, CHECKPOINT_KEY_GENERATION, value, size, &error), FATAL,
                     "%zu lanes", n);
        checkpoint_release(&checkpoint);
    }
}

/* Anything at all: refused, or read without harm. */
Test(records, garbage_does_no_harm)
{
    srandom(5);
    struct checkpoint generation;
    found(&generation);
    generation.layout.watermarks[1] = (struct position){5000, 1};
    struct checkpoint next;
    struct generation_options options = founding;
    options.forget_positions = false;
    checkpoint_next_generation(&generation, &options, &next);
    size_t size;
    char *good = checkpoint_write_generation(&next, 0, &size);
    static const struct {
        int32_t partition;
        const char *key;
    } kinds[] = {{0, "generation"}, {0, "settled"}, {3, "lane"}};
    for (int i = 0; i < 30000; i++) {
        char value[256];
        size_t length = (size_t)random() % sizeof(value);
        for (size_t k = 0; k < length; k++) {
            value[k] = (char)random();
        }
        if (i % 2 == 0) { /* a good one with a few bytes changed */
            length = size < sizeof(value) ? size : sizeof(value);
            memcpy(value, good, length);
            for (int k = 0; k < 3; k++) {
                value[(size_t)random() % length] = (char)random();
            }
        }
        struct checkpoint checkpoint;
        checkpoint_init(&checkpoint);
        struct error error;
        enum verdict verdict = apply(&checkpoint, kinds[i % 3].partition,
                                     bytes_of(kinds[i % 3].key), value, length, &error);
        cr_assert(verdict == OK || verdict == FATAL);
        checkpoint_complete(&checkpoint);
        if (checkpoint.found) { /* what was read can be used */
            struct checkpoint after;
            checkpoint_compare(&checkpoint, (struct position){5000, 1}, BYTES_LIT("a"), NULL);
            checkpoint_next_generation(&checkpoint, &options, &after);
            checkpoint_release(&after);
        }
        checkpoint_release(&checkpoint);
    }
    free(good);
    checkpoint_release(&next);
    checkpoint_release(&generation);
}
