/* SPDX-License-Identifier: Apache-2.0
 *
 * flow.h - the steps of one session, wired: messages in, marks and confirmations out. Made anew at
 * every connect.
 * In: a started session. Out: verdicts; what failed ends the session, never the data.
 * Owns: intake, ledger, marker, lanes and the session's links, until flow_close and flow_free.
 * Thread: the loop thread; nothing here waits, and nothing here knows libev.
 * Keeps: I1 (confirm), I2, I9 (look at the publication before an idle position is confirmed), I10
 *     (totals). */
#ifndef WALPOST_PIPELINE_FLOW_H
#define WALPOST_PIPELINE_FLOW_H

#include "pipeline/control.h"
#include "pipeline/feedback.h"
#include "pipeline/rules.h"
#include "pipeline/sink.h"
#include "pipeline/slot_watch.h"
#include "pipeline/sqlwork.h"
#include "pipeline/waiting.h"

struct flow_options {
    const struct config *config;
    const struct run_options *run;
    const struct log *log;
    const struct rules *rules;
    struct control *control;
    struct flow_totals *totals; /* over all sessions of the run */
    void (*lane_notify)(void *context);
    void *context;
};

struct flow {
    struct flow_options options;
    struct session session;
    struct intake *intake;
    struct ledger *ledger;
    struct marker *marker;
    struct snapshot *snapshot; /* NULL: none, or read */
    bool snapshot_unsettled;   /* its table is still needed */
    struct sink *sink;         /* NULL: to Kafka */
    struct sqlwork sql;
    struct feedback feedback;
    struct lane **lanes;
    uint32_t n_lanes;
    _Atomic lsn published_lsn; /* what lanes may say of S */
    _Atomic lsn marked_lsn;    /* the rows of everything below are marked */
    uint64_t in_lanes;         /* segments submitted and not collected */
    lsn read_lsn;              /* everything of the WAL below was received */
    lsn idle_lsn;              /* waits for a look at the publication; 0: none */
    lsn until_lsn;
    int64_t heard_us;   /* when the server was last heard */
    int64_t checked_us; /* when the publication was last looked at */
    int64_t slot_us;    /* when the slot was last looked at */
    struct slot_watch slot_watch;
    bool reached_end;       /* everything up to until_lsn was read */
    bool urgent;            /* the server, or a drain, waits for our answer */
    bool status_pending;    /* a status update did not fit into the socket */
    struct waiting waiting; /* for Kafka, or for somebody to change something */
    enum verdict sink_verdict;
    struct error sink_error;
};

/* Takes the session over and starts the lanes. */
struct flow *flow_new(const struct flow_options *options, const struct session *session);
/* Closes the links at once and orders the lanes' end; the segments come back in the control's news.
 */
void flow_close(struct flow *flow);
void flow_give_back(struct flow *flow, struct segment *left);
void flow_free(struct flow *flow);

/* The replication socket is readable. *n: messages taken. */
enum verdict MUST_CHECK flow_read(struct flow *flow, uint32_t *n, struct error *error);
/* The SQL socket is ready. */
enum verdict MUST_CHECK flow_sql(struct flow *flow, bool readable, bool writable,
                                 struct error *error);
/* Lanes have news. */
enum verdict MUST_CHECK flow_collect(struct flow *flow, struct error *error);
/* Whatever can go on, goes on: turns on the SQL link, the leader's records, status updates. */
enum verdict MUST_CHECK flow_progress(struct flow *flow, struct error *error);

bool flow_memory_is_full(const struct flow *flow);
/* Everything read is settled, confirmed and sent. An open transaction is not waited for: it comes
 * again. */
bool flow_is_drained(const struct flow *flow);

/* --- pipeline/confirm.c: the way back --- */

/* The WAL that was read holds nothing of ours, perhaps: asks for a look at the publication. */
void flow_note_idle(struct flow *flow, int64_t now_us);
void flow_confirm_idle(struct flow *flow, lsn checked_lsn);
enum verdict MUST_CHECK flow_tell_postgres(struct flow *flow, struct error *error);

/* Once in a while. listening: is the replication socket read at all? */
enum verdict MUST_CHECK flow_watch(struct flow *flow, bool listening, int64_t now_us,
                                   struct error *error);
/* A line of progress. before: the totals of the last time, which become today's. */
void flow_say(const struct flow *flow, struct flow_totals *before, int64_t elapsed_us);

#endif
