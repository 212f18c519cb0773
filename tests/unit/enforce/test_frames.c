/* SPDX-License-Identifier: Apache-2.0
 *
 * Records that carry the id of their schema, and a registry that does what it is told. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../registry/fake_registry.h"
#include "base/macros.h"
#include "shop.h"

static struct fake_registry fake;
static struct shop shop;

static void begin(void)
{
    setenv("no_proxy", "127.0.0.1", 1);
    fake_registry_start(&fake);
    shop_init(&shop);
    struct config *config = &shop.config;
    config->value = VALUE_PAYLOAD;
    config->contracts.registry.auth.username = config->contracts.registry.auth.password =
        config->contracts.registry.auth.token = "";
    config->contracts.registry.tls.ca = config->contracts.registry.tls.certificate =
        config->contracts.registry.tls.key = config->contracts.registry.tls.key_password = "";
    config->contracts.registry.cache = "";
    config->contracts.registry.subject = SUBJECT_TOPIC_RECORD;
    config->contracts.registry.timeout_us = 20 * 1000 * 1000;
    config->contracts.registry.url = fake.url;
}

static void finish(void)
{
    shop_close(&shop);
    fake_registry_stop(&fake);
}

TestSuite(frames, .init = begin, .fini = finish);

#define WILL(...)                                                  \
    fake_registry_will(&fake, (const struct reply[]){__VA_ARGS__}, \
                       ARRAY_LEN(((struct reply[]){__VA_ARGS__})))

#define FOUND(id)                                    \
    {                                                \
        ANSWER, 200, "{\"id\":" id ",\"version\":2}" \
    }

static enum verdict hold(const char *type)
{
    return shop_hold(&shop, type, NULL, BYTES_LIT("{\"id\":\"a\"}"));
}

static void assert_value(struct bytes expected)
{
    const struct record *record = shop_record(&shop);
    cr_expect(bytes_equal(record->value, expected));
    const struct record_header *last = &record->headers[record->n_headers - 1];
    cr_expect(bytes_equal(last->name, BYTES_LIT("content-type")));
    cr_expect(bytes_equal(last->value, BYTES_LIT("application/vnd.confluent.protobuf")));
}

Test(frames, the_id_and_the_way_to_the_message_stand_in_front)
{
    shop_open(&shop, CONTRACTS_PUBLISH);
    WILL(FOUND("258"), FOUND("7"));
    cr_assert_eq(hold("Order.Placed"), OK, "%s", shop.error.what);
    /* [1, 0]: Placed in Order, which is the second of its file */
    assert_value(BYTES_LIT("\x00\x00\x00\x01\x02\x04\x02\x00\x0a\x01"
                           "a"));
    cr_assert_eq(hold("Order.Shipped"), OK, "%s", shop.error.what);
    assert_value(BYTES_LIT("\x00\x00\x00\x00\x07\x00\x0a\x01"
                           "a"));
    cr_expect_eq(hold("Order.Placed"), OK);
    cr_expect_eq(fake_registry_requests(&fake), 2, "each is asked for once");
    cr_expect(fake_registry_was_asked(
        &fake, 0, "POST /subjects/outbox.event.Order-shop.v1.Order.Placed HTTP"));
    cr_expect(fake_registry_was_asked(
        &fake, 1, "POST /subjects/outbox.event.Order-shop.v1.OrderShipped HTTP"));
}

Test(frames, I7_without_an_id_nothing_passes_and_nothing_is_changed)
{
    shop_open(&shop, CONTRACTS_PUBLISH);
    WILL({ANSWER, 404, "{\"error_code\":40401,\"message\":\"no\"}"}, FOUND("7"));
    cr_expect_eq(hold("Order.Placed"), WAIT);
    cr_expect_not_null(strstr(shop.error.remedy, "walpost schema register"), "%s",
                       shop.error.remedy);
    cr_expect_null(shop.event.contract);
    cr_expect_null(shop.event.typed.data);
    cr_expect(bytes_equal(shop.event.row.payload, BYTES_LIT("{\"id\":\"a\"}")));
    cr_expect_eq(hold("Order.Placed"), OK, "%s", shop.error.what);
}

Test(frames, trouble_of_the_registry_is_waited_for)
{
    shop_open(&shop, CONTRACTS_PUBLISH);
    WILL({ANSWER, 500, "<h1>oops</h1>"});
    cr_expect_eq(hold("Order.Placed"), WAIT);
    cr_expect_eq(shop.error.verdict, WAIT);
    cr_expect_eq(hold("Order.Placed"), WAIT, "the same answer, without a question");
    cr_expect_eq(fake_registry_requests(&fake), 1);
}

Test(frames, what_breaks_its_contract_is_not_asked_about)
{
    shop_open(&shop, CONTRACTS_PUBLISH);
    WILL({ANSWER, 500, ""});
    cr_expect_eq(shop_hold(&shop, "Order.Placed", NULL, BYTES_LIT("{\"id\": 5}")), REJECT);
    cr_expect_eq(fake_registry_requests(&fake), 0);
}

Test(frames, to_look_takes_no_registry)
{
    shop_open(&shop, CONTRACTS_LOOK);
    cr_expect_eq(hold("Order.Placed"), OK);
    cr_expect_eq(fake_registry_requests(&fake), 0);
}

Test(frames, told_to_stop_it_comes_back)
{
    shop_open(&shop, CONTRACTS_PUBLISH);
    WILL({HANG, 0, NULL});
    atomic_store(&shop.stop, true);
    cr_expect_eq(hold("Order.Placed"), AGAIN);
    cr_expect_null(shop.event.contract);
}

Test(frames, other_kinds_have_the_id_alone)
{
    shop_write(&shop, "Order.Weighed/v1.avsc",
               "{\"type\": \"record\", \"name\": \"OrderWeighed\", \"namespace\": \"shop\", "
               "\"fields\": [{\"name\": \"id\", \"type\": \"string\"}]}");
    shop_write(&shop, "Order.Noted/v1.json",
               "{\"title\": \"OrderNoted\", \"type\": \"object\", \"properties\": {\"id\": "
               "{\"type\": \"string\"}}}");
    shop_open(&shop, CONTRACTS_PUBLISH);
    WILL(FOUND("7"), FOUND("8"));
    cr_assert_eq(hold("Order.Weighed"), OK, "%s", shop.error.what);
    const struct record *record = shop_record(&shop);
    cr_expect(bytes_equal(record->value, BYTES_LIT("\x00\x00\x00\x00\x07\x02"
                                                   "a")));
    cr_assert_eq(hold("Order.Noted"), OK, "%s", shop.error.what);
    record = shop_record(&shop);
    cr_expect(bytes_equal(record->value, BYTES_LIT("\x00\x00\x00\x00\x08{\"id\":\"a\"}")));
    cr_expect(fake_registry_was_asked(&fake, 0, "\"schemaType\":\"AVRO\"") ||
              fake_registry_was_asked(&fake, 0, "\"schemaType\": \"AVRO\""));
    cr_expect(fake_registry_was_asked(&fake, 1, "\"JSON\""));
}
