/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/clock.h"

Test(clock, monotonic_never_goes_back)
{
    int64_t last = clock_us();
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_us();
        cr_assert_geq(now, last);
        last = now;
    }
}

Test(clock, wall_is_after_this_was_written)
{
    cr_expect_gt(clock_wall_us(), INT64_C(1700000000) * 1000000);
}

Test(backoff, doubles_up_to_its_maximum_and_is_never_less_than_half)
{
    for (uint32_t tries = 0; tries < 100; tries++) {
        uint64_t full = tries < 8 ? 20u << tries : 2000;
        full = full > 2000 ? 2000 : full;
        for (int i = 0; i < 50; i++) {
            uint32_t pause = backoff_ms(tries, 20, 2000);
            cr_assert_geq(pause, full / 2, "try %u: %u", tries, pause);
            cr_assert_leq(pause, full, "try %u: %u", tries, pause);
        }
    }
}

Test(backoff, is_not_always_the_same)
{
    uint32_t first = backoff_ms(30, 1000, 1000000);
    bool other = false;
    for (int i = 0; i < 100; i++) {
        other |= backoff_ms(30, 1000, 1000000) != first;
    }
    cr_expect(other);
}

Test(backoff, bears_the_ends_of_its_ranges)
{
    cr_expect_eq(backoff_ms(0, 0, 0), 0);
    cr_expect_eq(backoff_ms(UINT32_MAX, 0, 100), 0);
    cr_expect_eq(backoff_ms(5, 10, 0), 0);
    cr_expect_leq(backoff_ms(UINT32_MAX, 1, 7), 7);
    cr_expect_geq(backoff_ms(UINT32_MAX, UINT32_MAX, UINT32_MAX), UINT32_MAX / 2);
}
