/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "kafka/cluster.h"
#include "kafka/reader.h"
#include "mock.h"

#define E(name) RD_KAFKA_RESP_ERR_##name

static struct mock mock;
static struct error error;

static void setup(void)
{
    mock_start(&mock, 1);
}

static void teardown(void)
{
    mock_stop(&mock);
}

TestSuite(reader, .init = setup, .fini = teardown, .timeout = 60);
TestSuite(cluster, .init = setup, .fini = teardown, .timeout = 60);

struct seen {
    int count[2];
    int64_t next[2];
    char last[2][16];
};

static void on_record(void *context, int32_t partition, int64_t offset, struct bytes key,
                      struct bytes value)
{
    struct seen *seen = context;
    cr_expect(bytes_equal(key, BYTES_LIT("key")));
    cr_expect_geq(offset, seen->next[partition], "offset order");
    seen->next[partition] = offset + 1;
    seen->count[partition]++;
    snprintf(seen->last[partition], 16, "%.*s", (int)value.len, value.data);
}

static struct reader *open_reader(void)
{
    struct reader *reader = NULL;
    cr_assert_eq(reader_new(&mock.config, &reader, &error), OK, "%s", error.what);
    return reader;
}

Test(reader, reads_every_partition_in_offset_order_again_and_again)
{
    struct producer *producer = mock_producer(&mock, "id");
    struct outcome outcome;
    char value[16];
    for (int i = 0; i < 30; i++) {
        snprintf(value, sizeof(value), "%d", i);
        cr_assert_eq(producer->ops->begin(producer, &error), OK);
        cr_assert_eq(mock_send(producer, "events", i % 3 == 0, value, &outcome), OK);
        cr_assert_eq(producer->ops->commit(producer, &error), OK);
    }
    producer->ops->close(producer);
    struct reader *reader = open_reader();
    for (int i = 0; i < 4; i++) {
        struct seen seen = {.count = {0}};
        bool committed = i % 2 == 0;
        cr_assert_eq(reader_read(reader, "events", committed, MOCK_TIMEOUT_MS, NULL, on_record,
                                 &seen, &error),
                     OK, "%s", error.what);
        cr_expect_eq(seen.count[0], 20);
        cr_expect_eq(seen.count[1], 10);
        cr_expect_str_eq(seen.last[0], "29");
        cr_expect_str_eq(seen.last[1], "27");
    }
    reader_free(reader);
}

Test(reader, an_empty_topic_has_no_records)
{
    struct reader *reader = open_reader();
    struct seen seen = {.count = {0}};
    cr_expect_eq(
        reader_read(reader, "events", true, MOCK_TIMEOUT_MS, NULL, on_record, &seen, &error), OK);
    cr_expect_eq(seen.count[0] + seen.count[1], 0);
    reader_free(reader);
}

Test(reader, a_missing_topic_is_WAIT_and_names_it)
{
    rd_kafka_mock_topic_set_error(mock.cluster, "missing", E(UNKNOWN_TOPIC_OR_PART));
    struct reader *reader = open_reader();
    cr_expect_eq(
        reader_read(reader, "missing", true, MOCK_TIMEOUT_MS, NULL, on_record, NULL, &error), WAIT);
    cr_expect_not_null(strstr(error.what, "missing"));
    if (mock_can_deny_topics()) {
        rd_kafka_mock_topic_set_error(mock.cluster, "secret", E(TOPIC_AUTHORIZATION_FAILED));
        cr_expect_eq(
            reader_read(reader, "secret", true, MOCK_TIMEOUT_MS, NULL, on_record, NULL, &error),
            WAIT);
    }
    reader_free(reader);
}

Test(reader, stops_when_asked_to)
{
    struct producer *producer = mock_producer(&mock, "id");
    cr_assert_eq(mock_batch(producer, "events", "value", &error), OK);
    producer->ops->close(producer);
    struct reader *reader = open_reader();
    struct seen seen = {.count = {0}};
    atomic_bool stop = true;
    cr_expect_eq(
        reader_read(reader, "events", true, MOCK_TIMEOUT_MS, &stop, on_record, &seen, &error),
        AGAIN);
    cr_expect_eq(seen.count[0], 0);
    reader_free(reader);
}

Test(reader, without_a_broker_it_says_where_it_looked)
{
    struct config_pair pair = {"bootstrap.servers", "127.0.0.1:1"};
    struct config config = {.stream = "orders", .kafka = {.items = &pair, .count = 1}};
    struct reader *reader = NULL;
    cr_assert_eq(reader_new(&config, &reader, &error), OK);
    int64_t since_us = clock_us();
    cr_expect_eq(reader_read(reader, "events", true, 300, NULL, on_record, NULL, &error), RETRY);
    cr_expect_lt(clock_us() - since_us, 2000000);
    cr_expect_not_null(strstr(error.what, "127.0.0.1:1"), "%s", error.what);
    reader_free(reader);
    reader_free(NULL);
}

Test(cluster, counts_its_brokers_and_knows_its_topics)
{
    struct cluster *cluster = NULL;
    struct topic_state state;
    int n_brokers = 0;
    cr_assert_eq(cluster_new(&mock.config, NULL, &cluster, &error), OK, "%s", error.what);
    cr_expect_eq(cluster_ping(cluster, MOCK_TIMEOUT_MS, &n_brokers, &error), OK, "%s", error.what);
    cr_expect_eq(n_brokers, 1);
    cr_expect_eq(cluster_topic(cluster, "events", MOCK_TIMEOUT_MS, &state, &error), OK);
    cr_expect(state.exists);
    cr_expect_eq(state.partitions, 2);
    rd_kafka_mock_topic_set_error(mock.cluster, "missing", E(UNKNOWN_TOPIC_OR_PART));
    cr_expect_eq(cluster_topic(cluster, "missing", MOCK_TIMEOUT_MS, &state, &error), OK);
    cr_expect_not(state.exists);
    if (mock_can_deny_topics()) {
        rd_kafka_mock_topic_set_error(mock.cluster, "secret", E(TOPIC_AUTHORIZATION_FAILED));
        cr_expect_eq(cluster_topic(cluster, "secret", MOCK_TIMEOUT_MS, &state, &error), WAIT);
    }
    cluster_free(cluster);
    cluster_free(NULL);
}

Test(cluster, without_a_broker_it_says_why)
{
    struct config_pair pair = {"bootstrap.servers", "127.0.0.1:1"};
    struct config config = {.stream = "orders", .kafka = {.items = &pair, .count = 1}};
    struct cluster *cluster = NULL;
    int n_brokers = 0;
    cr_assert_eq(cluster_new(&config, NULL, &cluster, &error), OK);
    cr_expect_eq(cluster_ping(cluster, 500, &n_brokers, &error), RETRY);
    cr_expect_not_null(strstr(error.what, "127.0.0.1:1"), "%s", error.what);
    cr_expect_not_null(strstr(error.what, "refused"), "%s", error.what);
    cluster_free(cluster);
}
