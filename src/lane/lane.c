/* SPDX-License-Identifier: Apache-2.0 */
#include "lane/lane.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "lane/batch.h"

enum {
    RETRY_BASE_MS = 20,
    RETRY_MAX_MS = 2000,
    PACE_EVENT_US = 50,
    PACE_MAX_US = 20000,
    PACE_OLD_US = 80000,
    OLD_US = 1000000,
    COMPLAINT_US = 1000000, /* a batch that takes longer: why? */
    /* Kafka forgets an id that is not used for transactional.id.expiration.ms (a week by default).
     */
    TOUCH_EVERY_S = 24 * 60 * 60,
};

struct segment_list {
    struct segment *first;
    struct segment *last;
};

struct lane {
    struct lane_options options;
    pthread_t thread;
    atomic_bool stop;

    pthread_mutex_t mutex; /* guards all below, up to the line */
    pthread_cond_t wake;
    struct segment_list queue; /* submitted, not in a batch yet */
    uint64_t queue_events;
    size_t queue_bytes;
    struct segment_list committed; /* not collected yet */
    lsn settled_lsn;
    bool sleeping; /* in lane_wait: worth a signal */
    bool in_flight;
    int64_t busy_since_us;
    struct lane_look look;
    enum verdict verdict;
    struct error error;

    /* --- the lane thread's own --- */
    struct batch batch;
    struct position watermark;
    struct unmarked unmarked; /* dead letters of this session whose rows may not be marked yet */
    uint32_t turn;            /* which producer is next */
    int64_t began_us;         /* when the last batch began */
    int64_t pace_us;          /* least time from then to the next one, unless that is full */
    int64_t used_us;          /* when the ids were last used */
    uint32_t together;        /* so many records may travel together; 0: any number */
};

static void list_append(struct segment_list *list, struct segment *first, struct segment *last)
{
    if (first == NULL) {
        return;
    }
    last->next = NULL;
    if (list->first == NULL) {
        list->first = first;
    } else {
        list->last->next = first;
    }
    list->last = last;
}

/* --- gathering a batch, under the mutex --- */

/* Is there a batch's worth in the queue? Then there is nothing to wait for. */
static bool is_full(const struct lane *lane)
{
    return lane->queue_events >= lane->options.batch_events ||
           lane->queue_bytes >= lane->options.batch_bytes;
}

/* Takes from the queue what fits into one batch: whole segments only (I12), and one at least. */
static void take(struct lane *lane, struct batch *batch)
{
    struct segment *first = lane->queue.first;
    struct segment *last = NULL;
    uint32_t events = 0;
    size_t bytes = 0;
    for (struct segment *segment = first; segment != NULL; segment = segment->next) {
        bool fits = events + segment->n_events <= lane->options.batch_events &&
                    bytes + segment->bytes <= lane->options.batch_bytes;
        if (last != NULL && !fits) {
            break;
        }
        events += segment->n_events;
        bytes += segment->bytes;
        last = segment;
    }
    lane->queue.first = last->next;
    if (lane->queue.first == NULL) {
        lane->queue.last = NULL;
    }
    lane->queue_events -= events;
    lane->queue_bytes -= bytes;
    last->next = NULL;
    *batch = (struct batch){.first = first,
                            .last = last,
                            .n_events = events,
                            .together = lane->together,
                            .settled_before = lane->settled_lsn,
                            .unmarked_before = lane->unmarked};
}

static void wait_us(struct lane *lane, int64_t us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + us % 1000000 * 1000;
    until.tv_sec += us / 1000000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    lane->sleeping = true;
    pthread_cond_timedwait(&lane->wake, &lane->mutex, &until);
    lane->sleeping = false;
}

/* A Kafka transaction has a price, whatever it holds. An event that comes alone is committed at
 * once; under load, batches begin so far apart that the price is shared: one after the other at
 * hundreds of events a second, 20 ms apart from 20,000 on, and more while old events are caught up
 * with, which are late anyway. */
static int64_t pace_after(const struct segment *first, uint32_t n_events)
{
    if (clock_wall_us() - first->commit_time_us > OLD_US) {
        return PACE_OLD_US;
    }
    int64_t pace_us = (int64_t)n_events * PACE_EVENT_US;
    return pace_us < PACE_MAX_US ? pace_us : PACE_MAX_US;
}

/* Waits for segments, then for linger and pace unless the batch is full. False: the ids want to be
 * touched, or stop. */
static bool gather(struct lane *lane)
{
    int64_t first_seen_us = 0;
    for (;;) {
        if (atomic_load(&lane->stop)) {
            return false;
        }
        int64_t now = clock_us();
        if (lane->queue.first == NULL) {
            if (now - lane->used_us > (int64_t)TOUCH_EVERY_S * 1000000) {
                return false;
            }
            wait_us(lane, INT64_C(60) * 1000000);
            continue;
        }
        if (first_seen_us == 0) {
            first_seen_us = now;
        }
        int64_t due = first_seen_us + lane->options.linger_us;
        if (lane->began_us + lane->pace_us > due) {
            due = lane->began_us + lane->pace_us;
        }
        if (!is_full(lane) && now < due) {
            wait_us(lane, due - now);
            continue;
        }
        take(lane, &lane->batch);
        lane->in_flight = true;
        lane->busy_since_us = now;
        lane->pace_us = pace_after(lane->batch.first, lane->batch.n_events);
        return true;
    }
}

/* --- one batch until it is committed --- */

static void say_trouble(struct lane *lane, bool waiting, const struct error *error)
{
    pthread_mutex_lock(&lane->mutex);
    lane->look.waiting = waiting;
    snprintf(lane->look.trouble, sizeof(lane->look.trouble), "%s",
             error == NULL ? "" : error->what);
    snprintf(lane->look.remedy, sizeof(lane->look.remedy), "%s",
             error == NULL ? "" : error->remedy);
    lane->look.replays += error != NULL;
    pthread_mutex_unlock(&lane->mutex);
}

static void pause_ms(struct lane *lane, uint32_t ms)
{
    int64_t until = clock_us() + (int64_t)ms * 1000;
    pthread_mutex_lock(&lane->mutex);
    for (int64_t now = clock_us(); now < until && !atomic_load(&lane->stop); now = clock_us()) {
        wait_us(lane, until - now);
    }
    pthread_mutex_unlock(&lane->mutex);
}

/* What stands in front of a segment that must wait, or halts the stream, is published all the same.
 */
static void give_back_from(struct lane *lane, struct segment *culprit)
{
    struct batch *batch = &lane->batch;
    uint64_t events = 0;
    size_t bytes = 0;
    struct segment *last = batch->last;
    for (const struct segment *s = culprit; s != NULL; s = s->next) {
        events += s->n_events;
        bytes += s->bytes;
    }
    batch->last = batch->first;
    check(batch->first != NULL && batch->first != culprit);
    while (batch->last->next != culprit) {
        batch->last = batch->last->next;
    }
    batch->last->next = NULL;
    batch->n_events -= (uint32_t)events;
    pthread_mutex_lock(&lane->mutex);
    last->next = lane->queue.first;
    lane->queue.first = culprit;
    if (lane->queue.last == NULL) {
        lane->queue.last = last;
    }
    lane->queue_events += events;
    lane->queue_bytes += bytes;
    pthread_mutex_unlock(&lane->mutex);
}

static enum verdict try(struct lane *lane, struct producer *producer, struct error *error)
{
    struct segment *culprit = NULL;
    enum verdict verdict =
        lane->options.gate == NULL
            ? OK
            : batch_check(&lane->batch, lane->options.gate, &lane->stop, &culprit, error);
    if ((verdict == FATAL || verdict == WAIT) && culprit != lane->batch.first) {
        give_back_from(lane, culprit);
        verdict = OK;
    }
    return verdict != OK ? verdict
                         : batch_try(&lane->batch, producer, &lane->options, &lane->stop, error);
}

/* Tries on one producer until the batch is committed: never on the other one, whose turn it is not.
 */
static enum verdict publish(struct lane *lane, struct producer *producer, struct error *error)
{
    uint32_t pauses = 0; /* a hunt makes progress with every try: it needs none */
    for (uint32_t tries = 0;; tries++) {
        enum verdict verdict = try(lane, producer, error);
        switch (verdict) {
        case OK:
            if (tries > 0) {
                say_trouble(lane, false, NULL);
            }
            return OK;
        case REJECT:
            say_trouble(lane, false, error);
            verdict = batch_after_reject(&lane->batch, error);
            if (verdict != OK) {
                return verdict;
            }
            pauses = 0; /* librdkafka gives up a first record after a refusal: no reason for long */
            continue;
        case ABORT:
        case RETRY:
        case WAIT:
            say_trouble(lane, verdict == WAIT, error);
            if (atomic_load(&lane->stop)) {
                return AGAIN;
            }
            pause_ms(lane, backoff_ms(pauses++, RETRY_BASE_MS, RETRY_MAX_MS));
            if (atomic_load(&lane->stop)) {
                return AGAIN;
            }
            continue;
        default: return verdict;
        }
    }
}

static void deliver(struct lane *lane)
{
    struct batch *batch = &lane->batch;
    crash_point("after_commit");
    pthread_mutex_lock(&lane->mutex);
    list_append(&lane->committed, batch->first, batch->last);
    if (batch->settled_lsn > lane->settled_lsn) {
        lane->settled_lsn = batch->settled_lsn;
    }
    lane->in_flight = false;
    lane->busy_since_us = 0;
    lane->look.batches++;
    lane->look.events += batch->n_events;
    pthread_mutex_unlock(&lane->mutex);
    lane->options.notify(lane->options.context);
}

/* The segments of a batch that was not committed go back to the head of the queue: lane_free gives
 * them back. */
static void undo(struct lane *lane, enum verdict verdict, const struct error *error)
{
    crash_point("batch_undone");
    pthread_mutex_lock(&lane->mutex);
    if (lane->batch.first != NULL) {
        lane->batch.last->next = lane->queue.first;
        lane->queue.first = lane->batch.first;
        if (lane->queue.last == NULL) {
            lane->queue.last = lane->batch.last;
        }
    }
    lane->in_flight = false;
    lane->busy_since_us = 0;
    if (verdict != AGAIN) {
        lane->verdict = verdict;
        lane->error = *error;
    }
    pthread_mutex_unlock(&lane->mutex);
    lane->options.notify(lane->options.context);
}

/* A day without an event: a checkpoint record on both producers keeps their ids known. */
static enum verdict touch(struct lane *lane, struct error *error)
{
    enum verdict verdict = OK;
    pthread_mutex_lock(&lane->mutex);
    lane->busy_since_us = clock_us(); /* what is submitted meanwhile waits for it */
    pthread_mutex_unlock(&lane->mutex);
    for (uint32_t i = 0; verdict == OK && i < 2 && lane->options.producers[i] != NULL; i++) {
        lane->batch = (struct batch){.watermark = lane->watermark,
                                     .settled_before = lane->settled_lsn,
                                     .unmarked_before = lane->unmarked};
        verdict = publish(lane, lane->options.producers[i], error);
    }
    pthread_mutex_lock(&lane->mutex);
    lane->busy_since_us = 0;
    pthread_mutex_unlock(&lane->mutex);
    return verdict;
}

static void *lane_main(void *argument)
{
    struct lane *lane = argument;
    for (;;) {
        pthread_mutex_lock(&lane->mutex);
        bool gathered = gather(lane);
        pthread_mutex_unlock(&lane->mutex);
        if (atomic_load(&lane->stop)) {
            if (gathered) {
                undo(lane, AGAIN, NULL);
            }
            return NULL;
        }
        struct error error;
        enum verdict verdict;
        lane->began_us = clock_us();
        lane->used_us = lane->began_us;
        if (gathered) {
            struct producer *producer = lane->options.producers[lane->turn];
            verdict = publish(lane, producer, &error);
        } else {
            verdict = touch(lane, &error);
            lane->batch = (struct batch){0};
        }
        if (verdict != OK) {
            undo(lane, verdict, &error);
            return NULL;
        }
        if (gathered) {
            lane->watermark = lane->batch.watermark;
            lane->unmarked = lane->batch.unmarked;
            /* Twice as many the next time: what was too large may have been rare. */
            uint64_t together = 2 * (uint64_t)lane->batch.together;
            lane->together = together < lane->options.batch_events ? (uint32_t)together : 0;
            deliver(lane);
            lane->turn = lane->options.producers[1] == NULL ? 0 : 1 - lane->turn;
        }
    }
}

/* --- the loop thread's side --- */

struct lane *lane_start(const struct lane_options *options)
{
    struct lane *lane = must_calloc(1, sizeof(*lane));
    lane->options = *options;
    lane->used_us = clock_us();
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&lane->mutex, NULL);
    check(pthread_create(&lane->thread, NULL, lane_main, lane) == 0);
    char name[16];
    snprintf(name, sizeof(name), "lane %u", options->number);
    pthread_setname_np(lane->thread, name);
    return lane;
}

void lane_submit(struct lane *lane, struct segment *first, struct segment *last)
{
    uint64_t events = 0;
    size_t bytes = 0;
    for (const struct segment *segment = first; segment != NULL; segment = segment->next) {
        events += segment->n_events;
        bytes += segment->bytes;
    }
    pthread_mutex_lock(&lane->mutex);
    bool was_empty = lane->queue.first == NULL;
    list_append(&lane->queue, first, last);
    lane->queue_events += events;
    lane->queue_bytes += bytes;
    /* A lane that lingers is left alone until there is enough for it. */
    bool wake = lane->sleeping && (was_empty || is_full(lane));
    pthread_mutex_unlock(&lane->mutex);
    if (wake) {
        pthread_cond_signal(&lane->wake);
    }
}

void lane_collect(struct lane *lane, struct lane_news *news)
{
    pthread_mutex_lock(&lane->mutex);
    news->committed = lane->committed.first;
    lane->committed = (struct segment_list){0};
    news->settled_lsn = lane->settled_lsn;
    news->idle = !lane->in_flight && lane->queue.first == NULL;
    news->verdict = lane->verdict;
    if (lane->verdict != OK) {
        news->error = lane->error;
    }
    pthread_mutex_unlock(&lane->mutex);
}

void lane_look(struct lane *lane, struct lane_look *look)
{
    pthread_mutex_lock(&lane->mutex);
    *look = lane->look;
    look->busy_us = lane->busy_since_us == 0 ? 0 : clock_us() - lane->busy_since_us;
    pthread_mutex_unlock(&lane->mutex);
    for (int i = 0; i < 2 && look->busy_us > COMPLAINT_US && look->trouble[0] == '\0'; i++) {
        struct producer *producer = lane->options.producers[i];
        if (producer != NULL && producer->ops->complaint != NULL) {
            producer->ops->complaint(producer, look->trouble, sizeof(look->trouble));
        }
    }
}

void lane_ask_stop(struct lane *lane)
{
    atomic_store(&lane->stop, true);
    for (int i = 0; i < 2; i++) {
        struct producer *producer = lane->options.producers[i];
        if (producer != NULL && producer->ops->give_up != NULL) {
            producer->ops->give_up(producer);
        }
    }
    pthread_mutex_lock(&lane->mutex);
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->mutex);
}

void lane_stop(struct lane *lane)
{
    lane_ask_stop(lane);
    pthread_join(lane->thread, NULL);
}

struct segment *lane_free(struct lane *lane)
{
    for (int i = 0; i < 2; i++) {
        if (lane->options.producers[i] != NULL) {
            lane->options.producers[i]->ops->close(lane->options.producers[i]);
        }
    }
    if (lane->options.gate != NULL) {
        lane->options.gate->ops->free(lane->options.gate);
    }
    list_append(&lane->committed, lane->queue.first, lane->queue.last);
    struct segment *left = lane->committed.first;
    pthread_cond_destroy(&lane->wake);
    pthread_mutex_destroy(&lane->mutex);
    free(lane);
    return left;
}
