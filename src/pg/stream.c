/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/stream.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "pg/catalog.h"
#include "pg/internal.h"

/* Inside CopyData, all numbers big-endian:
 *   'w'  start of the WAL data (8)  current end of WAL (8)  server's clock (8)  the message
 *   'k'  current end of WAL (8)  server's clock (8)  reply at once (1)
 *   'r'  written (8)  flushed (8)  applied (8)  client's clock (8)  reply at once (1)        ours
 */
enum {
    DATA_HEADER_SIZE = 25,
    KEEPALIVE_SIZE = 18,
    STATUS_SIZE = 34,
    START_TIMEOUT_MS = 30000,
};

static uint64_t read_u64(const char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return be64toh(value);
}

static char *write_u64(char *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof(value));
    return at + sizeof(value);
}

/* --- start --- */

/* The replication grammar knows neither E'...' nor a backslash with a meaning: only '' is special.
 */
static char *start_command(const struct link *link, const struct stream_options *options)
{
    char *slot = pg_quote_identifier(options->slot);
    char *name = pg_quote_identifier(options->publication);
    char *doubled = must_malloc(2 * strlen(name) + 1);
    char *at = doubled;
    for (const char *from = name; *from != '\0'; from++) {
        if (*from == '\'') {
            *at++ = '\'';
        }
        *at++ = *from;
    }
    *at = '\0';
    bool messages = options->messages && link_server_version(link) >= 140000;
    char *command = must_printf("START_REPLICATION SLOT %s LOGICAL " LSN_FORMAT
                                " (proto_version '1', publication_names '%s'%s)",
                                slot, LSN_ARGS(options->from_lsn), doubled,
                                messages ? ", messages 'true'" : "");
    free(doubled);
    free(name);
    free(slot);
    return command;
}

static enum verdict slot_in_use(const struct link *link, const struct pg_slot *slot,
                                const char *name, struct error *error)
{
    if (slot->active_pid == 0) {
        error_set(error, WAIT, "slot \"%s\" is in use by another connection", name);
    } else {
        error_set(error, WAIT, "slot \"%s\" is in use by process %d of PostgreSQL at %s", name,
                  slot->active_pid, link_host(link));
    }
    return error_remedy(error, "Another walpost may be streaming it: this one takes over when that "
                               "one ends, or at once with `walpost run --take-over`.");
}

static enum verdict slot_missing(const struct link *link, const char *name, struct error *error)
{
    error_set(error, REFUSE, "slot \"%s\" does not exist on PostgreSQL at %s", name,
              link_host(link));
    return error_remedy(error,
                        "For a new stream, `walpost init` creates it. If it was there before: what "
                        "was committed since it was lost is not in the stream; `walpost init` says "
                        "how to go on.");
}

static enum verdict slot_foreign(const struct pg_slot *slot, const char *name, struct error *error)
{
    if (strcmp(slot->type, "logical") != 0) {
        error_set(error, REFUSE, "slot \"%s\" is a %s slot; walpost needs a logical one of its own",
                  name, slot->type);
    } else {
        error_set(error, REFUSE,
                  "slot \"%s\" belongs to the output plugin \"%s\"; walpost reads \"pgoutput\"",
                  name, slot->plugin);
    }
    return error_remedy(error, "Somebody else may rely on it: choose another name as "
                               "postgres.slot, and run `walpost init`.");
}

static enum verdict slot_lost(const struct pg_slot *slot, const char *name, struct error *error)
{
    error_set(error, REFUSE,
              "slot \"%s\" was invalidated by the server (%s): WAL after " LSN_FORMAT
              " is no longer kept for it, and events there are not in the stream",
              name, slot->invalidation[0] != '\0' ? slot->invalidation : "wal_removed",
              LSN_ARGS(slot->confirmed_lsn));
    return error_remedy(
        error, "`walpost drop` and `walpost init` begin anew; the snapshot publishes the rows "
               "that still have status PENDING. max_slot_wal_keep_size says how much WAL the "
               "server keeps: raise it.");
}

/* The server refused. Its words and codes differ from version to version and from plugin to plugin,
 * so the catalog says what is wrong with the slot. */
static enum verdict diagnose(struct link *link, const struct stream_options *options,
                             const struct error *refused, struct error *error)
{
    const char *name = options->slot;
    struct pg_slot slot;
    *error = *refused;
    struct error unknown;
    if (!link_alive(link) || catalog_slot(link, name, &slot, &unknown) != OK) {
        return refused->verdict;
    }
    enum verdict verdict = refused->verdict;
    if (!slot.exists) {
        verdict = slot_missing(link, name, error);
    } else if (strcmp(slot.type, "logical") != 0 || strcmp(slot.plugin, "pgoutput") != 0) {
        verdict = slot_foreign(&slot, name, error);
    } else if (strcmp(slot.database, PQdb(link->pg)) != 0) {
        error_set(error, REFUSE, "slot \"%s\" belongs to database \"%s\", not to \"%s\"", name,
                  slot.database, PQdb(link->pg));
        verdict = error_remedy(error, "Correct the database in postgres.dsn, or choose another "
                                      "name as postgres.slot; a copy of a configuration needs a "
                                      "stream name of its own, too.");
    } else if (strcmp(refused->code, "55006") == 0) { /* one of ours: worth waiting for */
        verdict = slot_in_use(link, &slot, name, error);
    } else if (strcmp(slot.wal_status, "lost") == 0 || slot.invalidation[0] != '\0') {
        verdict = slot_lost(&slot, name, error);
    } else if (verdict == REFUSE && refused->remedy[0] == '\0') {
        verdict = error_remedy(error, "`walpost check` looks at everything that a run needs.");
    }
    error_code(error, refused->code);
    return verdict;
}

enum verdict stream_start(struct link *link, const struct stream_options *options,
                          struct error *error)
{
    struct error unwanted, refused;
    error = error == NULL ? &unwanted : error;
    char *command = start_command(link, options);
    struct pg_result *result = NULL;
    enum verdict verdict = link_query(link, command, NULL, 0, START_TIMEOUT_MS, &result, &refused);
    free(command);
    if (verdict == AGAIN || (verdict == RETRY && !link_alive(link))) {
        *error = refused;
        return verdict;
    }
    if (verdict != OK) {
        return diagnose(link, options, &refused, error);
    }
    bool streams = PQresultStatus(result_of(result)) == PGRES_COPY_BOTH;
    pg_result_free(result);
    if (!streams) {
        return error_set(error, FATAL,
                         "PostgreSQL at %s did not begin to stream when asked for slot \"%s\"",
                         link_host(link), options->slot);
    }
    return OK;
}

/* --- read --- */

/* Changes are decoded with the catalogs as they were then: a publication that is created again does
 * not help a slot past the changes before. */
static const char publication_remedy[] =
    "The slot cannot get past what was written while the publication was missing: `walpost drop` "
    "and `walpost init` begin anew, and the snapshot publishes the rows that still have status "
    "PENDING.";

/* The server left the stream: why? */
static enum verdict ended(struct link *link, struct error *error)
{
    PGresult *result = PQisBusy(link->pg) == 1 ? NULL : PQgetResult(link->pg);
    enum verdict verdict;
    if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR) {
        verdict = link_failed(link, result, error);
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        if (sqlstate != NULL && strcmp(sqlstate, "42704") == 0) {
            error_remedy(error, "%s", publication_remedy);
        }
    } else {
        verdict = error_set(error, RETRY, "PostgreSQL at %s ended the stream", link->host);
    }
    PQclear(result);
    link->broken = true; /* what follows, if anything, is of no use */
    return verdict;
}

enum verdict stream_read(struct link *link, struct error *error)
{
    if (PQconsumeInput(link->pg) == 1) {
        return OK;
    }
    link->broken = true;
    return link_lost(link, error);
}

/* PostgreSQL 18 only warns when a publication is missing, leaves its rows out, and lets the slot
 * move on (I9): nothing that comes after the warning may be looked at. */
static enum verdict refuse_skipped(struct link *link, struct error *error)
{
    error_set(error, REFUSE,
              "PostgreSQL at %s does not find the publication where the stream stands, and leaves "
              "out what it should publish: %s",
              link->host, link->skipped.text);
    error_remedy(error, "%s", publication_remedy);
    error_code(error, "42704"); /* what the versions before end the stream with */
    link->broken = true;
    return REFUSE;
}

static enum verdict garbled(struct link *link, char *buffer, struct error *error)
{
    enum verdict verdict =
        error_set(error, RETRY,
                  "PostgreSQL at %s sent a message of kind 0x%02x that is cut short "
                  "or unknown",
                  link->host, (unsigned char)buffer[0]);
    PQfreemem(buffer);
    link->broken = true;
    return verdict;
}

enum verdict stream_next(struct link *link, struct stream_message *message, struct error *error)
{
    char *buffer = NULL;
    int length = PQgetCopyData(link->pg, &buffer, 1);
    while (length == 0 && tls_pending(link->pg) && PQconsumeInput(link->pg) == 1) {
        length = PQgetCopyData(link->pg, &buffer, 1);
    }
    if (link->skipped.text[0] != '\0') {
        PQfreemem(buffer);
        return refuse_skipped(link, error);
    }
    if (length == 0) {
        return AGAIN;
    }
    if (length == -1) {
        return ended(link, error);
    }
    if (length < 0) {
        link->broken = true;
        return link_lost(link, error);
    }
    if (buffer[0] == 'w' && length >= DATA_HEADER_SIZE) {
        *message = (struct stream_message){
            .kind = STREAM_DATA,
            .wal_start = read_u64(buffer + 1),
            .wal_end = read_u64(buffer + 9),
            .data = {buffer + DATA_HEADER_SIZE, (size_t)length - DATA_HEADER_SIZE},
            .buffer = buffer,
            .buffer_size = (size_t)length,
        };
        return OK;
    }
    if (buffer[0] == 'k' && length >= KEEPALIVE_SIZE) {
        *message = (struct stream_message){
            .kind = STREAM_KEEPALIVE,
            .wal_end = read_u64(buffer + 1),
            .reply_now = buffer[17] != 0,
        };
        PQfreemem(buffer);
        return OK;
    }
    return garbled(link, buffer, error);
}

void stream_free_buffer(char *buffer)
{
    PQfreemem(buffer);
}

/* --- status --- */

enum verdict stream_status(struct link *link, lsn write, lsn flush, bool reply_now,
                           struct error *error)
{
    enum verdict verdict = link_flush(link, error);
    if (verdict != OK) {
        return verdict;
    }
    if (link_wants_write(link)) {
        return AGAIN; /* a status still waits: they must not pile up */
    }
    char status[STATUS_SIZE] = {'r'};
    char *at = write_u64(status + 1, write);
    at = write_u64(at, flush);
    at = write_u64(at, flush);
    at = write_u64(at, (uint64_t)(clock_wall_us() - PG_EPOCH_US));
    *at = reply_now;
    switch (PQputCopyData(link->pg, status, STATUS_SIZE)) {
    case 1: return link_flush(link, error);
    case 0: return AGAIN;
    default: return link_lost(link, error);
    }
}
