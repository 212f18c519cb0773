/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event_copy.h"

#include <stdio.h>

#include "base/check.h"

enum { ADOPT_FROM = 256 * 1024 }; /* a message from here on is not copied */

static struct bytes copy(char **at, struct bytes from)
{
    if (from.data == NULL) {
        return BYTES_NULL;
    }
    if (from.len > 0) {
        memcpy(*at, from.data, from.len);
    }
    struct bytes to = {*at, from.len};
    *at += from.len;
    return to;
}

size_t event_row_size(const struct row *row)
{
    size_t size = row->id.len + row->aggregate_id.len + row->event_type.len + row->status.len +
                  row->created_at.len + row->traceparent.len + row->tracestate.len +
                  row->schema_version.len + row->headers.len;
    for (size_t i = 0; i < row->n_extra; i++) {
        size += sizeof(struct named_bytes) + row->extra[i].name.len + row->extra[i].value.len;
    }
    return size;
}

/* Everything but the payload. extra comes first: it wants alignment. */
static void row_copy(struct row *to, const struct row *from, char **at)
{
    *to = *from;
    struct named_bytes *extra = (struct named_bytes *)(void *)*at;
    *at += from->n_extra * sizeof(*extra);
    for (size_t i = 0; i < from->n_extra; i++) {
        extra[i].name = copy(at, from->extra[i].name);
        extra[i].value = copy(at, from->extra[i].value);
    }
    to->extra = extra;
    to->id = copy(at, from->id);
    to->aggregate_id = copy(at, from->aggregate_id);
    to->event_type = copy(at, from->event_type);
    to->status = copy(at, from->status);
    to->created_at = copy(at, from->created_at);
    to->traceparent = copy(at, from->traceparent);
    to->tracestate = copy(at, from->tracestate);
    to->schema_version = copy(at, from->schema_version);
    to->headers = copy(at, from->headers);
}

/* Keeps a big row in the memory that it arrived in, with the headroom moved in front of the
 * payload: no second copy of a hundred megabytes (I8). What stood in front of the payload has been
 * copied before. */
static void adopt_payload(struct chunk_pool *pool, struct event *event,
                          struct stream_message *message, struct bytes payload, size_t headroom)
{
    size_t offset = (size_t)(payload.data - message->buffer);
    char *memory = message->buffer;
    size_t size = message->buffer_size;
    if (offset < headroom) {
        size_t bigger = headroom + payload.len;
        memory = must_realloc(memory, bigger > size ? bigger : size);
        size = bigger > size ? bigger : size;
        memmove(memory + headroom, memory + offset, payload.len);
        offset = headroom;
    }
    event->headroom = memory;
    event->headroom_size = offset;
    event->row.payload = (struct bytes){memory + offset, payload.len};
    event->payload_chunk = chunk_adopt(pool, memory, size);
    message->buffer = NULL;
}

struct event *event_copy(struct chunk_pool *pool, const struct encoder *encoder,
                         const struct row *row, struct bytes key, struct stream_message *message)
{
    size_t headroom = row->dead == DEAD_NOT ? encode_headroom(encoder, row) : 0;
    bool adopt = message != NULL && message->buffer_size >= ADOPT_FROM &&
                 row->payload.data >= message->buffer &&
                 row->payload.data < message->buffer + message->buffer_size;
    size_t size = sizeof(struct event) + event_row_size(row) + key.len;
    if (!adopt) {
        size += headroom + row->payload.len;
    }
    struct chunk *chunk;
    struct event *event = chunk_alloc(pool, size, &chunk);
    char *at = (char *)(event + 1);
    *event = (struct event){.chunk = chunk};
    row_copy(&event->row, row, &at);
    event->key = copy(&at, key);
    if (row->detail != NULL) { /* may stand in the mapper's scratch memory */
        snprintf(event->detail, sizeof(event->detail), "%s", row->detail);
        event->row.detail = event->detail;
    }
    if (adopt) {
        adopt_payload(pool, event, message, row->payload, headroom);
    } else {
        event->headroom = at;
        event->headroom_size = headroom;
        at += headroom;
        event->row.payload = copy(&at, row->payload);
    }
    return event;
}
