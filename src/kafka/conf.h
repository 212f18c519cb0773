/* SPDX-License-Identifier: Apache-2.0
 *
 * conf.h - the settings of a librdkafka handle: ours to tune, the user's, ours that promise.
 * In: the kafka: section of the configuration. Out: rd_kafka_conf_t.
 * Owns: nothing; the caller owns the conf until rd_kafka_new has taken it.
 * Thread: any.
 * Keeps: I3, I5, I8, I11 rest on what is set last. */
#ifndef WALPOST_KAFKA_CONF_H
#define WALPOST_KAFKA_CONF_H

#include "kafka/client.h"

/* The name of the environment variable that lets tests use librdkafka's mock cluster. */
#define KAFKA_MOCK_VARIABLE "WALPOST_MOCK_CLUSTER"

/* INVALID, naming the property. *transaction_timeout_ms is what the producer will use. */
enum verdict MUST_CHECK kafka_conf_new(const struct config *config, enum client_role role,
                                       const char *transactional_id, rd_kafka_conf_t **conf,
                                       int *transaction_timeout_ms, struct error *error);

#endif
