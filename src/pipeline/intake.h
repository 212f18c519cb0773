/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.h - steps 2 to 4: message -> change -> row -> event -> the segment of its lane.
 * In: pgoutput messages, or rows of the snapshot. Out: segments for lanes; what Kafka has already
 *     is left out.
 * Owns: the open transaction and its segments; the chunks of all events until intake_give_back.
 * Thread: the loop thread.
 * Keeps: I4 non-transactional messages are left out; I5; I8 what is held is counted; I10 every
 *     event is counted once; I12 a transaction up to the batch limit stays in one segment. */
#ifndef WALPOST_PIPELINE_INTAKE_H
#define WALPOST_PIPELINE_INTAKE_H

#include "checkpoint/checkpoint.h"
#include "encode/encode.h"
#include "ledger/ledger.h"
#include "outbox/map.h"
#include "pg/stream.h"

struct config;
struct intake;

struct intake_counts {
    uint64_t events;   /* became events of this session */
    uint64_t left_out; /* Kafka had them already */
    uint64_t filtered; /* left out by a rule: UPDATE, DELETE, TRUNCATE, non-transactional messages,
                          other tables */
    uint64_t transactions;
};

struct intake_options {
    const struct config *config;
    const struct encoder *encoder;
    const struct checkpoint *checkpoint; /* NULL: nothing is left out (--to stdout, --to null) */
    struct ledger *ledger;
    uint32_t lanes;
    /* Is the row wanted at all? NULL: every row is. */
    bool (*wants)(void *context, const struct row *row, struct bytes key, int64_t commit_time_us);
    /* An event that Kafka has already: it may still want its mark. Called before the ledger settles
     * it. */
    void (*left_out)(void *context, const struct row *row, struct position position,
                     uint64_t transaction, uint32_t xid);
    /* Segments for a lane, linked, oldest first. */
    void (*submit)(void *context, uint32_t lane, struct segment *first, struct segment *last);
    void *context;
};

struct intake *intake_new(const struct intake_options *options);
/* Every segment must have been given back. */
void intake_free(struct intake *intake);

/* One message; may keep message->buffer (then it is set to NULL). REFUSE: the table lost a required
 * column, or an old key template cannot tell; FATAL: not pgoutput. */
enum verdict MUST_CHECK intake_message(struct intake *intake, struct stream_message *message,
                                       struct error *error);

/* The snapshot as one pseudo-transaction: commit_lsn is the slot's birth - 1. */
void intake_begin_snapshot(struct intake *intake, lsn commit_lsn);
enum verdict MUST_CHECK intake_plan(struct intake *intake, const struct relation_column *columns,
                                    uint16_t n_columns, struct error *error);
enum verdict MUST_CHECK intake_snapshot_row(struct intake *intake, const struct tuple *tuple,
                                            uint32_t number, struct error *error);
void intake_end_snapshot(struct intake *intake, lsn end_lsn);

/* Hands what is complete to the lanes; call once for each bunch of messages. */
void intake_flush(struct intake *intake);
/* Memory is full and nothing is in flight: cuts the open transaction, hands over what is there. */
void intake_cut(struct intake *intake);

/* A segment is done with: its memory returns. */
void intake_give_back(struct intake *intake, struct segment *segment);

/* Transactions that commit at or behind this position are not wanted. */
void intake_set_end(struct intake *intake, lsn until_lsn);

bool intake_in_transaction(const struct intake *intake);
/* Bytes held, with what the client library needs beside them. */
size_t intake_memory(const struct intake *intake);
struct intake_counts intake_counts(const struct intake *intake);

#endif
