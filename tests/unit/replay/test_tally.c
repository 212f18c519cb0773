/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "replay/tally.h"

Test(tally, counts_pairs_and_sorts_them)
{
    struct tally tally = {.count = 0};
    tally_sort(&tally);
    const char *pairs[][2] = {{"b", "X"}, {"a", "Y"}, {"b", "X"}, {"a", "X"}, {"b", "X"}};
    for (size_t i = 0; i < 5; i++) {
        tally_add(&tally, pairs[i][0], bytes_of(pairs[i][1]));
    }
    tally_sort(&tally);
    cr_assert_eq(tally.count, 3);
    cr_expect(strcmp(tally.rows[0].topic, "a") == 0 && strcmp(tally.rows[0].event_type, "X") == 0);
    cr_expect(strcmp(tally.rows[2].topic, "b") == 0 && tally.rows[2].events == 3);
    tally_release(&tally);
}

Test(tally, what_finds_no_room_is_counted_together)
{
    struct tally tally = {.count = 0};
    char topic[16];
    for (int i = 0; i < TALLY_MAX + 7; i++) {
        snprintf(topic, sizeof(topic), "t%d", i);
        tally_add(&tally, topic, BYTES_LIT("X"));
    }
    tally_add(&tally, "t0", BYTES_LIT("X"));
    cr_expect_eq(tally.count, TALLY_MAX);
    cr_expect_eq(tally.others, 7);
    cr_expect_eq(tally.rows[0].events, 2);
    tally_release(&tally);
}
