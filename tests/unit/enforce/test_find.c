/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "shop.h"

static const struct {
    const char *type;
    const char *claimed;
    const char *version; /* NULL: there is none */
    const char *what;
} cases[] = {
    {"Order.Placed", NULL, "2", NULL},
    {"Order.Placed", "", "2", NULL},
    {"Order.Placed", "1", "1", NULL},
    {"Order.Placed", "v1", "1", NULL},
    {"Order.Placed", "2", "2", NULL},
    {"Sensor.Measured", NULL, "1", NULL},
    {"Order.Placed", "3", NULL, "Order.Placed has no version \"3\": the newest in "},
    {"Order.Placed", "0", NULL, "has no version \"0\""},
    {"Order.Placed", "01", NULL, "has no version \"01\""},
    {"Order.Placed", "v", NULL, "has no version \"v\""},
    {"Order.Placed", "1.0", NULL, "has no version \"1.0\""},
    {"Order.Placed", "-1", NULL, "has no version \"-1\""},
    {"Order.Placed", "4294967297", NULL, "has no version"},
    {"Order.Place", NULL, NULL, "there is no contract for event type \"Order.Place\" in "},
    {"Order.Placedd", NULL, NULL, "there is no contract for event type"},
    {"Order", NULL, NULL, "there is no contract"},
    {"A", NULL, NULL, "there is no contract"},
    {"Z", NULL, NULL, "there is no contract"},
};

Test(find, the_claimed_version_or_the_newest)
{
    struct shop shop;
    shop_init(&shop);
    shop_open(&shop, CONTRACTS_LOOK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool there = cases[i].version != NULL;
        struct bytes payload = BYTES_LIT("{}");
        enum verdict verdict = shop_hold(&shop, cases[i].type, cases[i].claimed, payload);
        cr_expect_eq(verdict, there ? OK : REJECT, "%s %s", cases[i].type, cases[i].claimed);
        if (there) {
            cr_expect(bytes_equal(shop.event.contract->version, bytes_of(cases[i].version)));
        } else {
            cr_expect_eq(shop.reason, DEAD_UNKNOWN_EVENT_TYPE);
            cr_expect_not_null(strstr(shop.error.what, cases[i].what), "%s", shop.error.what);
            cr_expect_null(shop.event.contract);
        }
    }
    size_t types;
    size_t versions;
    contracts_count(shop.contracts, &types, &versions);
    cr_expect_eq(types, 3);
    cr_expect_eq(versions, 4);
    shop_close(&shop);
}

Test(find, without_contracts_there_is_no_gate)
{
    struct shop shop;
    shop_init(&shop);
    shop.config.contracts.dir = "";
    shop_open(&shop, CONTRACTS_PUBLISH);
    cr_expect_null(shop.contracts);
    cr_expect_null(shop.gate);
    shop_close(&shop);
}

Test(find, an_empty_folder_and_a_broken_contract_end_the_start)
{
    struct shop shop;
    struct error error;
    struct contracts *contracts;
    shop_init(&shop);
    shop.config.contracts.dir = "/tmp/walpost-no-such-folder";
    cr_expect_eq(contracts_load(&shop.config, CONTRACTS_PUBLISH, NULL, &contracts, &error),
                 INVALID);
    shop.config.contracts.dir = shop.folder;
    shop_write(&shop, "Order.Broken/v1.proto", "syntax = \"proto3\"; message A {");
    cr_expect_eq(contracts_load(&shop.config, CONTRACTS_PUBLISH, NULL, &contracts, &error),
                 INVALID);
    cr_expect_not_null(strstr(error.what, "Order.Broken/v1.proto"), "%s", error.what);
    shop_close(&shop);
}
