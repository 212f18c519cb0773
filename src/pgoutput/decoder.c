/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire grammar, protocol version 1 (PostgreSQL documentation, "Logical Replication Message
 * Formats"). Numbers are big-endian; a string ends with a NUL; [x] may be absent; n * x is repeated
 * n times.
 *
 *   begin      'B'  lsn:8 final  time:8  xid:4
 *   commit     'C'  flags:1 (0)  lsn:8 commit  lsn:8 end  time:8
 *   origin     'O'  lsn:8 commit at the origin  string name
 *   relation   'R'  oid:4  string schema  string table  identity:1 (d n f i)  n:2
 *                   n * relation_column
 *   type       'Y'  oid:4  string schema  string name
 *   insert     'I'  oid:4  'N' tuple
 *   update     'U'  oid:4  [ ('K' | 'O') tuple ]  'N' tuple
 *   delete     'D'  oid:4  ('K' | 'O') tuple
 *   truncate   'T'  n:4 (1 and more)  options:1 (1 cascade, 2 restart identity)  n * oid:4
 *   message    'M'  flags:1 (1 transactional)  lsn:8  string prefix  length:4  bytes
 *
 *   relation_column   flags:1 (1 key)  string name  oid:4 type  modifier:4
 *   tuple             n:2 (0 .. 1600)  n * column
 *   column            'n' | 'u' | ('t' | 'b') length:4 bytes
 *
 * lsn and oid are numbers of 8 and 4 bytes; time is microseconds since 2000-01-01 UTC. Messages of
 * streamed and of prepared transactions belong to later protocol versions, which walpost does not
 * ask for: an error like any other. */
#include "base/clock.h"
#include "pgoutput/change.h"
#include "pgoutput/cursor.h"

enum {
    RELATION_COLUMN_KEY = 1,
    MESSAGE_TRANSACTIONAL = 1,
    TRUNCATE_OPTIONS = 1 | 2,
    OID_SIZE = 4,
};

static int64_t read_time(struct cursor *cursor)
{
    int64_t since_2000 = (int64_t)cursor_u64(cursor, "a time of 8 bytes");
    int64_t since_1970;
    if (__builtin_add_overflow(since_2000, PG_EPOCH_US, &since_1970)) {
        cursor_fail(cursor, "a time that fits into 64 bits");
        return 0;
    }
    return since_1970;
}

static uint32_t read_oid(struct cursor *cursor)
{
    return cursor_u32(cursor, "an OID of 4 bytes");
}

static uint16_t read_column_count(struct cursor *cursor)
{
    uint16_t n_columns = cursor_u16(cursor, "a number of columns of 2 bytes");
    if (n_columns > TUPLE_COLUMNS_MAX) {
        cursor_fail(cursor, "at most 1600 columns");
        return 0;
    }
    return n_columns;
}

static inline struct column read_column(struct cursor *cursor)
{
    uint8_t kind = cursor_u8(cursor, "a column");
    switch (kind) {
    case COLUMN_TEXT:
    case COLUMN_BINARY:
        return (struct column){kind, cursor_counted(cursor, "a column value of the length given")};
    case COLUMN_NULL:
    case COLUMN_UNCHANGED: return (struct column){kind, BYTES_NULL};
    default:
        cursor_fail(cursor, "a column of kind n, u, t or b");
        return (struct column){COLUMN_NULL, BYTES_NULL};
    }
}

static void read_tuple(struct cursor *cursor, struct tuple *tuple)
{
    uint16_t n_columns = read_column_count(cursor);
    tuple->n_columns = n_columns;
    for (uint16_t i = 0; i < n_columns; i++) {
        tuple->columns[i] = read_column(cursor);
    }
}

static void skip_tuple(struct cursor *cursor)
{
    uint16_t n_columns = read_column_count(cursor);
    for (uint16_t i = 0; i < n_columns; i++) {
        read_column(cursor);
    }
}

/* The server sends pg_catalog, the most frequent one, as an empty string. */
static struct bytes read_schema_name(struct cursor *cursor)
{
    struct bytes name = cursor_string(cursor, "the name of a schema and a NUL");
    return name.data != NULL && name.len == 0 ? BYTES_LIT("pg_catalog") : name;
}

static void read_begin(struct cursor *cursor, struct change *change)
{
    change->begin.final_lsn = cursor_u64(cursor, "an LSN of 8 bytes");
    change->begin.commit_time_us = read_time(cursor);
    change->begin.xid = cursor_u32(cursor, "a transaction id of 4 bytes");
}

static void read_commit(struct cursor *cursor, struct change *change)
{
    if (cursor_u8(cursor, "flags of 1 byte") != 0) {
        cursor_fail(cursor, "no flags");
    }
    change->commit.commit_lsn = cursor_u64(cursor, "an LSN of 8 bytes");
    change->commit.end_lsn = cursor_u64(cursor, "an LSN of 8 bytes");
    change->commit.commit_time_us = read_time(cursor);
}

static void read_origin(struct cursor *cursor, struct change *change)
{
    change->origin.commit_lsn = cursor_u64(cursor, "an LSN of 8 bytes");
    change->origin.name = cursor_string(cursor, "the name of an origin and a NUL");
}

static void read_relation_column(struct cursor *cursor, struct relation_column *column)
{
    uint8_t flags = cursor_u8(cursor, "flags of 1 byte");
    if (flags > RELATION_COLUMN_KEY) {
        cursor_fail(cursor, "no flag but the key's");
    }
    column->key = flags == RELATION_COLUMN_KEY;
    column->name = cursor_string(cursor, "the name of a column and a NUL");
    column->type_oid = read_oid(cursor);
    column->type_modifier = (int32_t)cursor_u32(cursor, "a type modifier of 4 bytes");
}

static void read_relation(struct cursor *cursor, struct decoder *decoder, struct change *change)
{
    change->relation.oid = read_oid(cursor);
    change->relation.schema_name = read_schema_name(cursor);
    change->relation.table_name = cursor_string(cursor, "the name of a table and a NUL");
    change->relation.replica_identity = (char)cursor_u8(cursor, "a replica identity");
    switch (change->relation.replica_identity) {
    case 'd':
    case 'n':
    case 'f':
    case 'i': break;
    default: cursor_fail(cursor, "a replica identity d, n, f or i");
    }
    uint16_t n_columns = read_column_count(cursor);
    change->relation.n_columns = n_columns;
    for (uint16_t i = 0; i < n_columns && cursor->expected == NULL; i++) {
        read_relation_column(cursor, &decoder->relation_columns[i]);
    }
}

static void read_type(struct cursor *cursor, struct change *change)
{
    change->type.oid = read_oid(cursor);
    change->type.schema_name = read_schema_name(cursor);
    change->type.type_name = cursor_string(cursor, "the name of a type and a NUL");
}

static void read_insert(struct cursor *cursor, struct decoder *decoder, struct change *change)
{
    change->row.oid = read_oid(cursor);
    if (cursor_u8(cursor, "a new tuple") != 'N') {
        cursor_fail(cursor, "a new tuple (N)");
    }
    read_tuple(cursor, &decoder->tuple);
}

static void read_update(struct cursor *cursor, struct decoder *decoder, struct change *change)
{
    change->row.oid = read_oid(cursor);
    uint8_t marker = cursor_u8(cursor, "a tuple");
    if (marker == 'K' || marker == 'O') {
        skip_tuple(cursor);
        marker = cursor_u8(cursor, "a new tuple");
    }
    if (marker != 'N') {
        cursor_fail(cursor, "a tuple: K or O and N, or N alone");
    }
    read_tuple(cursor, &decoder->tuple);
}

static void read_delete(struct cursor *cursor, struct change *change)
{
    change->row.oid = read_oid(cursor);
    uint8_t marker = cursor_u8(cursor, "an old tuple");
    if (marker != 'K' && marker != 'O') {
        cursor_fail(cursor, "an old tuple (K or O)");
    }
    skip_tuple(cursor);
}

static void read_truncate(struct cursor *cursor, struct change *change)
{
    uint32_t n_relations = cursor_u32(cursor, "a number of tables of 4 bytes");
    uint8_t options = cursor_u8(cursor, "options of 1 byte");
    if ((options & ~TRUNCATE_OPTIONS) != 0) {
        cursor_fail(cursor, "no option but CASCADE and RESTART IDENTITY");
    }
    if (n_relations == 0) {
        cursor_fail(cursor, "at least one table");
    }
    cursor_take(cursor, (size_t)n_relations * OID_SIZE, "an OID for every table");
    change->truncate.n_relations = n_relations;
    change->truncate.options = options;
}

static void read_message(struct cursor *cursor, struct change *change)
{
    uint8_t flags = cursor_u8(cursor, "flags of 1 byte");
    if (flags > MESSAGE_TRANSACTIONAL) {
        cursor_fail(cursor, "no flag but the transactional one");
    }
    change->message.transactional = flags == MESSAGE_TRANSACTIONAL;
    change->message.message_lsn = cursor_u64(cursor, "an LSN of 8 bytes");
    change->message.prefix = cursor_string(cursor, "a prefix and a NUL");
    change->message.content = cursor_counted(cursor, "a content of the length given");
}

static enum verdict damaged(struct bytes message, const struct cursor *cursor, struct error *error)
{
    unsigned kind = message.len == 0 ? 0 : (unsigned char)message.data[0];
    error_set(error, FATAL,
              "the replication stream holds a message that is not understood (kind '%c' 0x%02X, "
              "%zu bytes): at "
              "byte %zu, expected %s",
              kind < ' ' || kind > '~' ? '?' : (int)kind, kind, message.len,
              (size_t)(cursor->last - cursor->start), cursor->expected);
    return error_remedy(
        error, "Start walpost again. If the same message comes back, the server speaks another "
               "protocol than pgoutput version 1, or something between it and walpost alters "
               "the stream.");
}

enum verdict pgoutput_decode(struct decoder *decoder, struct bytes message, struct change *change,
                             struct error *error)
{
    struct cursor cursor;
    cursor_init(&cursor, message);
    struct change read = {.kind = cursor_u8(&cursor, "a message")};
    switch (read.kind) {
    case CHANGE_BEGIN: read_begin(&cursor, &read); break;
    case CHANGE_COMMIT: read_commit(&cursor, &read); break;
    case CHANGE_ORIGIN: read_origin(&cursor, &read); break;
    case CHANGE_RELATION: read_relation(&cursor, decoder, &read); break;
    case CHANGE_TYPE: read_type(&cursor, &read); break;
    case CHANGE_INSERT: read_insert(&cursor, decoder, &read); break;
    case CHANGE_UPDATE: read_update(&cursor, decoder, &read); break;
    case CHANGE_DELETE: read_delete(&cursor, &read); break;
    case CHANGE_TRUNCATE: read_truncate(&cursor, &read); break;
    case CHANGE_MESSAGE: read_message(&cursor, &read); break;
    default: cursor_fail(&cursor, "one of the kinds B C O R Y I U D T M"); break;
    }
    cursor_finish(&cursor);
    if (cursor.expected != NULL) {
        return damaged(message, &cursor, error);
    }
    *change = read;
    return OK;
}
