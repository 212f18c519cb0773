/* SPDX-License-Identifier: Apache-2.0
 *
 * session.h - the start, at every connect, in the order that the promises need: slot, look, fence,
 * look again, generation, gap check; then stream.
 * In: a configuration. Out: two links, the slot's position, the generation, fenced producers.
 * Owns: what it opened, until session_release; the pipeline takes the producers over into lanes.
 * Thread: the control thread: these calls wait.
 * Keeps: I9, I11: nothing of Kafka is touched before the slot is ours. */
#ifndef WALPOST_PIPELINE_SESSION_H
#define WALPOST_PIPELINE_SESSION_H

#include <stdatomic.h>

#include "base/log.h"
#include "checkpoint/checkpoint.h"
#include "lane/producer.h"
#include "pg/catalog.h"
#include "pg/link.h"

struct config;
struct doing;
struct leader;
struct letters_left;

struct session_options {
    const struct config *config;
    const struct log *log;
    const atomic_bool *stop;
    struct doing *doing;      /* hears what is waited for */
    bool kafka;               /* false: --to stdout and --to null */
    bool accept_gap;          /* go on over a gap, once */
    bool take_over;           /* end the walsender that holds the slot, once */
    uint64_t last_generation; /* that this process led; 0: none yet */
    const char *instance;     /* the name of this process in its generations */
};

struct session {
    struct link *replication; /* in COPY_BOTH */
    struct link *sql;
    struct pg_identity identity;
    struct pg_server server;
    struct pg_table table;
    struct pg_publication publication;
    lsn good_lsn;   /* the publication carried the table when the WAL ended here */
    bool slot_gone; /* it does not exist, or the server gave it up: none was acquired */
    lsn slot_lsn;   /* confirmed_flush_lsn when the slot was acquired: this session's, valid only
                       while it lives */
    lsn snapshot_birth; /* that walpost.snapshot_<stream> is of; 0: there is no such table */
    struct checkpoint checkpoint; /* the generation that was committed for this session */
    struct leader *leader;
    struct letters_left *letters; /* dead letters among what is left out; NULL: none */
    uint32_t lanes;               /* of this session */
    struct producer *producers[LANES_MAX][2];
};

/* One try. OK: *session is ready to stream. WAIT: another one holds the slot (standby), or
 * something outside must change. RETRY, RESTART: not now. AGAIN: *stop. REFUSE, FENCED, INVALID,
 * FATAL: the end. On anything but OK the session is released. */
enum verdict MUST_CHECK session_start(const struct session_options *options,
                                      struct session *session, struct error *error);

/* Are there rows from before the slot that are not all published, or not all marked? Their table is
 * dropped once they are. */
bool session_has_snapshot(const struct session *session, const struct checkpoint *checkpoint);
/* The rows of everything below are marked; rows of the snapshot have an LSN before the slot's own.
 */
lsn session_marked_lsn(const struct session *session, const struct checkpoint *checkpoint);

/* Closes what is still the session's; the replication link first. */
void session_release(struct session *session);

#endif
