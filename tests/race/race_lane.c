/* SPDX-License-Identifier: Apache-2.0
 *
 * Three lanes at full speed: the loop thread submits, collects, looks and frees; another thread
 * stops the lanes, once after everything and often in the middle. Kafka is a fake that reports from
 * poll, and now and then aborts, refuses a record or has no room. What ThreadSanitizer cannot see
 * is counted here: every segment comes back exactly once, and what was committed is in order. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/encode.h"
#include "lane/lane.h"

enum {
    LANES = 3,
    EVENTS = 200000,
    IN_FLIGHT_MAX = 20000,
    BATCH_EVENTS = 700,
    QUEUE_MAX = 300, /* of the fake's: less than a batch */
};

/* --- the encoder and the checkpoint's record: stubs --- */

enum verdict encode_event(const struct encoder *encoder, struct event *event, struct record *record,
                          struct error *error)
{
    (void)encoder;
    (void)error;
    strcpy(record->topic, "events");
    record->value = event->row.payload;
    event->value = record->value;
    return OK;
}

void encode_dead_letter(const struct encoder *encoder, const struct event *event,
                        enum dead_reason reason, const char *detail, struct record *record)
{
    (void)encoder;
    (void)reason;
    check(detail[0] != '\0');
    strcpy(record->topic, "dead");
    record->value = event->row.payload;
}

size_t checkpoint_write_lane(const struct checkpoint *checkpoint, struct position watermark,
                             lsn settled_lsn, const struct unmarked *unmarked,
                             char value[static CHECKPOINT_RECORD_MAX])
{
    (void)checkpoint;
    (void)unmarked;
    memcpy(value, &watermark.commit_lsn, sizeof(lsn));
    memcpy(value + sizeof(lsn), &settled_lsn, sizeof(lsn));
    return 2 * sizeof(lsn);
}

void unmarked_add(struct unmarked *unmarked, int64_t timestamp_ms, lsn commit_lsn)
{
    (void)timestamp_ms;
    unmarked->until_lsn = commit_lsn;
}

/* --- producers; two of a lane share what the lane has committed --- */

struct shelf {
    unsigned seed;
    struct position last; /* committed */
    uint64_t committed;
    unsigned closed;
};

struct fake {
    struct producer base;
    struct shelf *shelf;
    struct event *sent[QUEUE_MAX]; /* without a report */
    size_t n_sent;
    struct position last; /* of the open transaction */
    uint64_t n;
    bool open, failed;
};

static struct fake *fake_of(struct producer *producer)
{
    return (struct fake *)producer;
}

static bool chance(struct shelf *shelf, int one_in)
{
    return rand_r(&shelf->seed) % one_in == 0;
}

static enum verdict fake_begin(struct producer *producer, struct error *error)
{
    (void)error;
    struct fake *fake = fake_of(producer);
    check(!fake->open && fake->n_sent == 0);
    fake->open = true;
    fake->failed = false;
    fake->n = 0;
    fake->last = fake->shelf->last;
    return OK;
}

static enum verdict fake_send(struct producer *producer, const struct record *record, void *tag,
                              struct error *error)
{
    (void)error;
    struct fake *fake = fake_of(producer);
    struct event *event = tag;
    check(fake->open);
    if (fake->n_sent == QUEUE_MAX) {
        return AGAIN;
    }
    if (event != NULL) {
        check(record->value.data == event->row.payload.data);
        check(position_compare(event->position, fake->last) > 0); /* I5 */
        fake->last = event->position;
        fake->n++;
    }
    fake->sent[fake->n_sent++] = event;
    return OK;
}

static bool is_bad(const struct event *event)
{
    return event != NULL && event->row.dead == DEAD_NOT && event->position.ordinal == 13 &&
           event->position.commit_lsn % 512 == 0;
}

static size_t fake_poll(struct producer *producer, int timeout_ms, report_fn *report_to,
                        void *context)
{
    (void)timeout_ms;
    struct fake *fake = fake_of(producer);
    size_t n = fake->n_sent;
    fake->n_sent = 0;
    bool refused = false;
    for (size_t i = 0; i < n; i++) {
        refused |= is_bad(fake->sent[i]);
    }
    bool aborted = fake->failed || (n > 0 && chance(fake->shelf, 40));
    struct error error;
    for (size_t i = 0; i < n; i++) {
        struct report report = {.tag = fake->sent[i], .reason = DEAD_RECORD_TOO_LARGE};
        if (refused && fake->sent[i] != NULL) {
            report.verdict = error_set(&error, REJECT, "refused");
        } else if (refused || aborted) {
            report.verdict = error_set(&error, ABORT, "aborted");
        }
        report.error = report.verdict == OK ? NULL : &error;
        report_to(context, &report);
    }
    fake->failed = refused || aborted;
    return n;
}

static enum verdict fake_commit(struct producer *producer, struct error *error)
{
    struct fake *fake = fake_of(producer);
    check(fake->open && !fake->failed && fake->n_sent == 0);
    if (chance(fake->shelf, 60)) {
        return error_set(error, ABORT, "not committed");
    }
    fake->open = false;
    fake->shelf->last = fake->last;
    fake->shelf->committed += fake->n;
    return OK;
}

static enum verdict fake_abort(struct producer *producer, struct error *error)
{
    (void)error;
    fake_of(producer)->open = false;
    fake_of(producer)->n_sent = 0;
    return OK;
}

static enum verdict fake_topic(struct producer *producer, const char *topic, int timeout_ms,
                               struct error *error)
{
    (void)topic;
    (void)timeout_ms;
    return chance(fake_of(producer)->shelf, 20000) ? error_set(error, WAIT, "missing") : OK;
}

static void fake_close(struct producer *producer)
{
    fake_of(producer)->shelf->closed++;
    free(producer);
}

static const struct producer_ops ops = {
    .begin = fake_begin,
    .send = fake_send,
    .poll = fake_poll,
    .commit = fake_commit,
    .abort = fake_abort,
    .topic = fake_topic,
    .close = fake_close,
};

static struct producer *fake_new(struct shelf *shelf)
{
    struct fake *fake = must_calloc(1, sizeof(*fake));
    fake->base.ops = &ops;
    fake->base.transactional = true;
    fake->shelf = shelf;
    return &fake->base;
}

/* --- one round --- */

struct round {
    struct lane *lanes[LANES];
    struct shelf shelves[LANES];
    struct segment *left[LANES]; /* what the stopping thread got back */
    _Atomic lsn published_lsn;
    atomic_bool stopped;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool news;
    unsigned seed;
    lsn wal;
    uint64_t submitted, collected, returned; /* events */
};

static void on_news(void *context)
{
    struct round *round = context;
    pthread_mutex_lock(&round->mutex);
    round->news = true;
    pthread_cond_signal(&round->wake);
    pthread_mutex_unlock(&round->mutex);
}

static void wait_for_news(struct round *round)
{
    pthread_mutex_lock(&round->mutex);
    while (!round->news && !atomic_load(&round->stopped)) {
        pthread_cond_wait(&round->wake, &round->mutex);
    }
    round->news = false;
    pthread_mutex_unlock(&round->mutex);
}

/* Writes to everything before it is freed: whoever still used it would be seen. */
static uint64_t free_segments(struct segment *segment)
{
    uint64_t n = 0;
    while (segment != NULL) {
        struct segment *next = segment->next;
        for (struct event *event = segment->first; event != NULL;) {
            struct event *after = event->next;
            memset(event, 0, sizeof(*event));
            free(event);
            event = after;
            n++;
        }
        free(segment);
        segment = next;
    }
    return n;
}

static struct segment *make_segment(struct round *round, uint32_t n)
{
    struct segment *segment = must_calloc(1, sizeof(*segment));
    segment->last = &segment->first;
    segment->n_events = n;
    segment->bytes = n * 10;
    segment->commit_lsn = round->wal;
    segment->end_lsn = round->wal + 8;
    round->wal += 8;
    for (uint32_t i = 0; i < n; i++) {
        struct event *event = must_calloc(1, sizeof(*event));
        event->segment = segment;
        event->position = (struct position){segment->commit_lsn, i};
        event->row.payload = BYTES_LIT("0123456789");
        *segment->last = event;
        segment->last = &event->next;
    }
    return segment;
}

static void collect(struct round *round)
{
    for (int i = 0; i < LANES; i++) {
        struct lane_news news;
        lane_collect(round->lanes[i], &news);
        check(news.verdict == OK || news.verdict == RESTART); /* RESTART: stopped in the middle */
        round->collected += free_segments(news.committed);
        lsn known = atomic_load(&round->published_lsn);
        if (news.settled_lsn > known) {
            atomic_store(&round->published_lsn, news.settled_lsn);
        }
        struct lane_look look;
        lane_look(round->lanes[i], &look);
        check(look.busy_us >= 0);
    }
}

static void submit_some(struct round *round)
{
    struct segment *first = NULL;
    struct segment *last = NULL;
    int lane = rand_r(&round->seed) % LANES;
    for (int n = 1 + rand_r(&round->seed) % 5; n > 0; n--) {
        uint32_t events = 1 + (uint32_t)rand_r(&round->seed) % 50;
        struct segment *segment = make_segment(round, events);
        if (first == NULL) {
            first = segment;
        } else {
            last->next = segment;
        }
        last = segment;
        round->submitted += events;
    }
    lane_submit(round->lanes[lane], first, last);
}

static void *stop_all(void *context)
{
    struct round *round = context;
    for (int i = 0; i < LANES; i++) {
        lane_stop(round->lanes[i]);
    }
    pthread_mutex_lock(&round->mutex);
    atomic_store(&round->stopped, true);
    pthread_cond_signal(&round->wake);
    pthread_mutex_unlock(&round->mutex);
    return NULL;
}

static void start(struct round *round, unsigned seed)
{
    *round = (struct round){.seed = seed, .wal = 8};
    pthread_mutex_init(&round->mutex, NULL);
    pthread_cond_init(&round->wake, NULL);
    for (uint32_t i = 0; i < LANES; i++) {
        round->shelves[i].seed = seed * 10 + i;
        struct lane_options options = {
            .number = i,
            .producers = {fake_new(&round->shelves[i]), fake_new(&round->shelves[i])},
            .checkpoint_topic = "checkpoint",
            .published_lsn = &round->published_lsn,
            .batch_events = BATCH_EVENTS,
            .batch_bytes = 1 << 20,
            .notify = on_news,
            .context = round,
        };
        round->lanes[i] = lane_start(&options);
    }
}

static void finish(struct round *round)
{
    uint64_t committed = 0;
    for (int i = 0; i < LANES; i++) {
        round->left[i] = lane_free(round->lanes[i]);
        round->returned += free_segments(round->left[i]);
        committed += round->shelves[i].committed;
        check(round->shelves[i].closed == 2);
    }
    check(round->collected + round->returned == round->submitted);
    check(committed >= round->collected && committed <= round->submitted);
    pthread_mutex_destroy(&round->mutex);
    pthread_cond_destroy(&round->wake);
}

/* stop_at: after so many events were collected. */
static void run(unsigned seed, uint64_t stop_at)
{
    struct round round;
    pthread_t stopper;
    bool stopping = false;
    start(&round, seed);
    while (!atomic_load(&round.stopped)) {
        uint64_t in_flight = round.submitted - round.collected;
        if (round.submitted < EVENTS && (in_flight < IN_FLIGHT_MAX || stopping)) {
            submit_some(&round);
        } else {
            wait_for_news(&round);
        }
        collect(&round);
        bool done = round.submitted >= EVENTS && round.collected == round.submitted;
        if (!stopping && (round.collected >= stop_at || done)) {
            stopping = true;
            check(pthread_create(&stopper, NULL, stop_all, &round) == 0);
        }
    }
    pthread_join(stopper, NULL);
    finish(&round);
    printf("ok: %llu submitted, %llu collected, %llu given back\n",
           (unsigned long long)round.submitted, (unsigned long long)round.collected,
           (unsigned long long)round.returned);
    check(stop_at < EVENTS || round.returned == 0);
}

int main(void)
{
    run(1, UINT64_MAX);
    for (unsigned seed = 2; seed < 12; seed++) {
        run(seed, seed * 1500);
    }
    return 0;
}
