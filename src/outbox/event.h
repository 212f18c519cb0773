/* SPDX-License-Identifier: Apache-2.0
 *
 * event.h - what flows: one outbox row or logical message on its way to Kafka.
 * In -> out: the type between steps 3 (outbox), 4 (lane) and 5 (encode).
 * Owns: nothing; an event, its bytes and its segment live in chunks that the loop thread frees
 *       when they are settled.
 * Thread: written by the loop thread, then by one lane thread, then by the loop thread again.
 * Keeps: I5: the events of a segment, and the segments of a lane, stay in commit order. */
#ifndef WALPOST_OUTBOX_EVENT_H
#define WALPOST_OUTBOX_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/lsn.h"

/* Why an event is a dead letter. The names are fixed (design section 4): dead_reason_name(). */
enum dead_reason {
    DEAD_NOT = 0,
    DEAD_INVALID_EVENT,
    DEAD_RECORD_TOO_LARGE,
    DEAD_MISSING_TOPIC,
    DEAD_PROCESSING_FAILED, /* Kafka refuses this record for ever: an impossible timestamp, for
                               example */
    DEAD_SCHEMA_VALIDATION_FAILED,
    DEAD_UNMARSHAL_FAILED,
    DEAD_UNKNOWN_EVENT_TYPE,
};

enum { DEAD_REASONS = DEAD_UNKNOWN_EVENT_TYPE + 1 };

const char *dead_reason_name(enum dead_reason reason);

struct named_bytes {
    struct bytes name;
    struct bytes value;
};

/* A row of the outbox table, or a logical message, as it was read: views into the message from the
 * wire. Text as PostgreSQL writes it (datestyle ISO, timezone UTC, UTF-8). Absent columns are
 * BYTES_NULL. */
struct row {
    struct bytes id;
    struct bytes aggregate_id;
    struct bytes event_type;
    struct bytes payload; /* JSON text */
    struct bytes status;
    struct bytes created_at;
    struct bytes traceparent;
    struct bytes tracestate;
    struct bytes schema_version;
    struct bytes headers;            /* JSON object of text */
    const struct named_bytes *extra; /* columns of the table that have no role */
    size_t n_extra;
    bool message;          /* a logical message: there is no row in the table to mark */
    bool unmapped;         /* payload is the whole message, in which no event was found */
    enum dead_reason dead; /* DEAD_NOT: a good event */
    const char
        *detail; /* why it is dead, in the user's words; static or as long-lived as the row */
};

/* A version of a contract, as the records of its events name it. It outlives them. */
struct contract_name {
    struct bytes version;      /* 2 */
    struct bytes message;      /* shop.v1.OrderPlaced; what the typed payload is */
    struct bytes content_type; /* of the typed payload alone */
};

struct chunk;
struct segment;

struct event {
    struct event *next; /* in its segment */
    struct segment *segment;
    struct chunk *chunk; /* holds this event and, unless payload_chunk is set, its payload */
    struct chunk *payload_chunk;
    struct position position;
    struct row row;   /* copied: its views look into the chunk */
    struct bytes key; /* of the record, by the key template; lanes own keys */
    char *headroom;   /* free bytes directly in front of row.payload.data, for the encoder */
    size_t headroom_size;
    struct bytes value; /* of the record, once encoded: in place around the payload */
    const struct contract_name *contract; /* that the payload keeps; NULL: it was held to none */
    struct bytes typed; /* the payload as that contract has it, as far as the record wants it */
    char *memory;       /* the lane's, from malloc, where the event's own room does not do */
    uint32_t index;     /* in its batch; the lane's own */
    char detail[96];    /* backs row.detail where it is not static, nor in memory */
};

/* Of its contract: the one that it keeps, else the one that it claims. */
static inline struct bytes event_version(const struct event *event)
{
    return event->contract != NULL ? event->contract->version : event->row.schema_version;
}

/* The events of one PostgreSQL transaction that belong to one lane, or a part of them when it is
 * bigger than a batch. */
struct segment {
    struct segment *next;
    struct chunk *chunk;
    struct event *first;
    struct event **last; /* where the next event is linked */
    uint32_t n_events;
    size_t bytes;   /* of rows and keys */
    lsn commit_lsn; /* of the transaction */
    lsn end_lsn;    /* set on the transaction's last part of this lane; 0 on earlier parts */
    int64_t commit_time_us; /* since 1970 UTC */
    uint32_t xid;
    uint32_t part; /* 0: whole; 1, 2 ...: a cut transaction (I12), its records say so */
    uint32_t lane;
    bool snapshot;        /* rows that were there before the slot */
    uint64_t transaction; /* the ledger's name for it */
};

#endif
