/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - what goes to Kafka.
 * In -> out: the type between steps 5 (encode) and 6 (produce).
 * Owns: its topic and the header values that were made for it; all else are views into the event.
 *       The value must stay until the delivery report; the producer copies topic, key and headers.
 * Thread: the lane thread that made it. */
#ifndef WALPOST_ENCODE_RECORD_H
#define WALPOST_ENCODE_RECORD_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/check.h"

enum { RECORD_TOPIC_SIZE = 250, RECORD_HEADERS_MAX = 64, RECORD_SCRATCH_SIZE = 4096 };

struct record_header {
    struct bytes name;
    struct bytes value;
};

struct record {
    char topic[RECORD_TOPIC_SIZE]; /* 1 to 249 of [a-zA-Z0-9._-] (Kafka's Topic.java),
                                      NUL-terminated */
    struct bytes key;
    struct bytes value;
    int64_t timestamp_ms; /* since 1970 UTC */
    int32_t partition;    /* -1: by the key's murmur2 */
    size_t n_headers;
    struct record_header headers[RECORD_HEADERS_MAX];
    size_t scratch_used;
    char scratch[RECORD_SCRATCH_SIZE]; /* made header values */
};

/* False: there is no room for another header. */
static inline bool record_header(struct record *record, struct bytes name, struct bytes value)
{
    if (record->n_headers == RECORD_HEADERS_MAX) {
        return false;
    }
    record->headers[record->n_headers++] = (struct record_header){name, value};
    return true;
}

static inline bool record_has_header(const struct record *record, struct bytes name)
{
    for (size_t i = 0; i < record->n_headers; i++) {
        if (bytes_equal(record->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* At most max bytes, and no half character of UTF-8 at the end. */
static inline struct bytes record_cut(struct bytes text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    size_t start = len; /* of the last character */
    while (start > 0 && len - start < 4 && (text.data[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    unsigned char lead = start > 0 ? (unsigned char)text.data[start - 1] : 0;
    size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    return (struct bytes){text.data, whole > len - start + 1 ? start - 1 : len};
}

/* A copy of text in the record. What walpost makes itself always fits; see record_room for the
 * rest. */
static inline struct bytes record_text(struct record *record, struct bytes text)
{
    check(text.len <= RECORD_SCRATCH_SIZE - record->scratch_used);
    char *copy = record->scratch + record->scratch_used;
    memcpy(copy, text.data, text.len);
    record->scratch_used += text.len;
    return (struct bytes){copy, text.len};
}

/* The scratch that is left; whoever writes into it adds to scratch_used what it wrote. */
static inline char *record_room(struct record *record, size_t *size)
{
    *size = RECORD_SCRATCH_SIZE - record->scratch_used;
    return record->scratch + record->scratch_used;
}

#endif
