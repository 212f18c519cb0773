/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes.h - a view of bytes that somebody else owns.
 * In -> out: nothing; the type that crosses every step.
 * Owns: nothing. A view is valid for as long as the memory it looks into.
 * Thread: any.
 * Keeps: data == NULL is SQL's NULL; data != NULL with len 0 is the empty string. */
#ifndef WALPOST_BASE_BYTES_H
#define WALPOST_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
    const char *data;
    size_t len;
};

#define BYTES_NULL      ((struct bytes){NULL, 0})
#define BYTES_LIT(text) ((struct bytes){"" text, sizeof(text) - 1})

/* A view of a NUL-terminated string; NULL gives BYTES_NULL. */
static inline struct bytes bytes_of(const char *text)
{
    return (struct bytes){text, text == NULL ? 0 : strlen(text)};
}

/* NULL equals nothing, not even NULL, as in SQL. */
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.data != NULL && b.data != NULL && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static inline bool bytes_empty(struct bytes a)
{
    return a.len == 0;
}

#endif
