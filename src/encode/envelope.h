/* SPDX-License-Identifier: Apache-2.0
 *
 * envelope.h - walpost.v1.OutboxEvent, written around a payload that stays where it is.
 * In: an event with room in front of its payload, in which its typed payload may stand. Out: the
 *     message, which ends with the payload.
 * Owns: nothing; writes into event->headroom.
 * Thread: the lane thread that has the event; pure.
 * Keeps: the layout of proto/walpost/v1/outbox_event.proto; the same bytes for the same event.
 *        Source: Protocol Buffers documentation, "Encoding". */
#ifndef WALPOST_ENCODE_ENVELOPE_H
#define WALPOST_ENCODE_ENVELOPE_H

#include "encode/trace.h"
#include "outbox/event.h"

/* What is in the envelope, but not in the event as it stands. */
struct envelope {
    struct bytes stream;
    struct trace trace;
    bool occurred; /* the event has a time */
    int64_t occurred_us;
};

/* An upper bound of the bytes in front of the payload; known before the transaction of the row is.
 */
size_t envelope_headroom(struct bytes stream, const struct row *row);

/* The payload must not be NULL; the headroom must be as large as envelope_headroom says, and larger
 * by the typed payload and the name of its message. Moves the typed payload to its place. */
struct bytes envelope_write(const struct envelope *envelope, struct event *event);

#endif
