/* SPDX-License-Identifier: Apache-2.0
 *
 * source.h - the PostgreSQL half of a start: connect, look at everything, acquire the slot; and
 * I9's judgements. In: session options. Out: the links and facts in struct session. Owns: nothing
 * beyond the session.  Thread: the control thread. Keeps: I9, I11. */
#ifndef WALPOST_PIPELINE_SOURCE_H
#define WALPOST_PIPELINE_SOURCE_H

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

/* REFUSE, in the user's words, when this publication does not carry the table's inserts. from_lsn,
 * to_lsn: the window in which rows may have been missed; from 0: none was read yet. */
enum verdict MUST_CHECK source_judge_publication(const struct config *config,
                                                 const struct pg_publication *publication,
                                                 const struct pg_table *table, lsn from_lsn,
                                                 lsn to_lsn, struct error *error);

/* Does the checkpoint belong to this cluster and to an ancestor of its timeline, and is the slot
 * where it left it? OK or REFUSE. */
enum verdict MUST_CHECK source_judge_lineage(const struct session_options *options,
                                             const struct checkpoint *found,
                                             struct session *session, struct error *error);
enum verdict MUST_CHECK source_judge_gap(const struct config *config,
                                         const struct checkpoint *found,
                                         const struct session *session, struct error *error);
/* The slot is gone, and *error says how; the checkpoint is of this history: adds both positions. */
enum verdict source_refuse_gone_slot(const struct checkpoint *found, const struct session *session,
                                     struct error *error);
enum verdict source_refuse_without_checkpoint(const struct config *config, lsn slot_lsn,
                                              struct error *error);

#endif
