/* SPDX-License-Identifier: Apache-2.0
 *
 * pg_probe.h - src/pg against a real PostgreSQL: what the parts of the probe share.
 * In: a connection string of a superuser, as key=value. Out: a line for each check; the exit
 * status. Owns: links that a part opens, it closes. Thread: one. */
#ifndef WALPOST_TESTS_PG_PROBE_H
#define WALPOST_TESTS_PG_PROBE_H

#include <stdio.h>
#include <string.h>

#include "pg/catalog.h"
#include "pg/link.h"
#include "pg/stream.h"

struct probe {
    const char *dsn;
    const char *stop_command; /* ends the server by a fast shutdown, without waiting; or NULL */
    int checks, failures;
};

void probe_result(struct probe *probe, bool held, const char *claim, const char *file, int line);

#define SHOW(claim) probe_result(probe, (claim), #claim, __FILE__, __LINE__)

/* The probe's dsn with more said: later words win. To be freed. */
char *probe_dsn(const struct probe *probe, const char *extra);

/* Open, ask: or end the process, for what the checks stand on. */
struct link *probe_open(struct probe *probe, const char *extra, bool replication);
struct pg_result *probe_ask(struct link *link, const char *sql);
void probe_do(struct link *link, const char *sql);
/* The one value of an answer; valid until the next call. */
const char *probe_value(struct link *link, const char *sql);

/* The verdict of a failed call, and words that its message and remedy hold; prints them. */
void probe_error(struct probe *probe, const struct error *error, enum verdict verdict,
                 const char *what, const char *remedy);

void probe_connect(struct probe *probe);
void probe_link(struct probe *probe);
void probe_catalog(struct probe *probe);
void probe_stream(struct probe *probe);
void probe_stream_refusals(struct probe *probe);
void probe_shutdown(struct probe *probe);
/* A server that says what a real one hardly would. */
void probe_fake(struct probe *probe);

#endif
