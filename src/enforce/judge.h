/* SPDX-License-Identifier: Apache-2.0
 *
 * judge.h - the seam for the kinds of contracts: does a payload keep this one?
 * In: JSON text. Out: the typed payload, or a violation.
 * Owns: whoever implements it owns what it compiled and what it writes to; borrows the schema.
 * Thread: one judge belongs to one thread.
 * Keeps: pure; the same payload gets the same answer. */
#ifndef WALPOST_ENFORCE_JUDGE_H
#define WALPOST_ENFORCE_JUDGE_H

#include "contract/transcode.h"
#include "schemas/schemas.h"

struct judge;

struct judge_ops {
    /* OK, and *typed: the payload as bytes of the contract's own format, in room where it fits,
     * else in memory of the judge until the next call; BYTES_NULL where the format is JSON itself.
     * REJECT and *violation otherwise. */
    enum verdict (*hold)(struct judge *judge, struct bytes json, struct room room,
                         struct bytes *typed, struct violation *violation);
    void (*free)(struct judge *judge);
};

struct judge {
    const struct judge_ops *ops;
};

/* By the kind of the schema. */
struct judge *judge_new(const struct schema *schema, enum unknown_policy policy);

/* What a typed payload is called in the header content-type, by itself and behind the id of its
 * schema. */
const char *judge_content_type(enum schema_kind kind, bool framed);

#endif
