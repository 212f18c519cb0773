/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlwork.h - whose turn it is on the SQL link: publication checks, marks, the snapshot; one
 * statement at a time.
 * In: requests. Out: answers, without waiting.
 * Owns: the order of turns; borrows link, marker and snapshot.  Thread: the loop thread.
 * Keeps: I9: an idle position is confirmed only after a look at the publication that came later. */
#ifndef WALPOST_PIPELINE_SQLWORK_H
#define WALPOST_PIPELINE_SQLWORK_H

#include "pipeline/marker.h"
#include "pipeline/session.h"
#include "pipeline/snapshot.h"

enum sql_job { SQL_NONE, SQL_PUBLICATION, SQL_MARKS, SQL_SNAPSHOT, SQL_CLEAN_UP, SQL_SLOT };

struct sqlwork {
    const struct config *config;
    const struct session *session;
    struct link *link;
    struct marker *marker;
    struct snapshot *snapshot; /* NULL: none, or done */
    enum sql_job job;
    bool check_wanted;    /* of the publication */
    bool slot_wanted;     /* a look at the slot */
    bool clean_up_wanted; /* the snapshot table has served */
    lsn check_lsn; /* what the check under way is about: the position read when it was sent */
    lsn good_lsn;  /* the last position for which the publication was as it must be */
    bool locked;   /* marks wait for a lock of the application's */
};

struct sql_answer {
    enum sql_job job; /* SQL_NONE: nothing is complete yet */
    bool snapshot_done;
    lsn checked_lsn;     /* SQL_PUBLICATION: all is well up to here */
    struct pg_slot slot; /* SQL_SLOT */
    const char *warning; /* of the server; valid until the next call */
};

/* Sends the next statement when the link is free. read_lsn: how far the stream was read. may_read:
 * is there memory for more rows? */
enum verdict MUST_CHECK sqlwork_turn(struct sqlwork *work, lsn read_lsn, bool may_read,
                                     int64_t now_us, struct error *error);
/* The link is readable. */
enum verdict MUST_CHECK sqlwork_readable(struct sqlwork *work, int64_t now_us,
                                         struct sql_answer *answer, struct error *error);

#endif
