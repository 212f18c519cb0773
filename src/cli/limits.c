/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/limits.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cli/reach.h"
#include "config/config.h"

/* of a topic that nobody has changed */
enum { TOPIC_RECORD_BYTES = 1048588 };

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
    limit->timeout_ms = config_transaction_timeout_ms(config);
    limit->configured = config_kafka(config, "transaction.timeout.ms") != NULL;
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
    const char *wanted = config_kafka(config, "message.max.bytes");
    limit->configured = wanted != NULL;
    limit->wanted_bytes = wanted != NULL ? strtoll(wanted, NULL, 10) : TOPIC_RECORD_BYTES;
    return ask(cluster, topic, topic == NULL ? "message.max.bytes" : "max.message.bytes",
               &limit->bytes, error);
}
