/* SPDX-License-Identifier: Apache-2.0 */
#include "mock.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"

void mock_start(struct mock *mock, int n_brokers)
{
    *mock = (struct mock){.rk = NULL};
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL); /* it warns that it has no servers */
    mock->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    cr_assert_not_null(mock->rk, "%s", reason);
    mock->cluster = rd_kafka_mock_cluster_new(mock->rk, n_brokers);
    cr_assert_not_null(mock->cluster);
    mock->config.stream = "orders";
    mock->config.kafka.items = mock->pairs;
    mock_set(mock, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(mock->cluster));
    rd_kafka_mock_topic_create(mock->cluster, "events", 2, 1);
}

void mock_stop(struct mock *mock)
{
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->rk);
    for (size_t i = 0; i < mock->config.kafka.count; i++) {
        free(mock->pairs[i].name);
        free(mock->pairs[i].value);
    }
}

void mock_set(struct mock *mock, const char *name, const char *value)
{
    check(mock->config.kafka.count < MOCK_PROPERTIES_MAX);
    mock->pairs[mock->config.kafka.count++] =
        (struct config_pair){must_strdup(name), must_strdup(value)};
}

void mock_on_report(void *context, const struct report *report)
{
    struct outcome *outcome = context;
    outcome->reports++;
    if (report->verdict != OK && (outcome->worst == OK || outcome->worst == ABORT)) {
        outcome->worst = report->verdict;
        outcome->reason = report->reason;
        outcome->error = *report->error;
    }
}

struct producer *mock_producer(struct mock *mock, const char *id)
{
    struct producer *producer = NULL;
    struct error error = {.what = ""};
    enum verdict verdict = kafka_producer_new(&mock->config, NULL, id, &producer, &error);
    cr_assert_eq(verdict, OK, "%s", error.what);
    verdict = kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error);
    cr_assert_eq(verdict, OK, "%s", error.what);
    return producer;
}

enum verdict mock_send(struct producer *producer, const char *topic, int32_t partition,
                       const char *value, struct outcome *outcome)
{
    struct record record = {.partition = partition};
    snprintf(record.topic, sizeof(record.topic), "%s", topic);
    record.key = BYTES_LIT("key");
    record.value = bytes_of(value);
    record.n_headers = 1;
    record.headers[0].name = BYTES_LIT("event_id");
    record.headers[0].value = BYTES_LIT("1");
    *outcome = (struct outcome){.worst = OK};
    enum verdict verdict = producer->ops->send(producer, &record, outcome, &outcome->error);
    int64_t until_us = clock_us() + (int64_t)MOCK_TIMEOUT_MS * 1000;
    while (verdict == OK && outcome->reports == 0 && clock_us() < until_us) {
        producer->ops->poll(producer, 50, mock_on_report, outcome);
    }
    cr_assert(verdict != OK || outcome->reports == 1, "no report came");
    return verdict != OK ? verdict : outcome->worst;
}

enum verdict mock_batch(struct producer *producer, const char *topic, const char *value,
                        struct error *error)
{
    struct outcome outcome;
    enum verdict verdict = producer->ops->begin(producer, error);
    if (verdict != OK) {
        return verdict;
    }
    verdict = mock_send(producer, topic, 0, value, &outcome);
    if (verdict != OK) {
        *error = outcome.error;
        return verdict;
    }
    return producer->ops->commit(producer, error);
}
