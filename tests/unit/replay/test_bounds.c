/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "replay/bounds.h"

static struct error error;

#define MINUTE (INT64_C(60) * 1000000)

static const struct window window = {
    .system_id = 7, .first_lsn = 100, .end_lsn = 200, .since_us = 1000 * MINUTE};

static struct bookmark bookmarks[] = {
    {.name = "early", .system_id = 7, .position = 99},
    {.name = "begin", .system_id = 7, .position = 100},
    {.name = "middle", .system_id = 7, .position = 150},
    {.name = "foreign", .system_id = 8, .position = 150},
};
static const struct journal journal = {
    .bookmarks = bookmarks,
    .n_bookmarks = 4,
    .clock = {.count = 2, .moments = {{100, 1000 * MINUTE}, {160, 1010 * MINUTE}}},
};

static enum verdict resolve(const char *from, const char *to, struct replay_job *job)
{
    struct bound first, last;
    *job = (struct replay_job){.id = ""};
    enum verdict verdict = bound_parse("--from", from, &first, &error);
    if (verdict == OK) {
        verdict = bound_parse("--to", to, &last, &error);
    }
    return verdict != OK ? verdict : bounds_resolve(&first, &last, &window, &journal, job, &error);
}

Test(bounds, a_word_is_a_position_a_time_or_a_bookmark)
{
    struct bound bound;
    cr_assert_eq(bound_parse("--from", "16/B374D848", &bound, &error), OK);
    cr_expect(bound.kind == BOUND_LSN && bound.position == UINT64_C(0x16B374D848));
    cr_assert_eq(bound_parse("--from", "2026-11-23T10:00:00Z", &bound, &error), OK);
    cr_expect_eq(bound.kind, BOUND_TIME);
    cr_assert_eq(bound_parse("--from", "2026-11-23 12:00:00+02", &bound, &error), OK);
    int64_t same = bound.time_us;
    cr_assert_eq(bound_parse("--from", "2026-11-23 10:00:00", &bound, &error), OK);
    cr_expect_eq(bound.time_us, same, "without an offset UTC");
    cr_assert_eq(bound_parse("--from", "a-b", &bound, &error), OK);
    cr_expect_eq(bound.kind, BOUND_BOOKMARK);
    cr_assert_eq(bound_parse("--to", NULL, &bound, &error), OK);
    cr_expect_eq(bound.kind, BOUND_NONE);
    const char *wrong[] = {"", "16/", "2026-13-01", "a b", "10:00", "infinity?"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(bound_parse("--from", wrong[i], &bound, &error), INVALID, "%s", wrong[i]);
        cr_expect_not_null(strstr(error.what, "--from cannot be"));
    }
}

Test(bounds, without_an_end_it_is_that_of_the_window)
{
    struct replay_job job;
    cr_assert_eq(resolve("0/64", NULL, &job), OK);
    cr_expect(job.from_lsn == 100 && job.to_lsn == 200 && job.from_us == 0 && job.to_us == 0);
    cr_assert_eq(resolve("middle", "0/C8", &job), OK);
    cr_expect(job.from_lsn == 150 && job.to_lsn == 200);
    cr_assert_eq(resolve("0/C8", NULL, &job), OK, "nothing, but inside");
}

Test(bounds, I9_outside_is_refused_with_the_window)
{
    struct replay_job job;
    const char *const outside[][2] = {
        {"0/63", NULL},   {"early", NULL},   {"0/C9", NULL},
        {"0/64", "0/C9"}, {"foreign", NULL}, {"1970-01-01 16:39:59", NULL}, /* a second too early */
    };
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        cr_expect_eq(resolve(outside[i][0], outside[i][1], &job), REFUSE, "%s", outside[i][0]);
        if (strcmp(outside[i][0], "foreign") != 0) {
            cr_expect_not_null(
                strstr(error.what, "the window is 0/64 to 0/C8, since 1970-01-01T16:40:00"), "%s",
                error.what);
        }
    }
}

Test(bounds, I9_a_time_before_which_nothing_is_known_is_outside)
{
    struct window young = window;
    struct replay_job job = {.id = ""};
    struct bound from, none = {.kind = BOUND_NONE};
    young.since_us = 0;
    cr_assert_eq(bound_parse("--from", "2026-01-01", &from, &error), OK);
    cr_expect_eq(bounds_resolve(&from, &none, &young, &journal, &job, &error), REFUSE);
}

Test(bounds, a_time_begins_to_read_a_minute_before)
{
    struct replay_job job;
    cr_assert_eq(resolve("1970-01-01 16:40:00", "1970-01-01 16:45:00", &job), OK);
    cr_expect(job.from_us == 1000 * MINUTE && job.to_us == 1005 * MINUTE);
    cr_expect(job.from_lsn == 100 && job.to_lsn == 200);
    cr_assert_eq(resolve("1970-01-01 16:50:30", NULL, &job), OK);
    cr_expect_eq(job.from_lsn, 100, "half a minute behind the second moment");
    cr_assert_eq(resolve("1970-01-01 16:51:00", NULL, &job), OK);
    cr_expect_eq(job.from_lsn, 160);
}

Test(bounds, an_end_before_the_beginning_is_a_slip)
{
    struct replay_job job;
    cr_expect_eq(resolve("middle", "begin", &job), INVALID);
    cr_expect_eq(resolve("1970-01-01 17:00:00", "1970-01-01 16:59:00", &job), INVALID);
    cr_expect_eq(resolve("nobody", NULL, &job), INVALID);
    cr_expect_not_null(strstr(error.remedy, "nearest"), "%s", error.remedy);
}
