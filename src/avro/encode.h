/* SPDX-License-Identifier: Apache-2.0
 *
 * encode.h - the inside of JSON -> Avro, for the files of this folder.
 * In -> out: every read function takes the place of a value and returns the place behind it; NULL:
 *            the violation is set, and whoever is outside adds his part of the path.
 * Owns: outputs and lists, which are used again for the next payload.
 * Thread: one at a time.
 * Keeps: the whole payload is known to be JSON of bounded depth before any of it is read. */
#ifndef WALPOST_AVRO_ENCODE_H
#define WALPOST_AVRO_ENCODE_H

#include <stdio.h>

#include "avro/plan.h"
#include "base/macros.h"
#include "contract/number.h"
#include "contract/output.h"
#include "contract/scan.h"

/* A key of a map, to find one that comes twice. */
struct map_key {
    size_t at; /* in keys_text */
    size_t len;
};

struct avro_encoder {
    enum unknown_policy policy;
    bool of_default; /* the schema's own JSON: of a union the first branch */
    const char *begin;
    const char *end;
    struct violation *violation;
    struct output out;
    struct output scratch; /* strings without their escapes */

    const char **places; /* of the values of all records that are open, by field; NULL: absent */
    size_t n_places;
    size_t max_places;

    struct output keys_text;
    struct map_key *keys; /* of all maps that are open */
    size_t n_keys;
    size_t max_keys;
};

void encoder_init(struct avro_encoder *encoder, enum unknown_policy policy);
void encoder_release(struct avro_encoder *encoder);
enum verdict MUST_CHECK encoder_run(struct avro_encoder *encoder, const struct plan *plan,
                                    struct bytes json, struct violation *violation);

const char *encode_value(struct avro_encoder *encoder, const char *at, const struct plan *plan);
/* A string, as text in the scratch or in the payload. */
const char *encode_text(struct avro_encoder *encoder, const char *at, const char *expected,
                        struct bytes *text);

/* Which branch of a union a value is for; *value is what belongs to it, *behind the place behind
 * the whole. UINT32_MAX: none, and the violation is set. (choose.c) */
uint32_t encode_choose(struct avro_encoder *encoder, const struct plan *plan, const char **value,
                       const char **behind);

/* --- encoder.c --- */

void encode_make_places(struct avro_encoder *encoder, uint32_t count);
void encode_note_key(struct avro_encoder *encoder, struct bytes key);
/* Are all keys since `first` different? Forgets them. */
bool encode_keys_differ(struct avro_encoder *encoder, size_t first);

/* The members of an object, or the elements of an array, one after the other. */
struct members {
    struct avro_encoder *encoder;
    const char *at;
    const char *name_at;
    const char *value;
    const char *behind; /* once all have been seen */
    bool object;
};

void members_begin(struct members *members, struct avro_encoder *encoder, const char *at);
/* name may be NULL; it is valid until the next text is read. */
bool members_next(struct members *members, struct bytes *name);

#endif
