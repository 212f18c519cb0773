/* SPDX-License-Identifier: Apache-2.0
 *
 * frames.h - what stands in front of a typed payload so that consumers find its schema: the id that
 * a registry has for it.
 * In: a contract and the topic of a record. Out: the header of the Confluent wire format.
 * Owns: the registry's connections and cache, and the texts of the contracts as they were when they
 *       were compiled.
 * Thread: any; calls wait for each other and for the registry, up to contracts.registry.timeout for
 *         each address, or until *stop.
 * Keeps: I7: an id is that of the very text that was compiled. Nothing is ever registered. */
#ifndef WALPOST_ENFORCE_FRAMES_H
#define WALPOST_ENFORCE_FRAMES_H

#include <stdatomic.h>

#include "registry/registry.h"
#include "registry/wire_format.h"
#include "schemas/schemas.h"

struct frames;

struct frame {
    uint8_t len;
    uint8_t data[WIRE_HEADER_MAX];
};

/* Asks nothing yet. INVALID: a file cannot be read. */
enum verdict MUST_CHECK frames_new(const struct config *config, const struct schemas *schemas,
                                   const atomic_bool *stop, struct frames **frames,
                                   struct error *error);
void frames_free(struct frames *frames); /* takes NULL */

/* Does the frame of a schema depend on the topic? */
bool frames_need_topic(const struct frames *frames);

/* schema: its place in schemas. One try. WAIT: the registry is in trouble, or the schema is not
 * registered; AGAIN: *stop. */
enum verdict MUST_CHECK frames_find(struct frames *frames, size_t schema, const char *topic,
                                    struct frame *frame, struct error *error);

bool frames_note(struct frames *frames, char note[static REGISTRY_NOTE_SIZE]);

#endif
