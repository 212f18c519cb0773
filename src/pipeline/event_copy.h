/* SPDX-License-Identifier: Apache-2.0
 *
 * event_copy.h - a row of the wire becomes an event that stays.
 * In: views into a message. Out: an event in chunks, with room for the encoder in front of its
 *     payload.
 * Owns: nothing; the chunks are the pool's.  Thread: the loop thread.
 * Keeps: I8: a row is copied once; one of 256 KiB or more is not copied at all. */
#ifndef WALPOST_PIPELINE_EVENT_COPY_H
#define WALPOST_PIPELINE_EVENT_COPY_H

#include "base/chunk.h"
#include "encode/encode.h"
#include "pg/stream.h"

/* Bytes of everything but the payload. */
size_t event_row_size(const struct row *row);

/* message: where the row came from, or NULL (snapshot); its buffer may be kept, then it is set to
 * NULL. */
struct event *event_copy(struct chunk_pool *pool, const struct encoder *encoder,
                         const struct row *row, struct bytes key, struct stream_message *message);

#endif
