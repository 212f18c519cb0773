/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - what goes to Kafka.
 * In -> out: the type between steps 5 (encode) and 6 (produce).
 * Owns: the text of its topic and of the header values that were made for it; everything else is a view into the
 *       event. The value must stay until the delivery report; topic, key and headers are copied by the producer.
 * Thread: the lane thread that made it. */
#ifndef WALPOST_ENCODE_RECORD_H
#define WALPOST_ENCODE_RECORD_H

#include <stdint.h>

#include "base/bytes.h"

enum { RECORD_TOPIC_SIZE = 250, RECORD_HEADERS_MAX = 64, RECORD_SCRATCH_SIZE = 2048 };

struct record {
    char topic[RECORD_TOPIC_SIZE]; /* 1 to 249 of [a-zA-Z0-9._-] (Kafka's Topic.java), NUL-terminated */
    struct bytes key;
    struct bytes value;
    int64_t timestamp_ms; /* since 1970 UTC */
    int32_t partition;    /* -1: by the key's murmur2 */
    size_t n_headers;
    struct {
        struct bytes name;
        struct bytes value;
    } headers[RECORD_HEADERS_MAX];
    size_t scratch_used;
    char scratch[RECORD_SCRATCH_SIZE]; /* made header values */
};

#endif
