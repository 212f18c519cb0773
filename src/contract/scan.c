/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/scan.h"

const char *scan_trouble_text(enum scan_trouble trouble)
{
    static const char *const texts[SCAN_TROUBLES] = {
        [SCAN_FINE] = "nothing is wrong",
        [SCAN_TRUNCATED] = "it ends too early",
        [SCAN_UNEXPECTED] = "a character that may not stand where it stands",
        [SCAN_CONTROL_CHARACTER] = "an unescaped control character in a string",
        [SCAN_BAD_ESCAPE] = "an escape in a string that JSON does not have",
        [SCAN_BAD_NUMBER] = "a number that is not written as JSON wants it",
        [SCAN_BAD_UTF8] = "a string that is not valid UTF-8",
        [SCAN_HALF_SURROGATE] = "a string with one half of a surrogate pair",
        [SCAN_TOO_DEEP] = "it is nested too deep",
    };
    return (unsigned)trouble < SCAN_TROUBLES ? texts[trouble] : "unknown";
}

static const char *fail(struct scan_failure *failure, enum scan_trouble trouble, const char *at)
{
    *failure = (struct scan_failure){trouble, at};
    return NULL;
}

/* The next byte is not one that may stand here. */
static const char *unexpected(struct scan_failure *failure, const char *at, const char *end)
{
    return fail(failure, at == end ? SCAN_TRUNCATED : SCAN_UNEXPECTED, at);
}

/* --- UTF-8 ----------------------------------------------------------------------------------- */

/* Shortest forms only, no surrogates, nothing above U+10FFFF. */
size_t utf8_sequence(const char *at, const char *end)
{
    const unsigned char *byte = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    if (byte[0] < 0xE0) {
        return byte[0] >= 0xC2 && left >= 2 && (byte[1] & 0xC0) == 0x80 ? 2 : 0;
    }
    if (byte[0] < 0xF0) {
        if (left < 3 || (byte[1] & 0xC0) != 0x80 || (byte[2] & 0xC0) != 0x80) {
            return 0;
        }
        unsigned value = (byte[0] & 0xFu) << 6 | (byte[1] & 0x3Fu); /* without the last 6 bits */
        return value >= 0x800 >> 6 && (value < 0xD800 >> 6 || value > 0xDFFF >> 6) ? 3 : 0;
    }
    if (byte[0] > 0xF4 || left < 4 || (byte[1] & 0xC0) != 0x80 || (byte[2] & 0xC0) != 0x80 ||
        (byte[3] & 0xC0) != 0x80) {
        return 0;
    }
    unsigned value = (byte[0] & 7u) << 6 | (byte[1] & 0x3Fu); /* without the last 12 bits */
    return value >= 0x10000 >> 12 && value <= 0x10FFFF >> 12 ? 4 : 0;
}

bool utf8_valid(struct bytes text)
{
    const char *at = text.data;
    const char *end = text.data + text.len;
    while (at < end) {
        uint64_t block;
        if (end - at >= 8) {
            memcpy(&block, at, sizeof(block));
            if ((block & UINT64_C(0x8080808080808080)) == 0) {
                at += 8;
                continue;
            }
        }
        if ((unsigned char)*at < 0x80) {
            at++;
            continue;
        }
        size_t len = utf8_sequence(at, end);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

/* --- strings --------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Behind the u of \u. */
static const char *scan_unit(const char *at, const char *end, unsigned *unit,
                             struct scan_failure *failure)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        if (at == end) {
            return fail(failure, SCAN_TRUNCATED, at);
        }
        int digit = hex_digit(*at);
        if (digit < 0) {
            return fail(failure, SCAN_BAD_ESCAPE, at);
        }
        *unit = *unit << 4 | (unsigned)digit;
        at++;
    }
    return at;
}

static size_t put_utf8(char *to, unsigned point)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (char)(0xC0 | point >> 6);
        to[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xE0 | point >> 12);
        to[1] = (char)(0x80 | (point >> 6 & 0x3F));
        to[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | point >> 18);
    to[1] = (char)(0x80 | (point >> 12 & 0x3F));
    to[2] = (char)(0x80 | (point >> 6 & 0x3F));
    to[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

/* Behind \u; a high half needs its low half behind it. */
static const char *scan_unicode(const char *at, const char *end, char to[static 4], size_t *len,
                                struct scan_failure *failure)
{
    const char *from = at;
    unsigned point;
    at = scan_unit(at, end, &point, failure);
    if (at == NULL) {
        return NULL;
    }
    if (point >= 0xD800 && point <= 0xDFFF) {
        unsigned low;
        if (point >= 0xDC00 || end - at < 2 || at[0] != '\\' || at[1] != 'u') {
            return fail(failure, SCAN_HALF_SURROGATE, from);
        }
        at = scan_unit(at + 2, end, &low, failure);
        if (at == NULL) {
            return NULL;
        }
        if (low < 0xDC00 || low > 0xDFFF) {
            return fail(failure, SCAN_HALF_SURROGATE, from);
        }
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    *len = put_utf8(to, point);
    return at;
}

/* Behind the backslash. */
static const char *scan_escape(const char *at, const char *end, char to[static 4], size_t *len,
                               struct scan_failure *failure)
{
    if (at == end) {
        return fail(failure, SCAN_TRUNCATED, at);
    }
    *len = 1;
    switch (*at) {
    case '"':
    case '\\':
    case '/': to[0] = *at; return at + 1;
    case 'b': to[0] = '\b'; return at + 1;
    case 'f': to[0] = '\f'; return at + 1;
    case 'n': to[0] = '\n'; return at + 1;
    case 'r': to[0] = '\r'; return at + 1;
    case 't': to[0] = '\t'; return at + 1;
    case 'u': return scan_unicode(at + 1, end, to, len, failure);
    default: return fail(failure, SCAN_BAD_ESCAPE, at);
    }
}

/* At a special character that does not end the string. Letters of other scripts come in runs. */
static const char *scan_special(const char *at, const char *end, struct output *output,
                                struct scan_failure *failure)
{
    size_t len;
    if (*at == '\\') {
        char meaning[4];
        at = scan_escape(at + 1, end, meaning, &len, failure);
        if (at != NULL && output != NULL) {
            output_copy(output, meaning, len);
        }
        return at;
    }
    if ((unsigned char)*at < 0x20) {
        return fail(failure, SCAN_CONTROL_CHARACTER, at);
    }
    const char *from = at;
    while (at < end && (unsigned char)*at >= 0x80 && at - from < OUTPUT_SLACK - 16 - 4) {
        len = utf8_sequence(at, end);
        if (len == 0) {
            return fail(failure, SCAN_BAD_UTF8, at);
        }
        at += len;
    }
    if (output != NULL) {
        output_copy(output, from, (size_t)(at - from));
    }
    return at;
}

const char *scan_string(const char *at, const char *end, struct output *output,
                        struct scan_failure *failure)
{
    while (at < end) {
        unsigned plain = 0;
        if (output != NULL) {
            output_need(output, 1);
        }
        if (end - at >= 16) {
            plain = plain_of_16(at);
            if (output != NULL) {
                memcpy(output->at, at, 16);
                output->at += plain;
            }
            at += plain;
            if (plain == 16) {
                continue;
            }
        } else {
            while (at < end && !is_special(*at)) {
                if (output != NULL) {
                    output_byte(output, *at);
                }
                at++;
            }
            if (at == end) {
                break;
            }
        }
        if (*at == '"') {
            return at + 1;
        }
        at = scan_special(at, end, output, failure);
        if (at == NULL) {
            return NULL;
        }
    }
    return fail(failure, SCAN_TRUNCATED, end);
}

const char *scan_text(const char *at, const char *end, struct output *scratch, struct bytes *text,
                      struct scan_failure *failure)
{
    const char *from = at;
    while (end - at >= 16) {
        unsigned plain = plain_of_16(at);
        at += plain;
        if (plain < 16) {
            break;
        }
    }
    while (at < end && !is_special(*at)) {
        at++;
    }
    if (at < end && *at == '"') {
        *text = (struct bytes){from, (size_t)(at - from)};
        return at + 1;
    }
    scratch->at = scratch->begin;
    at = scan_string(from, end, scratch, failure);
    if (at != NULL) {
        *text = output_bytes(scratch);
    }
    return at;
}

/* --- other values ---------------------------------------------------------------------------- */

static const char *scan_digits(const char *at, const char *end, struct scan_failure *failure)
{
    if (at == end || !is_digit(*at)) {
        return fail(failure, at == end ? SCAN_TRUNCATED : SCAN_BAD_NUMBER, at);
    }
    while (at < end && is_digit(*at)) {
        at++;
    }
    return at;
}

const char *scan_number(const char *at, const char *end, struct scan_failure *failure)
{
    if (at < end && *at == '-') {
        at++;
    }
    if (end - at >= 2 && *at == '0' && is_digit(at[1])) {
        return fail(failure, SCAN_BAD_NUMBER, at);
    }
    at = scan_digits(at, end, failure);
    if (at != NULL && at < end && *at == '.') {
        at = scan_digits(at + 1, end, failure);
    }
    if (at != NULL && at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-')) {
            at++;
        }
        at = scan_digits(at, end, failure);
    }
    return at;
}

static const char *scan_word(const char *at, const char *end, struct bytes word,
                             struct scan_failure *failure)
{
    if ((size_t)(end - at) < word.len || memcmp(at, word.data, word.len) != 0) {
        return fail(failure, SCAN_UNEXPECTED, at);
    }
    return at + word.len;
}

static const char *scan_name(const char *at, const char *end, struct scan_failure *failure)
{
    at = skip_space(at, end);
    if (at == end || *at != '"') {
        return unexpected(failure, at, end);
    }
    at = scan_string(at + 1, end, NULL, failure);
    if (at == NULL) {
        return NULL;
    }
    at = skip_space(at, end);
    return at < end && *at == ':' ? at + 1 : unexpected(failure, at, end);
}

/* Behind the opening bracket. */
static const char *scan_members(const char *at, const char *end, bool object, unsigned depth,
                                struct scan_failure *failure)
{
    const char close = object ? '}' : ']';
    at = skip_space(at, end);
    if (at < end && *at == close) {
        return at + 1;
    }
    for (;;) {
        if (object) {
            at = scan_name(at, end, failure);
            if (at == NULL) {
                return NULL;
            }
        }
        at = scan_value(at, end, depth, failure);
        if (at == NULL) {
            return NULL;
        }
        at = skip_space(at, end);
        if (at == end || (*at != ',' && *at != close)) {
            return unexpected(failure, at, end);
        }
        if (*at++ == close) {
            return at;
        }
    }
}

const char *scan_value(const char *at, const char *end, unsigned depth,
                       struct scan_failure *failure)
{
    at = skip_space(at, end);
    if (at == end) {
        return fail(failure, SCAN_TRUNCATED, at);
    }
    switch (*at) {
    case '{':
    case '[':
        if (depth == 0) {
            return fail(failure, SCAN_TOO_DEEP, at);
        }
        return scan_members(at + 1, end, *at == '{', depth - 1, failure);
    case '"': return scan_string(at + 1, end, NULL, failure);
    case 't': return scan_word(at, end, BYTES_LIT("true"), failure);
    case 'f': return scan_word(at, end, BYTES_LIT("false"), failure);
    case 'n': return scan_word(at, end, BYTES_LIT("null"), failure);
    default:
        return *at == '-' || is_digit(*at) ? scan_number(at, end, failure)
                                           : fail(failure, SCAN_UNEXPECTED, at);
    }
}
