/* SPDX-License-Identifier: Apache-2.0
 *
 * source.h - the PostgreSQL half of a start: connect, look at everything, acquire the slot; and
 * I9's judgements.
 * In: session options. Out: the links and facts in struct session.
 * Owns: nothing beyond the session.  Thread: the control thread.
 * Keeps: I9, I11. */
#ifndef WALPOST_PIPELINE_SOURCE_H
#define WALPOST_PIPELINE_SOURCE_H

#include "pipeline/belongs.h"
#include "pipeline/session.h"

/* One link to the server of the stream. */
enum verdict MUST_CHECK source_connect(const struct session_options *options, bool replication,
                                       struct link **link, struct error *error);

/* Connects both links, checks table and publication, starts the stream (reading nothing) and asks
 * once for the slot's position. */
enum verdict MUST_CHECK source_open(const struct session_options *options, struct session *session,
                                    struct error *error);

/* Is the replication session still the slot's owner? RETRY when it is not. */
enum verdict MUST_CHECK source_alive(struct session *session, const struct config *config,
                                     struct error *error);

/* The same verdict and error while it is; otherwise those of source_alive. Whoever lost the slot
 * must neither fence nor cry: its successor may well have published what was written after this
 * start looked at the server. */
enum verdict MUST_CHECK source_still_ours(const struct session_options *options,
                                          struct session *session, enum verdict verdict,
                                          struct error *error);

/* REFUSE, in the user's words, when this publication does not carry the table's inserts. from_lsn,
 * to_lsn: the window in which rows may have been missed; from 0: none was read yet. */
enum verdict MUST_CHECK source_judge_publication(const struct config *config,
                                                 const struct pg_publication *publication,
                                                 const struct pg_table *table, lsn from_lsn,
                                                 lsn to_lsn, struct error *error);

/* For the judgements of belongs.h. */
struct seen source_seen(const struct session_options *options, const struct session *session);

/* Does the checkpoint belong to this cluster and database, and to an ancestor of its timeline? OK
 * or REFUSE; another verdict when the history could not be asked for. */
enum verdict MUST_CHECK source_judge_lineage(const struct session_options *options,
                                             const struct checkpoint *found,
                                             struct session *session, struct error *error);

#endif
