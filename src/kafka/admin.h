/* SPDX-License-Identifier: Apache-2.0
 *
 * admin.h - questions and orders about topics, on any handle: a producer's or the cluster's own.
 * In: a client. Out: verdicts and plain structs.
 * Owns: nothing.
 * Thread: the client's; calls wait, at most their timeout. */
#ifndef WALPOST_KAFKA_ADMIN_H
#define WALPOST_KAFKA_ADMIN_H

#include "kafka/client.h"
#include "kafka/cluster.h"

/* Fetches the topic's metadata; `handle` may be one that is kept, or NULL. Not there: OK, with
 * exists = false. */
enum verdict MUST_CHECK admin_topic(struct client *client, const char *topic,
                                    rd_kafka_topic_t *handle, int timeout_ms,
                                    struct topic_state *state, struct error *error);

/* OK also when it exists already; waits until every partition has a leader. */
enum verdict MUST_CHECK admin_create_topic(struct client *client, const struct topic_spec *spec,
                                           int timeout_ms, struct error *error);
enum verdict MUST_CHECK admin_grow_topic(struct client *client, const char *topic,
                                         int32_t partitions, int timeout_ms, struct error *error);
enum verdict MUST_CHECK admin_delete_topic(struct client *client, const char *topic, int timeout_ms,
                                           struct error *error);
enum verdict MUST_CHECK admin_setting(struct client *client, const char *topic, const char *name,
                                      int timeout_ms, char *value, size_t size,
                                      struct error *error);

#endif
