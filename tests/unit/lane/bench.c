/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"

enum { SEGMENTS_MAX = 20000, EVENTS_MAX = 40000 };

static void on_notify(void *context)
{
    struct bench *bench = context;
    pthread_mutex_lock(&bench->mutex);
    bench->notified++;
    pthread_cond_signal(&bench->wake);
    pthread_mutex_unlock(&bench->mutex);
}

void bench_init(struct bench *bench, bool alone)
{
    *bench = (struct bench){.wal = 1000, .mutex = PTHREAD_MUTEX_INITIALIZER};
    pthread_cond_init(&bench->wake, NULL);
    bench->events = must_calloc(EVENTS_MAX, sizeof(bench->events[0]));
    bench->all = must_calloc(SEGMENTS_MAX, sizeof(bench->all[0]));
    bench->kafka.bad_reason = DEAD_RECORD_TOO_LARGE;
    bench->checkpoint.generation = 7;
    atomic_store(&bench->published_lsn, 500);
    bench->options = (struct lane_options){
        .number = 2,
        .producers = {fake_producer(&bench->kafka, 0, true), fake_producer(&bench->kafka, 1, true)},
        .checkpoint = &bench->checkpoint,
        .checkpoint_topic = "checkpoint",
        .published_lsn = &bench->published_lsn,
        .marked_lsn = &bench->marked_lsn,
        .alone = alone,
        .batch_events = 1000,
        .batch_bytes = 16 * 1024 * 1024,
        .notify = on_notify,
        .context = bench,
    };
}

struct segment *bench_add(struct bench *bench, uint32_t n, size_t size)
{
    static const char payload[] = "0123456789";
    struct segment *segment = must_calloc(1, sizeof(*segment));
    segment->last = &segment->first;
    segment->n_events = n;
    segment->commit_lsn = bench->wal;
    segment->end_lsn = bench->wal + 8;
    segment->commit_time_us = (int64_t)bench->wal * 1000;
    segment->bytes = n * size;
    bench->wal += 10;
    for (uint32_t i = 0; i < n; i++) {
        struct event *event = must_calloc(1, sizeof(*event));
        event->segment = segment;
        event->position = (struct position){segment->commit_lsn, i};
        event->row.payload = (struct bytes){payload, size}; /* the fake looks at its length only */
        *segment->last = event;
        segment->last = &event->next;
        bench->events[bench->n_events++] = event;
    }
    if (bench->segments == NULL) {
        bench->segments = segment;
    } else {
        bench->last->next = segment;
    }
    bench->last = segment;
    bench->all[bench->n_segments++] = segment;
    return segment;
}

void bench_submit(struct bench *bench)
{
    if (bench->lane == NULL) {
        bench->lane = lane_start(&bench->options);
    }
    lane_submit(bench->lane, bench->segments, bench->last);
    bench->segments = NULL;
    bench->last = NULL;
}

void bench_wait(struct bench *bench, size_t segments)
{
    for (;;) {
        pthread_mutex_lock(&bench->mutex);
        unsigned seen = bench->notified;
        pthread_mutex_unlock(&bench->mutex);
        lane_collect(bench->lane, &bench->news);
        for (struct segment *s = bench->news.committed; s != NULL; s = s->next) {
            cr_assert_eq(s, bench->all[bench->collected], "segments come back in order");
            bench->collected++;
        }
        if (bench->collected >= segments || bench->news.verdict != OK) {
            return;
        }
        pthread_mutex_lock(&bench->mutex);
        while (bench->notified == seen) {
            pthread_cond_wait(&bench->wake, &bench->mutex);
        }
        pthread_mutex_unlock(&bench->mutex);
    }
}

void bench_stop(struct bench *bench)
{
    lane_stop(bench->lane);
    for (struct segment *s = lane_free(bench->lane); s != NULL; s = s->next) {
        cr_assert_eq(s, bench->all[bench->collected + bench->returned]);
        bench->returned++;
    }
    bench->lane = NULL;
    cr_expect_eq(bench->kafka.closes, bench->options.producers[1] == NULL ? 1 : 2);
}

void bench_release(struct bench *bench)
{
    if (bench->lane != NULL) {
        bench_stop(bench);
    }
    for (size_t i = 0; i < bench->n_events; i++) {
        free(bench->events[i]->memory);
        free(bench->events[i]);
    }
    for (size_t i = 0; i < bench->n_segments; i++) {
        free(bench->all[i]);
    }
    free(bench->events);
    free(bench->all);
    fake_kafka_release(&bench->kafka);
    pthread_cond_destroy(&bench->wake);
}

void bench_verify(struct bench *bench)
{
    size_t at = 0;
    for (size_t i = 0; i < bench->kafka.n_batches; i++) {
        const struct fake_batch *batch = &bench->kafka.batches[i];
        if (!batch->committed || batch->n == 0) {
            continue;
        }
        for (size_t k = 0; k < batch->n; k++, at++) {
            cr_assert_eq(batch->events[k], bench->events[at], "I5: event %zu", at);
        }
        const struct event *last = batch->events[batch->n - 1];
        cr_assert_eq(position_compare(batch->watermark, last->position), 0, "I6");
        cr_assert_null(last->next, "I12: a segment is not cut");
        cr_assert_eq(batch->checkpoint_partition, 1 + (int32_t)bench->options.number);
    }
    cr_assert_eq(at, bench->n_events);
}
