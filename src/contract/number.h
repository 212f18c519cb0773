/* SPDX-License-Identifier: Apache-2.0
 *
 * number.h - numbers as JSON writes them, and back.
 * In -> out: text -> the exact integer, or the nearest double. A double -> its shortest text.
 * Owns: nothing; no place at or behind `end` is ever read.
 * Thread: any; pure.
 * Source: RFC 8259. "Number Parsing at a Gigabyte per Second" (Lemire 2021) for doubles.
 * Keeps: integers are never rounded; doubles are rounded once, to even. */
#ifndef WALPOST_CONTRACT_NUMBER_H
#define WALPOST_CONTRACT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum number_trouble {
    NUMBER_FINE = 0,
    NUMBER_SYNTAX,   /* not a number as JSON writes it */
    NUMBER_FRACTION, /* it is no integer */
    NUMBER_RANGE,    /* too large for any type of 64 bits, or for a double */
};

struct integer {
    bool negative;
    uint64_t magnitude;
};

/* An integer, also one like 1e3 or 1.50e1. Returns the place behind it; NULL and *trouble
 * otherwise. */
const char *number_integer(const char *at, const char *end, struct integer *integer,
                           enum number_trouble *trouble);

const char *number_double(const char *at, const char *end, double *value,
                          enum number_trouble *trouble);

enum { NUMBER_TEXT_SIZE = 32 };

/* The shortest decimal that reads back as the same double, or float. Finite values only. */
size_t number_format_double(double value, char text[static NUMBER_TEXT_SIZE]);
size_t number_format_float(float value, char text[static NUMBER_TEXT_SIZE]);

/* Decimal digits; at most 20 characters. */
size_t number_format_unsigned(uint64_t value, char text[static NUMBER_TEXT_SIZE]);
size_t number_format_signed(int64_t value, char text[static NUMBER_TEXT_SIZE]);

#endif
