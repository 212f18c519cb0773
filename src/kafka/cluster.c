/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/cluster.h"

#include <stdlib.h>

#include "base/check.h"
#include "kafka/admin.h"

struct cluster {
    struct client client;
};

enum verdict cluster_new(const struct config *config, const struct log *log,
                         struct cluster **cluster, struct error *error)
{
    struct cluster *made = must_calloc(1, sizeof(*made));
    enum verdict verdict = client_open(&made->client, config, CLIENT_ADMIN, NULL, log, error);
    if (verdict != OK) {
        free(made);
        return verdict;
    }
    *cluster = made;
    return OK;
}

void cluster_free(struct cluster *cluster)
{
    if (cluster != NULL) {
        client_close(&cluster->client);
        free(cluster);
    }
}

enum verdict cluster_ping(struct cluster *cluster, int timeout_ms, int *n_brokers,
                          struct error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(cluster->client.rk, 0, NULL, &metadata, timeout_ms);
    client_drain(&cluster->client);
    if (code != 0) {
        return client_failed(&cluster->client, code, "name its brokers", error);
    }
    *n_brokers = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

enum verdict cluster_topic(struct cluster *cluster, const char *topic, int timeout_ms,
                           struct topic_state *state, struct error *error)
{
    return admin_topic(&cluster->client, topic, NULL, timeout_ms, state, error);
}

enum verdict cluster_topics(struct cluster *cluster, int timeout_ms,
                            void (*topic)(void *context, const char *name, int32_t partitions),
                            void *context, struct error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(cluster->client.rk, 1, NULL, &metadata, timeout_ms);
    client_drain(&cluster->client);
    if (code != 0) {
        return client_failed(&cluster->client, code, "list its topics", error);
    }
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *found = &metadata->topics[i];
        if (found->err == 0 && found->partition_cnt > 0) {
            topic(context, found->topic, found->partition_cnt);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

enum verdict cluster_create_topic(struct cluster *cluster, const struct topic_spec *spec,
                                  int timeout_ms, struct error *error)
{
    return admin_create_topic(&cluster->client, spec, timeout_ms, error);
}

enum verdict cluster_grow_topic(struct cluster *cluster, const char *topic, int32_t partitions,
                                int timeout_ms, struct error *error)
{
    return admin_grow_topic(&cluster->client, topic, partitions, timeout_ms, error);
}

enum verdict cluster_delete_topic(struct cluster *cluster, const char *topic, int timeout_ms,
                                  struct error *error)
{
    return admin_delete_topic(&cluster->client, topic, timeout_ms, error);
}

enum verdict cluster_setting(struct cluster *cluster, const char *topic, const char *name,
                             int timeout_ms, char *value, size_t size, struct error *error)
{
    return admin_setting(&cluster->client, topic, name, timeout_ms, value, size, error);
}
