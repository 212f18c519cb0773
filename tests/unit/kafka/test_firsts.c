/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>

#include "kafka/producer.h"
#include "kafka/reader.h"
#include "mock.h"

static struct mock mock;
static struct error error;
static struct outcome outcome;

static void setup(void)
{
    mock_start(&mock, 1);
}

static void teardown(void)
{
    mock_stop(&mock);
}

TestSuite(firsts, .init = setup, .fini = teardown, .timeout = 60);

static int count_records_where(reader_fn *on_record)
{
    struct reader *reader = NULL;
    cr_assert_eq(reader_new(&mock.config, &reader, &error), OK);
    int count = 0;
    cr_assert_eq(
        reader_read(reader, "events", true, MOCK_TIMEOUT_MS, NULL, on_record, &count, &error), OK,
        "%s", error.what);
    reader_free(reader);
    return count;
}

static void on_any(void *context, int32_t partition, int64_t offset, struct bytes key,
                   struct bytes value)
{
    (void)partition;
    (void)offset;
    (void)key;
    (void)value;
    ++*(int *)context;
}

static int count_records(void)
{
    return count_records_where(on_any);
}

struct two_reports {
    int count;
    enum verdict verdicts[2]; /* by tag */
};

static void on_one_of_two(void *context, const struct report *report)
{
    struct two_reports *reports = context;
    reports->count++;
    reports->verdicts[(intptr_t)report->tag] = report->verdict;
}

/* Two records to one partition as fast as they are taken, while the leader refuses one request. */
static struct two_reports send_two(struct producer *producer)
{
    struct record record = {
        .topic = "events", .partition = 0, .key = BYTES_LIT("key"), .value = BYTES_LIT("value")};
    struct two_reports reports = {.count = 0};
    rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 100);
    rd_kafka_mock_push_request_errors(mock.cluster, API_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (intptr_t i = 0; i < 2; i++) {
        while (producer->ops->send(producer, &record, (void *)i, &error) == AGAIN) {
            producer->ops->poll(producer, 100, on_one_of_two, &reports);
        }
        /* Or both would travel in one request. */
        producer->ops->poll(producer, 20, on_one_of_two, &reports);
    }
    while (reports.count < 2) {
        producer->ops->poll(producer, 100, on_one_of_two, &reports);
    }
    return reports;
}

Test(firsts, I3_the_first_record_to_a_partition_travels_alone)
{
    struct producer *producer = mock_producer(&mock, NULL);
    cr_assert_eq(producer->ops->topic(producer, "events", MOCK_TIMEOUT_MS, &error), OK);
    cr_assert_eq(mock_send(producer, "events", 1, "value", &outcome), OK, "it has its number");
    struct two_reports reports = send_two(producer);
    cr_expect_eq(reports.verdicts[0], OK);
    cr_expect_eq(reports.verdicts[1], OK);
    producer->ops->close(producer);
    cr_expect_eq(count_records(), 3);
}

Test(firsts, I3_what_no_broker_acknowledged_is_not_delivered)
{
    struct producer *producer = mock_producer(&mock, NULL);
    cr_assert_eq(producer->ops->topic(producer, "events", MOCK_TIMEOUT_MS, &error), OK);
    cr_assert_eq(mock_send(producer, "events", 0, "value", &outcome), OK);
    struct two_reports reports = send_two(producer);
    producer->ops->close(producer);
    cr_assert_eq(count_records(), 2, "the mock takes any sequence number, as Kafka may");
    cr_expect_eq(reports.verdicts[0], ABORT);
    cr_expect_eq(reports.verdicts[1], OK);
}

static void on_first_partition(void *context, int32_t partition, int64_t offset, struct bytes key,
                               struct bytes value)
{
    (void)offset;
    (void)key;
    (void)value;
    *(int *)context += partition == 0;
}

Test(firsts, records_without_a_key_keep_their_order)
{
    struct producer *producer = mock_producer(&mock, NULL);
    struct record record = {.topic = "events", .partition = -1, .value = BYTES_LIT("value")};
    cr_assert_eq(producer->ops->topic(producer, "events", MOCK_TIMEOUT_MS, &error), OK);
    outcome = (struct outcome){.worst = OK};
    for (int sent = 0; sent < 20;) {
        sent += producer->ops->send(producer, &record, NULL, &error) == OK;
        producer->ops->poll(producer, 10, mock_on_report, &outcome);
    }
    while (outcome.reports < 20) {
        producer->ops->poll(producer, 100, mock_on_report, &outcome);
    }
    producer->ops->close(producer);
    cr_expect_eq(count_records_where(on_first_partition), 20);
}
