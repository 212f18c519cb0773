/* SPDX-License-Identifier: Apache-2.0
 *
 * sink.h - where events go when not to Kafka: JSON lines on standard output, or nowhere.
 * In: segments. Out: lines; events are held to their contracts; nothing is confirmed, nothing
 *     marked.
 * Owns: a buffer.
 * Thread: the loop thread; a reader of standard output that does not read holds it up. */
#ifndef WALPOST_PIPELINE_SINK_H
#define WALPOST_PIPELINE_SINK_H

#include "encode/encode.h"
#include "lane/gate.h"

struct sink;

/* Takes the gate over; NULL: there are no contracts. */
struct sink *sink_new(const struct encoder *encoder, struct gate *gate, bool print);
void sink_free(struct sink *sink);

/* FATAL: standard output is closed or full, or an event breaks its contract and is to halt. */
enum verdict MUST_CHECK sink_take(struct sink *sink, const struct segment *first,
                                  struct error *error);

#endif
