/* SPDX-License-Identifier: Apache-2.0
 *
 * letters_left.h - which of the events that a start leaves out are dead letters.
 * In: the dead letter topic, as far back as the checkpoint says that rows may not be marked. Out: a
 *     yes or no for each event that is left out.
 * Owns: a set of digests, 16 bytes a letter.
 * Thread: read by the control thread; then the loop's.
 * Keeps: I10: a crash between Kafka's commit and the mark makes no published event of a dead
 * letter, so no row of one is deleted. Where there is nothing to look up, Kafka is not asked. */
#ifndef WALPOST_PIPELINE_LETTERS_LEFT_H
#define WALPOST_PIPELINE_LETTERS_LEFT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "checkpoint/checkpoint.h"
#include "kafka/reader.h"
#include "outbox/event.h"

struct config;
struct letters_left;

struct letters_left_options {
    const struct config *config;
    struct unmarked unmarked; /* of the generations before */
    lsn marked_lsn;           /* the rows of everything below are marked */
    const atomic_bool *stop;
    void (*beat)(void *context); /* called once in a while: a long read must not cost the session */
    void *context;
};

/* *left NULL: there are none. WAIT: the topic is missing or not authorized. RETRY, AGAIN as
 * reader_read. */
enum verdict MUST_CHECK letters_left_read(const struct letters_left_options *options,
                                          struct reader *reader, struct letters_left **left,
                                          struct error *error);
void letters_left_free(struct letters_left *left); /* takes NULL */

/* Takes NULL. */
bool letters_left_has(const struct letters_left *left, const struct row *row,
                      struct position position);

/* What letters_left_read does with a record of the topic; here for the tests. */
struct letters_left *letters_left_new(struct bytes stream, lsn marked_lsn);
void letters_left_apply(struct letters_left *left, const struct reader_record *record);

#endif
