/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"

void sample_init(struct sample *sample)
{
    *sample = (struct sample){
        .config =
            {
                .stream = "orders",
                .outbox = {.schema_name = "public",
                           .table_name = "outbox_events",
                           .columns = {"id", "aggregate_id", "event_type", "payload", "status",
                                       "created_at", "traceparent", "tracestate", "schema_version",
                                       "headers"}},
                .route = {.topic = "outbox.event.{domain}",
                          .key = "{aggregate_id}",
                          .timestamp = "{column:created_at}"},
                .value = VALUE_ENVELOPE,
                .dead_letter_topic = "outbox.dead-letter",
            },
        .extra = {{BYTES_LIT("region"), BYTES_LIT("eu-west")},
                  {BYTES_LIT("note"), BYTES_NULL},
                  {BYTES_LIT("empty"), BYTES_LIT("")},
                  {BYTES_LIT("tenant"), BYTES_LIT("17")}},
        .segment = {.commit_lsn = 0x16b3748,
                    .commit_time_us = INT64_C(1795428674500000),
                    .xid = 742},
        .event = {.position = {0x16b3748, 3},
                  .row =
                      {
                          .id = BYTES_LIT("0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"),
                          .aggregate_id = BYTES_LIT("order-1001"),
                          .event_type = BYTES_LIT("Order.PaymentProcessed"),
                          .payload = BYTES_LIT("{\"amount\": 12.50, \"currency\": \"EUR\"}"),
                          .status = BYTES_LIT("PENDING"),
                          .created_at = BYTES_LIT("2026-11-23 10:11:12.345678+00"),
                          .traceparent =
                              BYTES_LIT("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                          .tracestate = BYTES_LIT("congo=t61rcWkgMzE"),
                          .schema_version = BYTES_LIT("2"),
                          .headers = BYTES_LIT("{\"channel\": \"web\"}"),
                          .n_extra = 4,
                      }},
    };
    sample->event.row.extra = sample->extra;
    sample->event.segment = &sample->segment;
}

void sample_ready(struct sample *sample)
{
    struct error error;
    struct event *event = &sample->event;
    cr_assert_eq(encoder_new(&sample->config, &sample->encoder, &error), OK, "%s", error.what);
    if (encode_key(sample->encoder, &event->row, sample->key, sizeof(sample->key), &event->key,
                   &error) != OK) {
        event->key = BYTES_LIT("");
    }
    event->headroom_size = encode_headroom(sample->encoder, &event->row);
    sample->memory = must_malloc(event->headroom_size + event->row.payload.len + 1);
    event->headroom = sample->memory;
    memset(event->headroom, 0xee, event->headroom_size);
    if (event->row.payload.data != NULL) {
        memcpy(sample->memory + event->headroom_size, event->row.payload.data,
               event->row.payload.len);
        event->row.payload.data = sample->memory + event->headroom_size;
    }
}

void sample_release(struct sample *sample)
{
    encoder_free(sample->encoder);
    free(sample->memory);
}

struct bytes header_of(const struct record *record, const char *name)
{
    for (size_t i = 0; i < record->n_headers; i++) {
        if (bytes_equal(record->headers[i].name, bytes_of(name))) {
            return record->headers[i].value;
        }
    }
    return BYTES_NULL;
}
