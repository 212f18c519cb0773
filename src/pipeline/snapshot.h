/* SPDX-License-Identifier: Apache-2.0
 *
 * snapshot.h - the rows that were there before the slot: walpost.snapshot_<stream>, in order, in
 * pages.
 * In: pages of a join on the SQL link. Out: snapshot rows into the intake.
 * Owns: nothing but its place.  Thread: the loop thread; sends and receives without waiting.
 * Keeps: I3: the identity of such an event is (the slot's birth - 1, row number): it survives any
 *     crash. */
#ifndef WALPOST_PIPELINE_SNAPSHOT_H
#define WALPOST_PIPELINE_SNAPSHOT_H

#include "pg/catalog.h"
#include "pipeline/intake.h"

struct config;
struct snapshot;

struct snapshot *snapshot_new(const struct config *config, const struct pg_table *table,
                              lsn origin_lsn, struct intake *intake);
void snapshot_free(struct snapshot *snapshot);

/* Asks for the next page. */
enum verdict MUST_CHECK snapshot_send(struct snapshot *snapshot, struct link *link,
                                      struct error *error);
/* *done once all rows are in the intake. */
enum verdict MUST_CHECK snapshot_answer(struct snapshot *snapshot, const struct pg_result *result,
                                        bool *done, struct error *error);

uint64_t snapshot_rows(const struct snapshot *snapshot);

#endif
