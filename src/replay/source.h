/* SPDX-License-Identifier: Apache-2.0
 *
 * source.h - the PostgreSQL half of a replay: the window, and a temporary copy of the anchor.
 * In: a configuration. Out: two links, the window; a stream that begins where it is told.
 * Owns: the links, until source_close; the copy of the slot ends with its link.
 * Thread: main's; these calls wait.
 * Keeps: the live slot is looked at, never touched. */
#ifndef WALPOST_REPLAY_SOURCE_H
#define WALPOST_REPLAY_SOURCE_H

#include "pg/catalog.h"
#include "replay/bounds.h"

struct config;

struct source {
    struct link *sql;
    struct link *replication;
    struct pg_identity identity;
    struct pg_server server;
    char slot[64]; /* the temporary one */
    struct window window;
};

/* REFUSE: there is no anchor, or it is lost. The window is that of the copy: it stays as it is. */
enum verdict MUST_CHECK replay_source_open(const struct config *config,
                                           const struct wal_clock *clock, struct source *source,
                                           struct error *error);
enum verdict MUST_CHECK replay_source_start(const struct config *config, struct source *source,
                                            lsn from_lsn, struct error *error);
void replay_source_close(struct source *source);

#endif
