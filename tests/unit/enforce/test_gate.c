/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "outbox_event.pb-c.h"
#include "shop.h"

static void assert_typed(ProtobufCBinaryData typed, const void *bytes, size_t len)
{
    cr_assert_eq(typed.len, len);
    cr_assert(memcmp(typed.data, bytes, len) == 0);
}

static Walpost__V1__OutboxEvent *unpack(const struct record *record)
{
    Walpost__V1__OutboxEvent *event = walpost__v1__outbox_event__unpack(
        NULL, record->value.len, (const uint8_t *)record->value.data);
    cr_assert_not_null(event);
    return event;
}

static struct bytes header(const struct record *record, const char *name)
{
    for (size_t i = 0; i < record->n_headers; i++) {
        if (bytes_equal(record->headers[i].name, bytes_of(name))) {
            return record->headers[i].value;
        }
    }
    return BYTES_NULL;
}

Test(gate, I7_the_envelope_says_what_was_checked)
{
    struct shop shop;
    shop_init(&shop);
    shop_open(&shop, CONTRACTS_PUBLISH);
    cr_assert_eq(shop_hold(&shop, "Order.Placed", "v1", BYTES_LIT("{\"id\": \"x\"}")), OK);
    const struct record *record = shop_record(&shop);
    cr_expect(bytes_equal(header(record, "schema_version"), BYTES_LIT("1")));
    cr_expect(bytes_equal(header(record, "content-type"), BYTES_LIT("application/protobuf")));
    Walpost__V1__OutboxEvent *event = unpack(record);
    cr_expect_str_eq(event->schema_version, "1");
    cr_expect_str_eq(event->payload_type, "shop.v1.Order.Placed");
    cr_expect_str_eq(event->payload_json, "{\"id\": \"x\"}");
    assert_typed(event->payload, "\x0a\x01x", 3);
    walpost__v1__outbox_event__free_unpacked(event, NULL);
    shop_close(&shop);
}

/* Around every length of a length, and where the typed payload has to run over itself. */
Test(gate, I7_payloads_of_every_size)
{
    static const size_t sizes[] = {0, 1, 2, 100, 120, 127, 128, 129, 1000, 16383, 16384, 70000};
    for (enum value_format format = VALUE_ENVELOPE; format <= VALUE_PAYLOAD; format++) {
        struct shop shop;
        shop_init(&shop);
        shop.config.value = format;
        shop_open(&shop, CONTRACTS_PUBLISH);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            char *text = must_malloc(sizes[i] + 32);
            char *filler = must_malloc(sizes[i] + 1);
            memset(filler, 'y', sizes[i]);
            filler[sizes[i]] = '\0';
            int len = sprintf(text, "{\"id\":\"%s\"}", filler);
            cr_assert_eq(shop_hold(&shop, "Order.Placed", NULL, (struct bytes){text, (size_t)len}),
                         OK);
            const struct record *record = shop_record(&shop);
            struct bytes typed = record->value;
            Walpost__V1__OutboxEvent *event = NULL;
            if (format == VALUE_ENVELOPE) {
                event = unpack(record);
                typed = (struct bytes){(const char *)event->payload.data, event->payload.len};
                cr_expect_str_eq(event->payload_json, text);
            }
            cr_assert_geq(typed.len, sizes[i]);
            cr_expect(sizes[i] == 0 ||
                      memcmp(typed.data + typed.len - sizes[i], filler, sizes[i]) == 0);
            walpost__v1__outbox_event__free_unpacked(event, NULL);
            free(filler);
            free(text);
        }
        shop_close(&shop);
    }
}

enum { MEASURES = 3000 };

/* "1," becomes 8 bytes. */
static struct bytes measures(char *text)
{
    int len = sprintf(text, "{\"values\":[1");
    for (int i = 1; i < MEASURES; i++) {
        len += sprintf(text + len, ",1");
    }
    len += sprintf(text + len, "]}");
    return (struct bytes){text, (size_t)len};
}

Test(gate, I7_a_typed_payload_that_outgrows_its_room)
{
    static char text[3 * MEASURES];
    struct bytes json = measures(text);
    for (enum value_format format = VALUE_ENVELOPE; format <= VALUE_JSON; format++) {
        struct shop shop;
        shop_init(&shop);
        shop.config.value = format;
        shop_open(&shop, CONTRACTS_PUBLISH);
        for (int again = 0; again < 2; again++) {
            cr_assert_eq(shop_hold(&shop, "Sensor.Measured", NULL, json), OK);
            cr_expect_eq(shop.event.memory != NULL, format != VALUE_JSON);
            const struct record *record = shop_record(&shop);
            if (format == VALUE_JSON) {
                cr_expect(bytes_equal(record->value, json));
            } else if (format == VALUE_PAYLOAD) {
                cr_expect_eq(record->value.len, 1 + 3 + 8 * MEASURES);
            } else {
                Walpost__V1__OutboxEvent *event = unpack(record);
                cr_expect_eq(event->payload.len, 1 + 3 + 8 * MEASURES);
                cr_expect_str_eq(event->payload_json, text);
                walpost__v1__outbox_event__free_unpacked(event, NULL);
            }
            cr_expect(bytes_equal(shop.event.row.payload, json));
        }
        /* and one that has room again */
        cr_assert_eq(shop_hold(&shop, "Sensor.Measured", NULL, BYTES_LIT("{}")), OK);
        cr_expect_null(shop.event.memory);
        (void)shop_record(&shop);
        shop_close(&shop);
    }
}

Test(gate, I7_what_breaks_its_contract_does_not_pass)
{
    struct shop shop;
    shop_init(&shop);
    shop_open(&shop, CONTRACTS_PUBLISH);
    struct bytes text = BYTES_LIT("{\"items\": [{}, {\"quantity\": \"many\"}]}");
    cr_expect_eq(shop_hold(&shop, "Order.Placed", NULL, text), REJECT);
    cr_expect_eq(shop.reason, DEAD_SCHEMA_VALIDATION_FAILED);
    cr_expect_str_eq(shop.error.what,
                     "Order.Placed v2: items[1].quantity: expected an int32, found "
                     "the string \"many\"");
    cr_expect_null(shop.event.contract);
    cr_expect_null(shop.event.typed.data);
    cr_expect(bytes_equal(shop.event.row.payload, text), "the dead letter has it");
    cr_expect_eq(shop_hold(&shop, "Order.Shipped", NULL, BYTES_LIT("{}")), REJECT);
    cr_expect_eq(shop_hold(&shop, "Order.Placed", "1", BYTES_LIT("{\"note\": \"\"}")), REJECT);
    cr_expect_eq(shop_hold(&shop, "Order.Placed", "2", BYTES_LIT("{\"note\": \"\"}")), OK);
    shop_close(&shop);
}

Test(gate, what_is_not_json_is_said_to_be_none)
{
    struct shop shop;
    shop_init(&shop);
    shop_open(&shop, CONTRACTS_PUBLISH);
    /* broken before the contract is, and behind */
    static const char *const texts[] = {"", "{", "{\"id\": 5, }", "{\"id\": \"\xff\"}", "{} {}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_eq(shop_hold(&shop, "Order.Placed", NULL, bytes_of(texts[i])), REJECT, "%s",
                     texts[i]);
        cr_expect_eq(shop.reason, DEAD_UNMARSHAL_FAILED, "%s", texts[i]);
        cr_expect_not_null(strstr(shop.error.what, "the payload is not JSON: "));
    }
    shop_close(&shop);
}

Test(gate, unknown_fields_are_rejected_or_left_out)
{
    struct shop shop;
    shop_init(&shop);
    shop.config.value = VALUE_PAYLOAD;
    shop.config.contracts.unknown_fields = UNKNOWN_FIELDS_IGNORE;
    shop_open(&shop, CONTRACTS_PUBLISH);
    cr_assert_eq(shop_hold(&shop, "Order.Placed", NULL, BYTES_LIT("{\"more\":[1],\"id\":\"a\"}")),
                 OK);
    cr_expect(bytes_equal(shop_record(&shop)->value, BYTES_LIT("\x0a\x01"
                                                               "a")));
    shop_close(&shop);
}

Test(gate, halt_says_where_and_what_to_do_but_never_when_a_letter_is_mended)
{
    for (enum contracts_use use = CONTRACTS_LOOK; use <= CONTRACTS_MEND; use++) {
        struct shop shop;
        shop_init(&shop);
        shop.config.contracts.on_violation = ON_VIOLATION_HALT;
        shop_open(&shop, use);
        enum verdict expected = use == CONTRACTS_MEND ? REJECT : FATAL;
        cr_expect_eq(shop_hold(&shop, "Order.Shipped", NULL, BYTES_LIT("{}")), expected);
        cr_expect_eq(shop.error.verdict, expected);
        if (expected == FATAL) {
            cr_expect_not_null(strstr(shop.error.what, "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50 at "
                                                       "00000000016B3748.00000003"),
                               "%s", shop.error.what);
            cr_expect_not_null(strstr(shop.error.what, "Order.Shipped v1: id: "));
            cr_expect_not_null(strstr(shop.error.remedy, shop.folder));
        }
        cr_expect_eq(shop_hold(&shop, "Order.Gone", NULL, BYTES_LIT("{}")), expected);
        cr_expect_eq(shop_hold(&shop, "Order.Shipped", NULL, BYTES_LIT("{\"id\":\"\"}")), OK);
        shop_close(&shop);
    }
}

Test(gate, a_dead_letter_keeps_the_version_that_the_row_has)
{
    struct shop shop;
    struct record record;
    shop_init(&shop);
    shop_open(&shop, CONTRACTS_PUBLISH);
    cr_assert_eq(shop_hold(&shop, "Order.Placed", "v1", BYTES_LIT("{}")), OK);
    encode_dead_letter(shop.encoder, &shop.event, DEAD_MISSING_TOPIC, "", &record);
    cr_expect(bytes_equal(header(&record, "schema_version"), BYTES_LIT("v1")));
    cr_assert_eq(shop_hold(&shop, "Order.Placed", NULL, BYTES_LIT("{}")), OK);
    encode_dead_letter(shop.encoder, &shop.event, DEAD_MISSING_TOPIC, "", &record);
    cr_expect_null(header(&record, "schema_version").data);
    shop_close(&shop);
}
