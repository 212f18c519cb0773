/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "bench.h"

Test(lane, one_event_is_one_batch)
{
    struct bench bench;
    bench_init(&bench, true);
    bench_add(&bench, 1, 10);
    bench_submit(&bench);
    bench_wait(&bench, 1);
    cr_expect_eq(bench.news.verdict, OK);
    cr_expect(bench.news.idle);
    struct lane_look look;
    lane_look(bench.lane, &look);
    cr_expect_eq(look.batches, 1);
    cr_expect_eq(look.events, 1);
    cr_expect_eq(look.replays, 0);
    cr_expect_eq(look.busy_us, 0);
    bench_stop(&bench);
    cr_expect_eq(bench.returned, 0);
    bench_verify(&bench);
    bench_release(&bench);
}

Test(lane, I5_I12_whole_segments_in_order)
{
    struct bench bench;
    bench_init(&bench, true);
    srandom(2);
    for (int i = 0; i < 2000; i++) {
        bench_add(&bench, 1 + (uint32_t)random() % 20, 10);
    }
    bench_submit(&bench);
    bench_wait(&bench, 2000);
    bench_stop(&bench);
    bench_verify(&bench);
    cr_expect_geq(fake_commits(&bench.kafka), bench.n_events / 1000);
    for (size_t i = 0; i < bench.kafka.n_batches; i++) {
        cr_expect_leq(bench.kafka.batches[i].n, 1000);
    }
    bench_release(&bench);
}

Test(lane, batches_fill_up_to_the_limit_of_events)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.options.batch_events = 100;
    for (int i = 0; i < 50; i++) {
        bench_add(&bench, 40, 10);
    }
    bench_submit(&bench);
    bench_wait(&bench, 50);
    bench_stop(&bench);
    cr_expect_eq(fake_commits(&bench.kafka), 25);
    bench_verify(&bench);
    bench_release(&bench);
}

Test(lane, batches_fill_up_to_the_limit_of_bytes)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.options.batch_bytes = 1000;
    for (int i = 0; i < 20; i++) {
        bench_add(&bench, 1, 400);
    }
    bench_submit(&bench);
    bench_wait(&bench, 20);
    bench_stop(&bench);
    cr_expect_eq(fake_commits(&bench.kafka), 10);
    bench_verify(&bench);
    bench_release(&bench);
}

Test(lane, I12_a_segment_larger_than_the_limits_is_a_batch_of_its_own)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.options.batch_events = 100;
    bench_add(&bench, 10, 10);
    bench_add(&bench, 500, 10);
    bench_add(&bench, 10, 10);
    bench_submit(&bench);
    bench_wait(&bench, 3);
    bench_stop(&bench);
    cr_expect_eq(fake_commits(&bench.kafka), 3);
    bench_verify(&bench);
    bench_release(&bench);
}

Test(lane, producers_take_turns)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.options.batch_events = 1;
    for (int i = 0; i < 20; i++) {
        bench_add(&bench, 1, 10);
    }
    bench_submit(&bench);
    bench_wait(&bench, 20);
    bench_stop(&bench);
    cr_assert_eq(bench.kafka.n_batches, 20);
    for (size_t i = 0; i < 20; i++) {
        cr_expect_eq(bench.kafka.batches[i].producer, i % 2);
    }
    bench_release(&bench);
}

Test(lane, one_producer_has_every_turn)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.options.producers[1]->ops->close(bench.options.producers[1]);
    bench.kafka.closes = 0;
    bench.options.producers[1] = NULL;
    bench.options.batch_events = 1;
    for (int i = 0; i < 5; i++) {
        bench_add(&bench, 1, 10);
    }
    bench_submit(&bench);
    bench_wait(&bench, 5);
    bench_stop(&bench);
    bench_verify(&bench);
    bench_release(&bench);
}

Test(lane, I6_alone_it_says_S_at_the_end_of_its_last_whole_transaction)
{
    struct bench bench;
    bench_init(&bench, true);
    struct segment *whole = bench_add(&bench, 2, 10);
    bench_add(&bench, 2, 10)->end_lsn = 0; /* a part of one that goes on */
    bench_submit(&bench);
    bench_wait(&bench, 2);
    cr_expect_eq(bench.news.settled_lsn, whole->end_lsn);
    bench_stop(&bench);
    cr_assert_eq(bench.kafka.n_batches, 1);
    cr_expect_eq(bench.kafka.batches[0].settled_lsn, whole->end_lsn);
    bench_verify(&bench);
    bench_release(&bench);
}

/* The loop has not collected the first batch yet when the second one begins. */
Test(lane, I9_its_S_never_goes_back_inside_a_transaction)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.options.batch_events = 2;
    struct segment *whole = bench_add(&bench, 2, 10);
    bench_add(&bench, 2, 10)->end_lsn = 0; /* a part of one that goes on */
    bench_submit(&bench);
    bench_wait(&bench, 2);
    bench_stop(&bench);
    cr_assert_eq(bench.kafka.n_batches, 2);
    cr_expect_eq(bench.kafka.batches[0].settled_lsn, whole->end_lsn);
    cr_expect_eq(bench.kafka.batches[1].settled_lsn, whole->end_lsn);
    bench_verify(&bench);
    bench_release(&bench);
}

Test(lane, I6_alone_it_says_the_published_prefix_where_that_is_further)
{
    struct bench bench;
    bench_init(&bench, true);
    atomic_store(&bench.published_lsn, 900000);
    bench_add(&bench, 2, 10);
    bench_submit(&bench);
    bench_wait(&bench, 1);
    cr_expect_eq(bench.news.settled_lsn, 900000);
    bench_release(&bench);
}

Test(lane, I6_with_others_it_says_the_published_prefix_only)
{
    struct bench bench;
    bench_init(&bench, false);
    bench_add(&bench, 2, 10);
    bench_submit(&bench);
    bench_wait(&bench, 1);
    cr_expect_eq(bench.news.settled_lsn, 500);
    atomic_store(&bench.published_lsn, 600);
    bench_add(&bench, 2, 10);
    bench_submit(&bench);
    bench_wait(&bench, 2);
    cr_expect_eq(bench.news.settled_lsn, 600);
    bench_stop(&bench);
    cr_assert_eq(bench.kafka.n_batches, 2);
    cr_expect_eq(bench.kafka.batches[0].settled_lsn, 500);
    cr_expect_eq(bench.kafka.batches[1].settled_lsn, 600);
    bench_verify(&bench);
    bench_release(&bench);
}

/* What the news say of S is committed, and never goes back. */
Test(lane, I1_S_of_the_news_is_the_largest_that_is_committed)
{
    struct bench bench;
    bench_init(&bench, false);
    lsn last = 0;
    for (size_t i = 1; i <= 50; i++) {
        atomic_store(&bench.published_lsn, i % 3 == 0 ? 100 : 500 + i);
        bench_add(&bench, 1, 10);
        bench_submit(&bench);
        bench_wait(&bench, i);
        cr_assert_geq(bench.news.settled_lsn, last);
        last = bench.news.settled_lsn;
    }
    bench_stop(&bench);
    lsn largest = 0;
    for (size_t i = 0; i < bench.kafka.n_batches; i++) {
        lsn said = bench.kafka.batches[i].settled_lsn;
        largest = said > largest ? said : largest;
    }
    cr_expect_eq(last, largest);
    bench_release(&bench);
}

Test(lane, I10_an_event_that_cannot_be_encoded_is_a_dead_letter)
{
    struct bench bench;
    bench_init(&bench, true);
    struct segment *segment = bench_add(&bench, 3, 10);
    struct event *bad = segment->first->next;
    bad->row.payload = BYTES_LIT("!");
    bench_submit(&bench);
    bench_wait(&bench, 1);
    bench_stop(&bench);
    bench_verify(&bench);
    struct event *events[3];
    bool dead[3];
    fake_published(&bench.kafka, events, dead, 3);
    cr_expect(!dead[0] && dead[1] && !dead[2]);
    cr_expect_eq(bad->row.dead, DEAD_INVALID_EVENT);
    cr_expect_str_eq(bad->row.detail, "no record can be made");
    bench_release(&bench);
}

/* Linger would wait for an hour: a full batch does not. */
Test(lane, a_full_batch_does_not_linger)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.options.linger_us = 3600u * 1000000;
    bench.options.batch_events = 10;
    for (int i = 0; i < 10; i++) {
        bench_add(&bench, 1, 10);
    }
    bench_submit(&bench);
    bench_wait(&bench, 10);
    bench_stop(&bench);
    cr_expect_eq(fake_commits(&bench.kafka), 1);
    bench_release(&bench);
}

/* A lane that lingers is asleep while its queue fills, and must be woken by the last straw. */
Test(lane, a_batch_that_becomes_full_ends_the_linger, .timeout = 20)
{
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        struct bench bench;
        bench_init(&bench, true);
        bench.options.linger_us = 3600u * 1000000;
        bench.options.batch_events = by_bytes ? 1000000 : 50;
        bench.options.batch_bytes = by_bytes ? 500 : 1000000;
        for (size_t i = 1; i <= 150; i++) {
            bench_add(&bench, 1, 10);
            bench_submit(&bench);
            if (i % 50 == 0) {
                bench_wait(&bench, i);
            }
        }
        bench_stop(&bench);
        cr_expect_eq(fake_commits(&bench.kafka), 3);
        bench_verify(&bench);
        bench_release(&bench);
    }
}

Test(lane, at_least_once_reports_come_before_the_checkpoint)
{
    struct bench bench;
    bench_init(&bench, true);
    for (int i = 0; i < 2; i++) {
        bench.options.producers[i]->transactional = false;
    }
    for (int i = 0; i < 10; i++) {
        bench_add(&bench, 3, 10);
    }
    bench_submit(&bench);
    bench_wait(&bench, 10);
    bench_stop(&bench);
    bench_verify(&bench);
    bench_release(&bench);
}

Test(lane, nothing_to_do_is_idle_and_stops)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.lane = lane_start(&bench.options);
    lane_collect(bench.lane, &bench.news);
    cr_expect(bench.news.idle);
    cr_expect_null(bench.news.committed);
    bench_stop(&bench);
    cr_expect_eq(bench.kafka.begins, 0);
    bench_release(&bench);
}

/* --- dead letters whose rows may not be marked yet --- */

static void publish_one(struct bench *bench, enum dead_reason dead)
{
    struct segment *segment = bench_add(bench, 1, 10);
    segment->first->row.dead = dead;
    segment->first->row.detail = "why";
    bench_submit(bench);
    bench_wait(bench, bench->n_segments);
}

Test(lane, I10_its_record_says_which_letters_may_not_be_marked)
{
    struct bench bench;
    bench_init(&bench, true);
    publish_one(&bench, DEAD_NOT);           /* commit LSN 1000, and milliseconds */
    publish_one(&bench, DEAD_INVALID_EVENT); /* 1010 */
    publish_one(&bench, DEAD_NOT);
    publish_one(&bench, DEAD_INVALID_EVENT); /* 1030 */
    atomic_store(&bench.marked_lsn, 1030);   /* the first letter is */
    publish_one(&bench, DEAD_NOT);
    atomic_store(&bench.marked_lsn, 1031); /* both are */
    publish_one(&bench, DEAD_NOT);
    publish_one(&bench, DEAD_INVALID_EVENT); /* 1060 */
    bench_stop(&bench);
    const struct unmarked expected[] = {
        {false, 0, 0},      {true, 1010, 1010}, {true, 1010, 1010}, {true, 1010, 1030},
        {true, 1010, 1030}, {false, 0, 0},      {true, 1060, 1060},
    };
    cr_assert_eq(bench.kafka.n_batches, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const struct unmarked *said = &bench.kafka.batches[i].unmarked;
        cr_expect_eq(said->any, expected[i].any, "batch %zu", i);
        cr_expect_eq(said->since_ms, expected[i].since_ms, "batch %zu", i);
        cr_expect_eq(said->until_lsn, expected[i].until_lsn, "batch %zu", i);
    }
    bench_verify(&bench);
    bench_release(&bench);
}

static bool is_in_the_middle(const struct event *event, bool dead)
{
    return event->position.ordinal == 1 && !dead;
}

/* A record that Kafka refuses is a letter of the replay, and the attempts before say nothing. */
Test(lane, I10_a_letter_of_the_replay_is_said_too)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.is_bad = is_in_the_middle;
    bench_add(&bench, 3, 10);
    bench_submit(&bench);
    bench_wait(&bench, 1);
    bench_stop(&bench);
    const struct unmarked *said = &bench.kafka.batches[bench.kafka.n_batches - 1].unmarked;
    cr_expect(said->any);
    cr_expect_eq(said->since_ms, 1000);
    cr_expect_eq(said->until_lsn, 1000);
    bench_release(&bench);
}
