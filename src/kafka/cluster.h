/* SPDX-License-Identifier: Apache-2.0
 *
 * cluster.h - the Kafka cluster as a whole: is it there, which topics has it, make one.
 * In: the kafka: section of the configuration. Out: verdicts and plain structs.
 * Owns: its own client. kafka/ is the only home of librdkafka.
 * Thread: one at a time; calls wait, at most their timeout.
 * Keeps: properties that carry a promise are set here and can not be overridden. */
#ifndef WALPOST_KAFKA_CLUSTER_H
#define WALPOST_KAFKA_CLUSTER_H

#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

struct config;
struct cluster;

/* The reason why a user may not set this librdkafka property, or NULL. Pure. */
const char *kafka_reserved_property(const char *name);
/* Does librdkafka know the property, and take this value? INVALID with its own words otherwise. */
enum verdict MUST_CHECK kafka_check_property(const char *name, const char *value,
                                             struct error *error);
const char *kafka_library_version(void);

/* log may be NULL: the client's own log lines are then dropped. INVALID: properties that do not go
 * together. */
enum verdict MUST_CHECK cluster_new(const struct config *config, const struct log *log,
                                    struct cluster **cluster, struct error *error);
void cluster_free(struct cluster *cluster);

/* RETRY: no broker answered in time (error names bootstrap.servers and the last reason: refused,
 * not resolved, TLS, authentication: that one is FATAL). */
enum verdict MUST_CHECK cluster_ping(struct cluster *cluster, int timeout_ms, int *n_brokers,
                                     struct error *error);

struct topic_state {
    bool exists;
    int32_t partitions;
};
/* WAIT: not authorized. RETRY: no answer. */
enum verdict MUST_CHECK cluster_topic(struct cluster *cluster, const char *topic, int timeout_ms,
                                      struct topic_state *state, struct error *error);

/* Every topic that the cluster shows to this user. RETRY: no answer. */
enum verdict MUST_CHECK cluster_topics(struct cluster *cluster, int timeout_ms,
                                       void (*topic)(void *context, const char *name,
                                                     int32_t partitions),
                                       void *context, struct error *error);

struct topic_spec {
    const char *name;
    int32_t partitions;
    int32_t replication_factor;       /* -1: the broker's default */
    const char *const (*settings)[2]; /* {"cleanup.policy", "compact"}, ... */
    size_t n_settings;
};
/* OK also when it exists already; waits until its metadata is there. */
enum verdict MUST_CHECK cluster_create_topic(struct cluster *cluster, const struct topic_spec *spec,
                                             int timeout_ms, struct error *error);
enum verdict MUST_CHECK cluster_grow_topic(struct cluster *cluster, const char *topic,
                                           int32_t partitions, int timeout_ms, struct error *error);
enum verdict MUST_CHECK cluster_delete_topic(struct cluster *cluster, const char *topic,
                                             int timeout_ms, struct error *error);

/* Reads one setting of a topic or (topic NULL) of a broker: "max.message.bytes",
 * "transaction.max.timeout.ms". */
enum verdict MUST_CHECK cluster_setting(struct cluster *cluster, const char *topic,
                                        const char *name, int timeout_ms, char *value, size_t size,
                                        struct error *error);

#endif
