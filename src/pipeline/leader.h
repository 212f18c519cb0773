/* SPDX-License-Identifier: Apache-2.0
 *
 * leader.h - the producer of the stream's leadership: walpost.<stream>.leader.
 * In: generation and settled records. Out: committed in partition 0 of the checkpoint topic, or
 *     RESTART.
 * Owns: its producer.  Thread: one at a time (the control thread, or init).
 * Keeps: I11; a commit with an unknown outcome is neither assumed nor repeated. */
#ifndef WALPOST_PIPELINE_LEADER_H
#define WALPOST_PIPELINE_LEADER_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"

struct config;
struct doing;
struct leader;
struct producer;

/* stop (may be NULL) must outlive the leader: when it is set, what waits comes back. */
enum verdict MUST_CHECK leader_open(const struct config *config, const struct log *log,
                                    const atomic_bool *stop, struct leader **leader,
                                    struct error *error);
void leader_close(struct leader *leader); /* takes NULL */

/* Whoever is to know why a commit takes long; must outlive the leader. */
void leader_tell(struct leader *leader, struct doing *doing);

/* To be fenced before the first commit: that ends the leadership of whoever had it. */
struct producer *leader_producer(struct leader *leader);

/* OK: committed. RETRY: not committed, may be called again. RESTART (or told to stop), FENCED,
 * FATAL: this leadership is over. */
enum verdict MUST_CHECK leader_commit(struct leader *leader, struct bytes key, struct bytes value,
                                      struct error *error);

#endif
