/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "anchor/window.h"

enum { MB = 1 << 20, SECOND = 1000000 };

static const struct wal_clock no_clock;

static struct anchor_facts facts(void)
{
    return (struct anchor_facts){
        .anchor_lsn = 100 * MB,
        .live_lsn = 190 * MB,
        .wal_lsn = 200 * MB,
        .limit_bytes = -1,
        .safe_bytes = -1,
        .now_us = INT64_C(1000) * SECOND,
        .clock = &no_clock,
    };
}

Test(window, without_bounds_the_anchor_stays)
{
    struct anchor_facts f = facts();
    cr_expect_eq(anchor_target(&f), 0);
}

Test(window, by_bytes_it_follows_only_when_more_is_kept)
{
    struct anchor_facts f = facts();
    f.keep_bytes = 100 * MB;
    cr_expect_eq(anchor_target(&f), 0);
    f.wal_lsn++;
    f.live_lsn++;
    lsn target = anchor_target(&f);
    cr_expect_gt(target, f.anchor_lsn);
    cr_expect_leq(f.wal_lsn - target, f.keep_bytes);
    cr_expect_geq(f.wal_lsn - target, f.keep_bytes / 64 * 62, "and keeps what was asked for");
}

Test(window, it_never_passes_the_live_slot)
{
    struct anchor_facts f = facts();
    f.keep_bytes = 1;
    f.live_lsn = 120 * MB;
    cr_expect_eq(anchor_target(&f), f.live_lsn);
    f.live_lsn = f.anchor_lsn;
    cr_expect_eq(anchor_target(&f), 0);
    f.live_lsn = f.anchor_lsn - 1;
    cr_expect_eq(anchor_target(&f), 0, "and never goes back");
}

Test(window, half_of_the_servers_limit_is_the_most)
{
    struct anchor_facts f = facts();
    f.keep_bytes = 10 * (uint64_t)MB * MB;
    f.limit_bytes = 100 * MB;
    f.safe_bytes = 50 * MB;
    lsn target = anchor_target(&f);
    cr_expect_leq(f.wal_lsn - target, 50u * MB);
    cr_expect_eq(anchor_keep_bytes(f.keep_bytes, f.limit_bytes), 50u * MB);
    cr_expect_eq(anchor_keep_bytes(10 * MB, f.limit_bytes), 10u * MB);
    cr_expect_eq(anchor_keep_bytes(0, f.limit_bytes), 50u * MB, "by age alone, too");
    cr_expect_eq(anchor_keep_bytes(0, -1), 0);
    cr_expect_eq(anchor_keep_bytes(5, 0), 1, "a limit of nothing is not no limit");
}

/* A slot holds WAL from before its position: an old transaction may pin it there. */
Test(window, in_danger_it_gives_everything_up)
{
    struct anchor_facts f = facts();
    f.limit_bytes = 400 * MB;
    f.safe_bytes = 101 * MB;
    cr_expect_eq(anchor_target(&f), 0);
    f.safe_bytes = 99 * MB;
    cr_expect_eq(anchor_target(&f), f.live_lsn);
    cr_expect(anchor_is_in_danger(f.limit_bytes, f.safe_bytes));
    cr_expect_not(anchor_is_in_danger(-1, -1), "no limit");
}

Test(window, by_age_it_follows_what_the_clock_knows)
{
    struct wal_clock clock = {.count = 3,
                              .moments = {{90 * MB, 100}, {150 * MB, 200}, {180 * MB, 300}}};
    struct anchor_facts f = facts();
    f.clock = &clock;
    f.keep_for_us = 50;
    f.now_us = 249;
    cr_expect_eq(anchor_target(&f), 0, "only the first is old enough, and that is passed");
    f.now_us = 250;
    cr_expect_eq(anchor_target(&f), 150u * MB);
    f.now_us = 1000;
    cr_expect_eq(anchor_target(&f), 180u * MB);
    f.keep_bytes = 15 * MB;
    cr_expect_gt(anchor_target(&f), 180u * MB, "whichever bound is reached first");
}

Test(window, a_clock_finds_positions_and_times)
{
    struct wal_clock clock = {.count = 3, .moments = {{10, 100}, {20, 200}, {20, 300}}};
    cr_expect_eq(wal_clock_before(&clock, 99), 0);
    cr_expect_eq(wal_clock_before(&clock, 100), 10);
    cr_expect_eq(wal_clock_before(&clock, 299), 20);
    cr_expect_eq(wal_clock_since(&clock, 9), 100);
    cr_expect_eq(wal_clock_since(&clock, 10), 100);
    cr_expect_eq(wal_clock_since(&clock, 11), 200, "between the two, the later one is certain");
    cr_expect_eq(wal_clock_since(&clock, 21), 0);
}

Test(window, a_clock_forgets_what_the_anchor_has_passed)
{
    struct wal_clock clock = {.count = 0};
    for (lsn i = 1; i <= 10; i++) {
        wal_clock_note(&clock, (struct moment){i * 10, (int64_t)i}, 45);
    }
    cr_expect_eq(clock.moments[0].wal_lsn, 50);
    cr_expect_eq(clock.count, 6);
    cr_expect_not(wal_clock_note(&clock, (struct moment){100, 11}, 45), "nothing was written");
    cr_expect_eq(clock.count, 6);
}

Test(window, a_full_clock_is_thinned_and_keeps_its_ends)
{
    struct wal_clock clock = {.count = 0};
    for (lsn i = 1; i <= 10000; i++) {
        wal_clock_note(&clock, (struct moment){i, (int64_t)i}, 0);
        cr_assert_leq(clock.count, MOMENTS_MAX);
        for (size_t k = 1; k < clock.count; k++) {
            cr_assert_lt(clock.moments[k - 1].time_us, clock.moments[k].time_us);
        }
    }
    cr_expect_eq(clock.moments[0].wal_lsn, 1);
    cr_expect_eq(clock.moments[clock.count - 1].wal_lsn, 10000);
}

Test(window, a_clock_follows_a_server_that_was_set_back)
{
    struct wal_clock clock = {.count = 3, .moments = {{10, 100}, {20, 200}, {30, 300}}};
    wal_clock_note(&clock, (struct moment){25, 400}, 0);
    cr_expect_eq(clock.count, 3);
    cr_expect_eq(clock.moments[2].wal_lsn, 25);
    wal_clock_note(&clock, (struct moment){26, 400}, 0);
    cr_expect_eq(clock.count, 3, "no time has passed");
}

Test(window, moments_are_noted_as_often_as_the_time_kept_asks_for)
{
    cr_expect_eq(wal_clock_interval_us(0), INT64_C(600) * SECOND);
    cr_expect_eq(wal_clock_interval_us(UINT64_C(3600) * SECOND), INT64_C(3600) * SECOND / 32);
    cr_expect_eq(wal_clock_interval_us(1), SECOND / 4);
    cr_expect_eq(wal_clock_interval_us(UINT64_C(1) << 62), INT64_C(600) * SECOND);
}
