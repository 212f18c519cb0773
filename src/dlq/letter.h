/* SPDX-License-Identifier: Apache-2.0
 *
 * letter.h - one dead letter, as it stands in its topic, without its value.
 * In: a record of the dead letter topic. Out: what its headers say; the row that it was.
 * Owns: a copy of key and headers (letter_new, letter_free).
 * Thread: any; pure. */
#ifndef WALPOST_DLQ_LETTER_H
#define WALPOST_DLQ_LETTER_H

#include "encode/encode.h"
#include "kafka/reader.h"
#include "outbox/event.h"

struct letter {
    struct letter *next; /* in its bucket */
    struct bytes key;
    int32_t partition; /* of the newest record */
    int64_t offset;
    int64_t timestamp_ms;
    size_t value_len;
    struct position position;
    int32_t *places; /* partitions that hold it: more than one after the topic was grown */
    size_t n_places; /* 0: it is gone */
    bool replayed;   /* gone, because it was replayed; its row may still want its mark */
    size_t n_headers;
    struct record_header *headers;
};

struct letter *letter_new(const struct reader_record *record);
void letter_free(struct letter *letter); /* takes NULL */

struct bytes header_find(const struct record_header *headers, size_t n_headers, const char *name);
/* BYTES_NULL: it has no such header. */
struct bytes letter_header(const struct letter *letter, const char *name);
/* When its row was committed. False: it does not say. */
bool letter_time(const struct letter *letter, int64_t *us);
/* Was something of the row too long, so that the letter does not have all of it? */
bool letter_is_cut(const struct letter *letter);

/* The row as far as the headers have it: no payload, and not judged. Views into the letter. */
void letter_row(const struct letter *letter, struct named_bytes extra[static RECORD_HEADERS_MAX],
                struct row *row);
/* Where the row stood. */
void letter_segment(const struct letter *letter, struct segment *segment);

#endif
