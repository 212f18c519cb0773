/* SPDX-License-Identifier: Apache-2.0
 *
 * internal.h - what the files of this folder share: the inside of a link, and how its errors are
 *     told.
 * In -> out: nothing; included in pg/ only.
 * Owns: a struct link belongs to whoever opened it.
 * Thread: as link.h says.
 * Keeps: nothing. */
#ifndef WALPOST_PG_INTERNAL_H
#define WALPOST_PG_INTERNAL_H

#include <libpq-fe.h>
#include <stdint.h>

#include "pg/link.h"

/* The last thing that the server said without being asked. */
struct notice {
    char sqlstate[6];
    char function[48]; /* the server's own function, the same in every language */
    bool warning;      /* not a mere NOTICE */
    bool fatal;        /* the server ends this session */
    char text[480];
};

struct link {
    PGconn *pg;
    bool replication;
    bool broken;       /* given up on: an answer is still outstanding */
    bool asked;        /* a statement was sent, its answer is not complete */
    bool unsent;       /* the kernel did not take everything */
    PGresult *pending; /* the answer, until the server is ready again */
    const atomic_bool *stop;
    char host[128];
    struct notice notice;     /* not taken yet when its text is not empty */
    struct notice last_words; /* of a server that ends the session */
    struct notice skipped;    /* a publication was not found (PostgreSQL 18) */
    char taken[480];
};

/* Waits up to slice_ms for the socket. */
void wait_socket(const PGconn *pg, bool readable, bool writable, int slice_ms);

/* The notice receiver of a link. */
void link_notice(void *link, const PGresult *result);

/* Why no connection came about: what libpq and the server said. timed_out_ms above 0: neither said
 * a thing for so long. */
enum verdict connect_error(PGconn *pg, const char *server, bool replication, int64_t timed_out_ms,
                           struct error *error);

/* Bytes that OpenSSL has decrypted and not handed out yet. The socket does not show them, and libpq
 * thinks of them only where it waits itself. */
bool tls_pending(const PGconn *pg);

/* The connection is gone. */
enum verdict link_lost(struct link *link, struct error *error);

/* A statement failed: verdict and words by its SQLSTATE. */
enum verdict link_failed(struct link *link, const PGresult *result, struct error *error);

/* The server's message with its detail, on one line. */
void result_words(const PGresult *result, char *text, size_t size);

static inline const PGresult *result_of(const struct pg_result *result)
{
    return (const PGresult *)result;
}

/* Fields of the first row. */
void result_copy(const struct pg_result *result, size_t column, char *text, size_t size);
bool result_true(const struct pg_result *result, size_t column);

/* How long a look into the catalogs may take. */
enum { CATALOG_TIMEOUT_MS = 15000 };

#endif
