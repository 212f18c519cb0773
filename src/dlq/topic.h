/* SPDX-License-Identifier: Apache-2.0
 *
 * topic.h - reads the dead letter topic.
 * In: a configuration, a filter. Out: letters; their values; how many there are.
 * Owns: its clients, for the time of a call.
 * Thread: main's; calls wait, as long as records come. */
#ifndef WALPOST_DLQ_TOPIC_H
#define WALPOST_DLQ_TOPIC_H

#include "dlq/filter.h"
#include "dlq/letters.h"
#include "dlq/remake.h"

struct config;

/* Those that match. The letters are the caller's. WAIT: there is no such topic, or no right. */
enum verdict MUST_CHECK dlq_read(const struct config *config, const struct filter *filter,
                                 struct remaker *remaker, struct letters **letters,
                                 struct error *error);

/* Values of letters, in an array of as many; data NULL: it is not there any more, another one has
 * taken its place. The memory of each is the caller's. */
enum verdict MUST_CHECK dlq_read_values(const struct config *config, struct letter *const *letters,
                                        size_t n_letters, struct bytes *values,
                                        struct error *error);

/* How many are neither replayed nor purged. AGAIN: there are more than can be read in this time. */
enum verdict MUST_CHECK dlq_depth(const struct config *config, int within_ms, uint64_t *depth,
                                  struct error *error);

#endif
