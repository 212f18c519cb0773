/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/json.h"

#include "outbox/json_string.h"

const char *json_trouble_text(enum json_trouble trouble)
{
    static const char *const texts[JSON_TROUBLES] = {
        [JSON_FINE] = "nothing is wrong",
        [JSON_TRUNCATED] = "it ends too early",
        [JSON_UNEXPECTED] = "a character that may not stand where it stands",
        [JSON_CONTROL_CHARACTER] = "an unescaped control character in a string",
        [JSON_BAD_ESCAPE] = "an escape in a string that JSON does not have",
        [JSON_BAD_NUMBER] = "a number that is not written as JSON wants it",
        [JSON_BAD_UTF8] = "a string that is not valid UTF-8",
        [JSON_TOO_DEEP] = "it is nested deeper than 512 levels",
        [JSON_NO_END] = "something follows its end",
        [JSON_NO_OBJECT] = "it is another kind of value",
        [JSON_NUL] = "a string with \\u0000, which text cannot hold",
        [JSON_HALF_SURROGATE] = "a string with one half of a surrogate pair",
    };
    return (unsigned)trouble < JSON_TROUBLES ? texts[trouble] : "unknown";
}

static bool fail(struct json_scan *scan, enum json_trouble trouble)
{
    scan->trouble = trouble;
    return false;
}

/* The next byte is not one that may stand here. */
static bool unexpected(struct json_scan *scan)
{
    return fail(scan, scan->at == scan->end ? JSON_TRUNCATED : JSON_UNEXPECTED);
}

static inline void skip_space(struct json_scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
}

static inline bool take(struct json_scan *scan, unsigned char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted) {
        return false;
    }
    scan->at++;
    return true;
}

/* Behind the opening quote; leaves off behind the closing one. */
static bool skip_string(struct json_scan *scan)
{
    scan->trouble = json_string_skip(&scan->at, scan->end, &scan->escaped);
    return scan->trouble == JSON_FINE;
}

/* --- other values ---------------------------------------------------------------------------- */

static inline bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool skip_digits(struct json_scan *scan)
{
    if (scan->at == scan->end) {
        return fail(scan, JSON_TRUNCATED);
    }
    if (!is_digit(*scan->at)) {
        return fail(scan, JSON_BAD_NUMBER);
    }
    while (scan->at < scan->end && is_digit(*scan->at)) {
        scan->at++;
    }
    return true;
}

static bool skip_number(struct json_scan *scan)
{
    take(scan, '-');
    if (take(scan, '0')) {
        if (scan->at < scan->end && is_digit(*scan->at)) {
            return fail(scan, JSON_BAD_NUMBER);
        }
    } else if (!skip_digits(scan)) {
        return false;
    }
    if (take(scan, '.') && !skip_digits(scan)) {
        return false;
    }
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+')) {
            take(scan, '-');
        }
        return skip_digits(scan);
    }
    return true;
}

static bool skip_word(struct json_scan *scan, struct bytes word)
{
    size_t left = (size_t)(scan->end - scan->at);
    if (left >= word.len && memcmp(scan->at, word.data, word.len) == 0) {
        scan->at += word.len;
        return true;
    }
    bool cut = left < word.len && memcmp(scan->at, word.data, left) == 0;
    return fail(scan, cut ? JSON_TRUNCATED : JSON_UNEXPECTED);
}

/* By the first byte of a value. False: no value begins with it. */
static bool kind_of(unsigned char c, enum json_kind *kind)
{
    switch (c) {
    case '{': *kind = JSON_OBJECT; return true;
    case '[': *kind = JSON_ARRAY; return true;
    case '"': *kind = JSON_STRING; return true;
    case 't': *kind = JSON_TRUE; return true;
    case 'f': *kind = JSON_FALSE; return true;
    case 'n': *kind = JSON_NULL; return true;
    case '-': *kind = JSON_NUMBER; return true;
    default: *kind = JSON_NUMBER; return is_digit(c);
    }
}

static bool skip_scalar(struct json_scan *scan, enum json_kind kind)
{
    switch (kind) {
    case JSON_STRING: scan->at++; return skip_string(scan);
    case JSON_NUMBER: return skip_number(scan);
    case JSON_TRUE: return skip_word(scan, BYTES_LIT("true"));
    case JSON_FALSE: return skip_word(scan, BYTES_LIT("false"));
    case JSON_NULL: return skip_word(scan, BYTES_LIT("null"));
    case JSON_OBJECT:
    case JSON_ARRAY: break;
    }
    return unexpected(scan);
}

/* --- nesting --------------------------------------------------------------------------------- */

/* Behind an opening bracket. */
static bool push(struct json_scan *scan, bool object)
{
    if (scan->depth == JSON_DEPTH_MAX) {
        return fail(scan, JSON_TOO_DEEP);
    }
    uint64_t bit = UINT64_C(1) << (scan->depth % 64);
    uint64_t *word = &scan->is_object[scan->depth / 64];
    uint64_t above = scan->depth % 64 == 0 ? 0 : *word; /* a word is begun with its first level */
    *word = object ? above | bit : above & ~bit;
    scan->depth++;
    return true;
}

static bool in_object(const struct json_scan *scan)
{
    unsigned level = scan->depth - 1U;
    return (scan->is_object[level / 64] >> (level % 64) & 1) != 0;
}

/* A name and its colon. */
static bool skip_name(struct json_scan *scan)
{
    skip_space(scan);
    if (!take(scan, '"')) {
        return unexpected(scan);
    }
    if (!skip_string(scan)) {
        return false;
    }
    skip_space(scan);
    return take(scan, ':') || unexpected(scan);
}

/* Up to and with the first scalar or empty bracket on the way down. */
static bool go_down(struct json_scan *scan)
{
    for (;;) {
        skip_space(scan);
        enum json_kind kind;
        if (scan->at == scan->end || !kind_of(*scan->at, &kind)) {
            return unexpected(scan);
        }
        if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
            return skip_scalar(scan, kind);
        }
        scan->at++;
        if (!push(scan, kind == JSON_OBJECT)) {
            return false;
        }
        skip_space(scan);
        if (take(scan, kind == JSON_OBJECT ? '}' : ']')) {
            scan->depth--;
            return true;
        }
        if (kind == JSON_OBJECT && !skip_name(scan)) {
            return false;
        }
    }
}

/* Behind a value: closes brackets until one goes on with a comma (then behind it, and behind the
 * name in an object), or only `depth` are open. */
static bool go_up(struct json_scan *scan, uint16_t depth)
{
    while (scan->depth > depth) {
        skip_space(scan);
        bool object = in_object(scan);
        if (take(scan, ',')) {
            return !object || skip_name(scan);
        }
        if (!take(scan, object ? '}' : ']')) {
            return unexpected(scan);
        }
        scan->depth--;
    }
    return true;
}

/* A value of any kind, from its first byte to behind its last. */
static bool skip_value(struct json_scan *scan)
{
    uint16_t depth = scan->depth;
    bool more = true;
    while (more) {
        if (!go_down(scan) || !go_up(scan, depth)) {
            return false;
        }
        more = scan->depth > depth;
    }
    return true;
}

static bool finish(struct json_scan *scan)
{
    skip_space(scan);
    return scan->at == scan->end || fail(scan, JSON_NO_END);
}

/* --- whole texts ----------------------------------------------------------------------------- */

static void start(struct json_scan *scan, struct bytes text)
{
    const char *data = text.data == NULL ? "" : text.data;
    scan->at = (const unsigned char *)data;
    scan->end = scan->at + text.len;
    scan->trouble = JSON_FINE;
    scan->started = false;
    scan->depth = 0;
    skip_space(scan);
}

enum json_trouble json_begin(struct json_scan *scan, struct bytes text)
{
    start(scan, text);
    enum json_kind kind;
    if (scan->at == scan->end || !kind_of(*scan->at, &kind)) {
        unexpected(scan);
    } else if (kind != JSON_OBJECT) {
        fail(scan, JSON_NO_OBJECT);
    } else {
        scan->at++;
        push(scan, true);
    }
    return scan->trouble;
}

static struct bytes extent(const unsigned char *from, const unsigned char *to)
{
    return (struct bytes){(const char *)from, (size_t)(to - from)};
}

bool json_next(struct json_scan *scan, struct json_value *name, struct json_value *value)
{
    if (scan->trouble != JSON_FINE || scan->depth == 0) {
        return false;
    }
    skip_space(scan);
    if (take(scan, '}')) {
        scan->depth--;
        finish(scan);
        return false;
    }
    if (scan->started && !take(scan, ',')) {
        return unexpected(scan);
    }
    scan->started = true;
    skip_space(scan);
    const unsigned char *from = scan->at;
    if (!take(scan, '"')) {
        return unexpected(scan);
    }
    if (!skip_string(scan)) {
        return false;
    }
    *name = (struct json_value){JSON_STRING, scan->escaped, extent(from, scan->at)};
    skip_space(scan);
    if (!take(scan, ':')) {
        return unexpected(scan);
    }
    skip_space(scan);
    from = scan->at;
    if (scan->at == scan->end || !kind_of(*from, &value->kind)) {
        return unexpected(scan);
    }
    if (!skip_value(scan)) {
        return false;
    }
    value->escaped = value->kind == JSON_STRING && scan->escaped;
    value->text = extent(from, scan->at);
    return true;
}

enum json_trouble json_check(struct bytes text)
{
    struct json_scan scan;
    start(&scan, text);
    if (skip_value(&scan)) {
        finish(&scan);
    }
    return scan.trouble;
}
