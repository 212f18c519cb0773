/* SPDX-License-Identifier: Apache-2.0
 *
 * kinds.h - what the fuzzers of Avro and JSON Schema have in common.
 * In -> out: the fuzzer's bytes -> texts, in memory of their own, so that a byte read behind one is
 *            found; a violation -> whether it has words.
 * Owns: nothing; texts are freed by whoever asked for them.
 * Thread: one.
 * Keeps: nothing. */
#ifndef WALPOST_FUZZ_KINDS_H
#define WALPOST_FUZZ_KINDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "contract/violation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct bytes own_copy(const uint8_t *data, size_t size)
{
    char *text = must_malloc(size == 0 ? 1 : size);
    if (size > 0) {
        memcpy(text, data, size);
    }
    return (struct bytes){text, size};
}

/* Up to the next zero byte, which no JSON has; *data and *size are what is behind it. */
static inline struct bytes next_text(const uint8_t **data, size_t *size)
{
    const uint8_t *zero = *size == 0 ? NULL : memchr(*data, 0, *size);
    size_t len = zero == NULL ? *size : (size_t)(zero - *data);
    struct bytes text = own_copy(*data, len);
    size_t taken = zero == NULL ? len : len + 1;
    *data += taken;
    *size -= taken;
    return text;
}

static inline void check_violation(const struct violation *violation)
{
    struct error error;
    check(violation->kind != VIOLATION_NONE && violation->expected[0] != '\0');
    check(violation_error(violation, &error) == REJECT && error.what[0] != '\0');
}

#endif
