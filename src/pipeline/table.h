/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - is the outbox table one that a stream can be read from, and be marked in?
 * In: the configuration and what the catalogue says of the table. Out: a verdict with its remedy.
 * Owns: nothing.  Thread: any; pure.
 * Keeps: I9: a start says what the first row would stop at. */
#ifndef WALPOST_PIPELINE_TABLE_H
#define WALPOST_PIPELINE_TABLE_H

#include "config/config.h"
#include "pg/catalog.h"

/* NULL: it has no such column. */
const struct pg_table_column *table_column(const struct pg_table *table, const char *name);

/* INVALID: there is no such table in public, which outbox.table means where it names no schema, but
 * there is one in another schema. A new one in public would be the wrong one. */
enum verdict MUST_CHECK table_judge_schema(const struct config *config,
                                           const struct pg_table *table, struct error *error);

/* REFUSE: a column is missing, or its type is none that can be published; the table never reaches
 * the WAL. marks: published rows are marked or deleted. Only for a table that exists. */
enum verdict MUST_CHECK table_judge(const struct config *config, const struct pg_table *table,
                                    bool marks, struct error *error);

/* FATAL: a right to read, mark or delete rows is missing; the remedy grants it to role. */
enum verdict MUST_CHECK table_judge_rights(const struct config *config,
                                           const struct pg_table *table, const char *role,
                                           struct error *error);

#endif
