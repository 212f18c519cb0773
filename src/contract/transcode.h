/* SPDX-License-Identifier: Apache-2.0
 *
 * transcode.h - payloads between JSON and Protobuf, held against their contract on the way.
 * In -> out: JSON text -> the message on the wire, in one pass, without a document in between; and
 *            back. Or: how the payload breaks the contract.
 * Owns: one buffer for results, which grows; borrows the pool.
 * Thread: one transcoder belongs to one thread; a pool may be shared.
 * Source: the JSON mapping of proto3 and proto2, protobuf.dev/programming-guides/json.
 * Keeps: I7. What comes out decodes to what went in, or nothing comes out. Pure. */
#ifndef WALPOST_CONTRACT_TRANSCODE_H
#define WALPOST_CONTRACT_TRANSCODE_H

#include "contract/pool.h"
#include "contract/violation.h"

struct transcoder;

/* Levels of messages, and of the entries of maps, counted from the outermost: Protobuf's own
 * readers refuse what is nested deeper. */
enum { NESTING_MAX = 100 };

/* What JSON has and the contract does not: fields, and names of enum values. */
enum unknown_policy { UNKNOWN_REJECT, UNKNOWN_IGNORE };

struct transcoder *transcoder_new(const struct pool *pool, enum unknown_policy policy);
void transcoder_free(struct transcoder *transcoder);

/* *wire is valid until the next call. REJECT and *violation otherwise. Fields come in the order of
 * the text, lengths in their shortest form; zeros of fields without presence are left out. */
enum verdict MUST_CHECK transcode_from_json(struct transcoder *transcoder,
                                            const struct message *message, struct bytes json,
                                            struct bytes *wire, struct violation *violation);

/* The same, into memory of the caller's, where it fits; else as above. */
struct room {
    char *data;
    size_t size;
};
enum verdict MUST_CHECK transcode_into(struct transcoder *transcoder, const struct message *message,
                                       struct bytes json, struct room room, struct bytes *wire,
                                       struct violation *violation);

/* *json is valid until the next call, and has no space in it. REJECT and *violation: it is not
 * Protobuf, or JSON cannot say it (a timestamp out of range, an Any of unknown type). Fields come
 * by number; those that the contract does not know are left out. */
enum verdict MUST_CHECK transcode_to_json(struct transcoder *transcoder,
                                          const struct message *message, struct bytes wire,
                                          struct bytes *json, struct violation *violation);

#endif
