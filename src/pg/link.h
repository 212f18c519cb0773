/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h - one connection to PostgreSQL.                                          Step 1 of 7.
 * In: a libpq connection string. Out: rows as text; errors as verdicts.
 * Owns: the connection. pg/ is the only home of libpq.
 * Thread: one at a time. The control thread connects and asks (link_open, link_query: they wait, in
 *     slices, and give up when *stop becomes true); then the loop thread takes over (link_send,
 *     link_receive, stream_*: never wait).
 * Keeps: SQLSTATE decides the verdict, once, here (sqlstate.c): class 28, 3D000, 42501 FATAL, a
 *     person must act; 55006, 55P03 WAIT; 42704, 42P01 and 55000 REFUSE; 57P01 to 57P03, class 08,
 *     53300, a lost connection RETRY. */
#ifndef WALPOST_PG_LINK_H
#define WALPOST_PG_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

struct link;
struct pg_result; /* opaque rows */

struct link_options {
    const char *dsn;
    bool replication;             /* replication=database */
    const char *application_name; /* walpost <stream> */
    int connect_timeout_ms;       /* for one link_open over all hosts */
    const atomic_bool *stop;      /* may be NULL */
};

/* Is it a connection string? INVALID when it is not. Nothing is connected. */
enum verdict MUST_CHECK link_check_dsn(const char *dsn, struct error *error);

/* Connects without blocking on anything but poll(); sets client_encoding=UTF8, datestyle=ISO,
 * timezone=UTC, extra_float_digits and (plain links) lock_timeout and statement_timeout=0;
 * target_session_attrs=read-write, gssencmode=disable and TCP keepalives unless the dsn or libpq's
 * environment says otherwise. Each server named gets an equal share of the time. RETRY: not
 * reachable, not known by that name, starting up, a standby; FATAL: authentication, a missing right
 * or database, TLS; INVALID: the dsn; AGAIN: *stop. The error names host and port, never the
 * password. *stop is looked at for as long as the link lives. */
enum verdict MUST_CHECK link_open(const struct link_options *options, struct link **link,
                                  struct error *error);
void link_close(struct link *link); /* takes NULL */

/* Runs one statement with text parameters (NULL: SQL NULL) and waits for it; n_params 0 and a
 * replication link: the simple protocol. timeout_ms 0: none. *result is to be freed with
 * pg_result_free; may be NULL when not wanted. RETRY: also no answer in time; AGAIN: *stop. Then
 * the statement is cancelled; when even that is not answered, the link is not alive any more. */
enum verdict MUST_CHECK link_query(struct link *link, const char *sql, const char *const *params,
                                   int n_params, int timeout_ms, struct pg_result **result,
                                   struct error *error);

size_t pg_result_rows(const struct pg_result *result);
size_t pg_result_columns(const struct pg_result *result);
const char *pg_result_name(const struct pg_result *result, size_t column);
/* BYTES_NULL for NULL; NUL-terminated behind its length. */
struct bytes pg_result_get(const struct pg_result *result, size_t row, size_t column);
const char *pg_result_text(const struct pg_result *result, size_t row,
                           size_t column); /* "" for NULL */
void pg_result_free(struct pg_result *result);
/* Rows that an UPDATE or DELETE touched. */
size_t pg_result_affected(const struct pg_result *result);

/* --- without waiting, for the loop --- */

int link_fd(const struct link *link);
int link_backend_pid(const struct link *link);
int link_server_version(const struct link *link); /* 150020 */
const char *link_host(const struct link *link);   /* "127.0.0.1:5432", for messages */
bool link_is_unix_socket(const struct link *link);

/* Sends a statement; one at a time. It has come back OK also when the kernel did not take all of it
 * yet: see link_wants_write. RETRY when the connection is lost. */
enum verdict MUST_CHECK link_send(struct link *link, const char *sql, const char *const *params,
                                  int n_params, struct error *error);
/* Is there something to write that the kernel would not take? Then wait for writability and call
 * link_flush. */
bool link_wants_write(struct link *link);
enum verdict MUST_CHECK link_flush(struct link *link, struct error *error);
/* Reads what is there. AGAIN: the answer is not complete, or nothing was asked. OK: *result. Any
 * other verdict: the statement failed (the connection still usable when link_alive). RETRY without
 * a statement: the server ended the connection, 57P01 when it shuts down. */
enum verdict MUST_CHECK link_receive(struct link *link, struct pg_result **result,
                                     struct error *error);
bool link_alive(const struct link *link);
/* The last WARNING (or else NOTICE) of the server since the last call, or NULL; valid until the
 * next call on this link. */
const char *link_take_warning(struct link *link);

/* Quoted for a statement. To be freed. */
char *pg_quote_identifier(const char *name);
char *pg_quote_literal(const char *value);

#endif
