/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "contract/decimal.h"
#include "contract/powers_of_five.h"

/* --- reading the decimal --------------------------------------------------------------------- */

enum { EXPONENT_MAX = 100000, DIGITS_MAX = 19 /* always fit into 64 bits */ };

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static const char *read_exponent(const char *at, const char *end, int32_t *exponent)
{
    bool negative = false;
    if (at < end && (*at == '+' || *at == '-')) {
        negative = *at++ == '-';
    }
    if (at == end || !is_digit(*at)) {
        return NULL;
    }
    int32_t value = 0;
    while (at < end && is_digit(*at)) {
        value = value < EXPONENT_MAX ? value * 10 + (*at - '0') : value;
        at++;
    }
    *exponent += negative ? -value : value;
    return at;
}

/* Digits before or behind the point. Those beyond the 19th are only counted. */
static const char *read_digits(const char *at, const char *end, struct decimal *decimal,
                               bool fraction)
{
    if (at == end || !is_digit(*at)) {
        return NULL;
    }
    for (; at < end && is_digit(*at); at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (decimal->n_digits < DIGITS_MAX) {
            decimal->digits = decimal->digits * 10 + digit;
            decimal->n_digits += decimal->digits != 0;
            decimal->exponent -= fraction;
        } else {
            decimal->cut |= digit != 0;
            decimal->exponent += !fraction;
        }
    }
    return at;
}

const char *decimal_read(const char *at, const char *end, struct decimal *decimal)
{
    *decimal = (struct decimal){0};
    if (at < end && *at == '-') {
        decimal->negative = true;
        at++;
    }
    if (end - at >= 2 && at[0] == '0' && is_digit(at[1])) {
        return NULL;
    }
    at = read_digits(at, end, decimal, false);
    if (at != NULL && at < end && *at == '.') {
        at = read_digits(at + 1, end, decimal, true);
    }
    if (at != NULL && at < end && (*at | 0x20) == 'e') {
        at = read_exponent(at + 1, end, &decimal->exponent);
    }
    return at;
}

/* --- integers -------------------------------------------------------------------------------- */

/* More than 19 significant digits: a 20th may still fit, zeros behind it do not count. */
static enum number_trouble widen(const char *at, const char *end, struct decimal *decimal)
{
    uint64_t value = 0;
    int32_t zeros = 0; /* seen, not yet multiplied in */
    int32_t exponent = 0;
    bool fraction = false;
    for (; at < end && (is_digit(*at) || *at == '.' || *at == '-'); at++) {
        if (!is_digit(*at)) {
            fraction = fraction || *at == '.';
            continue;
        }
        exponent -= fraction;
        if (*at == '0') {
            zeros++;
            continue;
        }
        for (; zeros >= 0; zeros--) {
            uint64_t digit = zeros == 0 ? (uint64_t)(*at - '0') : 0;
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, digit, &value)) {
                return NUMBER_RANGE;
            }
        }
        zeros = 0;
    }
    decimal->digits = value;
    exponent += zeros;
    if (at < end && (*at | 0x20) == 'e') {
        read_exponent(at + 1, end, &exponent);
    }
    decimal->exponent = exponent;
    return NUMBER_FINE;
}

static enum number_trouble to_integer(const struct decimal *decimal, struct integer *integer)
{
    uint64_t value = decimal->digits;
    int32_t exponent = decimal->exponent;
    if (value == 0) {
        exponent = 0;
    }
    for (; exponent < 0; exponent++) {
        if (value % 10 != 0) {
            return NUMBER_FRACTION;
        }
        value /= 10;
    }
    for (; exponent > 0; exponent--) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            return NUMBER_RANGE;
        }
    }
    *integer = (struct integer){decimal->negative, value};
    return NUMBER_FINE;
}

const char *number_integer(const char *at, const char *end, struct integer *integer,
                           enum number_trouble *trouble)
{
    struct decimal decimal;
    const char *from = at;
    at = decimal_read(at, end, &decimal);
    if (at == NULL) {
        *trouble = NUMBER_SYNTAX;
        return NULL;
    }
    *trouble = decimal.n_digits == DIGITS_MAX ? widen(from, at, &decimal) : NUMBER_FINE;
    if (*trouble == NUMBER_FINE) {
        *trouble = to_integer(&decimal, integer);
    } else if (decimal.cut && decimal.exponent < 0) {
        *trouble = NUMBER_FRACTION;
    }
    return *trouble == NUMBER_FINE ? at : NULL;
}

/* --- doubles --------------------------------------------------------------------------------- */

/* Both sides are exact doubles, so one multiplication or division rounds once (Clinger 1990). */
static bool exact(const struct decimal *decimal, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (decimal->digits > UINT64_C(1) << 53 || decimal->exponent > 22 || decimal->exponent < -22) {
        return false;
    }
    double digits = (double)decimal->digits;
    *value = decimal->exponent < 0 ? digits / powers[-decimal->exponent]
                                   : digits * powers[decimal->exponent];
    return true;
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* digits * 10^exponent from a product with 128 bits of 5^exponent. False where these bits cannot
 * tell which of two doubles is nearer. */
static bool nearest(uint64_t digits, int32_t exponent, double *value)
{
    enum { BITS = 52, BIAS = 1023, INFINITE = 0x7FF };
    if (digits == 0 || exponent < POWER_SMALLEST) {
        *value = 0;
        return true;
    }
    if (exponent > POWER_LARGEST) {
        *value = INFINITY;
        return true;
    }
    int zeros = __builtin_clzll(digits);
    digits <<= zeros;
    const uint64_t *power = powers_of_five[exponent - POWER_SMALLEST];
    unsigned __int128 product = (unsigned __int128)digits * power[0];
    uint64_t high = (uint64_t)(product >> 64);
    uint64_t low = (uint64_t)product;
    if ((high & 0x1FF) ==
        0x1FF) { /* the bits that were left out could carry into those that count */
        uint64_t more = (uint64_t)((unsigned __int128)digits * power[1] >> 64);
        low += more;
        high += low < more;
        if (low == UINT64_MAX && (exponent < -27 || exponent > 55)) {
            return false;
        }
    }
    int upper = (int)(high >> 63);
    int shift = upper + 64 - BITS - 3;
    uint64_t mantissa = high >> shift; /* 54 bits: one more than a double has */
    /* floor(log2(10) * exponent) + 63, in fixed point; right for all exponents of the table. */
    int32_t binary = ((217706 * exponent) >> 16) + 63 + upper - zeros + BIAS;
    if (binary <= 0) {
        if (binary <= -63) {
            *value = 0;
            return true;
        }
        mantissa >>= 1 - binary;
        mantissa = (mantissa + (mantissa & 1)) >> 1;
        *value = double_of_bits(mantissa); /* a carry makes it the smallest normal one by itself */
        return true;
    }
    /* Exactly half way between two: to even. Only small powers of five can be exact. */
    if (low <= 1 && exponent >= -4 && exponent <= 23 && (mantissa & 3) == 1 &&
        mantissa << shift == high) {
        mantissa &= ~UINT64_C(1);
    }
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >> (BITS + 1) != 0) {
        mantissa >>= 1;
        binary++;
    }
    if (binary >= INFINITE) {
        *value = INFINITY;
        return true;
    }
    mantissa &= ~(UINT64_C(1) << BITS);
    *value = double_of_bits(mantissa | (uint64_t)binary << BITS);
    return true;
}

/* The rare rest: the C library's, which is exact and slow. It reads the point of the process's
 * locale, which no part of this program ever sets. */
static double slow_double(const char *at, const char *end)
{
    char small[128];
    size_t len = (size_t)(end - at);
    char *copy = len < sizeof(small) ? small : must_malloc(len + 1);
    memcpy(copy, at, len);
    copy[len] = '\0';
    double value = fabs(strtod(copy, NULL));
    if (copy != small) {
        free(copy);
    }
    return value;
}

const char *number_double(const char *at, const char *end, double *value,
                          enum number_trouble *trouble)
{
    struct decimal decimal;
    const char *from = at;
    at = decimal_read(at, end, &decimal);
    if (at == NULL) {
        *trouble = NUMBER_SYNTAX;
        return NULL;
    }
    double magnitude;
    if (decimal.cut) {
        /* Between two neighbours of 19 digits: where both round alike, so does it. */
        double above;
        if (!nearest(decimal.digits, decimal.exponent, &magnitude) ||
            !nearest(decimal.digits + 1, decimal.exponent, &above) || magnitude != above) {
            magnitude = slow_double(from, at);
        }
    } else if (!exact(&decimal, &magnitude) &&
               !nearest(decimal.digits, decimal.exponent, &magnitude)) {
        magnitude = slow_double(from, at);
    }
    if (isinf(magnitude)) {
        *trouble = NUMBER_RANGE;
        return NULL;
    }
    *value = decimal.negative ? -magnitude : magnitude;
    return at;
}

/* --- writing --------------------------------------------------------------------------------- */

size_t number_format_unsigned(uint64_t value, char text[static NUMBER_TEXT_SIZE])
{
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < n; i++) {
        text[i] = digits[n - 1 - i];
    }
    return n;
}

size_t number_format_signed(int64_t value, char text[static NUMBER_TEXT_SIZE])
{
    if (value >= 0) {
        return number_format_unsigned((uint64_t)value, text);
    }
    char digits[NUMBER_TEXT_SIZE];
    size_t n = number_format_unsigned(-(uint64_t)value, digits);
    text[0] = '-';
    memcpy(text + 1, digits, n);
    return n + 1;
}

/* Whole numbers below 2^53 are their digits. Readers that take those for an integer would lose the
 * sign of a zero. */
static size_t format_whole(double value, char text[static NUMBER_TEXT_SIZE])
{
    if (!(fabs(value) < 9007199254740992.0) || value != (double)(int64_t)value) {
        return 0;
    }
    if (value == 0 && signbit(value)) {
        memcpy(text, "-0.0", 4);
        return 4;
    }
    return number_format_signed((int64_t)value, text);
}

static bool reads_back(const char *text, size_t len, double value, bool single)
{
    double read;
    enum number_trouble trouble;
    if (number_double(text, text + len, &read, &trouble) == NULL) {
        return false;
    }
    return single ? (float)read == (float)value : read == value;
}

static size_t format(double value, int from, int to, char text[static NUMBER_TEXT_SIZE])
{
    size_t len = format_whole(value, text);
    for (int digits = from; len == 0; digits++) {
        len = (size_t)snprintf(text, NUMBER_TEXT_SIZE, "%.*g", digits, value);
        if (digits < to && !reads_back(text, len, value, to == 9)) {
            len = 0;
        }
    }
    return len;
}

size_t number_format_double(double value, char text[static NUMBER_TEXT_SIZE])
{
    return format(value, 15, 17, text); /* 15 digits always survive a double */
}

size_t number_format_float(float value, char text[static NUMBER_TEXT_SIZE])
{
    return format((double)value, 6, 9, text);
}
