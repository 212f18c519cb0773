/* SPDX-License-Identifier: Apache-2.0
 *
 * change.h - the messages of pgoutput, protocol version 1, decoded.              Step 2 of 7.
 * In: the bytes of one message (the payload of XLogData).
 * Out: a struct change whose views look into those bytes.
 * Owns: nothing.
 * Thread: any; pure: no I/O, no clock, no logging, no globals.
 * Keeps: any bytes that are not a whole, exact message are an error, never a crash and never a
 *        wrong value.
 * Source: PostgreSQL documentation, "Logical Replication Message Formats". */
#ifndef WALPOST_PGOUTPUT_CHANGE_H
#define WALPOST_PGOUTPUT_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/lsn.h"

enum { TUPLE_COLUMNS_MAX = 1600 }; /* MaxHeapAttributeNumber */

enum column_kind {
    COLUMN_NULL = 'n',
    COLUMN_UNCHANGED = 'u', /* an unchanged TOAST value, not sent */
    COLUMN_TEXT = 't',
    COLUMN_BINARY = 'b',
};

struct column {
    enum column_kind kind;
    struct bytes value; /* BYTES_NULL for COLUMN_NULL and COLUMN_UNCHANGED */
};

struct tuple {
    uint16_t n_columns;
    struct column columns[TUPLE_COLUMNS_MAX]; /* only the first n_columns are written */
};

struct relation_column {
    bool key;
    struct bytes name;
    uint32_t type_oid;
    int32_t type_modifier;
};

enum change_kind {
    CHANGE_BEGIN = 'B',
    CHANGE_COMMIT = 'C',
    CHANGE_ORIGIN = 'O',
    CHANGE_RELATION = 'R',
    CHANGE_TYPE = 'Y',
    CHANGE_INSERT = 'I',
    CHANGE_UPDATE = 'U',
    CHANGE_DELETE = 'D',
    CHANGE_TRUNCATE = 'T',
    CHANGE_MESSAGE = 'M',
};

struct change {
    enum change_kind kind;
    union {
        struct {
            lsn final_lsn; /* the commit record's own LSN: the identity of the transaction */
            int64_t commit_time_us; /* since 1970 UTC */
            uint32_t xid;
        } begin;
        struct {
            lsn commit_lsn;
            lsn end_lsn; /* what may be confirmed once everything up to here is settled */
            int64_t commit_time_us;
        } commit;
        struct {
            lsn commit_lsn;
            struct bytes name;
        } origin;
        struct {
            uint32_t oid;
            struct bytes schema_name; /* "pg_catalog" is sent as the empty string: delivered as
                                         "pg_catalog" */
            struct bytes table_name;
            char replica_identity;
            uint16_t n_columns;
            /* columns in decoder->relation_columns */
        } relation;
        struct {
            uint32_t oid;
            struct bytes schema_name;
            struct bytes type_name;
        } type;
        struct {
            uint32_t oid; /* of the relation; the new tuple in decoder->tuple (INSERT, UPDATE); an
                             old one is checked and skipped */
        } row;
        struct {
            uint32_t n_relations;
            uint8_t options; /* 1 CASCADE, 2 RESTART IDENTITY */
        } truncate; /* OIDs are checked for length and skipped: nothing is published for a TRUNCATE
                     */
        struct {
            bool transactional;
            lsn message_lsn;
            struct bytes prefix;
            struct bytes content;
        } message;
    };
};

/* The buffers that a decoded message fills; one for each stream. */
struct decoder {
    struct tuple tuple;
    struct relation_column relation_columns[TUPLE_COLUMNS_MAX];
};

/* Decodes one whole message. FATAL with the offset and what was expected when the bytes are no such
 * message. */
enum verdict MUST_CHECK pgoutput_decode(struct decoder *decoder, struct bytes message,
                                        struct change *change, struct error *error);

#endif
