/* SPDX-License-Identifier: Apache-2.0
 *
 * encode.h - an event becomes a record: topic, key, headers, value.            Step 5 of 7.
 * In: an event in its chunk, with room in front of the payload. Out: a record that points into it.
 * Owns: the compiled templates; borrows the configuration.
 * Thread: encoder_new in the loop thread; then read-only, so lane threads may share it.
 * Keeps: I7 (no record leaves that breaks the contract it claims); pure: no I/O, clock or log. */
#ifndef WALPOST_ENCODE_ENCODE_H
#define WALPOST_ENCODE_ENCODE_H

#include "base/error.h"
#include "encode/record.h"
#include "outbox/event.h"

struct config;
struct encoder;

/* Compiles the templates of route.* (topic, key, headers, timestamp) and checks that the
 * placeholders exist. INVALID with the key's name otherwise. */
enum verdict MUST_CHECK encoder_new(const struct config *config, struct encoder **encoder,
                                    struct error *error);
void encoder_free(struct encoder *encoder);
/* Every record gets the header replay_id. id stays the caller's. */
void encoder_set_replay(struct encoder *encoder, const char *id);

/* An upper bound of what encode_event writes in front of the payload, so that the loop can leave
 * room for it, with room for a typed payload as large as the payload where contracts are checked. 0
 * for encode.value: json. */
size_t encode_headroom(const struct encoder *encoder, const struct row *row);

/* How much of the event's headroom, from its beginning, is free for the typed payload, once
 * event->contract is set. 0 for encode.value: json, whose records have none. */
size_t encode_typed_room(const struct encoder *encoder, const struct event *event);
/* Moves the payload into event->memory, behind so much more room for its typed form. */
void encode_make_room(const struct encoder *encoder, struct event *event, size_t typed);

/* The record key by the key template; a view into the row where the template is a single
 * placeholder, else written to buffer (at most size bytes). REJECT when a placeholder is NULL or
 * the key does not fit. */
enum verdict MUST_CHECK encode_key(const struct encoder *encoder, const struct row *row,
                                   char *buffer, size_t size, struct bytes *key,
                                   struct error *error);

/* The topic by the route's template. REJECT: a placeholder is NULL, Kafka forbids the
 * name, or walpost or Kafka keep their own records there. */
enum verdict MUST_CHECK encode_topic(const struct encoder *encoder, const struct row *row,
                                     char topic[static RECORD_TOPIC_SIZE], struct error *error);

/* Writes the record of a good event, which has a contract where contracts are checked; sets
 * event->value. May be called again for the same event (a replay) with the same result. REJECT: an
 * event that cannot become a record (a topic name that Kafka forbids, headers that are no object):
 * the caller makes it a dead letter of reason invalid_event. */
enum verdict MUST_CHECK encode_event(const struct encoder *encoder, struct event *event,
                                     struct record *record, struct error *error);

/* The record of a dead letter: topic dead_letter.topic, key = event id (the position where there is
 * none), value = the payload as it stands in the table (empty where it is NULL or the reason is
 * record_too_large), headers: those that the event has under the names of header_style walpost,
 * plus reason, detail, stream, source_topic, source_table (not of a logical message), commit_lsn,
 * time, attempt; and what it takes to make the event again: xid, created_at, status, headers (the
 * column), column.<name> for each column without a role, value (what the value is), and cut where
 * there was no room for all of it. detail must stay as long as the record. Never fails. */
#define LETTER_COLUMN_PREFIX "column."
#define LETTER_VALUE_PAYLOAD "payload"
#define LETTER_VALUE_MESSAGE "message" /* a logical message as a whole: no event in it */
#define LETTER_VALUE_NONE    "none"
/* Headers of the tombstone that ends a letter: why it is gone; and stream and source_table, as the
 * letter had them. */
#define TOMBSTONE_OUTCOME  "outcome"
#define TOMBSTONE_REPLAYED "replayed"
#define TOMBSTONE_PURGED   "purged"
void encode_dead_letter(const struct encoder *encoder, const struct event *event,
                        enum dead_reason reason, const char *detail, struct record *record);
/* The key of that record; a view into the row, or into text. */
struct bytes dead_letter_key(const struct row *row, struct position position,
                             char text[static POSITION_TEXT_SIZE]);

#endif
