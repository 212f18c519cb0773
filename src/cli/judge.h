/* SPDX-License-Identifier: Apache-2.0
 *
 * judge.h - do slot, checkpoint and server belong together?
 * In: what was found in PostgreSQL and in Kafka. Out: OK, or REFUSE with both positions and a
 *     remedy.
 * Owns: nothing; pure.  Thread: any.
 * Keeps: I9. */
#ifndef WALPOST_CLI_JUDGE_H
#define WALPOST_CLI_JUDGE_H

#include "config/config.h"
#include "pg/catalog.h"
#include "pipeline/found.h"

/* For whoever reads that it is set. */
#define RECOVER_TABLE_MEANS                                                                      \
    "a run that finds its slot gone, lost or moved makes a new one and publishes the rows that " \
    "are still PENDING, at least once; logical messages since are lost"

/* What is remembered of an init that did not end. */
struct intent {
    bool exists;
    lsn consistent_point; /* 0: it had not come to the first checkpoint */
};

struct findings {
    struct pg_identity identity;
    struct pg_slot slot;
    struct intent intent;
    bool has_checkpoint;
    struct checkpoint_summary checkpoint;
};

/* Is the slot one that this stream can use? Only for a slot that exists. */
enum verdict MUST_CHECK judge_slot(const struct config *config, const struct findings *found,
                                   struct error *error);

/* Is there a gap between the checkpoint and the slot? Also when one of the two is missing; OK when
 * both are. */
enum verdict MUST_CHECK judge_position(const struct config *config, const struct findings *found,
                                       struct error *error);

/* Does the checkpoint belong to another cluster, or to another database of this one? */
bool judge_is_foreign(const struct findings *found);

/* REFUSE: a stream of that name reads another cluster, another database or another slot. */
enum verdict MUST_CHECK judge_owner(const struct config *config, const struct findings *found,
                                    struct error *error);

/* REFUSE: the checkpoint is of this database, and of a stream that reads another slot. */
enum verdict MUST_CHECK judge_slot_name(const struct config *config, const struct findings *found,
                                        struct error *error);

/* Are there rows from before the slot that are not all published? */
bool judge_snapshot_waits(const struct findings *found);

/* Was the slot left by an init that died before the stream began, so that nothing is lost when it
 * is made again? */
bool judge_starts_over(const struct findings *found);

#endif
