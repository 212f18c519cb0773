/* SPDX-License-Identifier: Apache-2.0
 *
 * producer.h - real producers behind the seam of lane/producer.h.
 * In: configuration, a transactional id. Out: struct producer.
 * Owns: the librdkafka handle.
 * Thread: see lane/producer.h.
 * Keeps: I11: kafka_producer_fence (InitProducerId) fences every older producer of the id and
 * aborts what it left open. */
#ifndef WALPOST_KAFKA_PRODUCER_H
#define WALPOST_KAFKA_PRODUCER_H

#include <stdatomic.h>

#include "base/log.h"
#include "lane/producer.h"

struct config;

/* transactional_id NULL: an idempotent producer without transactions. */
enum verdict MUST_CHECK kafka_producer_new(const struct config *config, const struct log *log,
                                           const char *transactional_id, struct producer **producer,
                                           struct error *error);

/* Calls that wait come back soon, with RESTART (the fence with RETRY), once *stop is set; it must
 * outlive the producer. NULL: nothing but ops->give_up does that. */
void kafka_producer_stop_with(struct producer *producer, const atomic_bool *stop);

/* init_transactions, waiting at most timeout_ms. OK (also for a producer without transactions);
 * RETRY: call again; FENCED; WAIT: not authorized; FATAL. */
enum verdict MUST_CHECK kafka_producer_fence(struct producer *producer, int timeout_ms,
                                             struct error *error);

#endif
