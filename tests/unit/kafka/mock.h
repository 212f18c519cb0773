/* SPDX-License-Identifier: Apache-2.0
 *
 * mock.h - a cluster inside the test: librdkafka's mock, and a configuration that points to it.
 * In: a number of brokers. Out: struct config for the code under test, faults on demand.
 * Owns: the mock and the configuration.
 * Thread: the test's.
 * Keeps: the mock speaks transactions but isolates nothing: tests/integration/kafka_probe.c does
 *        what needs a real broker. */
#ifndef WALPOST_TESTS_UNIT_KAFKA_MOCK_H
#define WALPOST_TESTS_UNIT_KAFKA_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "config/config.h"
#include "kafka/producer.h"

enum { MOCK_TIMEOUT_MS = 10000, MOCK_PROPERTIES_MAX = 8 };

/* Kafka's request numbers. */
enum {
    API_PRODUCE = 0,
    API_METADATA = 3,
    API_INIT_PRODUCER_ID = 22,
    API_ADD_PARTITIONS = 24,
    API_END_TXN = 26,
};

struct mock {
    rd_kafka_t *rk; /* the mock lives in a client of its own */
    rd_kafka_mock_cluster_t *cluster;
    struct config config;
    struct config_pair pairs[MOCK_PROPERTIES_MAX];
};

void mock_start(struct mock *mock, int n_brokers);
void mock_stop(struct mock *mock);
void mock_set(struct mock *mock, const char *name, const char *value);

/* Newer clients crash on the answer that their mock gives for a denied topic: partitions with an
 * error. No broker answers so. */
static inline bool mock_can_deny_topics(void)
{
    return rd_kafka_version() < 0x02040000;
}

struct outcome {
    uint32_t reports;
    enum verdict worst;
    enum dead_reason reason;
    struct error error;
};
report_fn mock_on_report;

/* A producer that has its id. */
struct producer *mock_producer(struct mock *mock, const char *id);
/* Sends a record and waits for its report: its verdict, or send's. */
enum verdict mock_send(struct producer *producer, const char *topic, int32_t partition,
                       const char *value, struct outcome *outcome);
/* begin, mock_send, commit; the first verdict that is not OK. */
enum verdict mock_batch(struct producer *producer, const char *topic, const char *value,
                        struct error *error);

#endif
