/* SPDX-License-Identifier: Apache-2.0
 *
 * keeper.h - keeps the anchor slot behind the live one: makes it where it is missing or lost, lets
 * it follow by bytes and by age, notes the times of positions.
 * In: a configuration; whether this process leads. Out: log lines, and what they say.
 * Owns: a thread, a connection and clients of its own.
 * Thread: these functions: one thread (the loop's); none of them waits but keeper_stop, for less
 *     than a second.
 * Keeps: whatever becomes of the anchor, the live stream does not notice: nothing is shared with
 *     it, and nothing that fails here is more than a log line. */
#ifndef WALPOST_ANCHOR_KEEPER_H
#define WALPOST_ANCHOR_KEEPER_H

#include <stdint.h>

#include "base/log.h"

struct config;
struct keeper;

struct keeper *keeper_start(const struct config *config, const struct log *log);
/* Only the instance that leads moves the anchor. system_id: of the cluster; 0: it does not lead.
 * Takes NULL. */
void keeper_lead(struct keeper *keeper, uint64_t system_id);
void keeper_stop(struct keeper *keeper); /* takes NULL */

#endif
