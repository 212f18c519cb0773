/* SPDX-License-Identifier: Apache-2.0
 *
 * standby.h - an instance that does not lead, or not any more: who does?
 * In: session options. Out: may it wait for its turn? And a line in the log.
 * Owns: nothing.  Thread: the control thread: these wait for Kafka, some seconds at the most.
 * Keeps: I11: whoever was succeeded does not take the stream back by itself; nothing of Kafka is
 *     touched. */
#ifndef WALPOST_PIPELINE_STANDBY_H
#define WALPOST_PIPELINE_STANDBY_H

#include "pipeline/session.h"

/* FENCED: another one has led since this process did. */
enum verdict MUST_CHECK standby_judge_generation(const struct session_options *options,
                                                 const struct checkpoint *found,
                                                 struct error *error);

/* The slot is held by another one, as *error says: WAIT with that error, or FENCED. */
enum verdict MUST_CHECK standby_judge(const struct session_options *options, struct error *error);

/* Says whose stream it is, as the checkpoint has it. */
void standby_say_leader(const struct session_options *options);

#endif
