/* SPDX-License-Identifier: Apache-2.0
 *
 * look.h - what is there of a stream: in PostgreSQL, and in Kafka.
 * In: a configuration. Out: plain structs; nothing is changed.
 * Owns: the links and the cluster in it, from look_* until look_release.
 * Thread: main's; calls wait. */
#ifndef WALPOST_CLI_LOOK_H
#define WALPOST_CLI_LOOK_H

#include "cli/judge.h"
#include "cli/reach.h"
#include "pipeline/lanes.h"

struct look {
    const struct config *config;
    struct link *sql;
    struct link *replication;
    struct cluster *cluster;
    struct pg_server server;
    char role[160]; /* as SQL writes it; known to check only */
    struct pg_table table;
    struct pg_publication publication;
    struct own_table snapshot;
    struct pg_slot anchor;
    struct lanes lanes; /* known to init and check only */
    struct findings found;
};

/* Connects twice and asks for everything that init, status and drop need. */
enum verdict MUST_CHECK look_at_postgres(struct look *look, struct error *error);
/* The cluster, and the stream's checkpoint. */
enum verdict MUST_CHECK look_at_kafka(struct look *look, struct error *error);
/* Both; REFUSE when the stream of that name is somebody else's. */
enum verdict MUST_CHECK look_at_own_stream(struct look *look, struct error *error);
void look_release(struct look *look); /* takes a half-filled one */

/* The snapshot's table. */
enum verdict MUST_CHECK look_at_snapshot(struct link *link, const char *stream,
                                         struct own_table *snapshot, struct error *error);

/* The intent of an init that did not end; the table that holds it may not be there, or may not be
 * read: then there is none. */
enum verdict MUST_CHECK look_at_intent(struct link *link, const char *stream, struct intent *intent,
                                       struct error *error);

#endif
