/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/macros.h"
#include "registry/secrets.h"
#include "registry/subject.h"
#include "registry/wire_format.h"

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
#define WAY(...)   (const int32_t[]){__VA_ARGS__}, ARRAY_LEN(((int32_t[]){__VA_ARGS__}))

static const struct {
    int32_t id;
    const int32_t *indexes;
    size_t n_indexes;
    const uint8_t *bytes;
    size_t len;
} headers[] = {
    /* the first message: one byte instead of two */
    {1, WAY(0), BYTES(0, 0, 0, 0, 1, 0)},
    {0, WAY(0), BYTES(0, 0, 0, 0, 0, 0)},
    {0x01020304, WAY(0), BYTES(0, 1, 2, 3, 4, 0)},
    {INT32_MAX, WAY(0), BYTES(0, 0x7f, 0xff, 0xff, 0xff, 0)},
    /* zigzag: 1 is 2, and a count is a number like the others */
    {1, WAY(1), BYTES(0, 0, 0, 0, 1, 2, 2)},
    {1, WAY(0, 0), BYTES(0, 0, 0, 0, 1, 4, 0, 0)},
    {1, WAY(1, 0), BYTES(0, 0, 0, 0, 1, 4, 2, 0)},
    {7, WAY(2, 3, 5), BYTES(0, 0, 0, 0, 7, 6, 4, 6, 10)},
    /* 63 is the last in one byte, 64 the first in two */
    {1, WAY(63), BYTES(0, 0, 0, 0, 1, 2, 126)},
    {1, WAY(64), BYTES(0, 0, 0, 0, 1, 2, 0x80, 1)},
    {1, WAY(8191), BYTES(0, 0, 0, 0, 1, 2, 0xfe, 0x7f)},
    {1, WAY(8192), BYTES(0, 0, 0, 0, 1, 2, 0x80, 0x80, 1)},
    {1, WAY(INT32_MAX), BYTES(0, 0, 0, 0, 1, 2, 0xfe, 0xff, 0xff, 0xff, 0x0f)},
};

Test(wire_format, is_what_confluent_writes)
{
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        uint8_t header[WIRE_HEADER_MAX];
        size_t len = wire_header(headers[i].id, headers[i].indexes, headers[i].n_indexes, header);
        cr_expect_eq(len, headers[i].len, "%zu: %zu bytes", i, len);
        cr_expect_arr_eq(header, headers[i].bytes, headers[i].len, "%zu", i);
    }
}

Test(wire_format, the_longest_fits)
{
    int32_t indexes[WIRE_INDEXES_MAX + 1];
    uint8_t header[WIRE_HEADER_MAX];
    for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
        indexes[i] = INT32_MAX;
    }
    cr_expect_eq(wire_header(1, indexes, WIRE_INDEXES_MAX, header), 5 + 1 + 5 * WIRE_INDEXES_MAX);
    cr_expect_eq(wire_header(1, indexes, WIRE_INDEXES_MAX + 1, header), 0);
    cr_expect_eq(wire_header(1, NULL, 0, header), 5);
}

Test(wire_format, nothing_negative)
{
    uint8_t header[WIRE_HEADER_MAX];
    cr_expect_eq(wire_header(-1, WAY(0), header), 0);
    cr_expect_eq(wire_header(1, WAY(0, -1), header), 0);
}

Test(subject, three_strategies)
{
    char subject[SUBJECT_SIZE];
    cr_assert(subject_name(SUBJECT_TOPIC, "orders", NULL, subject));
    cr_expect_str_eq(subject, "orders-value");
    cr_assert(subject_name(SUBJECT_RECORD, NULL, "shop.v1.Created", subject));
    cr_expect_str_eq(subject, "shop.v1.Created");
    cr_assert(subject_name(SUBJECT_TOPIC_RECORD, "orders", "shop.v1.Created", subject));
    cr_expect_str_eq(subject, "orders-shop.v1.Created");
}

Test(subject, none_without_its_parts)
{
    char subject[SUBJECT_SIZE];
    char longest[2 * SUBJECT_SIZE];
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    cr_expect_not(subject_name(SUBJECT_TOPIC, "", NULL, subject));
    cr_expect_not(subject_name(SUBJECT_RECORD, NULL, "", subject));
    cr_expect_not(subject_name(SUBJECT_TOPIC_RECORD, "orders", "", subject));
    cr_expect_not(subject_name(SUBJECT_RECORD, NULL, longest, subject));
}

Test(secrets, are_stars_whoever_says_them)
{
    struct config config = {.contracts.registry.auth = {"me", "hunter2", "t0ken"}};
    char text[] = "Authorization: Basic bWU6aHVudGVyMg== (hunter2, t0ken, hunter2hunter2)";
    secrets_hide(&config, text);
    cr_expect_str_eq(text,
                     "Authorization: Basic **************** (*******, *****, **************)");
    struct config none = {.contracts.registry.auth = {"", "", ""}};
    char plain[] = "a page";
    secrets_hide(&none, plain);
    cr_expect_str_eq(plain, "a page");
}
