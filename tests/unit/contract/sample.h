/* SPDX-License-Identifier: Apache-2.0
 *
 * sample.h - the contracts of tests/contracts, and payloads written as text.
 * In -> out: JSON -> the wire in hexadecimal, and back.
 * Owns: one pool and two transcoders for the whole test program.  Thread: the test's own. */
#ifndef WALPOST_TESTS_CONTRACT_SAMPLE_H
#define WALPOST_TESTS_CONTRACT_SAMPLE_H

#include "contract/transcode.h"

const struct pool *sample_pool(void);

/* A copy in an allocation of its size, so that a sanitizer sees a byte read too many. */
struct bytes sample_copy(struct bytes text);

/* message: without its package, "Everything". The text lasts until the program ends; NULL and
 * *violation: it was refused. */
const char *sample_wire(const char *message, const char *json, enum unknown_policy policy,
                        struct violation *violation);
const char *sample_json(const char *message, const char *hex, struct violation *violation);

#endif
