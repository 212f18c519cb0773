/* SPDX-License-Identifier: Apache-2.0
 *
 * I3 over restarts with other numbers of lanes and other keys. A schedule is made from a seed: a
 * stream of transactions with keys; runs that read it from the confirmed position (or from further
 * back, as after a crash of PostgreSQL), deal what is new to 1 to 5 lanes by one of three key
 * templates, and commit the lanes' batches in any interleaving, with S somewhere at or below the
 * true published prefix; a crash at any point, so that some lanes are ahead of others. The last run
 * goes on to the end. Then every event must be there exactly once, and each key in order.
 *
 * The same schedules with one rule broken must go wrong, or the test would prove nothing:
 * - without the history, a lane of another layout that was ahead is forgotten: duplicates;
 * - an entry dropped when S has passed its smallest watermark only: the same;
 * - S taken as inclusive: the transaction that begins exactly at S is lost;
 * - lane records of any generation taken for watermarks of the present layout: losses;
 * - an event looked up in an older layout by the key that it has today: both. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/murmur2.h"
#include "topic.h"

enum { EVENTS = 40, KEYS = 9, LANES = 5, TEMPLATES = 3, RUNS_MAX = 6, SCHEDULES = 20000 };

enum rule { AS_BUILT, NO_HISTORY, SMALLEST_WATERMARK, S_INCLUSIVE, ANY_GENERATION, TODAYS_KEYS };

struct fake_event {
    struct position position;
    lsn end_lsn;             /* of its transaction */
    char keys[TEMPLATES][8]; /* by key template */
    unsigned key_numbers[TEMPLATES];
    int published;
};

struct schedule {
    enum rule rule;
    uint64_t random;
    struct fake_event events[EVENTS];
    struct topic topic;
    lsn confirmed_lsn;
    int order_breaks;
    int last_of_key[TEMPLATES][KEYS]; /* the last event published with it */
};

static uint32_t below(struct schedule *s, uint32_t n)
{
    s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(s->random >> 33) % n;
}

/* Transactions of 1 to 4 events; some begin exactly where the one before ends. */
static void make_events(struct schedule *s)
{
    lsn wal = 1000;
    for (int i = 0; i < EVENTS;) {
        wal += below(s, 2) * 8;
        lsn end_lsn = wal + 16;
        int n = 1 + (int)below(s, 4);
        for (int k = 0; k < n && i < EVENTS; k++, i++) {
            struct fake_event *event = &s->events[i];
            event->position = (struct position){wal, (uint32_t)k};
            event->end_lsn = end_lsn;
            for (int t = 0; t < TEMPLATES; t++) {
                event->key_numbers[t] = below(s, KEYS);
                snprintf(event->keys[t], sizeof(event->keys[t]), "k%u", event->key_numbers[t]);
            }
        }
        wal = end_lsn;
    }
    memset(s->last_of_key, -1, sizeof(s->last_of_key));
}

static int template_of(const struct layout *layout)
{
    return layout->key_template[0] - '0';
}

static struct bytes key_of(const struct fake_event *event, const struct layout *layout)
{
    return bytes_of(event->keys[template_of(layout)]);
}

/* --- the rules, broken --- */

static void break_reading(struct schedule *s, struct checkpoint *read)
{
    if (s->rule == ANY_GENERATION) {
        for (uint32_t i = 0; i < read->layout.lanes; i++) {
            if (read->last[i + 1].seen) {
                read->layout.watermarks[i] = read->last[i + 1].watermark;
            }
        }
    }
}

static void break_generation(struct schedule *s, struct checkpoint *next)
{
    for (size_t i = 0; i < next->n_history;) {
        bool drop = s->rule == NO_HISTORY;
        for (uint32_t lane = 0; lane < next->history[i].lanes; lane++) {
            drop |= s->rule == SMALLEST_WATERMARK &&
                    next->history[i].watermarks[lane].commit_lsn < next->settled_lsn;
        }
        if (!drop) {
            i++;
            continue;
        }
        free(next->history[i].key_template);
        next->history[i] = next->history[--next->n_history];
    }
    next->settled_lsn += s->rule == S_INCLUSIVE;
}

/* --- one run: from a start to a crash --- */

struct run {
    struct checkpoint checkpoint;
    int queue[LANES][EVENTS]; /* events dealt, in order */
    int dealt[LANES];
    int committed[LANES];
    int next;          /* to be read */
    bool gone[EVENTS]; /* published, as far as this run knows: left out, or committed by it */
};

/* The end of the published prefix of what was read, as the ledger would say. */
static lsn published_prefix(const struct schedule *s, const struct run *run)
{
    lsn prefix = run->checkpoint.settled_lsn;
    for (int i = 0; i < run->next; i++) {
        bool last = i + 1 == EVENTS ||
                    s->events[i + 1].position.commit_lsn != s->events[i].position.commit_lsn;
        if (!run->gone[i]) {
            break;
        }
        /* The end of a transaction is known once it was read whole. */
        if (last && s->events[i].end_lsn > prefix) {
            prefix = s->events[i].end_lsn;
        }
    }
    return prefix;
}

struct question {
    const struct schedule *schedule;
    const struct run *run;
    const struct fake_event *event;
};

static bool past_key(void *context, size_t index, struct bytes *key)
{
    const struct question *question = context;
    const struct checkpoint *checkpoint = &question->run->checkpoint;
    bool todays = question->schedule->rule == TODAYS_KEYS;
    *key = key_of(question->event, todays ? &checkpoint->layout : &checkpoint->history[index]);
    return true;
}

static void read_one(struct schedule *s, struct run *run)
{
    int i = run->next++;
    const struct fake_event *event = &s->events[i];
    struct bytes key = key_of(event, &run->checkpoint.layout);
    struct question question = {s, run, event};
    enum leaving leaving = checkpoint_compare(&run->checkpoint, event->position, key,
                                              &(struct past_keys){past_key, &question});
    cr_assert_neq(leaving, EVENT_IS_UNKNOWN, "every template is known");
    if (leaving == EVENT_IS_COMMITTED) {
        run->gone[i] = true;
        return;
    }
    uint32_t lane = murmur2_bucket(key, run->checkpoint.layout.lanes);
    run->queue[lane][run->dealt[lane]++] = i;
}

/* A Kafka transaction: records and watermark together, or not at all (I6). */
static void commit_one(struct schedule *s, struct run *run, uint32_t lane)
{
    int waiting = run->dealt[lane] - run->committed[lane];
    if (waiting == 0) {
        return;
    }
    lsn prefix = published_prefix(s, run); /* before this batch */
    int n = 1 + (int)below(s, (uint32_t)waiting);
    struct position watermark = {0, 0};
    for (int k = 0; k < n; k++) {
        int i = run->queue[lane][run->committed[lane]++];
        struct fake_event *event = &s->events[i];
        event->published++;
        int t = template_of(&run->checkpoint.layout);
        int *last = &s->last_of_key[t][event->key_numbers[t]];
        s->order_breaks += i <= *last;
        *last = i;
        run->gone[i] = true;
        watermark = event->position;
    }
    if (run->checkpoint.layout.lanes == 1) { /* S may be the batch's own end */
        prefix = published_prefix(s, run);
    } else if (below(s, 2) == 0) { /* the loop has not told the lane yet */
        prefix = run->checkpoint.settled_lsn;
    }
    topic_add_lane(&s->topic, &run->checkpoint, lane, watermark, prefix);
}

static void start(struct schedule *s, struct run *run)
{
    struct checkpoint read;
    if (below(s, 2) == 0) {
        topic_compact(&s->topic);
    }
    topic_read(&s->topic, below(s, 1000), &read);
    break_reading(s, &read);
    char key_template[] = {(char)('0' + below(s, TEMPLATES)), '\0'};
    struct generation_options options = {.system_id = 1,
                                         .timeline = 1,
                                         .instance = "i",
                                         .lanes = 1 + below(s, LANES),
                                         .key_template = key_template,
                                         .forget_positions = !read.found,
                                         .accept_lsn = read.found ? 0 : 900};
    checkpoint_next_generation(&read, &options, &run->checkpoint);
    break_generation(s, &run->checkpoint);
    checkpoint_release(&read);
    topic_add_generation(&s->topic, &run->checkpoint);
    /* The slot: the confirmed position, or any before it. Whole transactions come again. */
    lsn from = below(s, 2) == 0 ? s->confirmed_lsn : 900 + below(s, 600);
    from = from < s->confirmed_lsn ? from : s->confirmed_lsn;
    while (run->next < EVENTS && s->events[run->next].position.commit_lsn < from) {
        run->gone[run->next++] = true;
    }
}

static void go_on(struct schedule *s, bool to_the_end)
{
    struct run run = {0};
    start(s, &run);
    uint32_t lanes = run.checkpoint.layout.lanes;
    for (uint32_t steps = below(s, 60); to_the_end || steps > 0; steps--) {
        if (below(s, 2) == 0 && run.next < EVENTS) {
            read_one(s, &run);
        } else if (below(s, 6) == 0) { /* the leader commits S, then the slot may move */
            lsn prefix = published_prefix(s, &run);
            topic_add_settled(&s->topic, &run.checkpoint, prefix);
            if (below(s, 2) == 0 && prefix > s->confirmed_lsn) {
                s->confirmed_lsn = prefix;
            }
        } else {
            commit_one(s, &run, below(s, lanes));
        }
        bool done = run.next == EVENTS;
        for (uint32_t i = 0; i < lanes; i++) {
            done &= run.committed[i] == run.dealt[i];
        }
        if (to_the_end && done) {
            break;
        }
    }
    checkpoint_release(&run.checkpoint);
}

/* How many events are not there exactly once, and how often the order of a key is broken. */
static int run_schedule(enum rule rule, unsigned seed)
{
    struct schedule s = {.rule = rule, .random = seed, .confirmed_lsn = 900};
    make_events(&s);
    uint32_t crashes = below(&s, RUNS_MAX);
    for (uint32_t i = 0; i < crashes; i++) {
        go_on(&s, false);
    }
    go_on(&s, true);
    int wrong = s.order_breaks;
    for (int i = 0; i < EVENTS; i++) {
        wrong += s.events[i].published != 1;
    }
    topic_release(&s.topic);
    return wrong;
}

static int count_wrong_schedules(enum rule rule, unsigned schedules)
{
    int wrong = 0;
    for (unsigned seed = 1; seed <= schedules; seed++) {
        wrong += run_schedule(rule, seed) != 0;
    }
    return wrong;
}

Test(restarts, I3_I5_every_event_exactly_once_and_in_order)
{
    for (unsigned seed = 1; seed <= SCHEDULES; seed++) {
        cr_assert_eq(run_schedule(AS_BUILT, seed), 0, "seed %u", seed);
    }
}

Test(restarts, go_wrong_without_the_history)
{
    cr_expect_gt(count_wrong_schedules(NO_HISTORY, SCHEDULES / 20), 0);
}

Test(restarts, go_wrong_when_the_smallest_watermark_drops_an_entry)
{
    cr_expect_gt(count_wrong_schedules(SMALLEST_WATERMARK, SCHEDULES / 20), 0);
}

Test(restarts, go_wrong_when_S_is_inclusive)
{
    cr_expect_gt(count_wrong_schedules(S_INCLUSIVE, SCHEDULES / 20), 0);
}

Test(restarts, go_wrong_when_records_of_any_generation_count)
{
    cr_expect_gt(count_wrong_schedules(ANY_GENERATION, SCHEDULES / 20), 0);
}

Test(restarts, go_wrong_when_older_layouts_are_asked_for_keys_of_today)
{
    cr_expect_gt(count_wrong_schedules(TODAYS_KEYS, SCHEDULES / 20), 0);
}
