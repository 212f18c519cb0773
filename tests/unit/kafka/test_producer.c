/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kafka/producer_state.h"
#include "kafka/reader.h"
#include "mock.h"

#define E(name) RD_KAFKA_RESP_ERR_##name

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

TestSuite(producer, .init = setup, .fini = teardown, .timeout = 60);

static void fail_next(int16_t api, rd_kafka_resp_err_t code)
{
    rd_kafka_mock_push_request_errors(mock.cluster, api, 1, code);
}

static void on_record(void *context, int32_t partition, int64_t offset, struct bytes key,
                      struct bytes value)
{
    (void)partition;
    (void)offset;
    cr_expect(bytes_equal(key, BYTES_LIT("key")));
    cr_expect(bytes_equal(value, BYTES_LIT("value")));
    ++*(int *)context;
}

static int count_records(const char *topic)
{
    struct reader *reader = NULL;
    cr_assert_eq(reader_new(&mock.config, &reader, &error), OK);
    int count = 0;
    cr_assert_eq(reader_read(reader, topic, true, MOCK_TIMEOUT_MS, NULL, on_record, &count, &error),
                 OK, "%s", error.what);
    reader_free(reader);
    return count;
}

Test(producer, commits_what_it_was_given)
{
    struct producer *producer = mock_producer(&mock, "id");
    cr_expect(producer->transactional);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    }
    producer->ops->close(producer);
    cr_expect_eq(count_records("events"), 3);
}

Test(producer, hands_the_tag_back)
{
    struct producer *producer = mock_producer(&mock, "id");
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_assert_eq(mock_send(producer, "events", -1, "value", &outcome), OK);
    cr_expect_eq(outcome.reports, 1);
    cr_expect_eq(producer->ops->poll(producer, 0, mock_on_report, &outcome), 0);
    cr_assert_eq(producer->ops->commit(producer, &error), OK);
    producer->ops->close(producer);
}

Test(producer, I8_a_full_queue_is_AGAIN_until_reports_are_taken)
{
    struct producer *producer = mock_producer(&mock, "id");
    struct record record = {.topic = "events", .partition = 0, .value = BYTES_LIT("value")};
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    enum verdict verdict = OK;
    uint32_t sent = 0;
    while (sent < 100000 && verdict == OK) {
        verdict = producer->ops->send(producer, &record, NULL, &error);
        sent += verdict == OK;
    }
    cr_expect_eq(verdict, AGAIN);
    cr_expect_lt(sent, 10000);
    outcome = (struct outcome){.worst = OK};
    while (producer->ops->poll(producer, 1000, mock_on_report, &outcome) == 0) {
    }
    cr_expect_eq(producer->ops->send(producer, &record, NULL, &error), OK);
    while (outcome.reports < sent + 1) {
        producer->ops->poll(producer, 1000, mock_on_report, &outcome);
    }
    cr_expect_eq(producer->ops->commit(producer, &error), OK);
    producer->ops->close(producer);
}

Test(producer, a_record_larger_than_the_client_may_send_is_rejected_at_once)
{
    mock_set(&mock, "message.max.bytes", "2000");
    struct producer *producer = mock_producer(&mock, "id");
    static char large[4000];
    memset(large, 'x', sizeof(large) - 1);
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_expect_eq(mock_send(producer, "events", 0, large, &outcome), REJECT);
    cr_expect_eq(outcome.reports, 0, "no report for what was not taken");
    cr_expect_eq(mock_send(producer, "events", 0, "value", &outcome), OK);
    cr_expect_eq(producer->ops->commit(producer, &error), OK, "and its batch goes on");
    producer->ops->close(producer);
}

/* What a lane does with a batch that is aborted. */
static void replay(struct producer *producer)
{
    enum verdict verdict = ABORT;
    for (int tries = 0; verdict == ABORT && tries < 5; tries++) {
        cr_assert_eq(producer->ops->abort(producer, &error), OK, "%s", error.what);
        cr_assert_eq(producer->ops->topic(producer, "events", MOCK_TIMEOUT_MS, &error), OK);
        verdict = mock_batch(producer, "events", "value", &error);
    }
    cr_expect_eq(verdict, OK, "%s: %s", verdict_name(verdict), error.what);
}

static void expect_report(rd_kafka_resp_err_t code, enum verdict verdict, enum dead_reason reason)
{
    struct producer *producer = mock_producer(&mock, "id");
    fail_next(API_PRODUCE, code);
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_expect_eq(mock_send(producer, "events", 0, "value", &outcome), verdict, "%s: %s",
                 rd_kafka_err2name(code), outcome.error.what);
    cr_expect_eq(outcome.reason, reason);
    replay(producer);
    producer->ops->close(producer);
}

Test(producer, a_record_too_large_for_the_topic_is_rejected_and_the_rest_replayed)
{
    expect_report(E(MSG_SIZE_TOO_LARGE), REJECT, DEAD_RECORD_TOO_LARGE);
}

Test(producer, an_impossible_timestamp_is_rejected_and_the_rest_replayed)
{
    expect_report(E(INVALID_TIMESTAMP), REJECT, DEAD_PROCESSING_FAILED);
}

Test(producer, a_topic_without_rights_is_waited_for)
{
    expect_report(E(TOPIC_AUTHORIZATION_FAILED), WAIT, DEAD_NOT);
}

Test(producer, a_passing_error_is_not_seen)
{
    struct producer *producer = mock_producer(&mock, "id");
    fail_next(API_PRODUCE, E(NOT_ENOUGH_REPLICAS));
    fail_next(API_ADD_PARTITIONS, E(CONCURRENT_TRANSACTIONS));
    fail_next(API_END_TXN, E(COORDINATOR_LOAD_IN_PROGRESS));
    cr_expect_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    fail_next(API_END_TXN, E(NOT_COORDINATOR));
    cr_expect_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    producer->ops->close(producer);
}

Test(producer, the_cause_of_a_failed_batch_is_told_by_its_echo)
{
    struct producer *producer = mock_producer(&mock, "id");
    fail_next(API_ADD_PARTITIONS, E(TOPIC_AUTHORIZATION_FAILED));
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_expect_eq(mock_send(producer, "events", 0, "value", &outcome), WAIT, "%s",
                 outcome.error.what);
    replay(producer);
    producer->ops->close(producer);
}

/* A lost id: the record says so, the abort is refused, the producer does not begin again, and it
 * is whole once it has taken the id again. */
static void expect_lost(rd_kafka_resp_err_t code)
{
    struct producer *producer = mock_producer(&mock, "id");
    fail_next(API_ADD_PARTITIONS, code);
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_expect_eq(mock_send(producer, "events", 0, "value", &outcome), RESTART, "%s: %s",
                 rd_kafka_err2name(code), outcome.error.what);
    cr_expect_eq(producer->ops->abort(producer, &error), RESTART, "%s", rd_kafka_err2name(code));
    cr_expect_eq(producer->ops->begin(producer, &error), RESTART);
    cr_assert_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), OK, "%s", error.what);
    cr_expect_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    producer->ops->close(producer);
}

Test(producer, I3_a_forgotten_id_is_not_aborted_and_replayed)
{
    expect_lost(E(INVALID_PRODUCER_ID_MAPPING));
}

Test(producer, I3_an_unknown_producer_id_is_not_aborted_and_replayed)
{
    expect_lost(E(UNKNOWN_PRODUCER_ID));
}

Test(producer, I11_a_fenced_producer_stops)
{
    expect_lost(E(PRODUCER_FENCED));
}

Test(producer, I11_an_old_epoch_stops)
{
    expect_lost(E(INVALID_PRODUCER_EPOCH));
}

Test(producer, I3_a_commit_without_a_clear_answer_is_RESTART)
{
    static const rd_kafka_resp_err_t codes[] = {
        E(PRODUCER_FENCED),
        E(INVALID_PRODUCER_EPOCH),
        E(INVALID_PRODUCER_ID_MAPPING),
        E(UNKNOWN_PRODUCER_ID),
        E(INVALID_TXN_STATE),
        E(UNKNOWN),
        E(INVALID_REQUEST),
        E(CLUSTER_AUTHORIZATION_FAILED),
    };
    struct producer *producer = mock_producer(&mock, "id");
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        fail_next(API_END_TXN, codes[i]);
        cr_expect_eq(mock_batch(producer, "events", "value", &error), RESTART, "%s: %s",
                     rd_kafka_err2name(codes[i]), error.what);
        cr_expect_eq(producer->ops->begin(producer, &error), RESTART);
        cr_assert_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), OK, "%s", error.what);
    }
    producer->ops->close(producer);
}

Test(producer, a_fatal_error_of_the_client_is_RESTART)
{
    struct producer *producer = mock_producer(&mock, "id");
    rd_kafka_test_fatal_error(kafka_producer_of(producer)->client.rk,
                              E(OUT_OF_ORDER_SEQUENCE_NUMBER), "test");
    cr_expect_eq(mock_batch(producer, "events", "value", &error), RESTART, "%s", error.what);
    cr_assert_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), OK, "%s", error.what);
    cr_expect_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    producer->ops->close(producer);
}

Test(producer, I3_an_id_that_was_not_used_for_days_is_not_trusted)
{
    struct producer *producer = mock_producer(&mock, "id");
    kafka_producer_of(producer)->used_us -= INT64_C(3) * 24 * 3600 * 1000000;
    cr_expect_eq(producer->ops->begin(producer, &error), RESTART);
    producer->ops->close(producer);
}

Test(producer, I3_a_transaction_older_than_its_timeout_is_not_aborted_and_replayed)
{
    struct producer *producer = mock_producer(&mock, "id");
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_assert_eq(mock_send(producer, "events", 0, "value", &outcome), OK);
    kafka_producer_of(producer)->begun_us -= INT64_C(61) * 1000000;
    cr_expect_eq(producer->ops->abort(producer, &error), RESTART);
    producer->ops->close(producer);
}

Test(producer, an_abort_throws_reports_away_and_outside_a_transaction_does_nothing)
{
    struct producer *producer = mock_producer(&mock, "id");
    struct record record = {.topic = "events", .partition = 0, .value = BYTES_LIT("value")};
    cr_expect_eq(producer->ops->abort(producer, &error), OK);
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(producer->ops->send(producer, &record, NULL, &error), OK);
    }
    cr_expect_eq(producer->ops->abort(producer, &error), OK, "%s", error.what);
    outcome = (struct outcome){.worst = OK};
    cr_expect_eq(producer->ops->poll(producer, 0, mock_on_report, &outcome), 0);
    cr_expect_eq(outcome.reports, 0);
    replay(producer);
    producer->ops->close(producer);
}

Test(producer, a_missing_topic_is_waited_for_and_found_when_it_comes)
{
    struct producer *producer = mock_producer(&mock, "id");
    rd_kafka_mock_topic_set_error(mock.cluster, "late", E(UNKNOWN_TOPIC_OR_PART));
    cr_expect_eq(producer->ops->topic(producer, "late", MOCK_TIMEOUT_MS, &error), WAIT);
    cr_expect_not_null(strstr(error.what, "late"));
    rd_kafka_mock_topic_set_error(mock.cluster, "late", E(NO_ERROR));
    cr_expect_eq(producer->ops->topic(producer, "late", MOCK_TIMEOUT_MS, &error), OK);
    cr_expect_eq(mock_batch(producer, "late", "value", &error), OK, "%s", error.what);
    if (mock_can_deny_topics()) {
        rd_kafka_mock_topic_set_error(mock.cluster, "secret", E(TOPIC_AUTHORIZATION_FAILED));
        cr_expect_eq(producer->ops->topic(producer, "secret", MOCK_TIMEOUT_MS, &error), WAIT);
    }
    producer->ops->close(producer);
}

Test(producer, I10_a_question_that_fails_in_a_batch_loses_no_report)
{
    struct producer *producer = mock_producer(&mock, "id");
    struct kafka_producer *p = kafka_producer_of(producer);
    struct record record = {.topic = "events", .partition = 0, .value = BYTES_LIT("value")};
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_assert_eq(producer->ops->send(producer, &record, NULL, &error), OK);
    for (int i = 0; i < 1000 && rd_kafka_queue_length(p->client.queue) == 0; i++) {
        clock_wait_ms(10);
    }
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    cr_expect_eq(producer->ops->topic(producer, "elsewhere", 50, &error), RETRY);
    outcome = (struct outcome){.worst = OK};
    producer->ops->poll(producer, 0, mock_on_report, &outcome);
    cr_expect_eq(outcome.reports, 1);
    cr_expect_eq(outcome.worst, OK, "%s", outcome.error.what);
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    cr_expect_eq(producer->ops->abort(producer, &error), OK, "%s", error.what);
    producer->ops->close(producer);
}

Test(producer, many_topics_are_told_apart)
{
    struct producer *producer = mock_producer(&mock, "id");
    char topic[32];
    for (int i = 0; i < 40; i++) {
        snprintf(topic, sizeof(topic), "topic-%d", i);
        rd_kafka_mock_topic_create(mock.cluster, topic, 1, 1);
        cr_expect_eq(producer->ops->topic(producer, topic, MOCK_TIMEOUT_MS, &error), OK, "%s",
                     error.what);
    }
    for (int i = 0; i < 40; i += 13) {
        snprintf(topic, sizeof(topic), "topic-%d", i);
        cr_expect_eq(mock_batch(producer, topic, "value", &error), OK);
        cr_expect_eq(count_records(topic), 1);
    }
    producer->ops->close(producer);
}

/* --- fencing --------------------------------------------------------------------------------- */

Test(producer, a_fence_waits_for_rights_and_takes_the_id_when_they_come)
{
    struct producer *producer = NULL;
    cr_assert_eq(kafka_producer_new(&mock.config, NULL, "id", &producer, &error), OK);
    fail_next(API_INIT_PRODUCER_ID, E(TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
    cr_expect_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), WAIT);
    cr_expect_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), OK, "%s", error.what);
    cr_expect_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    producer->ops->close(producer);
}

Test(producer, a_transaction_timeout_that_the_brokers_refuse_is_a_setting)
{
    struct producer *producer = NULL;
    cr_assert_eq(kafka_producer_new(&mock.config, NULL, "id", &producer, &error), OK);
    fail_next(API_INIT_PRODUCER_ID, E(INVALID_TRANSACTION_TIMEOUT));
    cr_expect_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), INVALID);
    cr_expect_not_null(strstr(error.what, "transaction.timeout.ms"));
    producer->ops->close(producer);
}

Test(producer, a_fence_without_a_broker_says_where_it_looked)
{
    mock_stop(&mock);
    struct config_pair pair = {"bootstrap.servers", "127.0.0.1:1"};
    struct config config = {.stream = "orders", .kafka = {.items = &pair, .count = 1}};
    struct producer *producer = NULL;
    cr_assert_eq(kafka_producer_new(&config, NULL, "id", &producer, &error), OK);
    int64_t since_us = clock_us();
    cr_expect_eq(kafka_producer_fence(producer, 300, &error), RETRY);
    cr_expect_lt(clock_us() - since_us, 2000000);
    cr_expect_not_null(strstr(error.what, "127.0.0.1:1"), "%s", error.what);
    producer->ops->close(producer);
    mock_start(&mock, 1);
}

/* --- brokers that are away ------------------------------------------------------------------- */

static void *give_up(void *argument)
{
    struct producer *producer = argument;
    producer->ops->give_up(producer);
    return NULL;
}

Test(producer, a_commit_that_waits_can_be_given_up_from_another_thread)
{
    struct producer *producer = mock_producer(&mock, "id");
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_assert_eq(mock_send(producer, "events", 0, "value", &outcome), OK);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, give_up, producer), 0);
    int64_t since_us = clock_us();
    cr_expect_eq(producer->ops->commit(producer, &error), RESTART);
    cr_expect_lt(clock_us() - since_us, 5000000);
    pthread_join(thread, NULL);
    producer->ops->close(producer);
}

Test(producer, closing_does_not_wait_for_brokers_and_gives_the_values_back)
{
    struct producer *producer = mock_producer(&mock, "id");
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    struct record record = {.topic = "events", .partition = 0};
    char *values[100];
    for (int i = 0; i < 100; i++) {
        values[i] = malloc(1000);
        memset(values[i], 'v', 1000);
        record.value = (struct bytes){values[i], 1000};
        cr_assert_eq(producer->ops->send(producer, &record, NULL, &error), OK);
    }
    int64_t since_us = clock_us();
    producer->ops->close(producer);
    cr_expect_lt(clock_us() - since_us, 5000000);
    for (int i = 0; i < 100; i++) {
        free(values[i]);
    }
}

/* --- without transactions -------------------------------------------------------------------- */

Test(producer, without_an_id_begin_and_commit_do_nothing)
{
    struct producer *producer = mock_producer(&mock, NULL);
    cr_expect_not(producer->transactional);
    cr_assert_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    cr_assert_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    producer->ops->close(producer);
    cr_expect_eq(count_records("events"), 2);
}

Test(producer, without_an_id_an_abort_takes_back_what_waits)
{
    struct producer *producer = mock_producer(&mock, NULL);
    cr_assert_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    struct record record = {.topic = "events", .partition = 0, .value = BYTES_LIT("value")};
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(producer->ops->send(producer, &record, NULL, &error), OK);
    }
    cr_expect_eq(producer->ops->abort(producer, &error), OK, "%s", error.what);
    outcome = (struct outcome){.worst = OK};
    cr_expect_eq(producer->ops->poll(producer, 0, mock_on_report, &outcome), 0);
    rd_kafka_mock_broker_set_up(mock.cluster, 1);
    cr_assert_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    producer->ops->close(producer);
    cr_expect_eq(count_records("events"), 2);
}

Test(producer, without_an_id_a_fatal_error_is_RESTART)
{
    struct producer *producer = mock_producer(&mock, NULL);
    rd_kafka_test_fatal_error(kafka_producer_of(producer)->client.rk,
                              E(OUT_OF_ORDER_SEQUENCE_NUMBER), "test");
    cr_expect_eq(mock_batch(producer, "events", "value", &error), RESTART, "%s", error.what);
    cr_expect_eq(producer->ops->begin(producer, &error), RESTART);
    cr_assert_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), OK);
    cr_expect_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    producer->ops->close(producer);
}

/* Asks as the loop does, while the lane is in the commit; ends it when there was an answer. */
static void *ask_what_it_complains_of(void *context)
{
    struct producer *producer = context;
    static char complaint[256];
    int64_t until_us = clock_us() + (int64_t)MOCK_TIMEOUT_MS * 1000;
    complaint[0] = '\0';
    while (complaint[0] == '\0' && clock_us() < until_us) {
        producer->ops->complaint(producer, complaint, sizeof(complaint));
        clock_wait_ms(20);
    }
    producer->ops->give_up(producer);
    return complaint;
}

Test(producer, says_what_it_complains_of_in_the_middle_of_a_commit)
{
    struct producer *producer = mock_producer(&mock, "id");
    cr_assert_eq(producer->ops->begin(producer, &error), OK);
    cr_assert_eq(mock_send(producer, "events", 0, "value", &outcome), OK);
    rd_kafka_mock_broker_set_down(mock.cluster, 1);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, ask_what_it_complains_of, producer), 0);
    cr_expect_eq(producer->ops->commit(producer, &error), RESTART);
    void *complaint = NULL;
    pthread_join(thread, &complaint);
    cr_expect_neq(((const char *)complaint)[0], '\0');
    producer->ops->close(producer);
}
