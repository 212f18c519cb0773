/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/reach.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"

enum { CONNECT_TIMEOUT_MS = 10000, PING_TIMEOUT_MS = 5000 };

static const struct config_pair *find_property(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->kafka.count; i++) {
        if (strcmp(config->kafka.items[i].name, name) == 0) {
            return &config->kafka.items[i];
        }
    }
    return NULL;
}

/* Here and not where the configuration is read: only kafka/ knows the client's properties. */
static enum verdict check_properties(const struct config *config, struct error *error)
{
    for (size_t i = 0; i < config->kafka.count; i++) {
        const struct config_pair *pair = &config->kafka.items[i];
        const char *reason = kafka_reserved_property(pair->name);
        if (reason != NULL) {
            error_set(error, INVALID, "%s: kafka.%s cannot be set: %s", pair->where, pair->name,
                      reason);
            return error_remedy(error, "Remove the key: walpost sets it itself.");
        }
        enum verdict verdict = kafka_check_property(pair->name, pair->value, error);
        if (verdict != OK) {
            error_prefix(error, "%s: ", pair->where);
            return verdict;
        }
    }
    return OK;
}

enum verdict reach_config(const struct invocation *invocation, bool needs_kafka,
                          struct config **config, struct error *error)
{
    struct config *loaded = NULL;
    enum verdict verdict = config_load(&invocation->sources, &loaded, error);
    if (verdict != OK) {
        return verdict;
    }
    verdict = link_check_dsn(loaded->postgres.dsn, error); /* only pg/ knows what one is */
    if (verdict != OK && loaded->file != NULL) {
        error_prefix(error, "%s: ", loaded->file);
    }
    if (verdict == OK) {
        verdict = check_properties(loaded, error);
    }
    if (verdict == OK && needs_kafka && find_property(loaded, "bootstrap.servers") == NULL) {
        error_set(error, INVALID, "%s%skafka.bootstrap.servers is not set",
                  loaded->file == NULL ? "" : loaded->file, loaded->file == NULL ? "" : ": ");
        verdict = error_remedy(error, "Set it to the addresses of one or more brokers, for example "
                                      "--set kafka.bootstrap.servers=localhost:9092.");
    }
    if (verdict != OK) {
        config_free(loaded);
        return verdict;
    }
    *config = loaded;
    return OK;
}

enum verdict reach_postgres(const struct config *config, bool replication, struct link **link,
                            struct error *error)
{
    char *name = must_printf("walpost %s", config->stream);
    enum verdict verdict =
        link_open(&(struct link_options){.dsn = config->postgres.dsn,
                                         .replication = replication,
                                         .application_name = name,
                                         .connect_timeout_ms = CONNECT_TIMEOUT_MS},
                  link, error);
    free(name);
    return verdict;
}

enum verdict reach_kafka(const struct config *config, struct cluster **cluster, int *n_brokers,
                         struct error *error)
{
    struct cluster *client = NULL;
    enum verdict verdict = cluster_new(config, NULL, &client, error);
    if (verdict == OK) {
        verdict = cluster_ping(client, PING_TIMEOUT_MS, n_brokers, error);
    }
    if (verdict != OK) {
        cluster_free(client);
        return verdict;
    }
    *cluster = client;
    return OK;
}

struct log reach_log(const struct config *config)
{
    struct log log;
    log_init(&log, STDERR_FILENO, (enum log_format)config->telemetry.log, LOG_WARN);
    log.stream = config->stream;
    return log;
}

enum verdict reach_execute(struct link *link, const char *sql, struct error *error)
{
    return link_query(link, sql, NULL, 0, SQL_TIMEOUT_MS, NULL, error);
}

enum verdict reach_number(struct link *link, const char *sql, const char *param, int64_t *number,
                          struct error *error)
{
    const char *params[] = {param};
    struct pg_result *result = NULL;
    enum verdict verdict =
        link_query(link, sql, params, param == NULL ? 0 : 1, SQL_TIMEOUT_MS, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    *number = pg_result_rows(result) == 0 ? 0 : strtoll(pg_result_text(result, 0, 0), NULL, 10);
    pg_result_free(result);
    return OK;
}

enum verdict reach_own_table(struct link *link, const char *name, struct own_table *table,
                             struct error *error)
{
    /* By the catalogue, not by to_regclass: that raises where the schema may not be used. */
    static const char sql[] =
        "SELECT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND "
        "pg_catalog.has_table_privilege(c.oid, 'SELECT'))::int FROM pg_catalog.pg_class c JOIN "
        "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'walpost' AND "
        "c.relname = $1";
    const char *params[] = {name};
    struct pg_result *result = NULL;
    enum verdict verdict = link_query(link, sql, params, 1, SQL_TIMEOUT_MS, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    table->exists = pg_result_rows(result) == 1;
    table->readable = table->exists && strcmp(pg_result_text(result, 0, 0), "1") == 0;
    pg_result_free(result);
    return OK;
}
