/* SPDX-License-Identifier: Apache-2.0
 *
 * belongs.h - do checkpoint, server and slot belong together? One home for the rules and for their
 * words: a start, init, check and drop judge alike.
 * In: what was recorded, what is seen. Out: OK, or REFUSE with both positions and the remedy.
 * Owns: nothing; pure.  Thread: any.
 * Keeps: I9, I11: a copy of a configuration is refused before it harms the stream that it was
 *     copied from. */
#ifndef WALPOST_PIPELINE_BELONGS_H
#define WALPOST_PIPELINE_BELONGS_H

#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "pg/catalog.h"

struct seen {
    const struct config *config; /* the names */
    const struct pg_identity *identity;
    bool has_slot; /* one that can be streamed from */
    lsn slot_lsn;  /* where it stands */
};

/* Is the checkpoint of another cluster, or of another database of this one? */
bool belongs_elsewhere(const struct seen *seen, const struct checkpoint_summary *recorded);
enum verdict MUST_CHECK belongs_to_server(const struct seen *seen,
                                          const struct checkpoint_summary *recorded,
                                          struct error *error);

/* Does the stream read the slot that is configured? Two configurations with one stream name and a
 * slot each would fence each other in turns; only the checkpoint can tell. */
enum verdict MUST_CHECK belongs_to_slot(const struct seen *seen,
                                        const struct checkpoint_summary *recorded,
                                        struct error *error);

/* Does the server still have all that Kafka has? identity->wal_lsn must be younger than what was
 * recorded. */
enum verdict MUST_CHECK belongs_to_present(const struct seen *seen,
                                           const struct checkpoint_summary *recorded,
                                           struct error *error);
/* Did its history leave the recorded timeline, at `branched`, only after what Kafka has? 0: it was
 * never on it. */
enum verdict MUST_CHECK belongs_to_timeline(const struct seen *seen,
                                            const struct checkpoint_summary *recorded, lsn branched,
                                            struct error *error);

/* Is the slot where the checkpoint left it, or behind? */
enum verdict MUST_CHECK belongs_to_position(const struct seen *seen,
                                            const struct checkpoint_summary *recorded,
                                            struct error *error);

/* One half alone. gone: PostgreSQL's words about the slot; NULL: it is not there. */
enum verdict belongs_refuse_without_slot(const struct seen *seen,
                                         const struct checkpoint_summary *recorded,
                                         const struct error *gone, struct error *error);
enum verdict belongs_refuse_without_checkpoint(const struct seen *seen, struct error *error);

#endif
