/* SPDX-License-Identifier: Apache-2.0
 *
 * anchor.h - the anchor slot itself.
 * In: a link. Out: the slot, made.
 * Owns: nothing.  Thread: any; calls wait.
 * Keeps: the anchor is made as a copy of the live slot: what it decodes is what the stream decodes.
 */
#ifndef WALPOST_ANCHOR_ANCHOR_H
#define WALPOST_ANCHOR_ANCHOR_H

#include "pg/catalog.h"

struct config;

/* Has the server taken the WAL away that it needs? Only for a slot that exists. */
bool anchor_is_lost(const struct pg_slot *anchor);
/* Makes it, at the live slot's position; one that is lost is removed first. */
enum verdict MUST_CHECK anchor_make(const struct config *config, struct link *link,
                                    const struct pg_slot *found, struct error *error);

#endif
