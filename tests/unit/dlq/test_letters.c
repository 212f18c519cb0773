/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "dlq/letters.h"
#include "records.h"

static const struct record_header replayed[] = {{BYTES_LIT("outcome"), BYTES_LIT("replayed")},
                                                {BYTES_LIT("stream"), BYTES_LIT("orders")},
                                                {BYTES_LIT("source_table"), BYTES_LIT("p.t")}};

static struct letters *of_orders(void)
{
    return letters_new(&(struct letters_options){.stream = BYTES_LIT("orders")});
}

static void put(struct letters *letters, const char *id, uint32_t ordinal, int32_t partition)
{
    struct config config;
    struct made made;
    struct row row = row_of_test();
    row.id = bytes_of(id);
    config_of_test(&config);
    make_letter(&config, &row, DEAD_INVALID_EVENT, ordinal, &made);
    made.read.partition = partition;
    letters_apply(letters, &made.read);
}

static void bury(struct letters *letters, const char *id, int32_t partition)
{
    struct reader_record record = tombstone(id, partition, replayed, ARRAY_LEN(replayed));
    letters_apply(letters, &record);
}

Test(letters, the_newest_record_of_a_key_counts)
{
    struct letters *letters = of_orders();
    put(letters, "a", 1, 0);
    put(letters, "b", 2, 0);
    put(letters, "a", 3, 0);
    cr_expect_eq(letters_count(letters), 2);
    cr_expect_eq(letters_find(letters, BYTES_LIT("a"))->offset, 3);
    bury(letters, "a", 0);
    cr_expect_null(letters_find(letters, BYTES_LIT("a")));
    cr_expect_eq(letters_count(letters), 1);
    put(letters, "a", 4, 0);
    cr_expect_eq(letters_count(letters), 2);
    bury(letters, "unknown", 0);
    cr_expect_eq(letters_count(letters), 2);
    letters_free(letters);
}

/* Partitions were added between the two: compaction keeps one in each. */
Test(letters, a_letter_in_two_partitions_is_one_and_goes_with_both)
{
    struct letters *letters = of_orders();
    put(letters, "a", 1, 0);
    put(letters, "a", 1, 5);
    cr_expect_eq(letters_count(letters), 1);
    cr_expect_eq(letters_find(letters, BYTES_LIT("a"))->n_places, 2);
    bury(letters, "a", 5);
    cr_expect_eq(letters_count(letters), 1);
    cr_expect_eq(letters_find(letters, BYTES_LIT("a"))->places[0], 0);
    bury(letters, "a", 0);
    cr_expect_eq(letters_count(letters), 0);
    letters_free(letters);
}

Test(letters, sorted_by_position)
{
    struct letters *letters = of_orders();
    char id[16];
    enum { MANY = 1000 };
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t ordinal = i * 619 % MANY;
        snprintf(id, sizeof(id), "id-%u", ordinal);
        put(letters, id, ordinal, (int32_t)(i % 3));
    }
    cr_assert_eq(letters_count(letters), MANY);
    struct letter **sorted = letters_sorted(letters);
    for (uint32_t i = 0; i < MANY; i++) {
        cr_assert_eq(sorted[i]->position.ordinal, i);
    }
    free(sorted);
    letters_free(letters);
}

Test(letters, those_of_another_stream_are_not_ours)
{
    struct letters *letters = letters_new(&(struct letters_options){.stream = BYTES_LIT("other")});
    put(letters, "a", 1, 0);
    bury(letters, "b", 0);
    size_t count;
    struct bytes *keys = letters_replayed(letters, &count);
    cr_expect_eq(letters_count(letters), 0);
    cr_expect_eq(count, 0, "nor are its tombstones");
    free(keys);
    letters_free(letters);
}

Test(letters, tombstones_of_replays_are_remembered_while_they_are_the_last_word)
{
    struct letters *letters = of_orders();
    size_t count;
    put(letters, "a", 1, 0);
    bury(letters, "a", 0);
    bury(letters, "b", 0); /* compaction took its letter already */
    struct bytes *keys = letters_replayed(letters, &count);
    cr_expect_eq(count, 2);
    free(keys);
    struct reader_record purged = tombstone("b", 0, replayed + 1, 2);
    letters_apply(letters, &purged);
    put(letters, "a", 2, 0);
    keys = letters_replayed(letters, &count);
    cr_expect_eq(count, 0);
    cr_expect_eq(letters_count(letters), 1);
    free(keys);
    letters_free(letters);
}

static bool only_even(void *context, const struct letter *letter)
{
    (void)context;
    return letter->offset % 2 == 0;
}

Test(letters, what_is_not_wanted_takes_the_place_of_what_was)
{
    struct letters *letters =
        letters_new(&(struct letters_options){.stream = BYTES_LIT("orders"), .wants = only_even});
    put(letters, "a", 2, 0);
    put(letters, "b", 4, 0);
    put(letters, "a", 3, 0);
    cr_expect_eq(letters_count(letters), 1);
    cr_expect_null(letters_find(letters, BYTES_LIT("a")));
    letters_free(letters);
}

Test(letters, counting_keeps_no_headers)
{
    struct letters *letters =
        letters_new(&(struct letters_options){.stream = BYTES_LIT("orders"), .only_count = true});
    put(letters, "a", 1, 0);
    put(letters, "b", 2, 0);
    bury(letters, "b", 0);
    cr_expect_eq(letters_count(letters), 1);
    cr_expect_eq(letters_find(letters, BYTES_LIT("a"))->n_headers, 0);
    letters_free(letters);
}
