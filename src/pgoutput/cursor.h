/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor.h - reads big-endian fields from a message, never past its end.
 * In -> out: bytes -> numbers, strings, views; after the first failure a read gives nothing.
 * Owns: nothing; borrows the message.
 * Thread: any; pure.
 * Keeps: the first failure sticks, so that a caller reads on and asks once, at the end. */
#ifndef WALPOST_PGOUTPUT_CURSOR_H
#define WALPOST_PGOUTPUT_CURSOR_H

#include <endian.h>
#include <stdint.h>

#include "base/bytes.h"

struct cursor {
    const char *at;
    const char *end;
    const char *start;
    const char *last;     /* where the last read began */
    const char *expected; /* what was not there, at last; NULL: all is well */
};

static inline void cursor_init(struct cursor *cursor, struct bytes message)
{
    const char *start = message.data == NULL ? "" : message.data;
    *cursor =
        (struct cursor){.at = start, .end = start + message.len, .start = start, .last = start};
}

/* What was read last is wrong, or cannot be read. expected is a static text that finishes "expected
 * ...". */
void cursor_fail(struct cursor *cursor, const char *expected);

static inline size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* The next len bytes, or NULL. */
static inline const char *cursor_take(struct cursor *cursor, size_t len, const char *expected)
{
    cursor->last = cursor->at;
    if (__builtin_expect(len > cursor_left(cursor), 0)) {
        cursor_fail(cursor, expected);
        return NULL;
    }
    const char *taken = cursor->at;
    cursor->at += len;
    return taken;
}

static inline uint8_t cursor_u8(struct cursor *cursor, const char *expected)
{
    const char *at = cursor_take(cursor, 1, expected);
    return at == NULL ? 0 : (uint8_t)*at;
}

static inline uint16_t cursor_u16(struct cursor *cursor, const char *expected)
{
    uint16_t value;
    const char *at = cursor_take(cursor, sizeof(value), expected);
    if (at == NULL) {
        return 0;
    }
    memcpy(&value, at, sizeof(value));
    return be16toh(value);
}

static inline uint32_t cursor_u32(struct cursor *cursor, const char *expected)
{
    uint32_t value;
    const char *at = cursor_take(cursor, sizeof(value), expected);
    if (at == NULL) {
        return 0;
    }
    memcpy(&value, at, sizeof(value));
    return be32toh(value);
}

static inline uint64_t cursor_u64(struct cursor *cursor, const char *expected)
{
    uint64_t value;
    const char *at = cursor_take(cursor, sizeof(value), expected);
    if (at == NULL) {
        return 0;
    }
    memcpy(&value, at, sizeof(value));
    return be64toh(value);
}

/* A string that ends with a NUL inside the message; the view is without it. */
struct bytes cursor_string(struct cursor *cursor, const char *expected);

/* A length of four bytes and as many bytes; a negative length is a failure. */
static inline struct bytes cursor_counted(struct cursor *cursor, const char *expected)
{
    uint32_t len = cursor_u32(cursor, expected);
    if (__builtin_expect(len > INT32_MAX, 0)) {
        cursor_fail(cursor, expected);
        return BYTES_NULL;
    }
    const char *at = cursor_take(cursor, len, expected);
    return at == NULL ? BYTES_NULL : (struct bytes){at, len};
}

/* A failure if anything is left. */
void cursor_finish(struct cursor *cursor);

#endif
