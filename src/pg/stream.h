/* SPDX-License-Identifier: Apache-2.0
 *
 * stream.h - the replication stream: COPY_BOTH of a logical slot.                 Step 1 of 7.
 * In: a link with replication=database. Out: messages (payloads of XLogData) and keepalives; the
 *     other way, the standby status.
 * Owns: nothing of its own; the link is the caller's, and so is a message's buffer once it is out.
 * Thread: stream_start in the control thread, the rest in the loop thread.
 * Keeps: only the caller names an LSN to confirm (I1); a keepalive's LSN is reported, never
 *     adopted. A publication that is missing ends the stream (I9), also on PostgreSQL 18, which
 *     only warns.
 * Source: PostgreSQL documentation, "Streaming Replication Protocol". */
#ifndef WALPOST_PG_STREAM_H
#define WALPOST_PG_STREAM_H

#include <stdint.h>

#include "base/lsn.h"
#include "pg/link.h"

struct stream_options {
    const char *slot;
    const char *publication;
    lsn from_lsn; /* commits below are left out, where the slot is not past it; 0: the slot's own */
    bool messages; /* logical messages, PostgreSQL 14 and newer */
};

/* START_REPLICATION SLOT ... LOGICAL from (proto_version '1'). OK: in COPY_BOTH, nothing read.
 * WAIT: slot in use (55006), by the process that the error names. REFUSE: slot missing,
 * invalidated, or not one of pgoutput in this database, with the remedy. RETRY: connection lost.
 * AGAIN: *stop. The publication is not looked at here: the server does that at the first change. */
enum verdict MUST_CHECK stream_start(struct link *link, const struct stream_options *options,
                                     struct error *error);

enum stream_message_kind { STREAM_DATA, STREAM_KEEPALIVE };

struct stream_message {
    enum stream_message_kind kind;
    lsn wal_start;     /* STREAM_DATA */
    lsn wal_end;       /* the server's current end of WAL */
    bool reply_now;    /* STREAM_KEEPALIVE */
    struct bytes data; /* STREAM_DATA: the pgoutput message, inside `buffer` */
    char *buffer;      /* free with stream_free_buffer, or keep: it came from malloc */
    size_t buffer_size;
};

/* Reads from the socket into libpq's buffer; one read(2) or so. RETRY: lost. What came before is
 * still there: stream_next gives it, and the server's last word if there was one. */
enum verdict MUST_CHECK stream_read(struct link *link, struct error *error);

/* The next whole message of what was read. AGAIN: none. OK: *message. Else the stream ended, the
 * link is not alive any more, and error has the server's reason: RETRY for a shutdown or a lost
 * connection, REFUSE for a publication that was missing when a change was written. */
enum verdict MUST_CHECK stream_next(struct link *link, struct stream_message *message,
                                    struct error *error);
void stream_free_buffer(char *buffer);

/* Queues a standby status update: write, flush and apply. flush 0 confirms nothing. AGAIN: the
 * kernel takes no more now; call again when writable. RETRY: lost. */
enum verdict MUST_CHECK stream_status(struct link *link, lsn write, lsn flush, bool reply_now,
                                      struct error *error);

#endif
