/* SPDX-License-Identifier: Apache-2.0
 *
 * The way back of flow.h: ledger -> the leader's record in Kafka -> PostgreSQL; and what watches
 * over both ends. */
#include <inttypes.h>

#include "base/broken_rule.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "config/config.h"
#include "pg/stream.h"
#include "pipeline/flow.h"

enum {
    IDLE_EVERY_US = 1000 * 1000,
    URGENT_EVERY_US = 100 * 1000,
    STATUS_EVERY_US = 10 * 1000 * 1000,
    PUBLICATION_EVERY_US = 5 * 1000 * 1000,
    SLOT_EVERY_US = 5 * 1000 * 1000,
    SILENCE_DEFAULT_MS = 60 * 1000,
};

/* Rows that the publication no longer carries would be skipped in silence: it is looked at before
 * an idle position is confirmed, not after. */
void flow_note_idle(struct flow *flow, int64_t now_us)
{
    if (flow->snapshot != NULL || intake_in_transaction(flow->intake) ||
        ledger_transactions(flow->ledger) > 0 || flow->read_lsn <= ledger_safe_lsn(flow->ledger) ||
        flow->idle_lsn != 0) {
        return;
    }
    bool due = flow->urgent || now_us - flow->feedback.leader_asked_us >= IDLE_EVERY_US;
    if (due && !flow->sql.check_wanted && flow->sql.job != SQL_PUBLICATION) {
        flow->sql.check_wanted = true;
        flow->idle_lsn = flow->read_lsn;
    }
}

void flow_confirm_idle(struct flow *flow, lsn checked_lsn)
{
    flow->checked_us = clock_us();
    if (flow->idle_lsn != 0 && checked_lsn >= flow->idle_lsn &&
        !intake_in_transaction(flow->intake)) {
        ledger_idle(flow->ledger, flow->idle_lsn);
    }
    flow->idle_lsn = 0;
}

static enum verdict send_status(struct flow *flow, bool reply_now, struct error *error)
{
    bool kafka = flow->sink == NULL;
    lsn flush = flow->feedback.flush_lsn;
    lsn write = flow->read_lsn > flush ? flow->read_lsn : flush;
    enum verdict verdict =
        stream_status(flow->session.replication, write, kafka ? flush : 0, reply_now, error);
    flow->status_pending = verdict == AGAIN;
    if (verdict == OK) {
        feedback_sent(&flow->feedback, clock_us());
    }
    return verdict == AGAIN ? OK : verdict;
}

static int64_t status_interval_us(const struct flow *flow)
{
    int64_t third_us = (int64_t)flow->session.server.wal_sender_timeout_ms * 1000 / 3;
    return third_us > 0 && third_us < STATUS_EVERY_US ? third_us : STATUS_EVERY_US;
}

enum verdict flow_tell_postgres(struct flow *flow, struct error *error)
{
    int64_t now = clock_us();
    lsn safe_lsn = ledger_safe_lsn(flow->ledger);
    if (flow->sink == NULL) {
        lsn published_lsn = ledger_published_lsn(flow->ledger);
        atomic_store(&flow->published_lsn, published_lsn);
        atomic_store(&flow->marked_lsn, safe_lsn);
        feedback_update(&flow->feedback, safe_lsn);
        if (rule_is_broken("commit_before_confirm") && flow->read_lsn > flow->feedback.flush_lsn) {
            flow->feedback.flush_lsn = flow->read_lsn;
        }
        if (feedback_wants_leader(&flow->feedback, safe_lsn, flow->urgent, now)) {
            feedback_leader_asked(&flow->feedback, now);
            control_commit_settled(flow->options.control, published_lsn);
        }
    }
    bool answer = flow->urgent && now - flow->feedback.sent_us >= URGENT_EVERY_US;
    if (!answer && !flow->status_pending &&
        !feedback_wants_status(&flow->feedback, flow->urgent, status_interval_us(flow), now)) {
        return OK;
    }
    crash_point("before_feedback");
    enum verdict verdict = send_status(flow, flow->until_lsn != 0 && !flow->reached_end, error);
    bool said_all =
        flow->sink != NULL || (flow->feedback.sent_lsn >= safe_lsn && flow->read_lsn <= safe_lsn &&
                               ledger_transactions(flow->ledger) == 0);
    if (said_all) {
        flow->urgent = false;
    }
    return verdict;
}

/* --- once in a while --- */

/* A server that says nothing for its own timeout is asked, then given up: the connection may be
 * half open. */
static enum verdict watch_server(struct flow *flow, int64_t now_us, struct error *error)
{
    uint32_t timeout_ms = flow->session.server.wal_sender_timeout_ms;
    int64_t patience_us = (int64_t)(timeout_ms == 0 ? SILENCE_DEFAULT_MS : timeout_ms) * 1000;
    int64_t silent_us = now_us - flow->heard_us;
    if (silent_us > patience_us + patience_us / 2) {
        return error_set(error, RETRY,
                         "%s has been silent for %" PRId64 " s on the replication connection",
                         link_host(flow->session.replication), silent_us / 1000000);
    }
    return silent_us > patience_us / 2 ? send_status(flow, true, error) : OK;
}

/* The lane that is worth a line: the first that waits for somebody, else the one that waits for
 * Kafka the longest. */
static uint32_t find_late_lane(struct flow *flow, struct lane_look *late)
{
    uint32_t found = 0;
    *late = (struct lane_look){.busy_us = 0};
    for (uint32_t i = 0; i < flow->n_lanes && !late->waiting; i++) {
        struct lane_look look;
        lane_look(flow->lanes[i], &look);
        if (look.waiting || look.busy_us > late->busy_us) {
            *late = look;
            found = i;
        }
    }
    return found;
}

static void watch_lanes(struct flow *flow, int64_t now_us)
{
    struct lane_look look;
    uint32_t lane = find_late_lane(flow, &look);
    bool lasts = look.waiting || look.busy_us > WAITING_SAY_US;
    switch (waiting_look(&flow->waiting, lasts, look.trouble, now_us)) {
    case WAITING_SAY:
        log_write(flow->options.log, LOG_WARN,
                  look.waiting ? "a lane waits for something outside"
                               : "waiting for Kafka: a batch is not committed yet",
                  F_U64("lane", lane), F_SECONDS("seconds", (double)look.busy_us / 1e6),
                  F_TEXT("trouble", look.trouble), F_TEXT("remedy", look.remedy));
        break;
    case WAITING_OVER: log_write(flow->options.log, LOG_INFO, "no lane waits any more"); break;
    case WAITING_QUIET: break;
    }
}

enum verdict flow_watch(struct flow *flow, bool listening, int64_t now_us, struct error *error)
{
    if (flow->sink == NULL && now_us - flow->checked_us > PUBLICATION_EVERY_US) {
        flow->checked_us = now_us;
        flow->sql.check_wanted = true;
    }
    if (flow->sink == NULL && now_us - flow->slot_us > SLOT_EVERY_US) {
        flow->slot_us = now_us;
        flow->sql.slot_wanted = true;
    }
    watch_lanes(flow, now_us);
    if (flow->until_lsn != 0) {
        flow->urgent = true; /* keeps asking the server how far it is */
    }
    if (!listening) { /* memory is full, or the snapshot comes first */
        flow->heard_us = now_us;
        return OK;
    }
    return watch_server(flow, now_us, error);
}

void flow_say(const struct flow *flow, struct flow_totals *before, int64_t elapsed_us)
{
    const struct flow_totals *totals = flow->options.totals;
    uint64_t published = totals->published - before->published;
    if (published > 0) {
        log_write(flow->options.log, LOG_INFO, "progress", F_U64("published", totals->published),
                  F_U64("dead_lettered", totals->dead),
                  F_U64("per_second", published * 1000000 / (uint64_t)elapsed_us),
                  F_LSN("confirmed", flow->feedback.sent_lsn),
                  F_U64("memory", intake_memory(flow->intake)),
                  F_U64("unmarked", marker_pending(flow->marker)));
    }
    if (flow->sql.locked) {
        log_write(flow->options.log, LOG_WARN,
                  "marks wait for a lock on the outbox table; the stream goes on",
                  F_U64("unmarked", marker_pending(flow->marker)));
    }
    *before = *totals;
}
