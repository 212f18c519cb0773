/* SPDX-License-Identifier: Apache-2.0
 *
 *   anchor --> temporary copy --> stream_next()     pg/
 *                                 intake_message()  pipeline/intake: the steps of the live stream
 *                                 is_wanted()       key, type, time
 *                                 lane_submit()     lane/: records + progress, a Kafka transaction
 *                                 collect()    <--  the lanes' news
 */
#include "replay/replay.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "config/config.h"
#include "enforce/contracts.h"
#include "pg/stream.h"
#include "pipeline/intake.h"
#include "pipeline/lanes.h"
#include "replay/sink.h"
#include "replay/source.h"
#include "replay/waiter.h"

enum {
    READS_MAX = 64,
    BUSY_MESSAGES =
        24, /* from here on the socket is left alone for a moment, as the stream does it */
    PROGRESS_EVERY_US = 200 * 1000,
    STATUS_EVERY_US = 1000 * 1000,
    TROUBLE_EVERY_US = 10 * 1000 * 1000,
    /* Commit times are not quite in the order of commits. */
    DISORDER_US = 60 * 1000 * 1000,
};

struct replay {
    const struct replay_options *options;
    const struct replay_job *job;
    struct replay_result *result;
    struct source source;
    struct replay_sink sink;
    struct encoder *encoder;
    struct contracts *contracts; /* NULL: none are checked */
    struct gate *gate;           /* of a dry run */
    atomic_bool hurry;           /* whatever waits for the registry comes back */
    struct ledger *ledger;
    struct intake *intake;
    _Atomic lsn published_lsn;
    uint64_t in_lanes; /* segments submitted and not collected */
    lsn start_lsn, read_lsn;
    bool reached_end;
    struct waiter waiter;
    int64_t began_us, progress_us, status_us, trouble_us;
};

/* --- rows to lanes, and back --- */

static bool equals(const char *wanted, struct bytes found)
{
    return wanted == NULL || bytes_equal(bytes_of(wanted), found);
}

static bool is_wanted(void *context, const struct row *row, struct bytes key,
                      int64_t commit_time_us)
{
    struct replay *replay = context;
    const struct replay_job *job = replay->job;
    bool wanted = equals(job->key, key) && equals(job->event_type, row->event_type) &&
                  commit_time_us >= job->from_us &&
                  (job->to_us == 0 || commit_time_us < job->to_us);
    if (job->to_us != 0 && commit_time_us > job->to_us + DISORDER_US) {
        replay->reached_end = true;
    }
    if (wanted && row->dead != DEAD_NOT) {
        replay->result->unfit++;
        return false;
    }
    replay->result->unwanted += !wanted;
    return wanted;
}

static void on_left_out(void *context, const struct row *row, struct position position,
                        uint64_t transaction, uint32_t xid)
{
    (void)row;
    (void)position;
    (void)xid;
    struct replay *replay = context;
    replay->result->left_out++;
    ledger_settled(replay->ledger, transaction, 1);
}

static void settle(struct replay *replay, struct segment *segment)
{
    ledger_published(replay->ledger, segment->transaction, segment->n_events);
    ledger_settled(replay->ledger, segment->transaction, segment->n_events);
    for (const struct event *event = segment->first; event != NULL; event = event->next) {
        if (event->row.dead == DEAD_NOT) {
            replay->result->events++;
        } else {
            replay->result->dead_letters++;
        }
    }
    intake_give_back(replay->intake, segment);
}

/* A dry run goes as far as the record. */
static void count(struct replay *replay, struct segment *segment)
{
    for (struct event *event = segment->first; event != NULL; event = event->next) {
        struct record record;
        struct error error;
        enum dead_reason reason;
        bool kept = replay->gate == NULL ||
                    replay->gate->ops->hold(replay->gate, event, &reason, &error) == OK;
        if (kept && encode_event(replay->encoder, event, &record, &error) == OK) {
            tally_add(&replay->result->tally, record.topic, event->row.event_type);
        } else {
            event->row.dead = DEAD_INVALID_EVENT;
        }
    }
    settle(replay, segment);
}

static void submit(void *context, uint32_t lane, struct segment *first, struct segment *last)
{
    struct replay *replay = context;
    if (!replay->options->dry_run) {
        for (const struct segment *s = first; s != NULL; s = s->next) {
            replay->in_lanes++;
        }
        lane_submit(replay->sink.lanes[lane], first, last);
        return;
    }
    while (first != NULL) {
        struct segment *next = first->next;
        count(replay, first);
        first = next;
    }
}

static enum verdict collect(struct replay *replay, struct error *error)
{
    for (uint32_t i = 0; i < replay->sink.n_lanes; i++) {
        struct lane_news news;
        lane_collect(replay->sink.lanes[i], &news);
        while (news.committed != NULL) {
            struct segment *next = news.committed->next;
            settle(replay, news.committed);
            replay->in_lanes--;
            news.committed = next;
        }
        if (news.verdict != OK) {
            *error = news.error;
            return news.verdict;
        }
    }
    atomic_store(&replay->published_lsn, ledger_published_lsn(replay->ledger));
    return OK;
}

/* --- PostgreSQL --- */

static enum verdict take_message(struct replay *replay, struct stream_message *message,
                                 struct error *error)
{
    if (message->kind == STREAM_DATA) {
        enum verdict verdict = intake_message(replay->intake, message, error);
        replay->reached_end |= verdict == AGAIN;
        if (message->wal_start > replay->read_lsn) {
            replay->read_lsn = message->wal_start;
        }
        return verdict == AGAIN ? OK : verdict;
    }
    if (message->reply_now) {
        replay->status_us = 0;
    }
    if (!intake_in_transaction(replay->intake) && message->wal_end > replay->read_lsn) {
        replay->read_lsn = message->wal_end;
        replay->reached_end |= message->wal_end >= replay->job->to_lsn;
    }
    return OK;
}

static bool memory_is_full(const struct replay *replay)
{
    return intake_memory(replay->intake) >= replay->options->config->memory;
}

/* One read of the socket and what it gave. *n: messages. */
static enum verdict read_once(struct replay *replay, uint32_t *n, struct error *error)
{
    enum verdict verdict = stream_read(replay->source.replication, error);
    struct error ended; /* what came before a loss still counts, and says why */
    enum verdict taken = OK;
    while (taken == OK && !replay->reached_end) {
        struct stream_message message;
        taken = stream_next(replay->source.replication, &message, &ended);
        if (taken == OK) {
            taken = take_message(replay, &message, &ended);
            stream_free_buffer(message.buffer);
            ++*n;
        }
    }
    if (taken != OK && taken != AGAIN) {
        *error = ended;
        verdict = taken;
    }
    intake_flush(replay->intake);
    return verdict;
}

/* *busy: there is more where it came from. */
static enum verdict read_stream(struct replay *replay, bool *busy, struct error *error)
{
    uint32_t total = 0;
    enum verdict verdict = OK;
    for (uint32_t reads = 0, n = 1; verdict == OK && n > 0 && reads < READS_MAX; reads++) {
        n = 0;
        verdict = read_once(replay, &n, error);
        total += n;
        if (replay->reached_end || memory_is_full(replay)) {
            break;
        }
    }
    *busy = total >= BUSY_MESSAGES;
    return verdict;
}

/* Lets the temporary slot go of what is published, and asks where the server is. */
static enum verdict send_status(struct replay *replay, int64_t now, struct error *error)
{
    if (now - replay->status_us < STATUS_EVERY_US) {
        return OK;
    }
    lsn flush = ledger_safe_lsn(replay->ledger);
    lsn write = replay->read_lsn > flush ? replay->read_lsn : flush;
    enum verdict verdict = stream_status(replay->source.replication, write, flush, true, error);
    if (verdict == OK) {
        replay->status_us = now;
    }
    return verdict == AGAIN ? OK : verdict;
}

/* --- the loop --- */

static void say_progress(struct replay *replay, int64_t now)
{
    if (now - replay->progress_us < PROGRESS_EVERY_US) {
        return;
    }
    replay->progress_us = now;
    replay->options->progress(replay->options->context,
                              &(struct replay_progress){.from_lsn = replay->start_lsn,
                                                        .read_lsn = replay->read_lsn,
                                                        .to_lsn = replay->job->to_lsn,
                                                        .events = replay->result->events,
                                                        .us = now - replay->began_us});
}

static void say_trouble(struct replay *replay, int64_t now)
{
    if (now - replay->trouble_us < TROUBLE_EVERY_US) {
        return;
    }
    replay->trouble_us = now;
    for (uint32_t i = 0; i < replay->sink.n_lanes; i++) {
        struct lane_look look;
        lane_look(replay->sink.lanes[i], &look);
        if (look.waiting || look.busy_us > TROUBLE_EVERY_US) {
            log_write(replay->options->log, LOG_WARN,
                      look.waiting ? "the replay waits for something outside" : "waiting for Kafka",
                      F_TEXT("trouble", look.trouble), F_TEXT("remedy", look.remedy));
        }
    }
}

static bool is_done(const struct replay *replay)
{
    return replay->reached_end && replay->in_lanes == 0;
}

static enum verdict stream(struct replay *replay, struct error *error)
{
    bool busy = false;
    bool readable = true; /* the start may have read more than its answer */
    enum verdict verdict = OK;
    while (verdict == OK && !is_done(replay)) {
        if (readable && !replay->reached_end && !memory_is_full(replay)) {
            verdict = read_stream(replay, &busy, error);
        } else {
            busy = false;
        }
        if (verdict == OK && memory_is_full(replay) && replay->in_lanes == 0) {
            intake_cut(replay->intake);
        }
        if (verdict == OK) {
            verdict = collect(replay, error);
        }
        int64_t now = clock_us();
        if (verdict == OK && !replay->reached_end) {
            verdict = send_status(replay, now, error);
        }
        if (verdict == OK) {
            say_progress(replay, now);
            say_trouble(replay, now);
        }
        if (verdict == OK && !is_done(replay)) {
            bool listen = !replay->reached_end && !memory_is_full(replay);
            verdict = waiter_wait(&replay->waiter, replay->source.replication, listen, busy,
                                  &readable, error);
        }
    }
    return verdict;
}

/* --- a replay --- */

/* As the stream would have them; a dry run asks no broker. */
static enum verdict choose_lanes(const struct replay *replay, uint32_t *count, struct error *error)
{
    const struct config *config = replay->options->config;
    bool ask = config->lanes == LANES_BY_PARTITION && !replay->options->dry_run;
    struct cluster *cluster = NULL;
    struct lanes lanes;
    enum verdict verdict = ask ? cluster_new(config, replay->options->log, &cluster, error) : OK;
    if (verdict == OK) {
        verdict = lanes_find(config, cluster, &lanes, error);
        *count = lanes.count;
    }
    cluster_free(cluster);
    return verdict;
}

static enum verdict complete_job(struct replay *replay, struct replay_job *job, struct error *error)
{
    const struct config *config = replay->options->config;
    const struct window *window = &replay->source.window;
    if (replay->options->resume) {
        if (job->system_id != window->system_id) {
            error_set(error, REFUSE, "replay %s read from another PostgreSQL cluster", job->id);
            return error_remedy(error, "Positions of that one mean nothing here: begin a new one.");
        }
        if (strcmp(job->key_template, config->route.key) != 0) {
            error_set(error, REFUSE,
                      "replay %s was begun with route.key \"%s\", now it is \"%s\": what it has "
                      "published could not be told from what it has not",
                      job->id, job->key_template, config->route.key);
            return error_remedy(error, "Set the old route.key for it, or begin a new replay.");
        }
        return OK;
    }
    job->system_id = window->system_id;
    job->timeline = replay->source.identity.timeline;
    job->key_template = must_strdup(config->route.key);
    job->started_us = clock_wall_us();
    enum verdict verdict = choose_lanes(replay, &job->lanes, error);
    if (verdict != OK) {
        return verdict;
    }
    return bounds_resolve(&replay->options->from, &replay->options->to, window,
                          replay->options->journal, job, error);
}

static enum verdict open_kafka(struct replay *replay, const struct replay_job *job,
                               struct error *error)
{
    const struct config *config = replay->options->config;
    const struct log *log = replay->options->log;
    enum verdict verdict = replay->options->resume ? OK : replay_sink_note(config, log, job, error);
    if (verdict == OK) {
        verdict = replay_sink_open(config, log, job, &replay->sink, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    replay->start_lsn = replay->sink.progress.settled_lsn;
    char what[80];
    snprintf(what, sizeof(what), LSN_FORMAT ", where replay %s has to go on,",
             LSN_ARGS(replay->start_lsn), job->id);
    /* What is published may go beyond the window's end by the end of a transaction. */
    return replay->start_lsn >= job->to_lsn
               ? OK
               : window_judge(&replay->source.window, what, replay->start_lsn, error);
}

static void begin(struct replay *replay)
{
    const struct config *config = replay->options->config;
    const struct replay_job *job = replay->job;
    replay->read_lsn = replay->start_lsn;
    replay->ledger = ledger_new(replay->start_lsn);
    atomic_store(&replay->published_lsn, replay->start_lsn);
    replay->intake = intake_new(&(struct intake_options){
        .config = config,
        .encoder = replay->encoder,
        .checkpoint = replay->options->dry_run ? NULL : &replay->sink.progress,
        .ledger = replay->ledger,
        .lanes = replay->options->dry_run ? 1 : job->lanes,
        .wants = is_wanted,
        .left_out = on_left_out,
        .submit = submit,
        .context = replay,
    });
    intake_set_end(replay->intake, job->to_lsn);
    replay->reached_end = replay->start_lsn >= job->to_lsn;
    /* Until here a signal simply ends the process; threads come only now. */
    waiter_open(&replay->waiter);
    if (!replay->options->dry_run) {
        replay_sink_start(&replay->sink,
                          &(struct replay_lanes){.config = config,
                                                 .job = job,
                                                 .encoder = replay->encoder,
                                                 .contracts = replay->contracts,
                                                 .published_lsn = &replay->published_lsn,
                                                 .notify = waiter_notify,
                                                 .context = &replay->waiter});
    } else {
        replay->gate = contracts_gate(replay->contracts, replay->encoder);
    }
    replay->began_us = clock_us();
}

static enum verdict run(struct replay *replay, struct replay_job *job, struct error *error)
{
    const struct replay_options *options = replay->options;
    enum verdict verdict =
        replay_source_open(options->config, &options->journal->clock, &replay->source, error);
    replay->result->window = replay->source.window;
    if (verdict == OK) {
        verdict = complete_job(replay, job, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    replay->start_lsn = job->from_lsn;
    options->began(options->context, job, &replay->source.window);
    if (!options->dry_run) {
        verdict = open_kafka(replay, job, error);
    }
    if (verdict == OK) {
        verdict = replay_source_start(options->config, &replay->source, replay->start_lsn, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    begin(replay);
    verdict = stream(replay, error);
    replay->result->us = clock_us() - replay->began_us;
    return verdict;
}

static void give_back(struct replay *replay, struct segment *left)
{
    while (left != NULL) {
        struct segment *next = left->next;
        intake_give_back(replay->intake, left);
        left = next;
    }
}

enum verdict replay_run(const struct replay_options *options, struct replay_job *job,
                        struct replay_result *result, struct error *error)
{
    *result = (struct replay_result){.events = 0};
    struct replay replay = {.options = options, .job = job, .result = result};
    enum verdict verdict = encoder_new(options->config, &replay.encoder, error);
    if (verdict == OK) {
        verdict =
            contracts_load(options->config, options->dry_run ? CONTRACTS_LOOK : CONTRACTS_PUBLISH,
                           &replay.hurry, &replay.contracts, error);
    }
    if (verdict != OK) {
        encoder_free(replay.encoder);
        return verdict;
    }
    encoder_set_replay(replay.encoder, job->id);
    checkpoint_init(&replay.sink.progress);
    verdict = run(&replay, job, error);
    replay_source_close(&replay.source);
    atomic_store(&replay.hurry, true);
    give_back(&replay, replay_sink_close(&replay.sink));
    if (verdict == OK && !options->dry_run) {
        job->done = true;
        verdict = replay_sink_note(options->config, options->log, job, error);
    }
    if (replay.intake != NULL) { /* it had begun */
        waiter_close(&replay.waiter);
    }
    intake_free(replay.intake);
    ledger_free(replay.ledger);
    if (replay.gate != NULL) {
        replay.gate->ops->free(replay.gate);
    }
    contracts_free(replay.contracts);
    encoder_free(replay.encoder);
    tally_sort(&result->tally);
    return verdict;
}
