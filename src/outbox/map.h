/* SPDX-License-Identifier: Apache-2.0
 *
 * map.h - a change becomes a row: columns by name, messages by prefix.            Step 3 of 7.
 * In: the RELATION message of the outbox table; then its tuples; or a logical message's JSON.
 * Out: struct row, views into the input (or into the mapper's scratch, until its next call).
 * Owns: the plan (which column plays which role) and scratch memory for unescaped JSON.
 * Thread: the loop thread; pure: no I/O, no clock, no logging.
 * Keeps: a bad row is a dead letter (invalid_event, with a detail in the user's words), never an
 *        error of the stream. */
#ifndef WALPOST_OUTBOX_MAP_H
#define WALPOST_OUTBOX_MAP_H

#include "base/error.h"
#include "outbox/event.h"
#include "pgoutput/change.h"

struct config;
struct mapper;

void mapper_new(const struct config *config, struct mapper **mapper);
void mapper_free(struct mapper *mapper);

/* Finds the columns by name; called at every RELATION message of the outbox table, and before
 * snapshot rows. REFUSE, with the old plan kept, when a required column (id, aggregate_id,
 * event_type, payload) is not there, naming it, the columns that are and the nearest name; or when
 * the payload column is of type bytea. The others may be absent. */
enum verdict MUST_CHECK mapper_plan(struct mapper *mapper, const struct relation_column *columns,
                                    uint16_t n_columns, struct error *error);

/* A row from an INSERT, or from the snapshot. It is dead when id, aggregate_id or event_type is
 * NULL or empty, id is no UUID, payload is NULL or, in a column that is neither json nor jsonb, no
 * JSON. Fails only with FATAL, when the tuple has not the columns of the plan or holds what no
 * INSERT sends (a binary or unchanged column). */
enum verdict MUST_CHECK mapper_row(struct mapper *mapper, const struct tuple *tuple,
                                   struct row *row, struct error *error);

/* A row that was put together by somebody else, judged as mapper_row does; without a plan, id and
 * payload are not trusted to be what they should. */
void mapper_judge(struct mapper *mapper, struct row *row);

/* A row from a logical message: a JSON object with the members id, aggregate_id, event_type,
 * payload and optionally created_at, traceparent, tracestate (strings), schema_version (a string or
 * a number), headers (an object). Any other member is an extra column: a string without its
 * escapes, null as NULL, anything else as its JSON text. The payload is the member's own text,
 * untouched, and not null. Anything else gives a row with dead = DEAD_INVALID_EVENT and payload =
 * the content; its good members are in it, unless it is no JSON object or has a member twice. */
void mapper_message(struct mapper *mapper, struct bytes content, struct row *row);

/* Does this logical message belong to the stream? */
bool mapper_wants_message(const struct mapper *mapper, struct bytes prefix);

#endif
