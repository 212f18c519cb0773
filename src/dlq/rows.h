/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.h - the rows of dead letters in the outbox table: marked once replayed, or read again.
 * In: event ids. Out: marks; rows.
 * Owns: its statements.  Thread: the link's; calls wait.
 * Keeps: only a row that says DEAD is marked. */
#ifndef WALPOST_DLQ_ROWS_H
#define WALPOST_DLQ_ROWS_H

#include "base/bytes.h"
#include "config/config.h"
#include "pg/link.h"

struct rows;

/* Looks at the table. REFUSE: --from-table where it has not the columns. */
enum verdict MUST_CHECK rows_open(const struct config *config, struct link *link,
                                  struct rows **rows, struct error *error);
void rows_close(struct rows *rows); /* takes NULL; the link stays */

/* Are published rows marked at all, and has the table a column for it? */
bool rows_are_marked(const struct rows *rows);

/* DEAD becomes COMMITTED. *marked: how many did. */
enum verdict MUST_CHECK rows_mark(struct rows *rows, const struct bytes *ids, size_t n_ids,
                                  uint64_t *marked, struct error *error);

/* The row of this id, with all columns: *row has one row, or none. To be freed. REJECT: the id is
 * none of the column's type. */
enum verdict MUST_CHECK rows_fetch(struct rows *rows, struct bytes id, struct pg_result **row,
                                   struct error *error);

#endif
