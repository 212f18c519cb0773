/* SPDX-License-Identifier: Apache-2.0
 *
 * marker.h - after_publish: COMMITTED, DEAD or DELETE for what Kafka has, in batches, on the SQL
 * link.
 * In: ids of published rows. Out: "settled" to the ledger, once PostgreSQL has committed the marks.
 * Owns: copies of the ids.  Thread: the loop thread; sends and receives without waiting.
 * Keeps: I1 an event is settled only when its mark is committed. A lock of the application's delays
 *     marks, never the stream's life. */
#ifndef WALPOST_PIPELINE_MARKER_H
#define WALPOST_PIPELINE_MARKER_H

#include "ledger/ledger.h"
#include "outbox/event.h"
#include "pg/catalog.h"

struct config;
struct marker;

/* keep, or a run without Kafka: rows are settled at once. */
struct marker *marker_new(const struct config *config, const struct pg_table *table, bool off,
                          struct ledger *ledger);
void marker_free(struct marker *marker);

/* A published (or left out) row of the table; a logical message has no row, and is settled at once.
 */
void marker_add(struct marker *marker, const struct row *row, uint64_t transaction, uint32_t xid);

/* Is there something to send, and is it time to? */
bool marker_wants(const struct marker *marker, int64_t now_us);
enum verdict MUST_CHECK marker_send(struct marker *marker, struct link *link, struct error *error);
/* The answer to the last send; snapshot: the text that it returned, with OK. OK: go on; what the
 * statement could not see yet is sent again. WAIT: a lock; it is tried again. Others as they are.
 */
enum verdict marker_answer(struct marker *marker, enum verdict verdict, const char *snapshot,
                           int64_t now_us);

size_t marker_memory(const struct marker *marker);
size_t marker_pending(const struct marker *marker);

#endif
