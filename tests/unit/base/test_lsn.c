/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/lsn.h"
#include "base/macros.h"

Test(lsn, parses_what_postgres_writes)
{
    static const struct {
        const char *text;
        lsn expected;
    } good[] = {
        {"0/0", 0},
        {"16/B374D848", UINT64_C(0x16B374D848)},
        {"16/b374d848", UINT64_C(0x16B374D848)},
        {"FFFFFFFF/FFFFFFFF", UINT64_MAX},
        {"0/1", 1},
        {"1/0", UINT64_C(1) << 32},
        {"00000001/00000002", (UINT64_C(1) << 32) + 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        lsn result = 42;
        cr_expect(lsn_parse(good[i].text, &result), "%s", good[i].text);
        cr_expect_eq(result, good[i].expected, "%s", good[i].text);
    }
}

Test(lsn, refuses_everything_else_and_leaves_the_result_alone)
{
    static const char *const bad[] = {
        "",      "/",    "0",          "0/",   "/0",   "0/0 ",  " 0/0",        "0//0",
        "0/0/0", "G/0",  "0/G",        "-1/0", "0/-1", "0x1/0", "123456789/0", "0/123456789",
        "1/2\n", "+1/0", "000000000/0"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        lsn result = 42;
        cr_expect_not(lsn_parse(bad[i], &result), "%s", bad[i]);
        cr_expect_eq(result, 42, "%s", bad[i]);
    }
}

Test(lsn, goes_round)
{
    uint64_t seed = 1;
    for (int i = 0; i < 1000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        char text[LSN_TEXT_SIZE];
        lsn result;
        snprintf(text, sizeof(text), LSN_FORMAT, LSN_ARGS(seed));
        cr_assert(lsn_parse(text, &result));
        cr_assert_eq(result, seed);
    }
}

Test(lsn, the_longest_text_fits)
{
    char text[64];
    lsn most = UINT64_MAX;
    int len = snprintf(text, sizeof(text), LSN_FORMAT, LSN_ARGS(most));
    cr_expect_eq((size_t)len + 1, LSN_TEXT_SIZE);
}

Test(position, is_written_with_fixed_width)
{
    char text[POSITION_TEXT_SIZE];
    cr_expect_eq(position_format((struct position){0x16B3748, 3}, text), 25);
    cr_expect_str_eq(text, "00000000016B3748.00000003");
    position_format((struct position){UINT64_MAX, UINT32_MAX}, text);
    cr_expect_str_eq(text, "FFFFFFFFFFFFFFFF.FFFFFFFF");
}

Test(position, I5_sorts_as_text_as_it_does_as_a_number)
{
    static const struct position rising[] = {
        {0, 0},
        {0, 1},
        {1, 0},
        {9, 0},
        {10, 0},
        {10, 9},
        {10, 10},
        {15, UINT32_MAX},
        {16, 0},
        {0xffffffff, 0},
        {0x100000000, 0},
        {0x7fffffffffffffff, 1},
        {0x8000000000000000, 0},
        {UINT64_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
        for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
            char a[POSITION_TEXT_SIZE];
            char b[POSITION_TEXT_SIZE];
            position_format(rising[i], a);
            position_format(rising[k], b);
            int expected = i < k ? -1 : i > k;
            int text = strcmp(a, b);
            cr_expect_eq(position_compare(rising[i], rising[k]), expected);
            cr_expect_eq(text < 0 ? -1 : text > 0, expected);
        }
    }
}

Test(lsn, positions_go_round_and_nothing_else_is_one)
{
    static const char *const bad[] = {"",
                                      "0000000000000001.0000000",
                                      "0000000000000001-00000001",
                                      "000000000000000g.00000001",
                                      "00000000000000ab.00000001",
                                      "0000000000000001.000000012"};
    char text[POSITION_TEXT_SIZE];
    struct position there = {UINT64_C(0xFEDCBA9876543210), 0x89ABCDEF};
    struct position back = {0, 0};
    size_t len = position_format(there, text);
    cr_assert(position_parse(text, len, &back));
    cr_assert_eq(position_compare(there, back), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cr_expect_not(position_parse(bad[i], strlen(bad[i]), &back), "%s", bad[i]);
        cr_expect_eq(position_compare(there, back), 0);
    }
}
