/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h - a strict scanner of JSON: one pass, no document tree, no memory of its own.
 * In -> out: text -> the extents of the members of its object; or only: is it JSON?
 * Owns: nothing; names and values are views into the text.
 * Thread: any; pure.
 * Keeps: RFC 8259 to the letter, in valid UTF-8, at most 512 levels deep. A member's text is
 *        exact, with nothing around it.
 * Source: RFC 8259; RFC 3629 for UTF-8. */
#ifndef WALPOST_OUTBOX_JSON_H
#define WALPOST_OUTBOX_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { JSON_DEPTH_MAX = 512 };

enum json_kind {
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

/* Why a text is not JSON, or a string of it cannot become text. */
enum json_trouble {
    JSON_FINE = 0,
    JSON_TRUNCATED,
    JSON_UNEXPECTED,
    JSON_CONTROL_CHARACTER,
    JSON_BAD_ESCAPE,
    JSON_BAD_NUMBER,
    JSON_BAD_UTF8,
    JSON_TOO_DEEP,
    JSON_NO_END,         /* something follows the value */
    JSON_NO_OBJECT,      /* JSON, but not an object */
    JSON_NUL,            /* \u0000, which PostgreSQL's text cannot hold */
    JSON_HALF_SURROGATE, /* \ud800 without its other half */
    JSON_TROUBLES,
};

/* A static text that finishes "it is not JSON: ...". */
const char *json_trouble_text(enum json_trouble trouble);

struct json_value {
    enum json_kind kind;
    bool escaped;      /* a string with a backslash in it */
    struct bytes text; /* as it stands; a string with its quotes */
};

struct json_scan {
    const unsigned char *at;
    const unsigned char *end;
    enum json_trouble trouble;
    bool escaped; /* the last string has a backslash */
    bool started; /* a member has been read */
    uint16_t depth;
    uint64_t is_object[JSON_DEPTH_MAX / 64]; /* a bit for each level that is open */
};

/* Enters the top-level object. JSON_NO_OBJECT when the text is another kind of value, which is then
 * not looked at. */
enum json_trouble json_begin(struct json_scan *scan, struct bytes text);

/* The next member of the top-level object; name is a JSON_STRING. False at the end, which is good
 * only when scan->trouble is JSON_FINE: the members that came before a trouble belong to no JSON.
 */
bool json_next(struct json_scan *scan, struct json_value *name, struct json_value *value);

/* The whole text as one value of any kind. */
enum json_trouble json_check(struct bytes text);

/* The inside of a string that the scanner has passed. */
static inline struct bytes json_inside(const struct json_value *string)
{
    return (struct bytes){string->text.data + 1, string->text.len - 2};
}

/* Writes the text that a passed string means to `to`, which has room for the string as it stands.
 * JSON_NUL or JSON_HALF_SURROGATE, and *len untouched, when it means no text. */
enum json_trouble json_unescape(const struct json_value *string, char *to, size_t *len);

#endif
