/* SPDX-License-Identifier: Apache-2.0
 *
 * stream_sql.h - the SQL that makes a stream's things, and unmakes them.
 * In: a configuration. Out: statements, malloc'd, without the semicolon.
 * Owns: nothing.  Thread: any; pure. */
#ifndef WALPOST_CLI_STREAM_SQL_H
#define WALPOST_CLI_STREAM_SQL_H

#include "config/config.h"

char *sql_create_schema(const char *name);
char *sql_create_table(const struct config *config);
char *sql_create_publication(const struct config *config);
char *sql_extend_publication(const struct config *config);
char *sql_drop_publication(const struct config *config);
/* The rows to publish first, numbered. where_pending, by_time: does the table have the columns? */

/* The row that says: an init is under way. */
#define SQL_CREATE_INTENTS                                                          \
    "CREATE TABLE IF NOT EXISTS walpost.init (stream text PRIMARY KEY, started_at " \
    "timestamptz NOT NULL DEFAULT pg_catalog.now(), consistent_point pg_lsn)"
#define SQL_BEGIN_INTENT                                                                \
    "INSERT INTO walpost.init (stream) VALUES ($1) ON CONFLICT (stream) DO UPDATE SET " \
    "started_at = pg_catalog.now(), consistent_point = NULL"
#define SQL_UPDATE_INTENT "UPDATE walpost.init SET consistent_point = $2::pg_lsn WHERE stream = $1"
#define SQL_END_INTENT    "DELETE FROM walpost.init WHERE stream = $1"
#define SQL_FIND_INTENT \
    "SELECT coalesce(consistent_point::text, '') FROM walpost.init WHERE stream = $1"

#endif
