/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "pipeline/waiting.h"

enum { SECOND = 1000 * 1000 };

/* What is said at each tick of a second, from `from` to before `to`. */
static int lines(struct waiting *waiting, const char *trouble, int from, int to)
{
    int said = 0;
    for (int64_t at = from; at < to; at++) {
        said += waiting_look(waiting, true, trouble, at * SECOND) == WAITING_SAY;
    }
    return said;
}

Test(waiting, is_said_at_once_and_then_rarely)
{
    struct waiting waiting = {0};
    cr_expect_eq(waiting_look(&waiting, true, "x", 0), WAITING_SAY);
    cr_expect_eq(lines(&waiting, "x", 1, 60), 0);
    cr_expect_eq(lines(&waiting, "x", 60, 361), 6);
}

Test(waiting, is_said_again_when_the_trouble_is_another_one)
{
    struct waiting waiting = {0};
    cr_expect_eq(waiting_look(&waiting, true, "the topic does not exist", 0), WAITING_SAY);
    cr_expect_eq(lines(&waiting, "no connection (try 3)", 1, 10), 0, "not in a flood");
    cr_expect_eq(lines(&waiting, "no connection (try 3)", 10, 60), 1);
    /* Numbers aside: tries, ports, seconds. */
    cr_expect_eq(lines(&waiting, "no connection (try 47)", 60, 69), 0);
}

Test(waiting, has_an_end_that_is_said_once)
{
    struct waiting waiting = {0};
    cr_expect_eq(waiting_look(&waiting, false, "", 0), WAITING_QUIET, "nothing was said");
    cr_expect_eq(waiting_look(&waiting, true, "x", SECOND), WAITING_SAY);
    cr_expect_eq(waiting_look(&waiting, false, "", 2 * SECOND), WAITING_OVER);
    cr_expect_eq(waiting_look(&waiting, false, "", 3 * SECOND), WAITING_QUIET);
    cr_expect_eq(waiting_look(&waiting, true, "x", 4 * SECOND), WAITING_SAY, "a wait of its own");
}
