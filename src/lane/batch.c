/* SPDX-License-Identifier: Apache-2.0 */
#include "lane/batch.h"

#include <stdio.h>
#include <string.h>

#include "base/broken_rule.h"
#include "base/check.h"
#include "base/crash_point.h"

enum {
    POLL_EVERY = 512, /* sends between two looks at the reports: keeps librdkafka's memory small */
    POLL_TIMEOUT_MS = 100,
    TOPIC_TIMEOUT_MS = 2000,
};

static void on_report(void *context, const struct report *report)
{
    struct batch *batch = context;
    check(batch->outstanding > 0);
    batch->outstanding--;
    if (report->verdict == OK) {
        return;
    }
    const struct event *event = report->tag;
    if (report->verdict == REJECT && event != NULL) {
        if (batch->bad_from == batch->bad_to) {
            batch->bad_from = event->index;
            batch->bad_to = event->index + 1;
            batch->reason = report->reason;
        }
        if (event->index < batch->bad_from) {
            batch->bad_from = event->index;
        }
        if (event->index >= batch->bad_to) {
            batch->bad_to = event->index + 1;
        }
    }
    /* ABORT is the echo of whatever else failed in the same Kafka transaction; of the others the
     * later in enum verdict is the worse. */
    bool worse = batch->worst == OK || batch->worst == ABORT ||
                 (report->verdict != ABORT && report->verdict > batch->worst);
    if (worse) {
        batch->worst = report->verdict;
        if (report->error != NULL) {
            batch->error = *report->error;
        }
    }
}

/* The Kafka transaction is left open: aborting it would wait for Kafka, which may be away. The
 * successor's fence aborts it. */
static enum verdict stopped(struct error *error)
{
    return error_set(error, RESTART, "stopped in the middle of a batch");
}

/* Waits until every record has its report, or one of them says that the attempt is lost. */
static enum verdict wait_for_reports(struct batch *batch, struct producer *producer,
                                     const atomic_bool *stop)
{
    while (batch->outstanding > 0 && batch->worst == OK) {
        if (atomic_load_explicit(stop, memory_order_relaxed)) {
            batch->worst = stopped(&batch->error);
            break;
        }
        producer->ops->poll(producer, POLL_TIMEOUT_MS, on_report, batch);
    }
    return batch->worst;
}

static void make_dead(struct event *event, enum dead_reason reason, const struct error *error)
{
    event->row.dead = reason;
    snprintf(event->detail, sizeof(event->detail), "%.*s", (int)sizeof(event->detail) - 1,
             error->what);
    event->row.detail = event->detail;
}

/* The record of an event: itself, or the dead letter that it has become. */
static void make_record(const struct lane_options *options, struct event *event,
                        struct record *record)
{
    if (event->row.dead == DEAD_NOT) {
        struct error error;
        if (encode_event(options->encoder, event, record, &error) == OK) {
            return;
        }
        make_dead(event, DEAD_INVALID_EVENT, &error);
    }
    encode_dead_letter(options->encoder, event, event->row.dead, event->row.detail, record);
}

static const struct missing_topic *find_missing(const struct batch *batch, const char *topic)
{
    for (uint32_t i = 0; i < batch->n_missing && i < MISSING_TOPICS_MAX; i++) {
        if (strcmp(batch->missing[i].name, topic) == 0) {
            return &batch->missing[i];
        }
    }
    return NULL;
}

static void note_missing(struct batch *batch, const char *topic, const struct error *error)
{
    struct missing_topic *missing = &batch->missing[batch->n_missing++ % MISSING_TOPICS_MAX];
    snprintf(missing->name, sizeof(missing->name), "%s", topic);
    missing->error = *error;
}

/* Of an event that becomes a dead letter when its topic is missing. */
static enum verdict ensure_or_bury(struct batch *batch, struct producer *producer,
                                   const struct lane_options *options, struct event *event,
                                   struct record *record, struct error *error)
{
    const struct missing_topic *missing = find_missing(batch, record->topic);
    enum verdict verdict = WAIT;
    if (missing != NULL) {
        *error = missing->error;
    } else {
        verdict = producer->ops->topic(producer, record->topic, TOPIC_TIMEOUT_MS, error);
        if (verdict == WAIT) {
            note_missing(batch, record->topic, error);
        }
    }
    if (verdict == WAIT) {
        make_dead(event, DEAD_MISSING_TOPIC, error);
        make_record(options, event, record);
        verdict = producer->ops->topic(producer, record->topic, TOPIC_TIMEOUT_MS, error);
    }
    return verdict;
}

static enum verdict ensure_topic(struct batch *batch, struct producer *producer,
                                 const struct lane_options *options, struct event *event,
                                 struct record *record, struct error *error)
{
    if (options->on_missing_topic == LANE_TOPIC_DEAD_LETTER && event->row.dead == DEAD_NOT) {
        return ensure_or_bury(batch, producer, options, event, record, error);
    }
    enum verdict verdict = producer->ops->topic(producer, record->topic, TOPIC_TIMEOUT_MS, error);
    if (verdict == WAIT && options->on_missing_topic == LANE_TOPIC_CREATE) {
        verdict = producer->ops->create_topic(producer, record->topic, TOPIC_TIMEOUT_MS, error);
        if (verdict == OK) {
            verdict = producer->ops->topic(producer, record->topic, TOPIC_TIMEOUT_MS, error);
        }
    }
    return verdict;
}

/* REJECT with batch->worst OK: the client refused this record. Any verdict with batch->worst set is
 * that of the reports that came in while the queue was full. */
static enum verdict send(struct batch *batch, struct producer *producer,
                         const struct record *record, struct event *event, const atomic_bool *stop,
                         struct error *error)
{
    for (;;) {
        if (atomic_load_explicit(stop, memory_order_relaxed)) {
            return stopped(error);
        }
        enum verdict verdict = producer->ops->send(producer, record, event, error);
        if (verdict == OK) {
            batch->outstanding++;
        }
        if (verdict != AGAIN) {
            return verdict;
        }
        producer->ops->poll(producer, POLL_TIMEOUT_MS, on_report, batch);
        if (batch->worst != OK) {
            *error = batch->error;
            return batch->worst;
        }
    }
}

/* A dead letter is the last resort, and without its checkpoint a batch must not be committed. */
static enum verdict refused_for_good(const char *what, struct error *error)
{
    error_prefix(error, "a %s was refused: ", what);
    error->verdict = FATAL;
    return FATAL;
}

static enum verdict send_event(struct batch *batch, struct producer *producer,
                               const struct lane_options *options, struct event *event,
                               const atomic_bool *stop, struct error *error)
{
    struct record record;
    make_record(options, event, &record);
    enum verdict verdict = ensure_topic(batch, producer, options, event, &record, error);
    if (verdict != OK) {
        return verdict;
    }
    verdict = send(batch, producer, &record, event, stop, error);
    if (verdict == REJECT && batch->worst == OK && event->row.dead != DEAD_RECORD_TOO_LARGE) {
        /* Larger than the client may send: known without asking the broker. */
        make_dead(event, DEAD_RECORD_TOO_LARGE, error);
        make_record(options, event, &record);
        verdict = ensure_topic(batch, producer, options, event, &record, error);
        if (verdict == OK) {
            verdict = send(batch, producer, &record, event, stop, error);
        }
    }
    if (verdict == REJECT && batch->worst == OK) {
        return refused_for_good("dead letter", error);
    }
    return verdict;
}

static bool is_border(const struct batch *batch, uint32_t index)
{
    if (batch->together > 0 && index % batch->together == 0) {
        return true;
    }
    if (batch->suspect_from == batch->suspect_to) {
        return false;
    }
    uint32_t middle = batch->suspect_from + (batch->suspect_to - batch->suspect_from) / 2;
    return index == batch->suspect_from || index == middle || index == batch->suspect_to;
}

static enum verdict send_events(struct batch *batch, struct producer *producer,
                                const struct lane_options *options, const atomic_bool *stop,
                                struct error *error)
{
    uint32_t index = 0;
    for (struct segment *segment = batch->first; segment != NULL; segment = segment->next) {
        for (struct event *event = segment->first; event != NULL; event = event->next) {
            event->index = index;
            if (is_border(batch, index) && wait_for_reports(batch, producer, stop) != OK) {
                *error = batch->error;
                return batch->worst;
            }
            enum verdict verdict = send_event(batch, producer, options, event, stop, error);
            if (verdict != OK) {
                return verdict;
            }
            batch->watermark = event->position;
            if (event->row.dead != DEAD_NOT) {
                unmarked_add(&batch->unmarked, segment->commit_time_us / 1000,
                             event->position.commit_lsn);
            }
            if (++index % POLL_EVERY == 0) {
                producer->ops->poll(producer, 0, on_report, batch);
                if (batch->worst != OK) {
                    *error = batch->error;
                    return batch->worst;
                }
                if (atomic_load_explicit(stop, memory_order_relaxed)) {
                    return stopped(error);
                }
            }
        }
        if (segment == batch->last) {
            break;
        }
    }
    return OK;
}

/* S as this batch may say it: what all lanes have published, or, for the only lane, the end of its
 * own last whole transaction. Never less than the record before it, which is replaced by this one
 * (a reader knows a lane's last record only) and may be confirmed: the loop learns of a batch after
 * the next one has begun, and a batch inside a transaction has no end of its own. */
static lsn batch_settled_lsn(const struct batch *batch, const struct lane_options *options)
{
    lsn settled = atomic_load(options->published_lsn);
    if (batch->settled_before > settled) {
        settled = batch->settled_before;
    }
    if (options->alone) {
        for (const struct segment *s = batch->first; s != NULL; s = s->next) {
            if (s->end_lsn > settled) {
                settled = s->end_lsn;
            }
            if (s == batch->last) {
                break;
            }
        }
    }
    return settled;
}

static enum verdict send_checkpoint(struct batch *batch, struct producer *producer,
                                    const struct lane_options *options, const atomic_bool *stop,
                                    struct error *error)
{
    struct record record;
    bool own = options->checkpoint_key.data == NULL;
    record.partition = own ? (int32_t)options->number + 1 : options->checkpoint_partition;
    record.timestamp_ms = 0;
    record.n_headers = 0;
    snprintf(record.topic, sizeof(record.topic), "%s", options->checkpoint_topic);
    record.key = own ? CHECKPOINT_KEY_LANE : options->checkpoint_key;
    record.value.len =
        checkpoint_write_lane(options->checkpoint, batch->watermark, batch->settled_lsn,
                              &batch->unmarked, batch->checkpoint_value);
    record.value.data = batch->checkpoint_value;
    enum verdict verdict = send(batch, producer, &record, NULL, stop, error);
    if (verdict == OK && wait_for_reports(batch, producer, stop) != OK) {
        *error = batch->error;
        verdict = batch->worst;
    }
    if (verdict == REJECT && batch->bad_from == batch->bad_to) { /* no event's report says it */
        return refused_for_good("checkpoint record", error);
    }
    return verdict;
}

static enum verdict attempt(struct batch *batch, struct producer *producer,
                            const struct lane_options *options, const atomic_bool *stop,
                            struct error *error)
{
    enum verdict verdict = producer->ops->begin(producer, error);
    if (verdict != OK) {
        return verdict;
    }
    lsn marked_lsn = options->marked_lsn == NULL ? UINT64_MAX : atomic_load(options->marked_lsn);
    bool all_marked = batch->unmarked_before.until_lsn < marked_lsn;
    batch->unmarked = all_marked ? (struct unmarked){.any = false} : batch->unmarked_before;
    crash_point("batch_begun");
    verdict = send_events(batch, producer, options, stop, error);
    if (verdict == OK && !producer->transactional &&
        wait_for_reports(batch, producer, stop) != OK) {
        *error = batch->error;
        verdict = batch->worst;
    }
    if (verdict != OK) {
        return verdict;
    }
    crash_point("after_produce");
    if (rule_is_broken("checkpoint_inside") && wait_for_reports(batch, producer, stop) == OK &&
        producer->ops->commit(producer, error) == OK) {
        verdict = producer->ops->begin(producer, error);
        if (verdict != OK) {
            return verdict;
        }
    }
    batch->settled_lsn = batch_settled_lsn(batch, options);
    verdict = send_checkpoint(batch, producer, options, stop, error);
    if (verdict != OK) {
        return verdict;
    }
    check(batch->outstanding == 0);
    crash_point("before_commit");
    return producer->ops->commit(producer, error);
}

enum verdict batch_try(struct batch *batch, struct producer *producer,
                       const struct lane_options *options, const atomic_bool *stop,
                       struct error *error)
{
    batch->outstanding = 0;
    batch->worst = OK;
    batch->bad_from = 0;
    batch->bad_to = 0;
    batch->n_missing = 0;
    enum verdict verdict = attempt(batch, producer, options, stop, error);
    if (verdict == OK || verdict == RESTART || verdict == FENCED || verdict == FATAL ||
        verdict == REFUSE) {
        return verdict;
    }
    struct error abort_error;
    enum verdict aborted = producer->ops->abort(producer, &abort_error);
    if (aborted != OK) {
        *error = abort_error;
        return aborted;
    }
    return verdict;
}

static struct event *event_at(const struct batch *batch, uint32_t index)
{
    for (struct segment *segment = batch->first;; segment = segment->next) {
        check(segment != NULL);
        if (index >= segment->n_events) {
            index -= segment->n_events;
            continue;
        }
        struct event *event = segment->first;
        for (; index > 0; index--) {
            event = event->next;
        }
        return event;
    }
}

/* The value of a dead letter can still be left away; nothing else can. */
static enum verdict bury(struct batch *batch, uint32_t index, struct error *error)
{
    struct event *event = event_at(batch, index);
    bool smaller =
        batch->reason == DEAD_RECORD_TOO_LARGE && event->row.dead != DEAD_RECORD_TOO_LARGE;
    if (event->row.dead != DEAD_NOT && !smaller) {
        *error = batch->error;
        return refused_for_good("dead letter", error);
    }
    make_dead(event, batch->reason, &batch->error);
    batch->suspect_from = 0;
    batch->suspect_to = 0;
    return OK;
}

enum verdict batch_after_reject(struct batch *batch, struct error *error)
{
    uint32_t from = batch->bad_from;
    uint32_t to = batch->bad_to;
    uint32_t suspects = batch->suspect_to - batch->suspect_from;
    check(to > from);
    bool was_alone = batch->n_events == 1 || batch->together == 1 ||
                     (suspects == 1 && from == batch->suspect_from);
    if (was_alone && to - from == 1) {
        return bury(batch, from, error);
    }
    if (suspects > 0 && from >= batch->suspect_to) {
        uint32_t half = suspects > 1 ? suspects / 2 : 1;
        if (batch->together == 0 || half < batch->together) {
            batch->together = half;
        }
    }
    batch->suspect_from = from;
    batch->suspect_to = to;
    return OK;
}
