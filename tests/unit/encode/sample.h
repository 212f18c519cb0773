/* SPDX-License-Identifier: Apache-2.0
 *
 * sample.h - one event with everything in it, and a configuration that has only defaults.
 * In -> out: nothing -> an event whose payload stands behind exactly the room that it asked for.
 * Owns: the memory of the payload.
 * Thread: any.
 * Keeps: one byte too many in front of the payload is seen by AddressSanitizer. */
#ifndef WALPOST_TESTS_UNIT_ENCODE_SAMPLE_H
#define WALPOST_TESTS_UNIT_ENCODE_SAMPLE_H

#include "config/config.h"
#include "encode/encode.h"

struct sample {
    struct config config;
    struct named_bytes extra[4];
    struct segment segment;
    struct event event;
    struct encoder *encoder;
    char *memory;
    char key[256];
};

/* Change config and event.row as the test wants, then sample_ready. */
void sample_init(struct sample *sample);

/* Makes the encoder and the key, and puts the payload behind its headroom. Fails the test where
 * that does not work. */
void sample_ready(struct sample *sample);
void sample_release(struct sample *sample);

/* The value of a header, or NULL: BYTES_NULL. */
struct bytes header_of(const struct record *record, const char *name);

#define assert_bytes(actual, expected)                                        \
    do {                                                                      \
        struct bytes actual_ = (actual);                                      \
        const char *expected_ = (expected);                                   \
        cr_assert(actual_.data != NULL && actual_.len == strlen(expected_) && \
                      memcmp(actual_.data, expected_, actual_.len) == 0,      \
                  "is \"%.*s\", should be \"%s\"", (int)actual_.len,          \
                  actual_.data == NULL ? "" : actual_.data, expected_);       \
    } while (0)

#endif
