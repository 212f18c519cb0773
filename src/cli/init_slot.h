/* SPDX-License-Identifier: Apache-2.0
 *
 * init_slot.h - the birth of a stream: its slot, its snapshot, its first checkpoint.
 * In: what was found. Out: all three, or a row in walpost.init that lets the next init start over.
 * Owns: nothing.  Thread: main's.
 * Keeps: I9: the first checkpoint is written only for a slot that this very run created. I3: the
 * snapshot is committed before the first checkpoint. */
#ifndef WALPOST_CLI_INIT_SLOT_H
#define WALPOST_CLI_INIT_SLOT_H

#include "cli/look.h"

enum verdict MUST_CHECK init_slot(struct look *look, struct error *error);

/* The anchor, last of all: it is a copy of the stream's own slot. */
enum verdict MUST_CHECK init_anchor(struct look *look, struct error *error);

#endif
