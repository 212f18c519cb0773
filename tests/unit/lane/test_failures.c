/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* --- replays --- */

static void three_segments(struct bench *bench)
{
    for (int i = 0; i < 3; i++) {
        bench_add(bench, 5, 10);
    }
    bench_submit(bench);
    bench_wait(bench, 3);
    bench_stop(bench);
    bench_verify(bench);
}

/* Every attempt is the same as the one that was committed. */
static void expect_same_attempts(const struct bench *bench, size_t attempts)
{
    cr_assert_eq(bench->kafka.n_batches, attempts);
    const struct fake_batch *last = &bench->kafka.batches[attempts - 1];
    for (size_t i = 0; i < attempts; i++) {
        const struct fake_batch *batch = &bench->kafka.batches[i];
        cr_expect_eq(batch->producer, last->producer, "a replay never changes the producer");
        cr_assert_leq(batch->n, last->n);
        for (size_t k = 0; k < batch->n; k++) {
            cr_assert_eq(batch->events[k], last->events[k]);
        }
    }
}

Test(lane, I3_an_aborted_batch_is_replayed_as_it_was)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.on_report = (struct fake_answer){ABORT, 3};
    three_segments(&bench);
    expect_same_attempts(&bench, 4);
    cr_expect_eq(bench.kafka.aborts, 3);
    bench_release(&bench);
}

Test(lane, I3_a_refused_commit_is_aborted_and_replayed)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.on_commit = (struct fake_answer){ABORT, 2};
    three_segments(&bench);
    expect_same_attempts(&bench, 3);
    cr_expect_eq(bench.kafka.aborts, 2);
    bench_release(&bench);
}

Test(lane, a_begin_that_fails_is_tried_again)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.on_begin = (struct fake_answer){RETRY, 3};
    three_segments(&bench);
    cr_expect_eq(bench.kafka.begins, 4);
    bench_release(&bench);
}

Test(lane, the_turn_changes_after_a_commit_and_not_after_a_replay)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.options.batch_events = 1;
    bench.kafka.on_report = (struct fake_answer){ABORT, 3};
    for (int i = 0; i < 4; i++) {
        bench_add(&bench, 1, 10);
    }
    bench_submit(&bench);
    bench_wait(&bench, 4);
    bench_stop(&bench);
    int expected = 0;
    for (size_t i = 0; i < bench.kafka.n_batches; i++) {
        cr_expect_eq(bench.kafka.batches[i].producer, expected);
        expected = bench.kafka.batches[i].committed ? 1 - expected : expected;
    }
    bench_verify(&bench);
    bench_release(&bench);
}

/* --- waiting --- */

/* In the lane's thread, at the call after the third try: what somebody who looks would see. */
struct watch {
    struct bench *bench;
    unsigned tries;
    struct lane_look seen;
};

static void topic_appears_at_the_third_try(void *context, const char *call)
{
    struct watch *watch = context;
    if (strcmp(call, "topic") == 0 && ++watch->tries == 3) {
        lane_look(watch->bench->lane, &watch->seen);
        watch->bench->kafka.missing_topic = NULL;
    }
}

Test(lane, a_missing_topic_waits_visibly_and_goes_on)
{
    struct bench bench;
    bench_init(&bench, true);
    struct watch watch = {.bench = &bench};
    bench.kafka.missing_topic = "events";
    bench.kafka.hook = topic_appears_at_the_third_try;
    bench.kafka.context = &watch;
    bench_add(&bench, 2, 10);
    bench_submit(&bench);
    bench_wait(&bench, 1);
    struct lane_look look;
    lane_look(bench.lane, &look);
    bench_stop(&bench);
    cr_expect(watch.seen.waiting);
    cr_expect_not_null(strstr(watch.seen.trouble, "\"events\" is missing"));
    cr_expect_gt(watch.seen.busy_us, 0);
    cr_expect_eq(watch.seen.replays, 2);
    cr_expect_not(look.waiting);
    cr_expect_str_eq(look.trouble, "");
    bench_verify(&bench);
    bench_release(&bench);
}

Test(lane, a_missing_topic_can_be_created)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.missing_topic = "events";
    bench.options.on_missing_topic = LANE_TOPIC_CREATE;
    three_segments(&bench);
    cr_expect_eq(bench.kafka.topics_created, 1);
    cr_expect_eq(bench.kafka.n_batches, 1);
    bench_release(&bench);
}

static void count_questions(void *context, const char *call)
{
    size_t *questions = context;
    *questions += strcmp(call, "topic") == 0;
}

Test(lane, I10_a_missing_topic_can_make_dead_letters)
{
    struct bench bench;
    size_t questions = 0;
    bench_init(&bench, true);
    bench.kafka.missing_topic = "events";
    bench.kafka.hook = count_questions;
    bench.kafka.context = &questions;
    bench.options.on_missing_topic = LANE_TOPIC_DEAD_LETTER;
    three_segments(&bench);
    /* The dead letter topic is asked for each time, which costs nothing; the one that is not there
     * once for each batch, for that one costs. */
    cr_expect_eq(questions, 15 + bench.kafka.n_batches, "%zu questions", questions);
    struct event *events[15];
    bool dead[15];
    cr_assert_eq(fake_published(&bench.kafka, events, dead, 15), 15);
    for (int i = 0; i < 15; i++) {
        cr_expect(dead[i]);
        cr_expect_eq(events[i]->row.dead, DEAD_MISSING_TOPIC);
    }
    bench_release(&bench);
}

/* The dead letter topic itself is missing: there is nothing left but to wait. */
Test(lane, a_missing_dead_letter_topic_waits)
{
    struct bench bench;
    bench_init(&bench, true);
    struct watch watch = {.bench = &bench};
    bench.kafka.missing_topic = "dead";
    bench.kafka.hook = topic_appears_at_the_third_try;
    bench.kafka.context = &watch;
    bench.options.on_missing_topic = LANE_TOPIC_DEAD_LETTER;
    bench_add(&bench, 1, 10)->first->row.payload = BYTES_LIT("!");
    bench_submit(&bench);
    bench_wait(&bench, 1);
    bench_stop(&bench);
    cr_expect(watch.seen.waiting);
    bench_verify(&bench);
    bench_release(&bench);
}

/* --- stops --- */

static void expect_stop(enum verdict verdict, struct fake_answer *where, struct bench *bench)
{
    *where = (struct fake_answer){verdict, 1};
    bench->options.batch_events = 5;
    for (int i = 0; i < 10; i++) {
        bench_add(bench, 5, 10);
    }
    bench_submit(bench);
    bench_wait(bench, 10);
    cr_expect_eq(bench->news.verdict, verdict);
    cr_expect_neq(bench->news.error.what[0], '\0');
    bench_add(bench, 5, 10);
    bench_submit(bench); /* too late, and must not be lost */
    bench_stop(bench);
    cr_expect_eq(bench->collected + bench->returned, 11);
    cr_expect_eq(bench->collected, fake_commits(&bench->kafka));
    bench_release(bench);
}

Test(lane, I3_an_unknown_outcome_stops_the_lane)
{
    struct bench bench;
    bench_init(&bench, true);
    expect_stop(RESTART, &bench.kafka.on_commit, &bench);
}

Test(lane, I11_a_fenced_lane_stops)
{
    struct bench bench;
    bench_init(&bench, true);
    expect_stop(FENCED, &bench.kafka.on_begin, &bench);
}

Test(lane, a_fatal_report_stops_the_lane)
{
    struct bench bench;
    bench_init(&bench, true);
    expect_stop(FATAL, &bench.kafka.on_report, &bench);
}

/* A door in the lane's thread: the test stops the lane while a call is under way. */
struct door {
    struct bench *bench;
    const char *call;
    unsigned pass; /* closes at this one */
    unsigned seen;
    bool reached;
    bool held; /* the lane stays there */
};

static void at_door(void *context, const char *call)
{
    struct door *door = context;
    if (strcmp(call, door->call) == 0 && ++door->seen == door->pass) {
        pthread_mutex_lock(&door->bench->mutex);
        door->reached = true;
        pthread_cond_broadcast(&door->bench->wake);
        while (door->held) {
            pthread_cond_wait(&door->bench->wake, &door->bench->mutex);
        }
        pthread_mutex_unlock(&door->bench->mutex);
    }
}

static void let_go(struct door *door)
{
    pthread_mutex_lock(&door->bench->mutex);
    door->held = false;
    pthread_cond_broadcast(&door->bench->wake);
    pthread_mutex_unlock(&door->bench->mutex);
}

static void wait_for(struct door *door)
{
    pthread_mutex_lock(&door->bench->mutex);
    while (!door->reached) {
        pthread_cond_wait(&door->bench->wake, &door->bench->mutex);
    }
    pthread_mutex_unlock(&door->bench->mutex);
}

/* Wherever the stop falls: every segment is committed and collected, or comes back. */
static void expect_all_back(struct bench *bench, const char *call, unsigned pass)
{
    struct door door = {.bench = bench, .call = call, .pass = pass};
    bench->kafka.hook = at_door;
    bench->kafka.context = &door;
    bench->options.batch_events = 20;
    for (int i = 0; i < 100; i++) {
        bench_add(bench, 5, 10);
    }
    bench_submit(bench);
    wait_for(&door);
    bench_stop(bench);
    cr_expect_eq(bench->collected + bench->returned, 100);
    struct event *events[500];
    size_t published = fake_published(&bench->kafka, events, NULL, 500);
    for (size_t i = 0; i < published; i++) {
        cr_assert_eq(events[i], bench->events[i]);
    }
    bench_release(bench);
}

Test(lane, a_stop_in_the_middle_gives_every_segment_back)
{
    static const char *const calls[] = {"begin", "topic", "send", "poll", "commit"};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        for (unsigned pass = 1; pass < 5; pass++) {
            struct bench bench;
            bench_init(&bench, true);
            expect_all_back(&bench, calls[i], pass);
        }
    }
}

/* All lanes are asked before one is waited for: what holds up the first must not hold up the
 * others.
 */
Test(lane, asking_to_stop_does_not_wait_for_the_commit_under_way, .timeout = 20)
{
    struct bench benches[2];
    struct door doors[2];
    for (int i = 0; i < 2; i++) {
        doors[i] = (struct door){.bench = &benches[i], .call = "commit", .pass = 1, .held = true};
        bench_init(&benches[i], true);
        benches[i].kafka.hook = at_door;
        benches[i].kafka.context = &doors[i];
        bench_add(&benches[i], 5, 10);
        bench_submit(&benches[i]);
        wait_for(&doors[i]);
    }
    for (int i = 0; i < 2; i++) {
        lane_ask_stop(benches[i].lane);
    }
    for (int i = 0; i < 2; i++) {
        let_go(&doors[i]);
        bench_stop(&benches[i]);
        cr_expect_eq(benches[i].collected + benches[i].returned, 1);
        bench_release(&benches[i]);
    }
}

Test(lane, a_stop_ends_the_wait_for_reports, .timeout = 20)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.silent = true;
    expect_all_back(&bench, "poll", 3);
}

Test(lane, a_stop_ends_the_wait_for_room_in_the_queue, .timeout = 20)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.silent = true;
    bench.kafka.queue_max = 3;
    expect_all_back(&bench, "send", 6);
}

Test(lane, a_stop_ends_the_pause_between_tries, .timeout = 20)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.on_report = (struct fake_answer){WAIT, 1000000};
    expect_all_back(&bench, "abort", 4);
}

Test(lane, a_full_queue_is_polled_and_filled_again)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.kafka.queue_max = 7;
    for (int i = 0; i < 30; i++) {
        bench_add(&bench, 11, 10);
    }
    bench_submit(&bench);
    bench_wait(&bench, 30);
    bench_stop(&bench);
    bench_verify(&bench);
    bench_release(&bench);
}

/* --- the gate: contracts --- */

struct fake_gate {
    struct gate base;
    struct event *bad;
    enum verdict verdict; /* of the bad one */
    int times;            /* so often; then it passes */
    size_t asked;
};

static enum verdict fake_hold(struct gate *base, struct event *event, enum dead_reason *reason,
                              struct error *error)
{
    static const struct contract_name contract = {BYTES_LIT("1")};
    struct fake_gate *gate = (struct fake_gate *)base;
    gate->asked++;
    if (event == gate->bad && gate->times-- > 0) {
        *reason = DEAD_SCHEMA_VALIDATION_FAILED;
        return error_set(error, gate->verdict, "Order.Placed v2: %0100d", 5);
    }
    event->contract = &contract;
    return OK;
}

static void fake_free(struct gate *base)
{
    ((struct fake_gate *)base)->asked += 1000000;
}

static void bench_gate(struct bench *bench, struct fake_gate *gate, enum verdict verdict, int times)
{
    static const struct gate_ops ops = {fake_hold, fake_free};
    bench_init(bench, true);
    *gate = (struct fake_gate){.base = {&ops}, .verdict = verdict, .times = times};
    bench->options.gate = &gate->base;
    for (int i = 0; i < 3; i++) {
        bench_add(bench, 5, 10);
    }
    gate->bad = bench->events[7]; /* of the second segment */
}

Test(lane, I7_what_breaks_its_contract_is_a_dead_letter_in_its_place)
{
    struct bench bench;
    struct fake_gate gate;
    bench_gate(&bench, &gate, REJECT, 1);
    bench.kafka.on_report = (struct fake_answer){ABORT, 3};
    bench_submit(&bench);
    bench_wait(&bench, 3);
    bench_stop(&bench);
    bench_verify(&bench);
    bool dead[15];
    struct event *events[15];
    cr_assert_eq(fake_published(&bench.kafka, events, dead, 15), 15);
    for (size_t i = 0; i < 15; i++) {
        cr_expect_eq(dead[i], i == 7);
    }
    cr_expect_eq(gate.bad->row.dead, DEAD_SCHEMA_VALIDATION_FAILED);
    cr_expect_gt(strlen(gate.bad->row.detail), 100, "nothing of it is cut");
    cr_expect_eq(gate.asked, 1000015, "each once, however often the batch is replayed; freed");
    bench_release(&bench);
}

Test(lane, a_wait_for_the_registry_costs_no_kafka_transaction_and_holds_up_nothing_in_front)
{
    struct bench bench;
    struct fake_gate gate;
    bench_gate(&bench, &gate, WAIT, 3);
    bench_submit(&bench);
    bench_wait(&bench, 3);
    bench_stop(&bench);
    bench_verify(&bench);
    cr_expect_eq(bench.kafka.begins, 2);
    cr_expect_eq(bench.kafka.aborts, 0);
    cr_expect_eq(bench.kafka.batches[0].n, 5, "the first segment did not wait");
    cr_expect_eq(gate.asked, 1000018);
    bench_release(&bench);
}

Test(lane, I7_a_halt_publishes_what_stands_in_front_and_nothing_else)
{
    struct bench bench;
    struct fake_gate gate;
    bench_gate(&bench, &gate, FATAL, 1000);
    bench_submit(&bench);
    bench_wait(&bench, 3);
    cr_expect_eq(bench.news.verdict, FATAL);
    cr_expect_not_null(strstr(bench.news.error.what, "Order.Placed v2"));
    bench_stop(&bench);
    struct event *events[15];
    cr_expect_eq(fake_published(&bench.kafka, events, NULL, 15), 5, "the first segment, whole");
    cr_expect_eq(bench.collected, 1);
    cr_expect_eq(bench.returned, 2);
    bench_release(&bench);
}
