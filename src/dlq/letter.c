/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq/letter.h"

#include <stdlib.h>

#include "encode/encode.h"
#include "encode/timestamp.h"

struct bytes header_find(const struct record_header *headers, size_t n_headers, const char *name)
{
    struct bytes wanted = bytes_of(name);
    for (size_t i = 0; i < n_headers; i++) {
        if (bytes_equal(headers[i].name, wanted)) {
            return headers[i].value;
        }
    }
    return BYTES_NULL;
}

struct bytes letter_header(const struct letter *letter, const char *name)
{
    return header_find(letter->headers, letter->n_headers, name);
}

/* --- one block of memory: the letter, its headers, their texts --- */

static struct bytes copy(char **at, struct bytes from)
{
    if (from.data == NULL) {
        return BYTES_NULL;
    }
    struct bytes to = {*at, from.len};
    memcpy(*at, from.data, from.len);
    *at += from.len;
    return to;
}

struct letter *letter_new(const struct reader_record *record)
{
    size_t size =
        sizeof(struct letter) + record->n_headers * sizeof(record->headers[0]) + record->key.len;
    for (size_t i = 0; i < record->n_headers; i++) {
        size += record->headers[i].name.len + record->headers[i].value.len;
    }
    struct letter *letter = must_calloc(1, size);
    letter->headers = (struct record_header *)(letter + 1);
    letter->n_headers = record->n_headers;
    char *at = (char *)(letter->headers + record->n_headers);
    letter->key = copy(&at, record->key);
    for (size_t i = 0; i < record->n_headers; i++) {
        letter->headers[i].name = copy(&at, record->headers[i].name);
        letter->headers[i].value = copy(&at, record->headers[i].value);
    }
    letter->partition = record->partition;
    letter->offset = record->offset;
    letter->timestamp_ms = record->timestamp_ms;
    letter->value_len = record->value.len;
    struct bytes position = letter_header(letter, "position");
    if (position.data == NULL || !position_parse(position.data, position.len, &letter->position)) {
        letter->position = (struct position){0};
    }
    return letter;
}

void letter_free(struct letter *letter)
{
    if (letter != NULL) {
        free(letter->places);
        free(letter);
    }
}

/* --- what it says --- */

bool letter_time(const struct letter *letter, int64_t *us)
{
    struct bytes time = letter_header(letter, "time");
    return time.data != NULL && timestamp_parse(time, us);
}

bool letter_is_cut(const struct letter *letter)
{
    return letter_header(letter, "cut").data != NULL;
}

static uint32_t letter_number(const struct letter *letter, const char *name)
{
    struct bytes digits = letter_header(letter, name);
    uint32_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        number = number * 10 + (uint32_t)(digits.data[i] - '0');
    }
    return number;
}

void letter_row(const struct letter *letter, struct named_bytes extra[static RECORD_HEADERS_MAX],
                struct row *row)
{
    const struct bytes prefix = BYTES_LIT(LETTER_COLUMN_PREFIX);
    *row = (struct row){
        .id = letter_header(letter, "event_id"),
        .aggregate_id = letter_header(letter, "aggregate_id"),
        .event_type = letter_header(letter, "event_type"),
        .payload = BYTES_NULL,
        .status = letter_header(letter, "status"),
        .created_at = letter_header(letter, "created_at"),
        .traceparent = letter_header(letter, "traceparent"),
        .tracestate = letter_header(letter, "tracestate"),
        .schema_version = letter_header(letter, "schema_version"),
        .headers = letter_header(letter, "headers"),
        .extra = extra,
        .message = letter_header(letter, "source_table").data == NULL,
    };
    for (size_t i = 0; i < letter->n_headers; i++) {
        struct bytes name = letter->headers[i].name;
        if (name.len > prefix.len && memcmp(name.data, prefix.data, prefix.len) == 0) {
            struct bytes column = {name.data + prefix.len, name.len - prefix.len};
            extra[row->n_extra++] = (struct named_bytes){column, letter->headers[i].value};
        }
    }
}

/* Whoever writes to the topic says its time. */
static int64_t us_of_ms(int64_t ms)
{
    int64_t us;
    if (__builtin_mul_overflow(ms, INT64_C(1000), &us)) {
        return ms < 0 ? INT64_MIN : INT64_MAX;
    }
    return us;
}

void letter_segment(const struct letter *letter, struct segment *segment)
{
    *segment = (struct segment){
        .commit_lsn = letter->position.commit_lsn,
        .commit_time_us = us_of_ms(letter->timestamp_ms),
        .xid = letter_number(letter, "xid"),
        .part = letter_number(letter, "transaction_part"),
        .snapshot = letter_header(letter, "snapshot").data != NULL,
    };
    int64_t us;
    if (letter_time(letter, &us)) {
        segment->commit_time_us = us;
    }
}
