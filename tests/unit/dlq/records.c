/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include <criterion/criterion.h>

void config_of_test(struct config *config)
{
    *config = (struct config){
        .stream = "orders",
        .outbox = {.schema_name = "public",
                   .table_name = "outbox_events",
                   .columns = {"id", "aggregate_id", "event_type", "payload", "status",
                               "created_at", "traceparent", "tracestate", "schema_version",
                               "headers"},
                   .message_prefix = "walpost"},
        .route = {.topic = "outbox.event.{domain}",
                  .key = "{aggregate_id}",
                  .timestamp = "{column:created_at}"},
        .value = VALUE_ENVELOPE,
        .dead_letter_topic = "outbox.dead-letter",
    };
}

struct row row_of_test(void)
{
    static const struct named_bytes extra[] = {{BYTES_LIT("region"), BYTES_LIT("eu")},
                                               {BYTES_LIT("note"), BYTES_NULL}};
    return (struct row){
        .id = BYTES_LIT(ID),
        .aggregate_id = BYTES_LIT("order-1001"),
        .event_type = BYTES_LIT("Order.Placed"),
        .payload = BYTES_LIT("{\"n\": 1}"),
        .status = BYTES_LIT("PENDING"),
        .created_at = BYTES_LIT("2026-11-23 10:11:12.345678+00"),
        .schema_version = BYTES_LIT("2"),
        .headers = BYTES_LIT("{\"channel\": \"web\"}"),
        .extra = extra,
        .n_extra = 2,
    };
}

/* A record borrows from its encoder: both live until the test ends. */
static struct {
    struct encoder *encoders[2048];
    size_t n;
} kept;

__attribute__((destructor)) static void release(void)
{
    while (kept.n > 0) {
        encoder_free(kept.encoders[--kept.n]);
    }
}

void make_letter(const struct config *config, const struct row *row, enum dead_reason reason,
                 uint32_t ordinal, struct made *made)
{
    struct encoder *encoder;
    struct error error;
    cr_assert_lt(kept.n, ARRAY_LEN(kept.encoders));
    cr_assert_eq(encoder_new(config, &encoder, &error), OK, "%s", error.what);
    kept.encoders[kept.n++] = encoder;
    made->segment = (struct segment){
        .commit_lsn = 0x16b3748, .commit_time_us = INT64_C(1795428674500000), .xid = 742};
    made->event =
        (struct event){.segment = &made->segment, .position = {0x16b3748, ordinal}, .row = *row};
    encode_dead_letter(encoder, &made->event, reason, "because", &made->record);
    made->read = (struct reader_record){
        .partition = 0,
        .offset = ordinal,
        .timestamp_ms = made->record.timestamp_ms,
        .key = made->record.key,
        .value = made->record.value,
        .headers = made->record.headers,
        .n_headers = made->record.n_headers,
    };
}

struct reader_record tombstone(const char *key, int32_t partition,
                               const struct record_header *headers, size_t n_headers)
{
    return (struct reader_record){
        .partition = partition,
        .key = bytes_of(key),
        .value = BYTES_NULL,
        .headers = headers,
        .n_headers = n_headers,
    };
}
