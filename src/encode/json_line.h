/* SPDX-License-Identifier: Apache-2.0
 *
 * json_line.h - an event as one line of JSON, for run --to stdout.
 * In: an event and its record. Out: {"position":..., "topic":..., ... "payload":...} and "\n".
 * Owns: its buffer, which grows and is used again.
 * Thread: one at a time.
 * Keeps: a line is valid JSON in UTF-8 whatever the event holds, with no line feed but its last. */
#ifndef WALPOST_ENCODE_JSON_LINE_H
#define WALPOST_ENCODE_JSON_LINE_H

#include "encode/record.h"
#include "outbox/event.h"

/* All zero is an empty one. */
struct json_line {
    char *data;
    size_t len;
    size_t capacity;
};

void json_line_release(struct json_line *line);

/* Appends a line; set len to 0 to begin anew. record is what encode_event or encode_dead_letter
 * made of the event, and reason says which: DEAD_NOT, or why it is a dead letter. The payload
 * stands as it is where it is JSON, else as a string. */
void json_line_append(struct json_line *line, const struct event *event,
                      const struct record *record, enum dead_reason reason, const char *detail);

/* A text as a JSON string, or null. What is no UTF-8 becomes U+FFFD. */
void json_line_text(struct json_line *line, struct bytes text);

#endif
