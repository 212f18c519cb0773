/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of contents of walpost. The way of an event, and where each step stands:
 *
 *   PostgreSQL --> flow_read()           pg/stream         a message of the wire
 *                  intake_message()      pgoutput/         a change
 *                                        outbox/           a row; a bad one is a dead letter
 *                                        checkpoint/       left out, when Kafka has it already
 *                  lane_submit()         lane/             a segment, on the lane of its keys
 *   Kafka      <-- the lane's thread     encode/, kafka/   records and checkpoint record, in one
 *                                                          Kafka transaction a batch
 *                  flow_collect()        ledger/           published
 *                  sqlwork_turn()        pipeline/marker   marked: settled
 *   PostgreSQL <-- flow_tell_postgres()  pipeline/feedback what may be confirmed
 *
 * The loop thread (libev) runs all of this but the lanes, and never waits. What must wait
 * (connecting, fencing, the leader's commits, closing) runs in the control thread:
 * pipeline/control, pipeline/session.
 *
 * States of a run:
 *
 *   STARTING --> STREAMING --> DRAINING --> CLOSING --> DONE
 *     ^  |           |                       ^  ^  |
 *     |  |           `-----------------------'  |  |
 *     |  `--------------------------------------'  |
 *     `---- a session that failed, once closed ----'
 */
#include "pipeline/pipeline.h"

#include <ev.h>
#include <signal.h>

#include "base/check.h"
#include "base/clock.h"
#include "config/config.h"
#include "pipeline/ending.h"
#include "pipeline/flow.h"
#include "pipeline/nap.h"
#include "pipeline/rules.h"

enum {
    DRAIN_MAX_US = 30 * 1000 * 1000,
    CLOSE_MAX_US = 10 * 1000 * 1000,
    REPORT_EVERY_US = 10 * 1000 * 1000,
    TICK_MS = 250,
    SHORT_SESSION_US = 10 * 1000 * 1000,
    /* A busy socket is read in bunches: a wake-up for each small message costs more than the
     * message. */
    NAP_FROM_MESSAGES = 24,
    NAP_SOCKET_US = 400, /* a Unix socket holds little: a longer nap would hold up the server */
    NAP_TCP_US = 1000,
    READS_MAX = 64, /* then the others have their turn */
};

enum state { STARTING, STREAMING, DRAINING, CLOSING, DONE };

struct pipeline {
    const struct config *config;
    const struct run_options *options;
    struct log *log;
    struct rules rules;
    atomic_bool hurry; /* whatever waits for the registry comes back */
    struct control *control;
    enum state state;
    int64_t since_us;        /* of the present state */
    struct flow *flow;       /* from STREAMING until CLOSING is over */
    bool again;              /* after CLOSING: start again */
    int64_t began_us;        /* when the last session began to stream */
    uint32_t short_sessions; /* in a row */
    bool told;               /* to stop, by a signal */
    struct ending ending;
    int status; /* exit status */
    struct flow_totals totals;
    struct flow_totals reported;
    int64_t reported_us;

    struct ev_loop *loop;
    ev_io replication_io;
    ev_io sql_io;
    ev_async news;
    ev_timer tick;
    struct nap nap;
    ev_signal terminate, interrupt, hangup;
};

/* --- states --- */

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

static bool is_flowing(const struct pipeline *p)
{
    return p->state == STREAMING || p->state == DRAINING;
}

static void finish(struct pipeline *p)
{
    set_state(p, DONE);
    ev_break(p->loop, EVBREAK_ALL);
}

/* The links are closed at once: a PostgreSQL that shuts down waits for its walsender, and Kafka may
 * be away for long. */
static void close_session(struct pipeline *p)
{
    ev_io_stop(p->loop, &p->replication_io);
    ev_io_stop(p->loop, &p->sql_io);
    nap_stop(&p->nap);
    set_state(p, CLOSING);
    atomic_store(&p->hurry, true);
    if (p->flow != NULL) {
        ending_note(&p->ending, p->flow);
        flow_close(p->flow);
    } else {
        control_end_session(p->control, NULL, 0);
    }
}

/* What PostgreSQL has not been told to forget comes again, so nothing in memory is worth keeping.
 */
static void session_failed(struct pipeline *p, enum verdict verdict, struct error *error)
{
    if (p->state == CLOSING || p->state == DONE) {
        return;
    }
    bool passing = verdict == RETRY || verdict == RESTART || verdict == WAIT || verdict == ABORT;
    error->verdict = verdict;
    log_error(p->log, passing ? LOG_WARN : LOG_ERROR, error);
    p->again = passing && p->state != DRAINING;
    p->status = passing ? p->state == DRAINING : verdict_exit_status(verdict);
    close_session(p);
}

static void drain(struct pipeline *p, const char *why)
{
    log_write(p->log, LOG_INFO, "draining: no more is read, what is in flight is finished",
              F_TEXT("reason", why));
    set_state(p, DRAINING);
    nap_stop(&p->nap);
    p->flow->urgent = true;
}

static void stop(struct pipeline *p, const char *why)
{
    bool again = p->told;
    p->told = true;
    switch (p->state) {
    case STREAMING: drain(p, why); break;
    case DRAINING:
        if (!again) { /* it has come to its end by itself */
            log_write(p->log, LOG_INFO, "told to stop: it is draining already");
            break;
        }
        log_write(p->log, LOG_WARN,
                  "told to stop a second time: what is in flight is left to the next start");
        close_session(p);
        break;
    case STARTING: close_session(p); break;
    case CLOSING: p->again = false; break;
    case DONE: break;
    }
}

/* --- after anything has happened --- */

static void watch(struct pipeline *p, ev_io *io, int events)
{
    if (events == (io->events & (EV_READ | EV_WRITE)) && (events != 0) == ev_is_active(io)) {
        return;
    }
    ev_io_stop(p->loop, io);
    ev_io_set(io, io->fd, events);
    if (events != 0) {
        ev_io_start(p->loop, io);
    }
}

/* Back-pressure: a full memory stops reading the replication socket; status updates go on by timer.
 */
static void watch_sockets(struct pipeline *p)
{
    struct flow *flow = p->flow;
    bool listen = p->state == STREAMING && flow->snapshot == NULL && !p->nap.asleep &&
                  !flow_memory_is_full(flow);
    bool write = flow->status_pending || link_wants_write(flow->session.replication);
    watch(p, &p->replication_io, (listen ? EV_READ : 0) | (write ? EV_WRITE : 0));
    watch(p, &p->sql_io, EV_READ | (link_wants_write(flow->session.sql) ? EV_WRITE : 0));
}

static void progress(struct pipeline *p)
{
    if (!is_flowing(p)) {
        return;
    }
    if (p->state == STREAMING && p->flow->reached_end) {
        drain(p, "everything up to the wanted position was read");
    }
    struct error error;
    enum verdict verdict = flow_progress(p->flow, &error);
    if (verdict != OK) {
        session_failed(p, verdict, &error);
    } else if (p->state == DRAINING && flow_is_drained(p->flow)) {
        log_write(p->log, LOG_INFO, "drained", F_LSN("confirmed", p->flow->feedback.sent_lsn));
        p->ending.reached = p->flow->reached_end;
        close_session(p);
    } else {
        watch_sockets(p);
    }
}

/* --- callbacks of the loop --- */

static void read_stream(struct pipeline *p)
{
    struct error error;
    uint32_t total = 0;
    enum verdict verdict = OK;
    for (uint32_t reads = 0, n = 1; verdict == OK && n > 0 && reads < READS_MAX; reads++) {
        verdict = flow_read(p->flow, &n, &error);
        total += n;
        if (flow_memory_is_full(p->flow) || p->flow->reached_end) {
            break;
        }
    }
    if (verdict != OK) {
        session_failed(p, verdict, &error);
    } else if (total >= NAP_FROM_MESSAGES) {
        bool local = link_is_unix_socket(p->flow->session.replication);
        nap_start(&p->nap, local ? NAP_SOCKET_US : NAP_TCP_US);
    }
}

static void on_replication(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    struct pipeline *p = watcher->data;
    if (p->state == STREAMING && events & EV_READ) {
        read_stream(p);
    }
    if (is_flowing(p) && events & EV_WRITE) {
        struct error error;
        enum verdict verdict = link_flush(p->flow->session.replication, &error);
        if (verdict != OK && verdict != AGAIN) {
            session_failed(p, verdict, &error);
        }
    }
    progress(p);
}

static void on_wake(void *context)
{
    struct pipeline *p = context;
    if (p->state == STREAMING && !flow_memory_is_full(p->flow)) {
        read_stream(p);
    }
    progress(p);
}

static void on_sql(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    struct pipeline *p = watcher->data;
    if (!is_flowing(p)) {
        return;
    }
    bool snapshot = p->flow->snapshot != NULL;
    struct error error;
    enum verdict verdict = flow_sql(p->flow, events & EV_READ, events & EV_WRITE, &error);
    if (verdict != OK) {
        session_failed(p, verdict, &error);
    } else if (snapshot && p->flow->snapshot == NULL && p->state == STREAMING) {
        read_stream(p); /* the socket was not listened to until now */
    }
    progress(p);
}

static void on_notify(void *context)
{
    struct pipeline *p = context;
    ev_async_send(p->loop, &p->news);
}

static void session_began(struct pipeline *p, const struct session *session)
{
    p->flow = flow_new(
        &(struct flow_options){
            .config = p->config,
            .run = p->options,
            .log = p->log,
            .rules = &p->rules,
            .control = p->control,
            .totals = &p->totals,
            .lane_notify = on_notify,
            .context = p,
        },
        session);
    set_state(p, STREAMING);
    p->began_us = p->since_us;
    log_write(p->log, LOG_INFO, "streaming", F_TEXT("server", link_host(session->sql)),
              F_TEXT("slot", p->config->postgres.slot), F_LSN("from", session->slot_lsn),
              F_U64("generation", session->checkpoint.generation),
              F_LSN("settled", session->checkpoint.settled_lsn));
    ev_io_set(&p->replication_io, link_fd(session->replication), EV_READ);
    ev_io_set(&p->sql_io, link_fd(session->sql), EV_READ);
    if (p->flow->snapshot == NULL) { /* the start may have read more than its answers */
        read_stream(p);
    }
}

/* Sessions that fail as soon as they stream must not be started as fast as they fail. */
static uint32_t pause_before_session(struct pipeline *p)
{
    if (clock_us() - p->began_us > SHORT_SESSION_US) {
        p->short_sessions = 0;
        return 0;
    }
    p->short_sessions++;
    return p->short_sessions == 1 ? 0 : backoff_ms(p->short_sessions, 50, 5000);
}

static void session_ended(struct pipeline *p, struct segment *left)
{
    if (p->flow != NULL) {
        flow_give_back(p->flow, left);
        flow_free(p->flow);
        p->flow = NULL;
    }
    atomic_store(&p->hurry, false);
    if (!p->again) {
        finish(p);
        return;
    }
    p->again = false;
    set_state(p, STARTING);
    control_begin_session(p->control, pause_before_session(p));
}

static void on_news(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)events;
    struct pipeline *p = watcher->data;
    if (is_flowing(p)) {
        struct error error;
        enum verdict verdict = flow_collect(p->flow, &error);
        if (verdict != OK) {
            session_failed(p, verdict, &error);
        }
    }
    struct control_news news;
    struct session session;
    control_collect(p->control, &news, &session);
    if (news.started && p->state == STARTING) {
        session_began(p, &session);
    } else if (news.started) { /* told to stop meanwhile */
        session_release(&session);
    }
    if (news.settled && is_flowing(p)) {
        feedback_leader_answered(&p->flow->feedback, news.settled_lsn);
    }
    if (news.verdict != OK) {
        session_failed(p, news.verdict, &news.error);
    }
    if (news.ended) {
        session_ended(p, news.left);
    }
    progress(p);
}

/* --- once in a while --- */

static void report(struct pipeline *p, int64_t now)
{
    if (now - p->reported_us < REPORT_EVERY_US) {
        return;
    }
    flow_say(p->flow, &p->reported, now - p->reported_us);
    p->reported_us = now;
}

static void give_up_waiting(struct pipeline *p, int64_t now)
{
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
}

static void on_tick(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct pipeline *p = watcher->data;
    int64_t now = clock_us();
    if (is_flowing(p)) {
        bool listening = ev_is_active(&p->replication_io) && p->replication_io.events & EV_READ;
        struct error error;
        enum verdict verdict = flow_watch(p->flow, listening, now, &error);
        if (verdict != OK) {
            session_failed(p, verdict, &error);
        } else {
            report(p, now);
        }
    }
    control_watch(p->control, now);
    rules_warn(&p->rules, p->log);
    give_up_waiting(p, now);
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

/* --- a run --- */

static void watchers_init(struct pipeline *p)
{
    ev_init(&p->replication_io, on_replication);
    ev_init(&p->sql_io, on_sql);
    ev_async_init(&p->news, on_news);
    nap_init(&p->nap, p->loop, on_wake, p);
    ev_timer_init(&p->tick, on_tick, TICK_MS / 1e3, TICK_MS / 1e3);
    ev_signal_init(&p->terminate, on_signal, SIGTERM);
    ev_signal_init(&p->interrupt, on_signal, SIGINT);
    ev_signal_init(&p->hangup, on_signal, SIGHUP);
    p->replication_io.data = p->sql_io.data = p->news.data = p->tick.data = p;
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
    enum contracts_use use = options->target == TO_KAFKA ? CONTRACTS_PUBLISH : CONTRACTS_LOOK;
    enum verdict verdict = rules_load(&p.rules, config, use, &p.hurry, log, &error);
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
        .config = config, .run = options, .log = log, .notify = on_notify, .context = &p});
    control_begin_session(p.control, 0);
    ev_run(p.loop, 0);
    p.status = ending_status(&p.ending, options, p.status, log);
    rules_say(&p.rules, &p.totals, p.status, log);
    if (p.flow == NULL) { /* else a thread still waits for Kafka and owns parts of it all */
        control_stop(p.control);
        rules_release(&p.rules);
        nap_release(&p.nap);
        ev_loop_destroy(p.loop);
    }
    return p.status;
}
