/* SPDX-License-Identifier: Apache-2.0
 *
 * judgement.h - what a start found in Kafka, and what is to be made of it.
 * In: a session that holds the slot, the committed checkpoint. Out: go on, refuse, or go on over a
 *     gap.
 * Owns: nothing; plain values.  Thread: the control thread: it may ask PostgreSQL.
 * Keeps: I9. */
#ifndef WALPOST_PIPELINE_JUDGEMENT_H
#define WALPOST_PIPELINE_JUDGEMENT_H

#include "pipeline/session.h"

struct judgement {
    enum verdict gap; /* OK or REFUSE */
    bool foreign;     /* another system or timeline, or no checkpoint at all */
    bool other_slot;  /* the stream reads another one; what Kafka has still counts */
    bool recovered;   /* the slot was made anew for a gap, with its snapshot: recover: table */
    struct error error;
};

/* Before anything is fenced: is the checkpoint this stream's, and the server in its history? OK or
 * REFUSE; another verdict: that could not be asked. */
enum verdict MUST_CHECK judgement_of_stream(const struct session_options *options,
                                            struct session *session, const struct checkpoint *found,
                                            struct error *error);

/* Not OK: the judgement could not be made. */
enum verdict MUST_CHECK judgement_make(const struct session_options *options,
                                       struct session *session, const struct checkpoint *found,
                                       struct judgement *judgement, struct error *error);

/* May a generation be written, be it one that only proves that an alarm is right? */
bool judgement_may_lead(const struct session_options *options, const struct judgement *judgement);

/* Does the stream go on, although what was found does not fit? */
bool judgement_is_accepted(const struct session_options *options,
                           const struct judgement *judgement);
void judgement_say_accepted(const struct session_options *options, const struct session *session,
                            const struct checkpoint *found, const struct judgement *judgement);

#endif
