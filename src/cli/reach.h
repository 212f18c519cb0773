/* SPDX-License-Identifier: Apache-2.0
 *
 * reach.h - what every command needs first: its configuration, PostgreSQL, Kafka.
 * In: a command line. Out: a configuration, links, a cluster; or an error in the user's words.
 * Owns: nothing; the caller closes.  Thread: main's. */
#ifndef WALPOST_CLI_REACH_H
#define WALPOST_CLI_REACH_H

#include "cli/cli.h"
#include "kafka/cluster.h"
#include "pg/link.h"

enum { SQL_TIMEOUT_MS = 30000, KAFKA_TIMEOUT_MS = 15000 };

/* Loads and checks the configuration, the kafka: section by the Kafka client's own rules too. */
enum verdict MUST_CHECK reach_config(const struct invocation *invocation, bool needs_kafka,
                                     struct config **config, struct error *error);

enum verdict MUST_CHECK reach_postgres(const struct config *config, bool replication,
                                       struct link **link, struct error *error);

/* A client, and a broker that answered. */
enum verdict MUST_CHECK reach_kafka(const struct config *config, struct cluster **cluster,
                                    int *n_brokers, struct error *error);

/* A log for what the libraries below have to say: warnings and worse. */
struct log reach_log(const struct config *config);

/* Is there a table of this name in schema walpost, and may this role read it? */
struct own_table {
    bool exists;
    bool readable;
};
enum verdict MUST_CHECK reach_own_table(struct link *link, const char *name,
                                        struct own_table *table, struct error *error);

/* One statement whose rows nobody wants. */
enum verdict MUST_CHECK reach_execute(struct link *link, const char *sql, struct error *error);

/* One statement with one text parameter (NULL: none) that gives one number; no rows: 0. */
enum verdict MUST_CHECK reach_number(struct link *link, const char *sql, const char *param,
                                     int64_t *number, struct error *error);

#endif
