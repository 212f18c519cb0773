/* SPDX-License-Identifier: Apache-2.0
 *
 * A record that Kafka refuses takes those that travel with it along: the culprit, and nobody else,
 * must end as a dead letter (I10), everything else where it belongs. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "bench.h"

enum { MANY = 10000 };

/* A culprit is marked in a field that the lane does not look at. */
static bool is_culprit(const struct event *event, bool dead)
{
    return event->row.n_extra == 7 && !dead;
}

static bool is_bad_for_good(const struct event *event, bool dead)
{
    (void)dead;
    return event->row.n_extra == 7;
}

static bool is_bad_until_empty(const struct event *event, bool dead)
{
    return event->row.n_extra == 7 && !(dead && event->row.dead == DEAD_RECORD_TOO_LARGE);
}

static void many(struct bench *bench, size_t n, size_t size)
{
    bench_init(bench, true);
    bench->options.batch_events = MANY;
    bench->kafka.is_bad = is_culprit;
    for (size_t i = 0; i < n / 10; i++) {
        bench_add(bench, 10, size);
    }
}

static void make_culprit(struct bench *bench, size_t index)
{
    bench->events[index]->row.n_extra = 7;
}

static void expect_only_culprits_dead(struct bench *bench)
{
    size_t segments = bench->n_segments;
    bench_submit(bench);
    bench_wait(bench, segments);
    cr_assert_eq(bench->news.verdict, OK, "%s", bench->news.error.what);
    bench_stop(bench);
    bench_verify(bench);
    static struct event *events[2 * MANY];
    static bool dead[2 * MANY];
    size_t n = fake_published(&bench->kafka, events, dead, 2 * MANY);
    cr_assert_eq(n, bench->n_events);
    for (size_t i = 0; i < n; i++) {
        bool culprit = events[i]->row.n_extra == 7;
        cr_assert_eq(dead[i], culprit, "event %zu", i);
        cr_assert_eq(events[i]->row.dead != DEAD_NOT, culprit, "event %zu", i);
    }
}

/* Pauses between tries grow; a hunt that makes progress must not pay for all of them. */
Test(hunt, I10_a_hunt_goes_on_where_every_second_try_fails, .timeout = 20)
{
    struct bench bench;
    many(&bench, 1000, 10);
    bench.kafka.stumbles = true;
    for (size_t i = 0; i < 1000; i += 90) {
        make_culprit(&bench, i);
    }
    expect_only_culprits_dead(&bench);
    bench_release(&bench);
}

Test(hunt, I10_one_culprit_among_ten_thousand)
{
    static const size_t places[] = {0, 1, 4999, 5000, 7777, MANY - 1};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct bench bench;
        many(&bench, MANY, 10);
        make_culprit(&bench, places[i]);
        expect_only_culprits_dead(&bench);
        cr_expect_eq(bench.events[places[i]]->row.dead, DEAD_RECORD_TOO_LARGE);
        cr_expect_str_eq(bench.events[places[i]]->row.detail, "the broker refused it");
        cr_expect_lt(bench.kafka.n_batches, 25, "halving, not trying one by one");
        bench_release(&bench);
    }
}

Test(hunt, I10_three_culprits_among_ten_thousand)
{
    static const size_t places[][3] = {{0, 1, 2},
                                       {0, 5000, MANY - 1},
                                       {511, 512, 513},
                                       {17, 4242, 9001},
                                       {MANY - 3, MANY - 2, MANY - 1}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct bench bench;
        many(&bench, MANY, 10);
        for (size_t k = 0; k < 3; k++) {
            make_culprit(&bench, places[i][k]);
        }
        expect_only_culprits_dead(&bench);
        cr_expect_lt(bench.kafka.n_batches, 75);
        bench_release(&bench);
    }
}

Test(hunt, I10_culprits_anywhere_in_small_batches)
{
    srandom(9);
    for (int round = 0; round < 200; round++) {
        struct bench bench;
        many(&bench, 10 + 10 * ((size_t)random() % 5), 10);
        for (int k = 0; k < 1 + round % 6; k++) {
            make_culprit(&bench, (size_t)random() % bench.n_events);
        }
        expect_only_culprits_dead(&bench);
        bench_release(&bench);
    }
}

Test(hunt, a_batch_of_one_needs_no_hunt)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.is_bad = is_culprit;
    bench_add(&bench, 1, 10);
    make_culprit(&bench, 0);
    expect_only_culprits_dead(&bench);
    cr_expect_eq(bench.kafka.n_batches, 2);
    bench_release(&bench);
}

Test(hunt, the_reason_is_the_brokers)
{
    struct bench bench;
    many(&bench, 100, 10);
    bench.kafka.bad_reason = DEAD_PROCESSING_FAILED;
    make_culprit(&bench, 42);
    expect_only_culprits_dead(&bench);
    cr_expect_eq(bench.events[42]->row.dead, DEAD_PROCESSING_FAILED);
    bench_release(&bench);
}

/* Known without the broker: no replay, and the neighbours do not notice. */
Test(hunt, I10_too_large_for_the_client_is_a_dead_letter_in_place)
{
    struct bench bench;
    many(&bench, 1000, 10);
    bench.kafka.client_max = 100;
    make_culprit(&bench, 500);
    bench.events[500]->row.payload.len = 101;
    expect_only_culprits_dead(&bench);
    cr_expect_eq(bench.kafka.n_batches, 1);
    cr_expect_eq(bench.events[500]->row.dead, DEAD_RECORD_TOO_LARGE);
    bench_release(&bench);
}

/* The report of a bad record comes in while the queue is full: the record that waits for room is
 * not the bad one. */
Test(hunt, I10_a_full_queue_does_not_blame_the_next_record)
{
    for (size_t queue = 1; queue <= 16; queue++) {
        struct bench bench;
        many(&bench, 100, 10);
        bench.kafka.queue_max = queue;
        make_culprit(&bench, 33);
        make_culprit(&bench, 34);
        make_culprit(&bench, 80);
        expect_only_culprits_dead(&bench);
        bench_release(&bench);
    }
}

/* Dead letters travel to their own topic, and may be refused there. */
Test(hunt, a_dead_letter_that_is_too_large_loses_its_value)
{
    struct bench bench;
    many(&bench, 100, 10);
    bench.kafka.is_bad = is_bad_until_empty;
    make_culprit(&bench, 42);
    bench.events[42]->row.dead = DEAD_INVALID_EVENT;
    bench.events[42]->row.detail = "from the start";
    expect_only_culprits_dead(&bench);
    cr_expect_eq(bench.events[42]->row.dead, DEAD_RECORD_TOO_LARGE);
    bench_release(&bench);
}

Test(hunt, a_dead_letter_that_is_refused_for_good_stops_the_lane, .timeout = 20)
{
    for (int kind = 0; kind < 2; kind++) {
        struct bench bench;
        many(&bench, 100, 10);
        bench.kafka.is_bad = is_bad_for_good;
        bench.kafka.bad_reason = kind == 0 ? DEAD_RECORD_TOO_LARGE : DEAD_PROCESSING_FAILED;
        make_culprit(&bench, 42);
        bench_submit(&bench);
        bench_wait(&bench, 10);
        cr_expect_eq(bench.news.verdict, FATAL);
        cr_expect_not_null(strstr(bench.news.error.what, "dead letter"), "%s",
                           bench.news.error.what);
        bench_stop(&bench);
        cr_expect_eq(bench.returned, 10);
        cr_expect_eq(fake_commits(&bench.kafka), 0);
        bench_release(&bench);
    }
}

Test(hunt, a_refused_checkpoint_record_stops_the_lane)
{
    struct bench bench;
    many(&bench, 100, 10);
    bench.kafka.checkpoint_is_bad = true;
    bench_submit(&bench);
    bench_wait(&bench, 10);
    cr_expect_eq(bench.news.verdict, FATAL);
    cr_expect_not_null(strstr(bench.news.error.what, "checkpoint"), "%s", bench.news.error.what);
    bench_stop(&bench);
    cr_expect_eq(bench.returned, 10);
    bench_release(&bench);
}

/* No record is bad: the topic takes less at once than the client puts together. */
Test(hunt, I10_too_large_together_is_no_dead_letter, .timeout = 60)
{
    static const size_t set_max[] = {5000, 1000, 150, 10};
    for (size_t i = 0; i < sizeof(set_max) / sizeof(set_max[0]); i++) {
        struct bench bench;
        many(&bench, 1000, 10);
        bench.kafka.set_max = set_max[i];
        expect_only_culprits_dead(&bench);
        cr_expect_lt(bench.kafka.n_batches, 40, "%zu attempts", bench.kafka.n_batches);
        bench_release(&bench);
    }
}

Test(hunt, I10_too_large_together_and_one_that_is_too_large_alone, .timeout = 60)
{
    struct bench bench;
    many(&bench, 1000, 10);
    bench.kafka.set_max = 150;
    make_culprit(&bench, 321);
    expect_only_culprits_dead(&bench);
    bench_release(&bench);
}

/* What was learned helps the batches that follow. */
Test(hunt, too_large_together_is_remembered_for_a_while, .timeout = 60)
{
    struct bench bench;
    many(&bench, 2000, 10);
    bench.options.batch_events = 100;
    bench.kafka.set_max = 150;
    expect_only_culprits_dead(&bench);
    cr_expect_lt(bench.kafka.n_batches, 20 * 5, "%zu attempts", bench.kafka.n_batches);
    bench_release(&bench);
}
