/* SPDX-License-Identifier: Apache-2.0
 *
 * found.h - a stream's checkpoint from outside a run: does it exist, what does it say, and the
 * first one.
 * In: a configuration. Out: a summary, or a committed first generation.
 * Owns: its own clients for the time of a call.  Thread: any; calls wait, some seconds at the most.
 * Keeps: I9: the first checkpoint is written only by init, for a slot that it created in that very
 *     run. */
#ifndef WALPOST_PIPELINE_FOUND_H
#define WALPOST_PIPELINE_FOUND_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/log.h"
#include "base/lsn.h"
#include "checkpoint/checkpoint.h"
#include "kafka/cluster.h"
#include "pg/catalog.h"

struct config;
struct reader;

/* The topic of the checkpoint, as it must be for so many lanes. Borrows its name from the
 * configuration. */
struct topic_spec checkpoint_topic_spec(const struct config *config, uint32_t lanes);

/* More lanes than the topic has partitions: it grows, before a lane needs its own. One that was
 * lost is made again, where it may be. */
enum verdict MUST_CHECK checkpoint_provide(const struct config *config, const struct log *log,
                                           uint32_t lanes, bool may_create, struct error *error);

/* Reads the newest generation, uncommitted records included (nothing hides them). A missing topic
 * is exists = false. */
enum verdict MUST_CHECK checkpoint_exists(const struct config *config, const struct log *log,
                                          bool *exists, struct checkpoint_summary *summary,
                                          struct error *error);

/* Commits generation 1 of a stream whose slot was created at consistent_point in this run of init.
 * with_snapshot: rows that were there before wait in the snapshot table. */
enum verdict MUST_CHECK checkpoint_found(const struct config *config,
                                         const struct pg_identity *identity, uint32_t lanes,
                                         lsn consistent_point, bool with_snapshot,
                                         const struct log *log, struct error *error);

/* The whole checkpoint through a reader of the caller's; *checkpoint is initialised here, and
 * complete on OK. */
enum verdict MUST_CHECK checkpoint_read(const struct config *config, struct reader *reader,
                                        bool committed, int timeout_ms, const atomic_bool *stop,
                                        struct checkpoint *checkpoint, struct error *error);

/* Who runs here: "host:pid:start". */
void instance_name(char *name, size_t size);

#endif
