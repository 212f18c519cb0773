/* SPDX-License-Identifier: Apache-2.0
 *
 * encoder.h - the inside of struct encoder, for the files of encode/ alone.
 * In -> out: nothing.
 * Owns: what is compiled from the configuration; borrows the configuration itself.
 * Thread: read-only once encoder_new has returned. */
#ifndef WALPOST_ENCODE_ENCODER_H
#define WALPOST_ENCODE_ENCODER_H

#include "config/config.h"
#include "encode/headers.h"
#include "encode/record.h"
#include "encode/template.h"

struct encoder {
    enum value_format format;
    bool checked; /* every event is held to a contract */
    struct bytes stream;
    struct bytes dead_letter_topic;
    char *source_table; /* public.outbox_events */
    struct template topic;
    struct template key;
    struct template timestamp;
    struct header_plan headers;
};

#endif
