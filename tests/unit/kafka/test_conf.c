/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "kafka/cluster.h"
#include "kafka/conf.h"

struct fixture {
    struct config config;
    struct config_pair pairs[4];
    rd_kafka_conf_t *conf;
    int transaction_timeout_ms;
    struct error error;
};

static enum verdict make(struct fixture *fixture, enum client_role role, const char *id,
                         const char *name, const char *value)
{
    *fixture = (struct fixture){.config = {.stream = "orders"}};
    fixture->pairs[0] = (struct config_pair){"bootstrap.servers", "localhost:9092"};
    fixture->pairs[1] = (struct config_pair){(char *)name, (char *)value};
    fixture->config.kafka.items = fixture->pairs;
    fixture->config.kafka.count = name == NULL ? 1 : 2;
    return kafka_conf_new(&fixture->config, role, id, &fixture->conf,
                          &fixture->transaction_timeout_ms, &fixture->error);
}

static void expect_property(struct fixture *fixture, const char *name, const char *expected)
{
    char value[64];
    size_t size = sizeof(value);
    cr_assert_eq(rd_kafka_conf_get(fixture->conf, name, value, &size), RD_KAFKA_CONF_OK);
    cr_expect_str_eq(value, expected, "%s is %s", name, value);
}

Test(conf, what_carries_a_promise_is_refused_with_the_reason)
{
    static const char *const names[] = {
        "transactional.id",
        "enable.idempotence",
        "acks",
        "request.required.acks",
        "partitioner",
        "isolation.level",
        "enable.auto.commit",
        "group.id",
        "queue.buffering.max.messages",
        "queue.buffering.max.kbytes",
        "delivery.timeout.ms",
        "message.timeout.ms",
        "retries",
        "message.send.max.retries",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "linger.ms",
        "queue.buffering.max.ms",
        "allow.auto.create.topics",
        "test.mock.num.brokers",
    };
    unsetenv(KAFKA_MOCK_VARIABLE);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *reason = kafka_reserved_property(names[i]);
        cr_expect(reason != NULL && strlen(reason) > 10, "%s", names[i]);
        struct fixture fixture;
        cr_expect_eq(make(&fixture, CLIENT_PRODUCER, "id", names[i], "1"), INVALID, "%s", names[i]);
        cr_expect_not_null(strstr(fixture.error.what, names[i]));
    }
}

Test(conf, every_reserved_name_is_one_that_the_client_knows)
{
    static const char *const names[] = {
        "transactional.id", "acks", "linger.ms", "message.timeout.ms", "max.in.flight",
    };
    struct error error;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        cr_expect_eq(kafka_check_property(names[i], "1", &error), OK, "%s", error.what);
    }
}

Test(conf, other_properties_pass)
{
    static const char *const names[] = {
        "bootstrap.servers", "security.protocol", "sasl.password",          "ssl.ca.location",
        "compression.type",  "message.max.bytes", "transaction.timeout.ms", "client.id",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        cr_expect_null(kafka_reserved_property(names[i]), "%s", names[i]);
    }
}

Test(conf, the_mock_needs_the_environments_leave)
{
    setenv(KAFKA_MOCK_VARIABLE, "1", 1);
    cr_expect_null(kafka_reserved_property("test.mock.num.brokers"));
    unsetenv(KAFKA_MOCK_VARIABLE);
    cr_expect_not_null(kafka_reserved_property("test.mock.num.brokers"));
}

Test(conf, a_property_is_checked_by_the_client_itself)
{
    struct error error = {.what = ""};
    cr_expect_eq(kafka_check_property("socket.timeout.ms", "1000", &error), OK);
    cr_expect_eq(kafka_check_property("socket.timeout.ms", "soon", &error), INVALID);
    cr_expect_not_null(strstr(error.what, "socket.timeout.ms"), "%s", error.what);
    cr_expect_eq(kafka_check_property("sokcet.timeout.ms", "1000", &error), INVALID);
    cr_expect_not_null(strstr(error.what, "sokcet.timeout.ms"), "%s", error.what);
    cr_expect_not_null(strstr(error.remedy, "kafka.socket.timeout.ms"), "%s", error.remedy);
    cr_expect_neq(kafka_library_version()[0], '\0');
}

/* The client reads 0x10 as 16; walpost, which reckons with these two, would read 0. */
Test(conf, numbers_that_walpost_reckons_with_are_plain)
{
    static const char *const names[] = {"transaction.timeout.ms", "message.max.bytes"};
    static const char *const others[] = {"0x10000", "060000", "60000 ", "+60000"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct error error = {.what = ""};
        cr_expect_eq(kafka_check_property(names[i], "60000", &error), OK, "%s", error.what);
        for (size_t k = 0; k < ARRAY_LEN(others); k++) {
            cr_expect_eq(kafka_check_property(names[i], others[k], &error), INVALID, "%s",
                         others[k]);
            cr_expect_not_null(strstr(error.what, names[i]), "%s", error.what);
            cr_expect_not_null(strstr(error.remedy, "digits"), "%s", error.remedy);
        }
    }
    struct error error;
    cr_expect_eq(kafka_check_property("socket.timeout.ms", "0x1000", &error), OK);
}

Test(conf, I3_a_producer_has_what_exactly_once_rests_on)
{
    struct fixture fixture;
    cr_assert_eq(make(&fixture, CLIENT_PRODUCER, "walpost.orders.0.a", NULL, NULL), OK);
    expect_property(&fixture, "transactional.id", "walpost.orders.0.a");
    expect_property(&fixture, "enable.idempotence", "true");
    expect_property(&fixture, "partitioner", "murmur2_random");
    expect_property(&fixture, "allow.auto.create.topics", "false");
    expect_property(&fixture, "transaction.timeout.ms", "60000");
    expect_property(&fixture, "client.id", "walpost-orders");
    cr_expect_eq(fixture.transaction_timeout_ms, 60000);
    rd_kafka_conf_destroy(fixture.conf);
}

Test(conf, a_record_gives_up_before_its_transaction_does)
{
    struct fixture fixture;
    cr_assert_eq(make(&fixture, CLIENT_PRODUCER, "id", "transaction.timeout.ms", "20000"), OK);
    expect_property(&fixture, "transaction.timeout.ms", "20000");
    expect_property(&fixture, "message.timeout.ms", "15000");
    cr_expect_eq(fixture.transaction_timeout_ms, 20000);
    rd_kafka_conf_destroy(fixture.conf);
}

Test(conf, tuning_is_the_users_to_change)
{
    struct fixture fixture;
    cr_assert_eq(make(&fixture, CLIENT_PRODUCER, "id", "message.max.bytes", "2000000"), OK);
    expect_property(&fixture, "message.max.bytes", "2000000");
    rd_kafka_conf_destroy(fixture.conf);
    cr_assert_eq(make(&fixture, CLIENT_READ_COMMITTED, NULL, "fetch.wait.max.ms", "50"), OK);
    expect_property(&fixture, "fetch.wait.max.ms", "50");
    rd_kafka_conf_destroy(fixture.conf);
}

Test(conf, readers_differ_in_isolation_only)
{
    struct fixture fixture;
    cr_assert_eq(make(&fixture, CLIENT_READ_COMMITTED, NULL, NULL, NULL), OK);
    expect_property(&fixture, "isolation.level", "read_committed");
    expect_property(&fixture, "enable.partition.eof", "true");
    rd_kafka_conf_destroy(fixture.conf);
    cr_assert_eq(make(&fixture, CLIENT_READ_UNCOMMITTED, NULL, NULL, NULL), OK);
    expect_property(&fixture, "isolation.level", "read_uncommitted");
    rd_kafka_conf_destroy(fixture.conf);
}

Test(conf, what_does_not_go_together_is_said_when_a_client_is_opened)
{
    struct fixture fixture;
    struct cluster *cluster = NULL;
    cr_assert_eq(make(&fixture, CLIENT_ADMIN, NULL, "ssl.ca.location", "/no/such/file"), OK);
    rd_kafka_conf_destroy(fixture.conf);
    fixture.pairs[2] = (struct config_pair){"security.protocol", "ssl"};
    fixture.config.kafka.count = 3;
    cr_expect_eq(cluster_new(&fixture.config, NULL, &cluster, &fixture.error), INVALID);
    fixture.config.kafka.count = 0;
    cr_expect_eq(cluster_new(&fixture.config, NULL, &cluster, &fixture.error), INVALID);
    cr_expect_not_null(strstr(fixture.error.what, "bootstrap.servers"));
}
