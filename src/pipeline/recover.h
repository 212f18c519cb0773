/* SPDX-License-Identifier: Apache-2.0
 *
 * recover.h - recover: table: a slot that is gone is made anew, and the rows that are still PENDING
 * are read again.
 * In: session options. Out: a slot, and a snapshot table that names its birth; the session that
 *     acquires that slot commits the generation.
 * Owns: links of its own, for the time of a call.  Thread: the control thread; calls wait.
 * Keeps: I9: it is said, in the log, the checkpoint and `status`; a crash anywhere leaves a slot
 *     ahead of the checkpoint, which is recovered again. */
#ifndef WALPOST_PIPELINE_RECOVER_H
#define WALPOST_PIPELINE_RECOVER_H

#include "pipeline/session.h"

/* Drops what is left of the slot and makes a new one, with its snapshot. RESTART: done, begin
 * again. Anything else: not now, or not at all. */
enum verdict recover_slot(const struct session_options *options, struct error *error);

/* Was the slot that this session holds made by recover_slot, and is its snapshot there? */
enum verdict MUST_CHECK recover_is_prepared(const struct session_options *options,
                                            const struct session *session, bool *prepared,
                                            struct error *error);

#endif
