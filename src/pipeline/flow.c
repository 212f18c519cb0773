/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "config/config.h"
#include "pg/stream.h"
#include "pipeline/letters_left.h"

/* --- lanes and back --- */

/* Kafka has it already; the crash may have come between Kafka's commit and the mark. Kafka has it
 * as a dead letter, perhaps: the row alone does not say. */
static void on_left_out(void *context, const struct row *row, struct position position,
                        uint64_t transaction, uint32_t xid)
{
    struct flow *flow = context;
    struct row known = *row;
    if (known.dead == DEAD_NOT && letters_left_has(flow->session.letters, row, position)) {
        known.dead = DEAD_PROCESSING_FAILED;
    }
    marker_add(flow->marker, &known, transaction, xid);
}

/* The first of each reason is worth a line; the others are counted. */
static void count_dead_letter(struct flow *flow, const struct event *event)
{
    struct flow_totals *totals = flow->options.totals;
    enum dead_reason reason = event->row.dead;
    totals->dead++;
    if (totals->dead_by_reason[reason]++ > 0) {
        return;
    }
    char id[64];
    char remedy[96];
    snprintf(id, sizeof(id), "%.*s", (int)event->row.id.len, event->row.id.data);
    snprintf(remedy, sizeof(remedy), "walpost dlq show %s", id[0] == '\0' ? "ID" : id);
    log_write(flow->options.log, LOG_WARN,
              "an event became a dead letter: the first of this reason, later ones are counted",
              F_TEXT("reason", dead_reason_name(reason)), F_TEXT("event_id", id),
              F_TEXT("detail", event->row.detail == NULL ? "" : event->row.detail),
              F_TEXT("topic", flow->options.config->dead_letter_topic), F_TEXT("remedy", remedy));
}

static void settle(struct flow *flow, struct segment *segment)
{
    ledger_published(flow->ledger, segment->transaction, segment->n_events);
    for (struct event *event = segment->first; event != NULL; event = event->next) {
        flow->options.totals->kept_contract += event->contract != NULL;
        if (event->row.dead == DEAD_NOT) {
            flow->options.totals->published++;
        } else {
            count_dead_letter(flow, event);
        }
        marker_add(flow->marker, &event->row, segment->transaction, segment->xid);
    }
    intake_give_back(flow->intake, segment);
}

static void submit(void *context, uint32_t lane, struct segment *first, struct segment *last)
{
    struct flow *flow = context;
    if (flow->sink == NULL) {
        for (struct segment *s = first; s != NULL; s = s->next) {
            flow->in_lanes++;
        }
        lane_submit(flow->lanes[lane], first, last);
        return;
    }
    flow->sink_verdict = sink_take(flow->sink, first, &flow->sink_error);
    while (first != NULL) {
        struct segment *next = first->next;
        settle(flow, first);
        first = next;
    }
}

enum verdict flow_collect(struct flow *flow, struct error *error)
{
    for (uint32_t i = 0; i < flow->n_lanes; i++) {
        struct lane_news news;
        lane_collect(flow->lanes[i], &news);
        while (news.committed != NULL) {
            struct segment *next = news.committed->next;
            settle(flow, news.committed);
            flow->in_lanes--;
            news.committed = next;
        }
        feedback_committed(&flow->feedback, news.settled_lsn);
        if (news.verdict != OK) {
            *error = news.error;
            return news.verdict;
        }
    }
    return OK;
}

/* --- a session's life --- */

static enum lane_missing_topic missing_topic(const struct config *config)
{
    switch (config->route.on_missing_topic) {
    case MISSING_CREATE: return LANE_TOPIC_CREATE;
    case MISSING_DEAD_LETTER: return LANE_TOPIC_DEAD_LETTER;
    case MISSING_WAIT: break;
    }
    return LANE_TOPIC_WAIT;
}

static void start_lanes(struct flow *flow)
{
    const struct config *config = flow->options.config;
    flow->n_lanes = flow->session.lanes;
    flow->lanes = must_calloc(flow->n_lanes, sizeof(flow->lanes[0]));
    for (uint32_t i = 0; i < flow->n_lanes; i++) {
        flow->lanes[i] = lane_start(&(struct lane_options){
            .number = i,
            .producers = {flow->session.producers[i][0], flow->session.producers[i][1]},
            .encoder = flow->options.rules->encoder,
            .gate = rules_gate(flow->options.rules),
            .checkpoint = &flow->session.checkpoint,
            .checkpoint_topic = config->checkpoint_topic,
            .published_lsn = &flow->published_lsn,
            .marked_lsn = &flow->marked_lsn,
            .alone = flow->n_lanes == 1,
            .on_missing_topic = missing_topic(config),
            .batch_events = config->batch.max_events,
            .batch_bytes = config->batch.max_bytes,
            .linger_us = config->batch.linger_us,
            .notify = flow->options.lane_notify,
            .context = flow->options.context,
        });
        flow->session.producers[i][0] = NULL;
        flow->session.producers[i][1] = NULL;
    }
}

static void start_intake(struct flow *flow, bool kafka)
{
    const struct config *config = flow->options.config;
    const struct checkpoint *checkpoint = &flow->session.checkpoint;
    flow->intake = intake_new(&(struct intake_options){
        .config = config,
        .encoder = flow->options.rules->encoder,
        .checkpoint = kafka ? checkpoint : NULL,
        .ledger = flow->ledger,
        .lanes = kafka ? flow->session.lanes : 1,
        .left_out = on_left_out,
        .submit = submit,
        .context = flow,
    });
    const struct run_options *run = flow->options.run;
    flow->until_lsn = run->once ? flow->session.identity.wal_lsn : run->until_lsn;
    intake_set_end(flow->intake, flow->until_lsn);
}

struct flow *flow_new(const struct flow_options *options, const struct session *session)
{
    struct flow *flow = must_calloc(1, sizeof(*flow));
    flow->options = *options;
    flow->session = *session;
    flow->heard_us = clock_us();
    flow->checked_us = flow->heard_us;
    flow->read_lsn = session->slot_lsn;

    bool kafka = options->run->target == TO_KAFKA;
    const struct checkpoint *checkpoint = &flow->session.checkpoint;
    bool with_snapshot = kafka && session_has_snapshot(session, checkpoint);
    /* Snapshot rows are events below the slot's birth: they are not published before they are. */
    lsn start = kafka ? session_marked_lsn(session, checkpoint) : session->slot_lsn;
    flow->ledger = ledger_new(start);
    atomic_store(&flow->published_lsn, start);
    atomic_store(&flow->marked_lsn, start);
    flow->marker = marker_new(options->config, &flow->session.table, !kafka, flow->ledger);
    start_intake(flow, kafka);
    if (with_snapshot) {
        flow->snapshot = snapshot_new(options->config, &flow->session.table, checkpoint->origin_lsn,
                                      flow->intake);
    }
    flow->snapshot_unsettled = with_snapshot;
    flow->sql = (struct sqlwork){
        .config = options->config,
        .session = &flow->session,
        .link = flow->session.sql,
        .marker = flow->marker,
        .snapshot = flow->snapshot,
        .good_lsn = session->good_lsn,
        .clean_up_wanted = kafka && !with_snapshot, /* a crash may have left its table */
    };
    feedback_init(&flow->feedback, session->slot_lsn, checkpoint->settled_lsn);
    if (kafka) {
        start_lanes(flow);
    } else {
        flow->sink = sink_new(options->rules->encoder, rules_gate(options->rules),
                              options->run->target == TO_STDOUT);
    }
    return flow;
}

void flow_close(struct flow *flow)
{
    link_close(flow->session.replication);
    link_close(flow->session.sql);
    flow->session.replication = NULL;
    flow->session.sql = NULL;
    control_end_session(flow->options.control, flow->lanes, flow->n_lanes);
    flow->lanes = NULL;
    flow->n_lanes = 0;
}

void flow_give_back(struct flow *flow, struct segment *left)
{
    while (left != NULL) {
        struct segment *next = left->next;
        intake_give_back(flow->intake, left);
        left = next;
    }
}

void flow_free(struct flow *flow)
{
    if (flow == NULL) {
        return;
    }
    struct intake_counts counts = intake_counts(flow->intake);
    flow->options.totals->left_out += counts.left_out;
    flow->options.totals->filtered += counts.filtered;
    snapshot_free(flow->snapshot);
    marker_free(flow->marker);
    intake_free(flow->intake);
    ledger_free(flow->ledger);
    sink_free(flow->sink);
    session_release(&flow->session);
    free(flow);
}

/* --- PostgreSQL -> intake --- */

bool flow_memory_is_full(const struct flow *flow)
{
    return flow->sink == NULL && intake_memory(flow->intake) + marker_memory(flow->marker) >=
                                     flow->options.config->memory;
}

/* A keepalive's LSN counts only when no transaction is open. */
static void take_keepalive(struct flow *flow, const struct stream_message *message)
{
    flow->urgent |= message->reply_now;
    if (intake_in_transaction(flow->intake)) {
        return;
    }
    if (message->wal_end > flow->read_lsn) {
        flow->read_lsn = message->wal_end;
    }
    if (flow->until_lsn != 0 && message->wal_end >= flow->until_lsn) {
        flow->reached_end = true;
    }
}

static enum verdict take_message(struct flow *flow, struct stream_message *message,
                                 struct error *error)
{
    if (message->kind == STREAM_KEEPALIVE) {
        take_keepalive(flow, message);
        return OK;
    }
    enum verdict verdict = intake_message(flow->intake, message, error);
    if (verdict == AGAIN) {
        flow->reached_end = true;
        return OK;
    }
    return verdict;
}

/* Whole messages of what the socket gave. */
static enum verdict take_messages(struct flow *flow, uint32_t *n, struct error *error)
{
    enum verdict verdict = OK;
    while (verdict == OK && !flow->reached_end) {
        struct stream_message message;
        verdict = stream_next(flow->session.replication, &message, error);
        if (verdict == OK) {
            verdict = take_message(flow, &message, error);
            stream_free_buffer(message.buffer);
            (*n)++;
        }
    }
    return verdict == AGAIN ? OK : verdict;
}

/* The publication is gone: says which rows to look at. */
static void name_window(const struct flow *flow, struct error *error)
{
    size_t length = strlen(error->what);
    snprintf(error->what + length, sizeof(error->what) - length,
             "; rows inserted after " LSN_FORMAT
             " may not have reached the stream, which was read up to " LSN_FORMAT,
             LSN_ARGS(flow->sql.good_lsn), LSN_ARGS(flow->read_lsn));
}

enum verdict flow_read(struct flow *flow, uint32_t *n, struct error *error)
{
    *n = 0;
    enum verdict verdict = stream_read(flow->session.replication, error);
    /* What came before a loss still counts, and says why. */
    struct error ended;
    enum verdict taken = take_messages(flow, n, &ended);
    if (taken != OK) {
        verdict = taken;
        *error = ended;
    }
    if (verdict == REFUSE && strcmp(error->code, "42704") == 0) {
        name_window(flow, error);
    }
    const char *warning = link_take_warning(flow->session.replication);
    if (warning != NULL) {
        log_write(flow->options.log, LOG_WARN, "the server warns on the replication connection",
                  F_TEXT("warning", warning));
        flow->sql.check_wanted = true; /* PostgreSQL 18 only warns of a missing publication */
    }
    if (verdict != OK) {
        return verdict;
    }
    flow->heard_us = clock_us();
    intake_flush(flow->intake);
    if (flow->sink_verdict != OK) {
        *error = flow->sink_error;
    }
    return flow->sink_verdict;
}

/* --- the SQL link --- */

static void snapshot_finished(struct flow *flow)
{
    log_write(flow->options.log, LOG_INFO, "every row that was there before the slot is read",
              F_U64("rows", snapshot_rows(flow->snapshot)));
    intake_flush(flow->intake);
    snapshot_free(flow->snapshot);
    flow->snapshot = NULL;
    flow->sql.snapshot = NULL;
    flow->heard_us = clock_us();
}

enum verdict flow_sql(struct flow *flow, bool readable, bool writable, struct error *error)
{
    enum verdict verdict = OK;
    if (writable) {
        verdict = link_flush(flow->session.sql, error);
        verdict = verdict == AGAIN ? OK : verdict;
    }
    if (verdict != OK || !readable) {
        return verdict;
    }
    struct sql_answer answer;
    verdict = sqlwork_readable(&flow->sql, clock_us(), &answer, error);
    if (verdict != OK) {
        return verdict;
    }
    if (answer.job == SQL_PUBLICATION) {
        flow_confirm_idle(flow, answer.checked_lsn);
    }
    if (answer.job == SQL_SLOT) {
        slot_watch_look(&flow->slot_watch, flow->options.log, flow->options.config->postgres.slot,
                        &answer.slot, clock_us());
    }
    if (answer.snapshot_done) {
        snapshot_finished(flow);
    }
    return OK;
}

/* --- all together --- */

/* Memory is full of the one transaction that is open, and nothing will free any: it is cut. */
static void relieve(struct flow *flow)
{
    if (flow_memory_is_full(flow) && flow->in_lanes == 0 && marker_pending(flow->marker) == 0) {
        intake_cut(flow->intake);
    }
}

/* The snapshot's table has served once its rows are marked and S has passed the slot's birth: until
 * then it says which rows a start has to publish, or at least to mark. */
static void note_snapshot_settled(struct flow *flow)
{
    if (flow->snapshot_unsettled && flow->snapshot == NULL &&
        flow->feedback.committed_lsn >= flow->session.checkpoint.origin_lsn &&
        ledger_safe_lsn(flow->ledger) >= flow->session.checkpoint.origin_lsn) {
        flow->snapshot_unsettled = false;
        flow->sql.clean_up_wanted = true;
    }
}

enum verdict flow_progress(struct flow *flow, struct error *error)
{
    if (flow->sink == NULL) {
        note_snapshot_settled(flow);
        int64_t now = clock_us();
        relieve(flow);
        flow_note_idle(flow, now);
        enum verdict verdict =
            sqlwork_turn(&flow->sql, flow->read_lsn, !flow_memory_is_full(flow), now, error);
        if (verdict != OK) {
            return verdict;
        }
    }
    return flow_tell_postgres(flow, error);
}

bool flow_is_drained(const struct flow *flow)
{
    if (flow->in_lanes > 0 || marker_pending(flow->marker) > 0 || flow->sql.job != SQL_NONE ||
        flow->snapshot != NULL || flow->sql.clean_up_wanted || flow->feedback.leader_busy) {
        return false;
    }
    return flow->sink != NULL ||
           (flow->feedback.flush_lsn >= ledger_safe_lsn(flow->ledger) &&
            flow->feedback.sent_lsn == flow->feedback.flush_lsn && !flow->status_pending &&
            !link_wants_write(flow->session.replication));
}
