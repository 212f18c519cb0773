/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - reads a whole topic, once, up to an end that is asked for first. For checkpoints, and
 * for dead letters.
 * In: a topic. Out: its records, those of a partition in offset order.
 * Owns: its consumer (two: committed and uncommitted, opened when first needed).
 * Thread: one at a time; waits at most timeout_ms.
 * Keeps: an end of partition below the high watermark means "not yet", never "empty": another
 * producer's open transaction hides what is behind it from a read_committed reader. */
#ifndef WALPOST_KAFKA_READER_H
#define WALPOST_KAFKA_READER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"
#include "encode/record.h"

struct config;
struct reader;

enum verdict MUST_CHECK reader_new(const struct config *config, struct reader **reader,
                                   struct error *error);
void reader_free(struct reader *reader);

typedef void reader_fn(void *context, int32_t partition, int64_t offset, struct bytes key,
                       struct bytes value);

/* Calls fn for every record of all partitions. committed: only those of committed transactions, and
 * only once the read_committed position has reached the high watermark (asked for at the start of
 * this call, read_uncommitted). RETRY: no answer, or not there yet, in time: call again, and forget
 * what fn saw. WAIT: the topic is missing or not authorized. AGAIN: *stop. */
enum verdict MUST_CHECK reader_read(struct reader *reader, const char *topic, bool committed,
                                    int timeout_ms, const atomic_bool *stop, reader_fn *fn,
                                    void *context, struct error *error);

/* So many the last topic had that was read, as the broker that answered knows it: just grown, it
 * may have more. */
int32_t reader_partitions(const struct reader *reader);

/* A record with everything; valid during the call. value.data NULL: a tombstone. */
struct reader_record {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    struct bytes key;
    struct bytes value;
    const struct record_header *headers; /* at most RECORD_HEADERS_MAX */
    size_t n_headers;
};

/* False: enough, nothing more is wanted. */
typedef bool reader_scan_fn(void *context, const struct reader_record *record);

/* As reader_read, committed, for topics that may be large: as long as records come it goes on, and
 * patience_ms is how long none may come. */
enum verdict MUST_CHECK reader_scan(struct reader *reader, const char *topic, int patience_ms,
                                    reader_scan_fn *fn, void *context, struct error *error);

/* The same, of records from the first on that is not older than since_ms (0: all); those behind it
 * may be older. AGAIN: *stop, which may be NULL. */
enum verdict MUST_CHECK reader_scan_since(struct reader *reader, const char *topic,
                                          int64_t since_ms, int patience_ms,
                                          const atomic_bool *stop, reader_scan_fn *fn,
                                          void *context, struct error *error);

#endif
