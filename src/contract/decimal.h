/* SPDX-License-Identifier: Apache-2.0
 *
 * decimal.h - a number of JSON before anybody knows what it becomes.
 * In -> out: text -> digits * 10^exponent.
 * Owns: nothing.  Thread: any; pure. */
#ifndef WALPOST_CONTRACT_DECIMAL_H
#define WALPOST_CONTRACT_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

struct decimal {
    uint64_t digits;  /* the first 19 that count */
    int32_t exponent; /* of ten */
    uint8_t n_digits;
    bool negative;
    bool cut; /* digits that are not zero were left out */
};

/* The place behind it; NULL: JSON writes no number like this. */
const char *decimal_read(const char *at, const char *end, struct decimal *decimal);

#endif
