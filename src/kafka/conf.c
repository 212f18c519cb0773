/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/nearest.h"
#include "config/config.h"
#include "kafka/cluster.h"

enum { SOCKET_TIMEOUT_MS = 20000 };

struct setting {
    const char *name;
    const char *value;
};

/* --- what a user may not set ----------------------------------------------------------------- */

#define EXACTLY_ONCE "exactly-once publishing rests on it"
#define MEMORY       "the memory bound rests on it"
#define LANES        "the lanes batch by themselves: see batch: in the configuration"
#define NO_GROUP     "walpost reads its checkpoint without a consumer group"

static const struct setting reserved[] = {
    {"transactional.id", "walpost names its ids walpost.<stream>.<lane>.<a|b>, so that an older "
                         "instance of the same stream is fenced"},
    {"enable.idempotence", EXACTLY_ONCE},
    {"enable.gapless.guarantee", EXACTLY_ONCE},
    {"acks", EXACTLY_ONCE ": all in-sync replicas must have a record"},
    {"request.required.acks", EXACTLY_ONCE ": all in-sync replicas must have a record"},
    {"retries", EXACTLY_ONCE},
    {"message.send.max.retries", EXACTLY_ONCE},
    {"max.in.flight", "the order of a key's events rests on it"},
    {"max.in.flight.requests.per.connection", "the order of a key's events rests on it"},
    {"delivery.timeout.ms", "it follows from transaction.timeout.ms, which may be set"},
    {"message.timeout.ms", "it follows from transaction.timeout.ms, which may be set"},
    {"delivery.report.only.error", EXACTLY_ONCE},
    {"partitioner", "keys go to the partitions that the Java clients choose (murmur2_random); "
                    "another partitioner would break the order of a key"},
    {"isolation.level", EXACTLY_ONCE ": the checkpoint is read both ways, in turn"},
    {"enable.auto.commit", NO_GROUP},
    {"auto.commit.enable", NO_GROUP},
    {"enable.auto.offset.store", NO_GROUP},
    {"auto.offset.reset", "the checkpoint is always read from its beginning"},
    {"enable.partition.eof", "the end of the checkpoint is found by it"},
    {"group.id", NO_GROUP},
    {"group.instance.id", NO_GROUP},
    {"queue.buffering.max.messages", MEMORY},
    {"queue.buffering.max.kbytes", MEMORY},
    {"linger.ms", LANES},
    {"queue.buffering.max.ms", LANES},
    {"allow.auto.create.topics", "see topics: create and route: on_missing_topic"},
    {"enabled_events", "it is set by the program"},
};

static bool mock_is_allowed(void)
{
    const char *value = getenv(KAFKA_MOCK_VARIABLE);
    return value != NULL && *value != '\0';
}

const char *kafka_reserved_property(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (strcmp(name, reserved[i].name) == 0) {
            return reserved[i].value;
        }
    }
    if (strncmp(name, "test.mock.", strlen("test.mock.")) == 0 && !mock_is_allowed()) {
        return "it replaces the brokers by a mock, which keeps nothing; for tests, "
               "set " KAFKA_MOCK_VARIABLE "=1 in the environment";
    }
    return NULL;
}

/* --- what walpost sets ----------------------------------------------------------------------- */

/* Before the user's own, so that they can be changed. */
static const struct setting tuning[] = {
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "500"},
    {"log.connection.close", "false"}, /* brokers close idle connections after ten minutes */
    {NULL, NULL},
};

static const struct setting producer_tuning[] = {
    {"retry.backoff.ms",
     "1"}, /* the broker's CONCURRENT_TRANSACTIONS passes within a millisecond */
    /* The topic's max.message.bytes decides, not the client; batch.size still bounds what travels
     * together. A little below the brokers' socket.request.max.bytes. */
    {"message.max.bytes", "100000000"},
    {NULL, NULL},
};

static const struct setting reader_tuning[] = {
    {"fetch.wait.max.ms", "5"},
    {"fetch.error.backoff.ms", "20"},
    {"queued.max.messages.kbytes", "2048"},
    {NULL, NULL},
};

/* After the user's own. */
static const struct setting producer_promises[] = {
    {"enable.idempotence", "true"},
    {"partitioner", "murmur2_random"},
    {"allow.auto.create.topics", "false"},
    {"queue.buffering.max.ms", "0"},
    /* librdkafka keeps some hundred bytes and the headers of each record until its report. The
     * values stay where they are, so their size does not count. */
    {"queue.buffering.max.messages", "2048"},
    {"queue.buffering.max.kbytes", "2147483647"},
    {NULL, NULL},
};

static const struct setting reader_promises[] = {
    {"allow.auto.create.topics", "false"},
    {"enable.partition.eof", "true"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "earliest"},
    {"check.crcs", "true"},
    {NULL, NULL},
};

static const struct setting admin_promises[] = {
    {"allow.auto.create.topics", "false"},
    {NULL, NULL},
};

/* rd_kafka_conf_dump leaves out what has no value, and these are what most people set. */
static const char *const without_value[] = {
    "bootstrap.servers",     "metadata.broker.list",     "sasl.username",
    "sasl.password",         "sasl.mechanism",           "ssl.ca.location",
    "ssl.key.location",      "ssl.certificate.location", "ssl.key.password",
    "ssl.keystore.location", "ssl.keystore.password",    "sasl.oauthbearer.config",
};

static enum verdict unknown_property(const char *name, struct error *error)
{
    struct nearest nearest;
    char best[64];
    nearest_init(&nearest, name);
    for (size_t i = 0; i < ARRAY_LEN(without_value); i++) {
        nearest_offer(&nearest, without_value[i]);
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    size_t count = 0;
    const char **dump = rd_kafka_conf_dump(conf, &count);
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (kafka_reserved_property(dump[i]) == NULL) {
            nearest_offer(&nearest, dump[i]);
        }
    }
    snprintf(best, sizeof(best), "%s", nearest.best);
    rd_kafka_conf_dump_free(dump, count);
    rd_kafka_conf_destroy(conf);
    error_set(error, INVALID, "kafka.%s is no property of librdkafka %s", name,
              rd_kafka_version_str());
    return error_remedy(error, "The nearest is kafka.%s; librdkafka's CONFIGURATION.md lists all.",
                        best);
}

/* The value itself may be a secret. The client's words quote it, but for the range. */
static enum verdict impossible_value(const char *name, const char *reason, struct error *error)
{
    error_set(error, INVALID, "kafka.%s cannot have the value that it is given", name);
    const char *range = strstr(reason, "allowed range ");
    int64_t least, most;
    if (range != NULL && sscanf(range, "allowed range %" SCNd64 "..%" SCNd64, &least, &most) == 2) {
        return error_remedy(error, "Allowed is a whole number from %" PRId64 " to %" PRId64 ".",
                            least, most);
    }
    if (strcmp(name, "security.protocol") == 0) {
        return error_remedy(error, "Allowed is plaintext, ssl, sasl_plaintext or sasl_ssl.");
    }
    if (strcmp(name, "compression.type") == 0 || strcmp(name, "compression.codec") == 0) {
        return error_remedy(error, "Allowed is none, gzip, snappy, lz4 or zstd.");
    }
    return error_remedy(error, "librdkafka's CONFIGURATION.md says what is allowed.");
}

static enum verdict set(rd_kafka_conf_t *conf, const char *name, const char *value,
                        struct error *error)
{
    char reason[256];
    switch (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason))) {
    case RD_KAFKA_CONF_OK: return OK;
    case RD_KAFKA_CONF_UNKNOWN: return unknown_property(name, error);
    case RD_KAFKA_CONF_INVALID: break;
    }
    return impossible_value(name, reason, error);
}

static enum verdict set_all(rd_kafka_conf_t *conf, const struct setting *settings,
                            struct error *error)
{
    enum verdict verdict = OK;
    for (; verdict == OK && settings->name != NULL; settings++) {
        verdict = set(conf, settings->name, settings->value, error);
    }
    return verdict;
}

static enum verdict set_number(rd_kafka_conf_t *conf, const char *name, int value,
                               struct error *error)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", value);
    return set(conf, name, text, error);
}

static enum verdict set_tuning(rd_kafka_conf_t *conf, const struct config *config,
                               enum client_role role, int transaction_timeout_ms,
                               struct error *error)
{
    char client_id[64];
    snprintf(client_id, sizeof(client_id), "walpost-%s", config->stream);
    enum verdict verdict = set(conf, "client.id", client_id, error);
    if (verdict == OK) {
        verdict = set_all(conf, tuning, error);
    }
    if (verdict == OK && role == CLIENT_PRODUCER) {
        verdict = set_all(conf, producer_tuning, error);
    } else if (verdict == OK && role != CLIENT_ADMIN) {
        verdict = set_all(conf, reader_tuning, error);
    }
    if (verdict == OK) {
        int timeout_ms =
            transaction_timeout_ms < SOCKET_TIMEOUT_MS ? transaction_timeout_ms : SOCKET_TIMEOUT_MS;
        verdict = set_number(conf, "socket.timeout.ms", timeout_ms, error);
    }
    return verdict;
}

static enum verdict set_users(rd_kafka_conf_t *conf, const struct config *config,
                              struct error *error)
{
    enum verdict verdict = OK;
    for (size_t i = 0; verdict == OK && i < config->kafka.count; i++) {
        const struct config_pair *pair = &config->kafka.items[i];
        const char *reason = kafka_reserved_property(pair->name);
        if (reason != NULL) {
            error_set(error, INVALID, "kafka.%s cannot be set: %s", pair->name, reason);
            error_remedy(error, "Remove the property.");
            return INVALID;
        }
        verdict = set(conf, pair->name, pair->value, error);
    }
    return verdict;
}

static enum verdict set_promises(rd_kafka_conf_t *conf, enum client_role role,
                                 const char *transactional_id, int transaction_timeout_ms,
                                 struct error *error)
{
    enum verdict verdict;
    switch (role) {
    case CLIENT_PRODUCER:
        verdict = set_all(conf, producer_promises, error);
        /* A record gives up before the coordinator does: then the batch is aborted and replayed,
         * and the id stays ours. */
        if (verdict == OK) {
            verdict = set_number(conf, "message.timeout.ms", transaction_timeout_ms / 4 * 3, error);
        }
        if (verdict == OK && transactional_id != NULL) {
            verdict = set(conf, "transactional.id", transactional_id, error);
        }
        if (verdict == OK) {
            verdict = set_number(conf, "transaction.timeout.ms", transaction_timeout_ms, error);
        }
        return verdict;
    case CLIENT_READ_COMMITTED:
    case CLIENT_READ_UNCOMMITTED:
        verdict = set_all(conf, reader_promises, error);
        if (verdict == OK) {
            verdict =
                set(conf, "isolation.level",
                    role == CLIENT_READ_COMMITTED ? "read_committed" : "read_uncommitted", error);
        }
        return verdict;
    case CLIENT_ADMIN: break;
    }
    return set_all(conf, admin_promises, error);
}

enum verdict kafka_conf_new(const struct config *config, enum client_role role,
                            const char *transactional_id, rd_kafka_conf_t **conf,
                            int *transaction_timeout_ms, struct error *error)
{
    rd_kafka_conf_t *made = rd_kafka_conf_new();
    int timeout_ms = config_transaction_timeout_ms(config);
    enum verdict verdict = set_tuning(made, config, role, timeout_ms, error);
    if (verdict == OK) {
        verdict = set_users(made, config, error);
    }
    if (verdict == OK) {
        verdict = set_promises(made, role, transactional_id, timeout_ms, error);
    }
    if (verdict != OK) {
        rd_kafka_conf_destroy(made);
        return verdict;
    }
    *conf = made;
    *transaction_timeout_ms = timeout_ms;
    return OK;
}

/* --- for whoever reads the configuration ----------------------------------------------------- */

/* A certificate that is not there: the client would only say so in OpenSSL's words. */
static enum verdict check_file(const char *name, const char *value, struct error *error)
{
    static const char ending[] = ".location";
    size_t length = strlen(name);
    bool names_file = length > strlen(ending) &&
                      strcmp(name + length - strlen(ending), ending) == 0 &&
                      strcmp(value, "probe") != 0 && value[0] != '\0';
    if (!names_file || access(value, R_OK) == 0) {
        return OK;
    }
    error_set(error, INVALID, "kafka.%s names a file that cannot be read: %s", name,
              strerror(errno));
    return error_remedy(error, "Correct the path, or let walpost's user read the file.");
}

/* walpost reckons with these two; the client would also take 0x10 and read 16. */
static enum verdict check_plain(const char *name, const char *value, struct error *error)
{
    bool reckoned =
        strcmp(name, "transaction.timeout.ms") == 0 || strcmp(name, "message.max.bytes") == 0;
    if (!reckoned || (value[0] != '0' && value[strspn(value, "0123456789")] == '\0')) {
        return OK;
    }
    error_set(error, INVALID, "kafka.%s is no plain number: \"%.60s\"", name, value);
    return error_remedy(error, "Write it in decimal digits alone, the first not 0.");
}

enum verdict kafka_check_property(const char *name, const char *value, struct error *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum verdict verdict = set(conf, name, value, error);
    rd_kafka_conf_destroy(conf);
    if (verdict == OK) {
        verdict = check_plain(name, value, error);
    }
    return verdict != OK ? verdict : check_file(name, value, error);
}

const char *kafka_library_version(void)
{
    return rd_kafka_version_str();
}
