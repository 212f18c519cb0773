/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "pipeline/feedback.h"

enum { SECOND = 1000 * 1000 };

static struct feedback feedback_at(lsn slot_lsn, lsn committed_lsn)
{
    struct feedback feedback;
    feedback_init(&feedback, slot_lsn, committed_lsn);
    return feedback;
}

Test(feedback, starts_at_the_slots_position_and_not_at_S)
{
    struct feedback feedback = feedback_at(100, 500);
    cr_expect_eq(feedback.flush_lsn, 100);
    cr_expect_eq(feedback.sent_lsn, 100);
    feedback_update(&feedback, 100);
    cr_expect_eq(feedback.flush_lsn, 100);
}

Test(feedback, I1_never_passes_the_safe_lsn)
{
    struct feedback feedback = feedback_at(100, 500);
    feedback_update(&feedback, 300);
    cr_expect_eq(feedback.flush_lsn, 300);
}

Test(feedback, I1_never_passes_what_kafka_has_of_S)
{
    struct feedback feedback = feedback_at(100, 200);
    feedback_update(&feedback, 300);
    cr_expect_eq(feedback.flush_lsn, 200);
    feedback_committed(&feedback, 250);
    feedback_update(&feedback, 300);
    cr_expect_eq(feedback.flush_lsn, 250);
}

Test(feedback, I2_never_moves_back)
{
    struct feedback feedback = feedback_at(100, 50); /* a gap was accepted */
    feedback_update(&feedback, 20);
    cr_expect_eq(feedback.flush_lsn, 100);
    feedback_committed(&feedback, 300);
    feedback_update(&feedback, 300);
    feedback_committed(&feedback, 10); /* of a lane that lags */
    cr_expect_eq(feedback.committed_lsn, 300);
    feedback_update(&feedback, 150);
    cr_expect_eq(feedback.flush_lsn, 300);
}

Test(feedback, I1_I2_hold_in_any_order_of_calls)
{
    srandom(11);
    for (int round = 0; round < 2000; round++) {
        lsn slot = (lsn)random() % 100;
        lsn most_safe = 0;
        lsn most_committed = (lsn)random() % 100;
        struct feedback feedback = feedback_at(slot, most_committed);
        lsn last = slot;
        for (int step = 0; step < 50; step++) {
            lsn at = (lsn)random() % 1000;
            if (random() % 2 == 0) {
                feedback_committed(&feedback, at);
                most_committed = at > most_committed ? at : most_committed;
            } else {
                feedback_update(&feedback, at);
                most_safe = at > most_safe ? at : most_safe;
            }
            cr_assert_geq(feedback.flush_lsn, last);
            cr_assert(feedback.flush_lsn == slot || feedback.flush_lsn <= most_safe);
            cr_assert(feedback.flush_lsn == slot || feedback.flush_lsn <= most_committed);
            last = feedback.flush_lsn;
        }
    }
}

Test(feedback, the_leader_is_asked_where_S_falls_short)
{
    struct feedback feedback = feedback_at(100, 100);
    int64_t now = 10 * SECOND;
    cr_expect_not(feedback_wants_leader(&feedback, 100, true, now));
    cr_expect(feedback_wants_leader(&feedback, 101, false, now));
    feedback_committed(&feedback, 101); /* a lane has said it */
    cr_expect_not(feedback_wants_leader(&feedback, 101, true, now));
}

Test(feedback, the_leader_is_asked_once_at_a_time_and_once_a_second)
{
    struct feedback feedback = feedback_at(100, 100);
    int64_t now = 10 * SECOND;
    feedback_leader_asked(&feedback, now);
    cr_expect_not(feedback_wants_leader(&feedback, 200, true, now + 10 * SECOND));
    feedback_leader_answered(&feedback, 150);
    cr_expect_eq(feedback.committed_lsn, 150);
    cr_expect_not(feedback_wants_leader(&feedback, 200, false, now + SECOND - 1));
    cr_expect(feedback_wants_leader(&feedback, 200, false, now + SECOND));
    cr_expect(feedback_wants_leader(&feedback, 200, true, now + 1));
}

Test(feedback, the_leader_says_nothing_that_the_slot_has_already)
{
    struct feedback feedback = feedback_at(500, 100);
    cr_expect_not(feedback_wants_leader(&feedback, 400, true, 10 * SECOND));
    cr_expect(feedback_wants_leader(&feedback, 501, true, 10 * SECOND));
}

Test(feedback, asking_twice_is_a_bug, .signal = SIGABRT)
{
    struct feedback feedback = feedback_at(1, 1);
    feedback_leader_asked(&feedback, 1);
    feedback_leader_asked(&feedback, 2);
}

Test(feedback, status_is_coalesced_while_the_lsn_moves)
{
    struct feedback feedback = feedback_at(100, 1000000);
    int64_t now = 10 * SECOND;
    feedback_sent(&feedback, now);
    int sent = 0;
    for (int ms = 1; ms <= 1000; ms++) {
        feedback_update(&feedback, 100 + (lsn)ms);
        if (feedback_wants_status(&feedback, false, 10 * SECOND, now + ms * 1000)) {
            feedback_sent(&feedback, now + ms * 1000);
            sent++;
        }
    }
    cr_expect_eq(sent, 10);
    cr_expect_eq(feedback.sent_lsn, 1100);
}

Test(feedback, status_goes_at_once_when_urgent_and_something_is_new)
{
    struct feedback feedback = feedback_at(100, 1000);
    feedback_sent(&feedback, 10 * SECOND);
    cr_expect_not(feedback_wants_status(&feedback, true, SECOND, 10 * SECOND + 1));
    feedback_update(&feedback, 200);
    cr_expect_not(feedback_wants_status(&feedback, false, SECOND, 10 * SECOND + 1));
    cr_expect(feedback_wants_status(&feedback, true, SECOND, 10 * SECOND + 1));
}

Test(feedback, status_is_regular_when_nothing_moves)
{
    struct feedback feedback = feedback_at(100, 1000);
    feedback_sent(&feedback, 10 * SECOND);
    cr_expect_not(feedback_wants_status(&feedback, false, 3 * SECOND, 13 * SECOND - 1));
    cr_expect(feedback_wants_status(&feedback, false, 3 * SECOND, 13 * SECOND));
}
