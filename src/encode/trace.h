/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.h - the trace context of an event: its own, or one made from its id.
 * In -> out: traceparent, tracestate and id of a row -> the text of the four trace headers.
 * Owns: nothing; views into the row or into the room that the caller gives.
 * Thread: any; pure.
 * Keeps: what is valid passes untouched; what is made is the same at every repetition.
 *        Source: W3C Trace Context, sections 3.2 (traceparent), 3.3 (tracestate), 4.3 (what to do
 *        with a broken one). */
#ifndef WALPOST_ENCODE_TRACE_H
#define WALPOST_ENCODE_TRACE_H

#include "base/bytes.h"
#include "outbox/event.h"

enum { TRACEPARENT_LEN = 55 }; /* of version 00, and of what walpost makes */

struct trace {
    struct bytes traceparent;
    struct bytes tracestate; /* NULL where there is none */
    struct bytes trace_id;   /* both are parts of traceparent */
    struct bytes span_id;
};

/* made is room for a traceparent that has to be made. All four are NULL for a row that has neither
 * a valid traceparent nor an id. */
void trace_of(const struct row *row, char made[static TRACEPARENT_LEN], struct trace *trace);

#endif
