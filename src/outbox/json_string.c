/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/json_string.h"

#include <endian.h>

#define EVERY_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The high bit of every byte that ends a plain run: a quote, a backslash, a control character, a
 * byte beyond ASCII. A borrow may mark bytes above the first hit wrongly; none below it. */
static inline uint64_t special_bytes(uint64_t eight)
{
    uint64_t quote = eight ^ EVERY_BYTE('"');
    uint64_t backslash = eight ^ EVERY_BYTE('\\');
    return ((quote - EVERY_BYTE(1)) | (backslash - EVERY_BYTE(1)) | (eight - EVERY_BYTE(' ')) |
            eight) &
           EVERY_BYTE(0x80);
}

static inline bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x80 && c != '"' && c != '\\';
}

static inline const unsigned char *skip_plain(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= (ptrdiff_t)sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, at, sizeof(eight));
        uint64_t special = special_bytes(le64toh(eight));
        if (special != 0) {
            return at + __builtin_ctzll(special) / 8;
        }
        at += sizeof(eight);
    }
    while (at < end && is_plain(*at)) {
        at++;
    }
    return at;
}

/* The length of the character beyond ASCII at `at`; 0 when it is not valid UTF-8 (RFC 3629, section
 * 4). */
static size_t utf8_length(const unsigned char *at, const unsigned char *end)
{
    unsigned char first = *at;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    size_t length;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        low = first == 0xE0 ? 0xA0 : low;   /* no longer than it must be */
        high = first == 0xED ? 0x9F : high; /* no surrogates */
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        low = first == 0xF0 ? 0x90 : low;
        high = first == 0xF4 ? 0x8F : high; /* not beyond U+10FFFF */
    } else {
        return 0;
    }
    if ((size_t)(end - at) < length || at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a backslash and this character mean; 0: nothing. 'u' has digits to follow. */
static unsigned char escape_meaning(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'u': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

/* Behind a backslash. */
static enum json_trouble skip_escape(const unsigned char **at, const unsigned char *end)
{
    if (*at == end) {
        return JSON_TRUNCATED;
    }
    unsigned char c = *(*at)++;
    if (escape_meaning(c) == 0) {
        return JSON_BAD_ESCAPE;
    }
    for (int i = 0; c == 'u' && i < 4; i++) {
        if (*at == end) {
            return JSON_TRUNCATED;
        }
        if (hex_digit(*(*at)++) < 0) {
            return JSON_BAD_ESCAPE;
        }
    }
    return JSON_FINE;
}

/* At a character beyond ASCII; skips it and those that follow. */
static bool skip_utf8(const unsigned char **at, const unsigned char *end)
{
    while (*at < end && **at >= 0x80) {
        size_t length = utf8_length(*at, end);
        if (length == 0) {
            return false;
        }
        *at += length;
    }
    return true;
}

enum json_trouble json_string_skip(const unsigned char **at, const unsigned char *end,
                                   bool *escaped)
{
    *escaped = false;
    for (;;) {
        *at = skip_plain(*at, end);
        if (*at == end) {
            return JSON_TRUNCATED;
        }
        unsigned char c = **at;
        if (c >= 0x80) {
            if (!skip_utf8(at, end)) {
                return JSON_BAD_UTF8;
            }
            continue;
        }
        ++*at;
        if (c == '"') {
            return JSON_FINE;
        }
        if (c != '\\') {
            return JSON_CONTROL_CHARACTER;
        }
        *escaped = true;
        enum json_trouble trouble = skip_escape(at, end);
        if (trouble != JSON_FINE) {
            return trouble;
        }
    }
}

static unsigned hex4(const unsigned char *at)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        code = code << 4 | (unsigned)hex_digit(at[i]);
    }
    return code;
}

static char *put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

/* The character of a \u escape at *at (on its u), two of them for a surrogate pair; *at moves
 * behind. */
static enum json_trouble read_code(const unsigned char **at, const unsigned char *end,
                                   unsigned *code)
{
    enum { HALF = 5, PAIR = 11 }; /* uXXXX, uXXXX\uXXXX */
    unsigned first = hex4(*at + 1);
    if (first == 0) {
        return JSON_NUL;
    }
    if (first < 0xD800 || first > 0xDFFF) {
        *code = first;
        *at += HALF;
        return JSON_FINE;
    }
    if (first > 0xDBFF || end - *at < PAIR || (*at)[HALF] != '\\' || (*at)[HALF + 1] != 'u') {
        return JSON_HALF_SURROGATE;
    }
    unsigned second = hex4(*at + HALF + 2);
    if (second < 0xDC00 || second > 0xDFFF) {
        return JSON_HALF_SURROGATE;
    }
    *code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    *at += PAIR;
    return JSON_FINE;
}

enum json_trouble json_unescape(const struct json_value *string, char *to, size_t *len)
{
    struct bytes inside = json_inside(string);
    const unsigned char *at = (const unsigned char *)inside.data;
    const unsigned char *end = at + inside.len;
    char *out = to;
    while (at < end) {
        const unsigned char *backslash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((backslash == NULL ? end : backslash) - at);
        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (backslash == NULL) {
            break;
        }
        at++;
        if (*at != 'u') {
            *out++ = (char)escape_meaning(*at++);
            continue;
        }
        unsigned code;
        enum json_trouble trouble = read_code(&at, end, &code);
        if (trouble != JSON_FINE) {
            return trouble;
        }
        out = put_utf8(out, code);
    }
    *len = (size_t)(out - to);
    return JSON_FINE;
}
