/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_topic.h - reads and writes walpost.replay.<stream>.
 * In: a configuration. Out: a journal; records that all in-sync replicas have.
 * Owns: its own clients, for the time of a call.
 * Thread: any, one at a time; calls wait.
 * Keeps: I11: writes with a producer that has no transactional id, so nobody is fenced by it. */
#ifndef WALPOST_ANCHOR_JOURNAL_TOPIC_H
#define WALPOST_ANCHOR_JOURNAL_TOPIC_H

#include <stdatomic.h>

#include "base/log.h"
#include "checkpoint/journal.h"
#include "kafka/cluster.h"

struct config;

struct topic_spec journal_topic_spec(const struct config *config);

/* Into a journal that the caller has initialised (wanted_id and progress included). No such topic:
 * OK, exists is false. committed: only what is committed, once nothing before the end is open any
 * more; RETRY: not in time, however often it was tried. */
enum verdict MUST_CHECK journal_read(const struct config *config, bool committed, int timeout_ms,
                                     const atomic_bool *stop, struct journal *journal,
                                     struct error *error);
/* Makes the topic where it is missing. */
enum verdict MUST_CHECK journal_provide(const struct config *config, struct error *error);
/* One record to partition 0; value.data NULL removes what stood under the key. WAIT: no such topic,
 * or no right. RETRY: no answer in time. */
enum verdict MUST_CHECK journal_write(const struct config *config, const struct log *log,
                                      const char *key, struct bytes value, const atomic_bool *stop,
                                      struct error *error);
/* The clock, as a record of its own. */
enum verdict MUST_CHECK journal_write_wal_clock(const struct config *config, const struct log *log,
                                                const struct wal_clock *clock,
                                                const atomic_bool *stop, struct error *error);

#endif
