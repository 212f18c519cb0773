/* SPDX-License-Identifier: Apache-2.0
 *
 * control.h - the thread that may wait: starts sessions, commits the leader's records, closes what
 * is over.
 * In: orders from the loop. Out: news for the loop, with a notification.
 * Owns: the session while it starts or ends; its leader producer all along.
 * Thread: every function here: the loop thread.
 * Keeps: the loop never waits; standby and retries are said, never silent. */
#ifndef WALPOST_PIPELINE_CONTROL_H
#define WALPOST_PIPELINE_CONTROL_H

#include "lane/lane.h"
#include "pipeline/pipeline.h"
#include "pipeline/session.h"

struct control;

struct control_options {
    const struct config *config;
    const struct run_options *run;
    const struct log *log;
    void (*notify)(void *context); /* news; called from the control thread */
    void *context;
};

struct control *control_start(const struct control_options *options);

/* Tries to start a session until it works, fails for good, or control_stop; with backoff between
 * the tries, and pause_ms before the first. */
void control_begin_session(struct control *control, uint32_t pause_ms);

/* Commits a "settled" record of the leader. */
void control_commit_settled(struct control *control, lsn settled_lsn);

/* Ends a session: stops and frees the lanes (array of n, taken over), closes the links. The
 * segments that were not collected come back in the news. Also ends a start that is under way. */
void control_end_session(struct control *control, struct lane **lanes, uint32_t n_lanes);

struct control_news {
    bool started;         /* *session is the loop's now */
    bool ended;           /* what control_end_session asked for is done */
    struct segment *left; /* with ended: list */
    bool settled;         /* the leader's record is committed: settled_lsn */
    lsn settled_lsn;
    enum verdict
        verdict; /* not OK: a start that failed for good, or (RESTART ...) a leader commit */
    struct error error;
};
/* *session is written when news->started. */
void control_collect(struct control *control, struct control_news *news, struct session *session);

/* Says what the thread waits for, when that lasts. Once in a while. */
void control_watch(struct control *control, int64_t now_us);

/* Interrupts what waits, joins the thread. */
void control_stop(struct control *control);

#endif
