/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/base64.h"

#include <stdint.h>

enum { X = 64 /* no digit: has a bit that no digit has */ };

static const uint8_t digits[256] = {
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  62, X,  62, X,  63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X,  X,  X,  X,  X,  X,  X,  0,  1,  2,  3,  4,  5,  6,
    7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X,  X,  X,  X,  63,
    X,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
};

static uint32_t digit(const char *at)
{
    return digits[(unsigned char)*at];
}

/* Padding is as long as it has to be, or not there. */
static bool strip_padding(struct bytes *text)
{
    size_t padding = 0;
    while (padding < text->len && padding < 3 && text->data[text->len - 1 - padding] == '=') {
        padding++;
    }
    if (padding > 2 || (padding > 0 && text->len % 4 != 0)) {
        return false;
    }
    text->len -= padding;
    return text->len % 4 != 1;
}

bool base64_decode(struct bytes text, char *to, size_t *len)
{
    if (!strip_padding(&text)) {
        return false;
    }
    const char *at = text.data;
    const char *end = text.data + text.len;
    char *out = to;
    uint32_t seen = 0; /* whether any was no digit shows in one bit of all of them */
    for (; end - at >= 4; at += 4) {
        uint32_t a = digit(at);
        uint32_t b = digit(at + 1);
        uint32_t c = digit(at + 2);
        uint32_t d = digit(at + 3);
        seen |= a | b | c | d;
        uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        out[0] = (char)(bits >> 16);
        out[1] = (char)(bits >> 8);
        out[2] = (char)bits;
        out += 3;
    }
    if (end - at >= 2) {
        uint32_t c = end - at == 3 ? digit(at + 2) : 0;
        uint32_t a = digit(at);
        uint32_t b = digit(at + 1);
        seen |= a | b | c;
        *out++ = (char)(a << 2 | b >> 4);
        if (end - at == 3) {
            *out++ = (char)(b << 4 | c >> 2);
        }
    }
    *len = (size_t)(out - to);
    return (seen & X) == 0;
}

void base64_encode(struct bytes bytes, char *to)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t left = bytes.len;
    for (; left >= 3; left -= 3, at += 3) {
        *to++ = letters[at[0] >> 2];
        *to++ = letters[(at[0] & 3) << 4 | at[1] >> 4];
        *to++ = letters[(at[1] & 15) << 2 | at[2] >> 6];
        *to++ = letters[at[2] & 63];
    }
    if (left > 0) {
        unsigned second = left == 2 ? at[1] : 0;
        *to++ = letters[at[0] >> 2];
        *to++ = letters[(at[0] & 3u) << 4 | second >> 4];
        *to++ = '=';
        if (left == 2) {
            to[-1] = letters[(second & 15) << 2];
        }
        *to++ = '=';
    }
}
