/* SPDX-License-Identifier: Apache-2.0
 *
 * snapshot_copy.h - the rows that are there when a slot is born: their ids and their order, in
 * walpost.snapshot_<stream>.
 * In: the snapshot that the slot exported. Out: the table.
 * Owns: nothing.  Thread: the control thread, or a command: these wait.
 * Keeps: I3, I9: what the snapshot sees and what will be streamed meet exactly, for both are of one
 *     consistent point. */
#ifndef WALPOST_PIPELINE_SNAPSHOT_COPY_H
#define WALPOST_PIPELINE_SNAPSHOT_COPY_H

#include "base/lsn.h"
#include "pg/catalog.h"

struct config;

/* Numbers the PENDING rows, in one transaction that is committed on OK. birth: where the slot was
 * created; it is noted with the table. *rows: how many. */
enum verdict MUST_CHECK snapshot_copy(struct link *link, const struct config *config,
                                      const struct pg_table *table, const char *snapshot_name,
                                      lsn birth, int64_t *rows, struct error *error);

/* Its statement; pending: there is a status column, timed: a created_at column. To be freed. */
char *snapshot_create_sql(const struct config *config, bool pending, bool timed);

/* Dropped once every row is settled: the statement. To be freed. */
char *snapshot_drop_sql(const struct config *config);

/* The birth that is noted with the table; 0: there is no table, or it has no note. */
enum verdict MUST_CHECK snapshot_birth(struct link *link, const struct config *config, lsn *birth,
                                       struct error *error);

#endif
