/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of contents of walpost. The way of an event, and where each step stands:
 *
 *   PostgreSQL --> read_stream()        pg/stream        a message of the wire
 *                  intake_message()     pgoutput/        a change
 *                                       outbox/          a row; a bad one is a dead letter
 *                                       checkpoint/      left out, when Kafka has it already
 *                  submit()             lane/            a segment of events, on the lane that owns
 * their key Kafka      <--   lane thread        encode/, kafka/  records + checkpoint, one Kafka
 * transaction a batch collect_lanes()      ledger/          published sqlwork_turn()
 * pipeline/marker  marked: settled PostgreSQL <-- tell_postgres()      pipeline/feedback  what may
 * be confirmed
 *
 * The loop thread (libev) runs all of this but the lanes, and never waits. What must wait
 * (connecting, fencing, the leader's commits, closing) runs in the control thread:
 * pipeline/control, pipeline/session.
 *
 * States of a run:
 *
 *   STARTING --> STREAMING --> DRAINING --> CLOSING --> DONE
 *      ^  |           |                        |^
 *      |  `-----------+------------------------'|   (a session that failed is closed, and started
 * again)
 *      `----------------------------------------' */
#include "pipeline/pipeline.h"

#include <ev.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "config/config.h"
#include "pg/stream.h"
#include "pipeline/control.h"
#include "pipeline/feedback.h"
#include "pipeline/sink.h"
#include "pipeline/sqlwork.h"

enum {
    PUBLICATION_EVERY_US = 5 * 1000 * 1000,
    STATUS_EVERY_MS = 10 * 1000,
    DRAIN_MAX_US = 30 * 1000 * 1000,
    CLOSE_MAX_US = 10 * 1000 * 1000,
    LANE_SLOW_US = 30 * 1000 * 1000,
    REPORT_EVERY_US = 10 * 1000 * 1000,
    /* A busy socket is read in bunches: a wake-up for each small message costs more than the
       message. */
    NAP_FROM_MESSAGES = 24,
    NAP_US = 700,
};

enum state { STARTING, STREAMING, DRAINING, CLOSING, DONE };

/* One session's streaming: everything that is made anew when PostgreSQL or Kafka is connected to
 * again. */
struct flow {
    struct session session;
    struct intake *intake;
    struct ledger *ledger;
    struct marker *marker;
    struct snapshot *snapshot;
    struct sink *sink;
    struct sqlwork sql;
    struct feedback feedback;
    struct lane **lanes;
    uint32_t n_lanes;
    uint64_t in_lanes; /* segments submitted and not collected */
    lsn read_lsn;      /* everything of the WAL below was received */
    lsn idle_lsn;      /* a keepalive's LSN that waits for a look at the publication; 0: none */
    lsn until_lsn;
    int64_t heard_us; /* when the server was last heard */
    int64_t checked_us;
    bool urgent; /* the server, or a drain, waits for our answer */
    bool snapshotting;
    bool status_pending; /* a status update did not fit into the socket */
};

struct totals {
    uint64_t published, dead, left_out, filtered;
};

struct pipeline {
    const struct config *config;
    const struct run_options *options;
    struct log *log;
    struct encoder *encoder;
    struct control *control;
    enum state state;
    struct flow
        *flow; /* NULL unless STREAMING or DRAINING (or CLOSING: waiting for the segments) */
    _Atomic lsn published_lsn; /* what lanes may say of S */
    struct totals totals;
    struct totals reported;
    int64_t reported_us;
    int64_t since_us; /* of the present state */
    bool again;       /* after CLOSING: start again */
    bool lanes_slow;
    int status; /* exit status */

    struct ev_loop *loop;
    ev_io replication_io;
    ev_io sql_io;
    ev_async news;
    ev_timer tick;
    ev_timer nap;
    ev_signal terminate, interrupt, hangup;
};

static void progress(struct pipeline *p);

/* --- states
 * ----------------------------------------------------------------------------------------------------
 */

static bool transition_is_valid(enum state from, enum state to)
{
    switch (to) {
    case STARTING: return from == CLOSING;
    case STREAMING: return from == STARTING;
    case DRAINING: return from == STREAMING;
    case CLOSING: return from == STARTING || from == STREAMING || from == DRAINING;
    case DONE: return from == CLOSING;
    }
    return false;
}

static void set_state(struct pipeline *p, enum state state)
{
    check(transition_is_valid(p->state, state));
    p->state = state;
    p->since_us = clock_us();
}

static void finish(struct pipeline *p)
{
    set_state(p, DONE);
    ev_break(p->loop, EVBREAK_ALL);
}

static void add_totals(struct pipeline *p, const struct flow *flow)
{
    struct intake_counts counts = intake_counts(flow->intake);
    p->totals.left_out += counts.left_out;
    p->totals.filtered += counts.filtered;
}

/* The links are closed at once: a PostgreSQL that shuts down waits for its walsender, and Kafka may
 * be away for long. */
static void close_session(struct pipeline *p)
{
    ev_io_stop(p->loop, &p->replication_io);
    ev_io_stop(p->loop, &p->sql_io);
    ev_timer_stop(p->loop, &p->nap);
    set_state(p, CLOSING);
    struct session nothing = {0};
    if (p->flow == NULL) {
        control_end_session(p->control, &nothing, NULL, 0);
        return;
    }
    struct flow *flow = p->flow;
    link_close(flow->session.replication);
    link_close(flow->session.sql);
    flow->session.replication = NULL;
    flow->session.sql = NULL;
    control_end_session(p->control, &nothing, flow->lanes, flow->n_lanes);
    flow->lanes = NULL;
}

static void flow_free(struct pipeline *p)
{
    struct flow *flow = p->flow;
    if (flow == NULL) {
        return;
    }
    add_totals(p, flow);
    snapshot_free(flow->snapshot);
    marker_free(flow->marker);
    intake_free(flow->intake);
    ledger_free(flow->ledger);
    sink_free(flow->sink);
    session_release(&flow->session);
    free(flow);
    p->flow = NULL;
}

/* A session cannot go on. What PostgreSQL has not been told to forget comes again, so nothing in
 * memory is worth keeping. */
static void session_failed(struct pipeline *p, enum verdict verdict, struct error *error)
{
    if (p->state == CLOSING || p->state == DONE) {
        return;
    }
    bool passing = verdict == RETRY || verdict == RESTART || verdict == WAIT || verdict == ABORT;
    error->verdict = verdict;
    log_error(p->log, passing ? LOG_WARN : LOG_ERROR, error);
    p->again = passing && p->state != DRAINING;
    p->status = passing ? (p->state == DRAINING ? 1 : 0) : verdict_exit_status(verdict);
    close_session(p);
}

static void drain(struct pipeline *p, const char *why)
{
    log_write(p->log, LOG_INFO, "draining: no more is read, what is in flight is finished",
              F_TEXT("reason", why));
    set_state(p, DRAINING);
    ev_io_stop(p->loop, &p->replication_io);
    ev_timer_stop(p->loop, &p->nap);
    p->flow->urgent = true;
}

static void stop(struct pipeline *p, const char *why)
{
    switch (p->state) {
    case STREAMING: drain(p, why); break;
    case STARTING:
        p->again = false;
        close_session(p);
        break;
    case DRAINING: /* asked twice: do not wait for what is in flight */
        log_write(p->log, LOG_WARN,
                  "told to stop a second time: what is in flight is left to the next start");
        close_session(p);
        break;
    case CLOSING: p->again = false; break;
    case DONE: break;
    }
}

/* --- a session begins
 * ------------------------------------------------------------------------------------------ */

static void on_lane_news(void *context)
{
    struct pipeline *p = context;
    ev_async_send(p->loop, &p->news);
}

/* Kafka has it already; the crash may have come between Kafka's commit and the mark. */
static void on_left_out(void *context, const struct row *row, uint64_t transaction)
{
    struct pipeline *p = context;
    marker_add(p->flow->marker, row, transaction);
}

static void settle_segment(struct pipeline *p, struct segment *segment)
{
    struct flow *flow = p->flow;
    ledger_published(flow->ledger, segment->transaction, segment->n_events);
    for (struct event *event = segment->first; event != NULL; event = event->next) {
        if (event->row.dead == DEAD_NOT) {
            p->totals.published++;
        } else {
            p->totals.dead++;
        }
        marker_add(flow->marker, &event->row, segment->transaction);
    }
    intake_give_back(flow->intake, segment);
}

static void submit(void *context, uint32_t lane, struct segment *first, struct segment *last)
{
    struct pipeline *p = context;
    struct flow *flow = p->flow;
    if (flow->sink == NULL) {
        for (struct segment *s = first; s != NULL; s = s->next) {
            flow->in_lanes++;
        }
        lane_submit(flow->lanes[lane], first, last);
        return;
    }
    struct error error;
    enum verdict verdict = sink_take(flow->sink, first, &error);
    while (first != NULL) {
        struct segment *next = first->next;
        settle_segment(p, first);
        first = next;
    }
    if (verdict != OK) {
        session_failed(p, verdict, &error);
    }
}

static enum lane_missing_topic missing_topic(const struct config *config)
{
    switch (config->route.on_missing_topic) {
    case MISSING_CREATE: return LANE_TOPIC_CREATE;
    case MISSING_DEAD_LETTER: return LANE_TOPIC_DEAD_LETTER;
    case MISSING_WAIT: break;
    }
    return LANE_TOPIC_WAIT;
}

static void start_lanes(struct pipeline *p)
{
    struct flow *flow = p->flow;
    flow->n_lanes = p->config->lanes;
    flow->lanes = must_calloc(flow->n_lanes, sizeof(flow->lanes[0]));
    for (uint32_t i = 0; i < flow->n_lanes; i++) {
        flow->lanes[i] = lane_start(&(struct lane_options){
            .number = i,
            .producers = {flow->session.producers[i][0], flow->session.producers[i][1]},
            .encoder = p->encoder,
            .checkpoint = &flow->session.checkpoint,
            .checkpoint_topic = p->config->checkpoint_topic,
            .published_lsn = &p->published_lsn,
            .alone = flow->n_lanes == 1,
            .on_missing_topic = missing_topic(p->config),
            .batch_events = p->config->batch.max_events,
            .batch_bytes = p->config->batch.max_bytes,
            .linger_us = p->config->batch.linger_us,
            .pace_us = 0,
            .notify = on_lane_news,
            .context = p,
        });
        flow->session.producers[i][0] = NULL;
        flow->session.producers[i][1] = NULL;
    }
}

static void make_flow(struct pipeline *p)
{
    struct flow *flow = p->flow;
    bool kafka = p->options->target == TO_KAFKA;
    const struct checkpoint *checkpoint = &flow->session.checkpoint;
    flow->snapshotting = kafka && checkpoint->settled_lsn < checkpoint->origin_lsn;
    lsn start = flow->snapshotting ? checkpoint->settled_lsn : flow->session.slot_lsn;
    flow->ledger = ledger_new(start);
    atomic_store(&p->published_lsn, start);
    flow->marker = marker_new(p->config, &flow->session.table, !kafka, flow->ledger);
    flow->intake = intake_new(&(struct intake_options){
        .config = p->config,
        .encoder = p->encoder,
        .checkpoint = kafka ? checkpoint : NULL,
        .ledger = flow->ledger,
        .lanes = kafka ? p->config->lanes : 1,
        .left_out = on_left_out,
        .submit = submit,
        .context = p,
    });
    if (flow->snapshotting) {
        flow->snapshot =
            snapshot_new(p->config, &flow->session.table, checkpoint->origin_lsn, flow->intake);
    }
    flow->sql = (struct sqlwork){
        .config = p->config,
        .session = &flow->session,
        .link = flow->session.sql,
        .marker = flow->marker,
        .snapshot = flow->snapshot,
        .good_lsn = flow->session.identity.wal_lsn,
    };
    feedback_init(&flow->feedback, flow->session.slot_lsn, checkpoint->settled_lsn);
    flow->until_lsn = p->options->once ? flow->session.identity.wal_lsn : p->options->until_lsn;
    intake_set_end(flow->intake, flow->until_lsn);
}

static void session_began(struct pipeline *p, const struct session *session)
{
    p->flow = must_calloc(1, sizeof(*p->flow));
    struct flow *flow = p->flow;
    flow->session = *session;
    flow->heard_us = clock_us();
    flow->checked_us = flow->heard_us;
    flow->read_lsn = session->slot_lsn;
    make_flow(p);
    if (p->options->target == TO_KAFKA) {
        start_lanes(p);
    } else {
        flow->sink = sink_new(p->encoder, p->options->target == TO_STDOUT);
    }
    set_state(p, STREAMING);
    log_write(p->log, LOG_INFO, "streaming", F_TEXT("server", link_host(session->sql)),
              F_TEXT("slot", p->config->postgres.slot), F_LSN("from", session->slot_lsn),
              F_U64("generation", session->checkpoint.generation),
              F_LSN("settled", session->checkpoint.settled_lsn), F_U64("lanes", flow->n_lanes));
    ev_io_set(&p->replication_io, link_fd(session->replication), EV_READ);
    ev_io_set(&p->sql_io, link_fd(session->sql), EV_READ);
    ev_io_start(p->loop, &p->sql_io);
    if (!flow->snapshotting) {
        ev_io_start(p->loop, &p->replication_io);
        ev_feed_event(p->loop, &p->replication_io, EV_READ);
    }
    progress(p);
}

/* --- PostgreSQL -> intake
 * -------------------------------------------------------------------------------------- */

static bool memory_is_full(const struct pipeline *p)
{
    return intake_memory(p->flow->intake) + marker_memory(p->flow->marker) >= p->config->memory;
}

/* A keepalive's LSN counts only when nothing is in flight and no transaction is open. */
static void take_keepalive(struct pipeline *p, const struct stream_message *message)
{
    struct flow *flow = p->flow;
    flow->urgent |= message->reply_now;
    if (intake_in_transaction(flow->intake)) {
        return;
    }
    if (message->wal_end > flow->read_lsn) {
        flow->read_lsn = message->wal_end;
    }
    if (flow->until_lsn != 0 && message->wal_end >= flow->until_lsn && p->state == STREAMING) {
        drain(p, "everything up to the wanted position was read");
    }
}

static enum verdict take_message(struct pipeline *p, struct stream_message *message,
                                 struct error *error)
{
    struct flow *flow = p->flow;
    if (message->kind == STREAM_KEEPALIVE) {
        take_keepalive(p, message);
        return OK;
    }
    enum verdict verdict = intake_message(flow->intake, message, error);
    if (verdict == AGAIN) {
        drain(p, "everything up to the wanted position was read");
        return OK;
    }
    if (message->wal_start > flow->read_lsn) {
        flow->read_lsn = message->wal_start;
    }
    return verdict;
}

/* Whole messages of what the socket gave. */
static enum verdict take_messages(struct pipeline *p, uint32_t *n, struct error *error)
{
    struct flow *flow = p->flow;
    enum verdict verdict = OK;
    *n = 0;
    while (verdict == OK && p->state == STREAMING) {
        struct stream_message message;
        verdict = stream_next(flow->session.replication, &message, error);
        if (verdict == OK) {
            verdict = take_message(p, &message, error);
            stream_free_buffer(message.buffer);
            (*n)++;
        }
    }
    return verdict == AGAIN ? OK : verdict;
}

static void read_stream(struct pipeline *p)
{
    struct flow *flow = p->flow;
    struct error error;
    uint32_t n = 0;
    enum verdict verdict = stream_read(flow->session.replication, &error);
    if (verdict == OK ||
        verdict == RETRY) { /* what came before the loss still counts, and says why */
        struct error ended;
        enum verdict taken = take_messages(p, &n, &ended);
        if (taken != OK) {
            verdict = taken;
            error = ended;
        }
    }
    const char *warning = link_take_warning(flow->session.replication);
    if (warning != NULL) {
        log_write(p->log, LOG_WARN, "the server warns on the replication connection",
                  F_TEXT("warning", warning));
        flow->sql.check_wanted = true; /* PostgreSQL 18 only warns of a missing publication */
    }
    if (verdict != OK) {
        session_failed(p, verdict, &error);
        return;
    }
    flow->heard_us = clock_us();
    intake_flush(flow->intake);
    if (p->state == STREAMING && n >= NAP_FROM_MESSAGES) {
        ev_io_stop(p->loop, &p->replication_io);
        ev_timer_set(&p->nap, NAP_US / 1e6, 0.);
        ev_timer_start(p->loop, &p->nap);
    }
}

/* --- lanes -> ledger
 * ------------------------------------------------------------------------------------------- */

static void collect_lanes(struct pipeline *p)
{
    struct flow *flow = p->flow;
    for (uint32_t i = 0; i < flow->n_lanes && p->state != CLOSING; i++) {
        struct lane_news news;
        lane_collect(flow->lanes[i], &news);
        while (news.committed != NULL) {
            struct segment *next = news.committed->next;
            settle_segment(p, news.committed);
            flow->in_lanes--;
            news.committed = next;
        }
        feedback_committed(&flow->feedback, news.settled_lsn);
        if (news.verdict != OK) {
            session_failed(p, news.verdict, &news.error);
        }
    }
}

static void collect_control(struct pipeline *p)
{
    struct control_news news;
    struct session session;
    control_collect(p->control, &news, &session);
    if (news.ended) {
        for (struct segment *next; news.left != NULL; news.left = next) {
            next = news.left->next;
            intake_give_back(p->flow->intake, news.left);
        }
        flow_free(p);
        if (!p->again) {
            finish(p);
            return;
        }
        p->again = false;
        set_state(p, STARTING);
        control_begin_session(p->control);
        return;
    }
    if (news.started && p->state == STARTING) {
        session_began(p, &session);
    } else if (news.started) { /* told to stop meanwhile */
        session_release(&session);
    }
    if (news.settled && p->flow != NULL) {
        feedback_leader_answered(&p->flow->feedback, news.settled_lsn);
    }
    if (news.verdict != OK) {
        session_failed(p, news.verdict, &news.error);
    }
}

/* --- ledger -> Kafka's leader record -> PostgreSQL
 * ------------------------------------------------------------- */

/* Nothing in flight and nothing open: the WAL that was read holds nothing of ours. The publication
 * is looked at first: rows that it no longer carries would be skipped in silence. */
static void note_idle(struct pipeline *p, int64_t now)
{
    struct flow *flow = p->flow;
    if (intake_in_transaction(flow->intake) || ledger_transactions(flow->ledger) > 0 ||
        flow->read_lsn <= ledger_safe_lsn(flow->ledger)) {
        return;
    }
    bool due = flow->urgent || now - flow->feedback.leader_asked_us >= 1000 * 1000;
    if (due && !flow->sql.check_wanted && flow->sql.job != SQL_PUBLICATION) {
        flow->sql.check_wanted = true;
        flow->idle_lsn = flow->read_lsn;
    }
}

static void confirm_idle(struct pipeline *p, lsn checked_lsn)
{
    struct flow *flow = p->flow;
    flow->checked_us = clock_us();
    if (flow->idle_lsn != 0 && checked_lsn >= flow->idle_lsn &&
        !intake_in_transaction(flow->intake)) {
        ledger_idle(flow->ledger, flow->idle_lsn);
    }
    flow->idle_lsn = 0;
}

static enum verdict send_status(struct pipeline *p, bool reply_now, struct error *error)
{
    struct flow *flow = p->flow;
    lsn write =
        flow->read_lsn > flow->feedback.flush_lsn ? flow->read_lsn : flow->feedback.flush_lsn;
    lsn flush = p->options->target == TO_KAFKA ? flow->feedback.flush_lsn : 0;
    enum verdict verdict = stream_status(flow->session.replication, write, flush, reply_now, error);
    flow->status_pending = verdict == AGAIN;
    if (verdict == OK) {
        feedback_sent(&flow->feedback, clock_us());
        verdict = link_flush(flow->session.replication, error);
        verdict = verdict == AGAIN ? OK : verdict;
    }
    return verdict == AGAIN ? OK : verdict;
}

static int64_t status_interval_us(const struct flow *flow)
{
    int64_t third_us = (int64_t)flow->session.server.wal_sender_timeout_ms * 1000 / 3;
    bool shorter = third_us > 0 && third_us < (int64_t)STATUS_EVERY_MS * 1000;
    return shorter ? third_us : (int64_t)STATUS_EVERY_MS * 1000;
}

static void tell_postgres(struct pipeline *p)
{
    struct flow *flow = p->flow;
    int64_t now = clock_us();
    lsn safe_lsn = ledger_safe_lsn(flow->ledger);
    lsn published_lsn = ledger_published_lsn(flow->ledger);
    if (p->options->target == TO_KAFKA) {
        atomic_store(&p->published_lsn, published_lsn);
        feedback_update(&flow->feedback, safe_lsn);
        if (feedback_wants_leader(&flow->feedback, safe_lsn, flow->urgent, now)) {
            feedback_leader_asked(&flow->feedback, now);
            control_commit_settled(p->control, published_lsn);
        }
    }
    bool caught_up = flow->feedback.flush_lsn >= safe_lsn || p->options->target != TO_KAFKA;
    if (feedback_wants_status(&flow->feedback, flow->urgent, status_interval_us(flow), now) ||
        (flow->urgent && caught_up && p->state == STREAMING) || flow->status_pending) {
        crash_point("before_feedback");
        struct error error;
        enum verdict verdict = send_status(p, flow->until_lsn != 0, &error);
        if (verdict != OK) {
            session_failed(p, verdict, &error);
            return;
        }
        if (caught_up && p->state == STREAMING && ledger_transactions(flow->ledger) == 0 &&
            flow->read_lsn <= safe_lsn) {
            flow->urgent = false;
        }
    }
}

/* Drained: everything read is settled, confirmed and sent. An open transaction is not waited for:
 * it comes again. */
static bool is_drained(const struct pipeline *p)
{
    const struct flow *flow = p->flow;
    if (flow->in_lanes > 0 || marker_pending(flow->marker) > 0 || flow->sql.job != SQL_NONE ||
        flow->snapshotting || flow->feedback.leader_busy) {
        return false;
    }
    return p->options->target != TO_KAFKA ||
           (flow->feedback.flush_lsn >= ledger_safe_lsn(flow->ledger) &&
            flow->feedback.sent_lsn == flow->feedback.flush_lsn &&
            !link_wants_write(flow->session.replication));
}

/* --- the loop
 * --------------------------------------------------------------------------------------------------
 */

static void watch_writes(struct pipeline *p)
{
    struct flow *flow = p->flow;
    bool want = flow->status_pending || link_wants_write(flow->session.replication);
    bool paused = flow->snapshotting || p->state != STREAMING || ev_is_active(&p->nap) ||
                  (memory_is_full(p) && flow->sink == NULL);
    int events = (paused ? 0 : EV_READ) | (want ? EV_WRITE : 0);
    if (events != (p->replication_io.events & (EV_READ | EV_WRITE)) ||
        (events != 0) != ev_is_active(&p->replication_io)) {
        ev_io_stop(p->loop, &p->replication_io);
        ev_io_set(&p->replication_io, p->replication_io.fd, events);
        if (events != 0) {
            ev_io_start(p->loop, &p->replication_io);
        }
    }
    int sql_events = EV_READ | (link_wants_write(flow->session.sql) ? EV_WRITE : 0);
    if (sql_events != (p->sql_io.events & (EV_READ | EV_WRITE))) {
        ev_io_stop(p->loop, &p->sql_io);
        ev_io_set(&p->sql_io, p->sql_io.fd, sql_events);
        ev_io_start(p->loop, &p->sql_io);
    }
}

/* Memory is full of the one transaction that is open, and nothing will free any: it is cut. */
static void relieve(struct pipeline *p)
{
    struct flow *flow = p->flow;
    if (memory_is_full(p) && flow->in_lanes == 0 && marker_pending(flow->marker) == 0) {
        intake_cut(flow->intake);
    }
}

/* After anything has happened: whatever can go on, goes on. */
static void progress(struct pipeline *p)
{
    if (p->state != STREAMING && p->state != DRAINING) {
        return;
    }
    struct flow *flow = p->flow;
    struct error error;
    int64_t now = clock_us();
    if (p->options->target == TO_KAFKA) {
        relieve(p);
        note_idle(p, now);
        enum verdict verdict =
            sqlwork_turn(&flow->sql, flow->read_lsn, !memory_is_full(p), now, &error);
        if (verdict != OK) {
            session_failed(p, verdict, &error);
            return;
        }
    }
    tell_postgres(p);
    if (p->state == DRAINING && is_drained(p)) {
        p->status = 0;
        close_session(p);
    }
    if (p->state == STREAMING || p->state == DRAINING) {
        watch_writes(p);
    }
}

static void on_replication(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    struct pipeline *p = watcher->data;
    struct error error;
    if (p->flow != NULL && p->state == STREAMING && events & EV_READ) {
        read_stream(p);
    }
    if (p->flow != NULL && (p->state == STREAMING || p->state == DRAINING) && events & EV_WRITE) {
        enum verdict verdict = link_flush(p->flow->session.replication, &error);
        if (verdict != OK && verdict != AGAIN) {
            session_failed(p, verdict, &error);
        }
    }
    progress(p);
}

static void snapshot_finished(struct pipeline *p)
{
    struct flow *flow = p->flow;
    log_write(p->log, LOG_INFO, "every row that was there before the slot is read",
              F_U64("rows", snapshot_rows(flow->snapshot)));
    intake_flush(flow->intake);
    snapshot_free(flow->snapshot);
    flow->snapshot = NULL;
    flow->sql.snapshot = NULL;
    flow->snapshotting = false;
    flow->heard_us = clock_us();
}

static void on_sql(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    struct pipeline *p = watcher->data;
    if (p->state != STREAMING && p->state != DRAINING) {
        return;
    }
    struct flow *flow = p->flow;
    struct error error;
    struct sql_answer answer;
    enum verdict verdict = OK;
    if (events & EV_WRITE) {
        verdict = link_flush(flow->session.sql, &error);
        verdict = verdict == AGAIN ? OK : verdict;
    }
    if (verdict == OK && events & EV_READ) {
        verdict = sqlwork_readable(&flow->sql, clock_us(), &answer, &error);
    }
    if (verdict != OK) {
        session_failed(p, verdict, &error);
        return;
    }
    if (events & EV_READ) {
        if (answer.job == SQL_PUBLICATION) {
            confirm_idle(p, answer.checked_lsn);
        }
        if (answer.snapshot_done) {
            snapshot_finished(p);
        }
    }
    progress(p);
}

static void on_news(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)events;
    struct pipeline *p = watcher->data;
    if (p->flow != NULL && (p->state == STREAMING || p->state == DRAINING)) {
        collect_lanes(p);
    }
    collect_control(p);
    progress(p);
}

static void on_nap(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct pipeline *p = watcher->data;
    if (p->flow != NULL && p->state == STREAMING && !memory_is_full(p)) {
        read_stream(p);
    }
    progress(p);
}

/* --- once in a while
 * ------------------------------------------------------------------------------------------- */

/* A server that says nothing for its own timeout is asked, then given up: the connection may be
 * half open. */
static void watch_server(struct pipeline *p, int64_t now)
{
    struct flow *flow = p->flow;
    uint32_t timeout_ms = flow->session.server.wal_sender_timeout_ms;
    int64_t patience_us = (int64_t)(timeout_ms == 0 ? 60000 : timeout_ms) * 1000;
    if (!ev_is_active(&p->replication_io) || !(p->replication_io.events & EV_READ)) {
        flow->heard_us = now; /* we do not listen: memory is full, or the snapshot comes first */
        return;
    }
    struct error error;
    enum verdict verdict = OK;
    if (now - flow->heard_us > patience_us + patience_us / 2) {
        verdict = error_set(&error, RETRY,
                            "%s has been silent for %" PRId64 " s on the replication connection",
                            link_host(flow->session.replication), (now - flow->heard_us) / 1000000);
    } else if (now - flow->heard_us > patience_us / 2) {
        verdict = send_status(p, true, &error);
    }
    if (verdict != OK) {
        session_failed(p, verdict, &error);
    }
}

static void watch_lanes(struct pipeline *p)
{
    bool slow = false;
    for (uint32_t i = 0; i < p->flow->n_lanes; i++) {
        struct lane_look look;
        lane_look(p->flow->lanes[i], &look);
        slow |= look.busy_us > LANE_SLOW_US;
        if (look.busy_us > LANE_SLOW_US && !p->lanes_slow) {
            log_write(p->log, LOG_WARN,
                      look.waiting ? "a lane waits for something outside"
                                   : "a lane has not come back from Kafka",
                      F_U64("lane", i), F_SECONDS("seconds", (double)look.busy_us / 1e6),
                      F_TEXT("trouble", look.trouble));
        }
    }
    p->lanes_slow = slow;
}

static void report(struct pipeline *p, int64_t now)
{
    if (now - p->reported_us < REPORT_EVERY_US || p->flow == NULL) {
        return;
    }
    uint64_t published = p->totals.published - p->reported.published;
    if (published > 0) {
        log_write(p->log, LOG_INFO, "progress", F_U64("published", p->totals.published),
                  F_U64("dead_lettered", p->totals.dead),
                  F_U64("per_second", published * 1000000 / (uint64_t)(now - p->reported_us)),
                  F_LSN("confirmed", p->flow->feedback.sent_lsn),
                  F_U64("memory", intake_memory(p->flow->intake)),
                  F_U64("unmarked", marker_pending(p->flow->marker)));
    }
    if (p->flow->sql.locked) {
        log_write(p->log, LOG_WARN, "marks wait for a lock on the outbox table; the stream goes on",
                  F_U64("unmarked", marker_pending(p->flow->marker)));
    }
    p->reported = p->totals;
    p->reported_us = now;
}

static void on_tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct pipeline *p = watcher->data;
    int64_t now = clock_us();
    if (p->state == STREAMING || p->state == DRAINING) {
        if (p->options->target == TO_KAFKA && now - p->flow->checked_us > PUBLICATION_EVERY_US) {
            p->flow->checked_us = now;
            p->flow->sql.check_wanted = true;
        }
        watch_lanes(p);
        report(p, now);
    }
    if (p->state == STREAMING) {
        watch_server(p, now);
    }
    if (p->state == STREAMING && p->flow->until_lsn != 0) {
        p->flow->urgent = true; /* keeps asking the server how far it is */
    }
    if (p->state == DRAINING && now - p->since_us > DRAIN_MAX_US) {
        log_write(p->log, LOG_WARN,
                  "not drained in time: what is in flight is left to the next start");
        p->status = 1;
        close_session(p);
    }
    if (p->state == CLOSING && !p->again && now - p->since_us > CLOSE_MAX_US) {
        log_write(p->log, LOG_WARN,
                  "Kafka does not answer: leaving without closing its connections");
        finish(p);
    }
    progress(p);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop;
    (void)events;
    struct pipeline *p = watcher->data;
    if (watcher->signum == SIGHUP) {
        log_write(p->log, LOG_INFO,
                  "nothing can be reloaded yet; restart to apply a new configuration");
        return;
    }
    stop(p, watcher->signum == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* --- a run
 * -----------------------------------------------------------------------------------------------------
 */

static void watchers_init(struct pipeline *p)
{
    ev_init(&p->replication_io, on_replication);
    ev_init(&p->sql_io, on_sql);
    ev_async_init(&p->news, on_news);
    ev_init(&p->nap, on_nap);
    ev_timer_init(&p->tick, on_tick, 0.25, 0.25);
    ev_signal_init(&p->terminate, on_signal, SIGTERM);
    ev_signal_init(&p->interrupt, on_signal, SIGINT);
    ev_signal_init(&p->hangup, on_signal, SIGHUP);
    p->replication_io.data = p->sql_io.data = p->news.data = p->nap.data = p->tick.data = p;
    p->terminate.data = p->interrupt.data = p->hangup.data = p;
    ev_async_start(p->loop, &p->news);
    ev_timer_start(p->loop, &p->tick);
    ev_signal_start(p->loop, &p->terminate);
    ev_signal_start(p->loop, &p->interrupt);
    ev_signal_start(p->loop, &p->hangup);
}

int pipeline_run(const struct config *config, const struct run_options *options, struct log *log)
{
    struct pipeline p = {.config = config, .options = options, .log = log, .state = STARTING};
    struct error error;
    enum verdict verdict = encoder_new(config, &p.encoder, &error);
    if (verdict != OK) {
        log_error(log, LOG_ERROR, &error);
        return verdict_exit_status(verdict);
    }
    signal(SIGPIPE, SIG_IGN);
    p.loop = ev_loop_new(EVFLAG_AUTO);
    check(p.loop != NULL);
    p.reported_us = clock_us();
    p.since_us = p.reported_us;
    watchers_init(&p);
    p.control = control_start(&(struct control_options){
        .config = config, .run = options, .log = log, .notify = on_lane_news, .context = &p});
    control_begin_session(p.control);
    ev_run(p.loop, 0);

    bool closed = p.flow == NULL;
    log_write(log, LOG_INFO, "stopped", F_U64("published", p.totals.published),
              F_U64("dead_lettered", p.totals.dead), F_U64("left_out", p.totals.left_out),
              F_U64("filtered", p.totals.filtered), F_U64("status", p.status));
    if (closed) {
        control_stop(p.control);
        encoder_free(p.encoder);
        ev_loop_destroy(p.loop);
    }
    return p.status;
}
