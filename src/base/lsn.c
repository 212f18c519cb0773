/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lsn.h"

#include <stdio.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One to eight hexadecimal digits; the rest of the text, or NULL. */
static const char *parse_half(const char *text, uint32_t *half)
{
    uint32_t value = 0;
    int digits = 0;
    while (digits < 9 && hex_digit(*text) >= 0) {
        value = value << 4 | (uint32_t)hex_digit(*text);
        text++;
        digits++;
    }
    *half = value;
    return digits == 0 || digits > 8 ? NULL : text;
}

bool lsn_parse(const char *text, lsn *result)
{
    uint32_t high;
    uint32_t low;
    const char *rest = parse_half(text, &high);
    if (rest == NULL || *rest != '/') {
        return false;
    }
    rest = parse_half(rest + 1, &low);
    if (rest == NULL || *rest != '\0') {
        return false;
    }
    *result = (lsn)high << 32 | low;
    return true;
}

static void hex(char *text, int digits, uint64_t value)
{
    for (int i = digits - 1; i >= 0; i--) {
        text[i] = "0123456789ABCDEF"[value & 15];
        value >>= 4;
    }
}

size_t position_format(struct position position, char text[static POSITION_TEXT_SIZE])
{
    hex(text, 16, position.commit_lsn);
    text[16] = '.';
    hex(text + 17, 8, position.ordinal);
    text[25] = '\0';
    return POSITION_TEXT_SIZE - 1;
}

static bool read_hex(const char *text, int digits, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++) {
        int digit = text[i] >= 'a' ? -1 : hex_digit(text[i]);
        if (digit < 0) {
            return false;
        }
        *value = *value << 4 | (uint64_t)digit;
    }
    return true;
}

bool position_parse(const char *text, size_t len, struct position *result)
{
    uint64_t commit_lsn;
    uint64_t ordinal;
    if (len != POSITION_TEXT_SIZE - 1 || text[16] != '.' || !read_hex(text, 16, &commit_lsn) ||
        !read_hex(text + 17, 8, &ordinal)) {
        return false;
    }
    *result = (struct position){commit_lsn, (uint32_t)ordinal};
    return true;
}
