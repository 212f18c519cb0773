/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "contract/number.h"

static const char *integer_of(const char *text, struct integer *integer,
                              enum number_trouble *trouble)
{
    size_t len = strlen(text);
    char *copy = malloc(len);
    memcpy(copy, text, len);
    const char *at = number_integer(copy, copy + len, integer, trouble);
    at = at == NULL ? NULL : text + (at - copy);
    free(copy);
    return at;
}

Test(numbers, integers_are_exact_in_every_form)
{
    static const struct {
        const char *text;
        bool negative;
        uint64_t magnitude;
    } cases[] = {
        {"0", false, 0},
        {"-0", true, 0},
        {"7", false, 7},
        {"-9223372036854775808", true, UINT64_C(9223372036854775808)},
        {"18446744073709551615", false, UINT64_MAX},
        {"18446744073709551615.000", false, UINT64_MAX},
        {"1844674407370955161500e-2", false, UINT64_MAX},
        {"1.8446744073709551615e19", false, UINT64_MAX},
        {"0.00018446744073709551615e23", false, UINT64_MAX},
        {"1e3", false, 1000},
        {"1E+3", false, 1000},
        {"1000e-3", false, 1},
        {"1.50e1", false, 15},
        {"0e99999", false, 0},
        {"0.0e-99999", false, 0},
        {"0.000", false, 0},
        {"100000000000000000000000000000e-28", false, 10},
        {"9007199254740993", false, UINT64_C(9007199254740993)},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct integer integer;
        enum number_trouble trouble;
        const char *at = integer_of(cases[i].text, &integer, &trouble);
        cr_assert(at != NULL && *at == '\0', "%s", cases[i].text);
        cr_assert(integer.negative == cases[i].negative, "%s", cases[i].text);
        cr_assert(integer.magnitude == cases[i].magnitude, "%s", cases[i].text);
    }
}

Test(numbers, what_is_no_integer_says_why)
{
    static const struct {
        const char *text;
        enum number_trouble trouble;
    } cases[] = {
        {"", NUMBER_SYNTAX},
        {"-", NUMBER_SYNTAX},
        {"+1", NUMBER_SYNTAX},
        {"01", NUMBER_SYNTAX},
        {"-00", NUMBER_SYNTAX},
        {"1.", NUMBER_SYNTAX},
        {".5", NUMBER_SYNTAX},
        {"1e", NUMBER_SYNTAX},
        {"1e+", NUMBER_SYNTAX},
        {"x", NUMBER_SYNTAX},
        {"0.5", NUMBER_FRACTION},
        {"1e-1", NUMBER_FRACTION},
        {"15e-1", NUMBER_FRACTION},
        {"1e-99999999999", NUMBER_FRACTION},
        {"0.33333333333333333333333", NUMBER_FRACTION},
        {"18446744073709551616", NUMBER_RANGE},
        {"99999999999999999999999", NUMBER_RANGE},
        {"1e20", NUMBER_RANGE},
        {"1e99999999999", NUMBER_RANGE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct integer integer;
        enum number_trouble trouble;
        cr_assert(integer_of(cases[i].text, &integer, &trouble) == NULL, "%s", cases[i].text);
        cr_assert(trouble == cases[i].trouble, "%s: %d", cases[i].text, (int)trouble);
    }
}

static void assert_like_strtod(const char *text)
{
    double value = 0;
    enum number_trouble trouble = NUMBER_FINE;
    double expected = strtod(text, NULL);
    const char *at = number_double(text, text + strlen(text), &value, &trouble);
    if (isinf(expected)) {
        cr_assert(at == NULL && trouble == NUMBER_RANGE, "%s", text);
        return;
    }
    cr_assert(at == text + strlen(text), "%s", text);
    cr_assert(memcmp(&value, &expected, sizeof(value)) == 0, "%s: %.17g, not %.17g", text, value,
              expected);
}

Test(numbers, doubles_are_the_nearest_ones)
{
    static const char *const cases[] = {
        "0",
        "-0",
        "-0.0",
        "1",
        "0.1",
        "123456789.125",
        "1e22",
        "1e23",
        "9007199254740993",
        "9007199254740992.9999999999999999999999999",
        "9007199254740993.0000000000000000000000001",
        "5e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e309",
        "1e-400",
        "7.2057594037927933e16",
        "100000000000000000000000000000000000000000000000000",
        "0.000000000000000000000000000000000000000000000000000001",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
        "6929495644600919.5",
        "3.518437208883201171875e13",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_like_strtod(cases[i]);
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Digits and exponents of all sizes, and all bits of doubles, with fixed seeds. */
Test(numbers, doubles_agree_with_the_c_library)
{
    uint64_t state = 88172645463325252;
    char text[64];
    for (int i = 0; i < 100000; i++) {
        uint64_t digits = next_random(&state) >> (next_random(&state) % 64);
        int exponent = (int)(next_random(&state) % 700) - 350;
        snprintf(text, sizeof(text), "%llue%d", (unsigned long long)digits, exponent);
        assert_like_strtod(text);
        uint64_t bits = next_random(&state);
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (isfinite(value)) {
            snprintf(text, sizeof(text), "%.*g", 15 + i % 6, value);
            assert_like_strtod(text);
        }
    }
}

Test(numbers, what_is_written_reads_back)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {1, "1"},
        {-17, "-17"},
        {0.1, "0.1"},
        {1.08342, "1.08342"},
        {1e22, "1e+22"},
        {9007199254740991, "9007199254740991"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {5e-324, "4.94065645841247e-324"},
    };
    char text[NUMBER_TEXT_SIZE];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = number_format_double(cases[i].value, text);
        cr_assert(len == strlen(cases[i].text) && memcmp(text, cases[i].text, len) == 0, "%.*s",
                  (int)len, text);
    }
    uint64_t state = 12345;
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = next_random(&state);
        double value;
        float single;
        memcpy(&value, &bits, sizeof(value));
        memcpy(&single, &bits, sizeof(single));
        if (isfinite(value)) {
            text[number_format_double(value, text)] = '\0';
            cr_assert(strtod(text, NULL) == value, "%s", text);
        }
        if (isfinite(single)) {
            text[number_format_float(single, text)] = '\0';
            cr_assert(strtof(text, NULL) == single, "%s", text);
        }
    }
}

Test(numbers, whole_numbers_of_64_bits)
{
    char text[NUMBER_TEXT_SIZE];
    text[number_format_signed(INT64_MIN, text)] = '\0';
    cr_assert_str_eq(text, "-9223372036854775808");
    text[number_format_unsigned(UINT64_MAX, text)] = '\0';
    cr_assert_str_eq(text, "18446744073709551615");
}
