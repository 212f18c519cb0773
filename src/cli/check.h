/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h - the parts of `walpost check`.
 * In: a configuration. Out: points; and findings, for the points that need both halves.
 * Owns: nothing.  Thread: main's.
 * Keeps: nothing is changed; a point that cannot be looked at says why. */
#ifndef WALPOST_CLI_CHECK_H
#define WALPOST_CLI_CHECK_H

#include "cli/look.h"
#include "cli/points.h"

/* *slot_known: found.slot and found.identity are there. */
void check_postgres(struct points *points, struct look *look, bool *slot_known);
/* What the anchor slot costs; look->sql is connected. */
void check_anchor(struct points *points, struct look *look);
/* *checkpoint_known: found.has_checkpoint and found.checkpoint are there. */
void check_kafka(struct points *points, struct look *look, bool *checkpoint_known);
/* Do the contracts compile, if events are held to them, and does the registry have their schemas,
 * if records carry its ids? */
void check_contracts(struct points *points, const struct config *config);
/* Does the schema registry answer, if there is one? */
void check_registry(struct points *points, const struct config *config);

#endif
