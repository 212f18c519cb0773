/* SPDX-License-Identifier: Apache-2.0
 *
 * past_key.h - the key that an event had under an earlier configuration.
 * In -> out: a key template and the columns of its time, as a generation recorded them -> the key
 *     of a row that is read today.
 * Owns: what it compiles; borrows today's configuration.  Thread: one at a time.
 * Keeps: I3: an event is looked up in the lane that it was in when it was published. */
#ifndef WALPOST_ENCODE_PAST_KEY_H
#define WALPOST_ENCODE_PAST_KEY_H

#include "base/error.h"
#include "outbox/event.h"

struct config;
struct past_key;

/* What a key template's placeholders stand for: a line "role=column" for each role. malloc'd. */
char *key_columns(const struct config *config);

/* columns: as key_columns wrote them; NULL: not known, those of today. INVALID: a template or a
 * list that this version does not understand. */
enum verdict MUST_CHECK past_key_new(const struct config *config, const char *key_template,
                                     const char *columns, struct past_key **past,
                                     struct error *error);
void past_key_free(struct past_key *past); /* takes NULL */

/* BYTES_NULL where no key could be made: such an event was a dead letter. A view into the row, or
 * into buffer. */
struct bytes past_key_of(struct past_key *past, const struct row *row, char *buffer, size_t size);

#endif
