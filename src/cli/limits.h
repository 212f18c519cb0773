/* SPDX-License-Identifier: Apache-2.0
 *
 * limits.h - what the brokers allow, beside what the configuration asks for.
 * In: a configuration and the cluster. Out: plain structs, and a verdict.
 * Owns: nothing.  Thread: main's; the questions wait.
 * Keeps: what Kafka would refuse is found before anything is made. */
#ifndef WALPOST_CLI_LIMITS_H
#define WALPOST_CLI_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kafka/cluster.h"

struct config;

struct transaction_limit {
    int64_t timeout_ms; /* ours: transaction.timeout.ms */
    bool configured;    /* by kafka.transaction.timeout.ms, else it is the default */
    int64_t broker_ms;  /* the brokers' transaction.max.timeout.ms */
};
/* As cluster_setting. */
enum verdict MUST_CHECK transaction_limit_find(const struct config *config, struct cluster *cluster,
                                               struct transaction_limit *limit,
                                               struct error *error);
/* INVALID: the brokers would refuse every transactional id of the stream. Pure. */
enum verdict MUST_CHECK transaction_limit_judge(const struct transaction_limit *limit,
                                                struct error *error);

struct record_limit {
    int64_t bytes;        /* the topic's max.message.bytes */
    int64_t wanted_bytes; /* what it should be at least */
    bool configured;      /* wanted by kafka.message.max.bytes, else it is Kafka's default */
};
/* topic NULL: what a topic has that does not say otherwise. As cluster_setting. */
enum verdict MUST_CHECK record_limit_find(const struct config *config, struct cluster *cluster,
                                          const char *topic, struct record_limit *limit,
                                          struct error *error);

#endif
