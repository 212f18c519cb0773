/* SPDX-License-Identifier: Apache-2.0 */
#include "shop.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

#define PLACED                                               \
    "syntax = \"proto3\"; package shop.v1;\n"                \
    "message Item { string sku = 1; int32 quantity = 2; }\n" \
    "message Order { message Placed { string id = 1; repeated Item items = 2; int64 cents = 3; "

void shop_write(const struct shop *shop, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", shop->folder, name);
    *strrchr(path, '/') = '\0';
    (void)mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s", shop->folder, name);
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file, "%s", path);
    cr_assert_geq(fputs(text, file), 0);
    fclose(file);
}

void shop_init(struct shop *shop)
{
    *shop = (struct shop){
        .config = {.stream = "orders",
                   .outbox = {.schema_name = "public", .table_name = "outbox_events"},
                   .route = {.topic = "outbox.event.{domain}",
                             .key = "{aggregate_id}",
                             .timestamp = "{column:created_at}"},
                   .dead_letter_topic = "outbox.dead-letter"},
        .segment = {.commit_lsn = 0x16b3748, .commit_time_us = INT64_C(1795428674500000)},
    };
    shop->config.outbox.columns.created_at = "created_at";
    shop->config.outbox.columns.aggregate_id = "aggregate_id";
    shop->config.contracts.registry.url = "";
    snprintf(shop->folder, sizeof(shop->folder), "/tmp/walpost-shop-XXXXXX");
    cr_assert_not_null(mkdtemp(shop->folder));
    shop->config.contracts.dir = shop->folder;
    shop_write(shop, "Order.Placed/v1.proto", "// walpost.event: Order.Placed\n" PLACED "} }\n");
    shop_write(shop, "Order.Placed/v2.proto",
               "// walpost.event: Order.Placed\n" PLACED "string note = 4; } }\n");
    shop_write(shop, "Order.Shipped/v1.proto",
               "syntax = \"proto2\"; package shop.v1;\n"
               "message OrderShipped { required string id = 1; }\n");
    shop_write(shop, "Sensor.Measured/v1.proto",
               "syntax = \"proto3\"; package shop.v1;\n"
               "message SensorMeasured { repeated double values = 1; }\n");
}

void shop_open(struct shop *shop, enum contracts_use use)
{
    struct error error;
    cr_assert_eq(encoder_new(&shop->config, &shop->encoder, &error), OK, "%s", error.what);
    cr_assert_eq(contracts_load(&shop->config, use, &shop->stop, &shop->contracts, &error), OK,
                 "%s", error.what);
    shop->gate = contracts_gate(shop->contracts, shop->encoder);
}

static void forget_event(struct shop *shop)
{
    free(shop->memory);
    free(shop->event.memory);
    shop->memory = NULL;
    shop->event = (struct event){.segment = &shop->segment, .position = {0x16b3748, 3}};
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    (void)stat;
    (void)type;
    (void)place;
    return remove(path);
}

void shop_close(struct shop *shop)
{
    forget_event(shop);
    if (shop->gate != NULL) {
        shop->gate->ops->free(shop->gate);
    }
    contracts_free(shop->contracts);
    encoder_free(shop->encoder);
    cr_assert_eq(nftw(shop->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

enum verdict shop_hold(struct shop *shop, const char *type, const char *version,
                       struct bytes payload)
{
    struct event *event = &shop->event;
    forget_event(shop);
    event->row = (struct row){
        .id = BYTES_LIT("0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"),
        .aggregate_id = BYTES_LIT("order-1001"),
        .event_type = bytes_of(type),
        .payload = payload,
        .schema_version = bytes_of(version),
    };
    event->key = event->row.aggregate_id;
    event->headroom_size = encode_headroom(shop->encoder, &event->row);
    shop->memory = must_malloc(event->headroom_size + payload.len + 1);
    memset(shop->memory, 0xee, event->headroom_size);
    memcpy(shop->memory + event->headroom_size, payload.data, payload.len);
    event->headroom = shop->memory;
    event->row.payload.data = shop->memory + event->headroom_size;
    return shop->gate->ops->hold(shop->gate, event, &shop->reason, &shop->error);
}

const struct record *shop_record(struct shop *shop)
{
    static struct record records[2];
    cr_assert_eq(encode_event(shop->encoder, &shop->event, &records[0], &shop->error), OK, "%s",
                 shop->error.what);
    char *first = must_malloc(records[0].value.len + 1);
    size_t len = records[0].value.len;
    memcpy(first, records[0].value.data, len);
    cr_assert_eq(encode_event(shop->encoder, &shop->event, &records[1], &shop->error), OK);
    cr_assert(bytes_equal(records[1].value, (struct bytes){first, len}), "a replay is the same");
    free(first);
    return &records[1];
}
