/* SPDX-License-Identifier: Apache-2.0
 *
 * records.h - records of a dead letter topic, made by the encoder as the stream makes them.
 * In: a row. Out: what the reader would hand out.
 * Owns: nothing beyond the test.  Thread: any. */
#ifndef WALPOST_TESTS_UNIT_DLQ_RECORDS_H
#define WALPOST_TESTS_UNIT_DLQ_RECORDS_H

#include "config/config.h"
#include "dlq/letters.h"
#include "encode/encode.h"

#define ID "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"

/* The defaults. */
void config_of_test(struct config *config);

struct made {
    struct segment segment;
    struct event event;
    struct record record; /* of the dead letter */
    struct reader_record read;
};

/* A good row, to be spoilt. */
struct row row_of_test(void);
void make_letter(const struct config *config, const struct row *row, enum dead_reason reason,
                 uint32_t ordinal, struct made *made);

/* Header by header; value NULL: a tombstone. */
struct reader_record tombstone(const char *key, int32_t partition,
                               const struct record_header *headers, size_t n_headers);

#endif
