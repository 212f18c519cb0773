/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/limits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/reach.h"
#include "config/config.h"

enum {
    TRANSACTION_TIMEOUT_MS = 60000, /* unless configured */
    TOPIC_RECORD_BYTES = 1048588,   /* max.message.bytes of a topic that nobody has changed */
};

static int64_t configured_number(const struct config *config, const char *name, int64_t otherwise,
                                 bool *configured)
{
    *configured = false;
    for (size_t i = 0; i < config->kafka.count; i++) {
        if (strcmp(config->kafka.items[i].name, name) == 0) {
            *configured = true;
            return strtoll(config->kafka.items[i].value, NULL, 10);
        }
    }
    return otherwise;
}

static enum verdict ask(struct cluster *cluster, const char *topic, const char *name,
                        int64_t *number, struct error *error)
{
    char value[32];
    enum verdict verdict =
        cluster_setting(cluster, topic, name, KAFKA_TIMEOUT_MS, value, sizeof(value), error);
    if (verdict == OK) {
        *number = strtoll(value, NULL, 10);
    }
    return verdict;
}

enum verdict transaction_limit_find(const struct config *config, struct cluster *cluster,
                                    struct transaction_limit *limit, struct error *error)
{
    limit->timeout_ms = configured_number(config, "transaction.timeout.ms", TRANSACTION_TIMEOUT_MS,
                                          &limit->configured);
    return ask(cluster, NULL, "transaction.max.timeout.ms", &limit->broker_ms, error);
}

enum verdict transaction_limit_judge(const struct transaction_limit *limit, struct error *error)
{
    if (limit->timeout_ms <= limit->broker_ms) {
        return OK;
    }
    error_set(error, INVALID,
              "transaction.timeout.ms is %" PRId64 "%s, the brokers allow at most %" PRId64
              " (transaction.max.timeout.ms)",
              limit->timeout_ms, limit->configured ? "" : " unless set", limit->broker_ms);
    return error_remedy(error, "Set kafka.transaction.timeout.ms to %" PRId64 " or less.",
                        limit->broker_ms);
}

enum verdict record_limit_find(const struct config *config, struct cluster *cluster,
                               const char *topic, struct record_limit *limit, struct error *error)
{
    limit->wanted_bytes =
        configured_number(config, "message.max.bytes", TOPIC_RECORD_BYTES, &limit->configured);
    return ask(cluster, topic, topic == NULL ? "message.max.bytes" : "max.message.bytes",
               &limit->bytes, error);
}
