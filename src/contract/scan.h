/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.h - the letters of JSON: space, strings, UTF-8, whole values that nobody wants.
 * In -> out: a place in a text -> the place behind what was read, NULL where it is not JSON.
 * Owns: nothing; no place at or behind `end` is ever read.
 * Thread: any; pure.
 * Source: RFC 8259; RFC 3629 for UTF-8.
 * Keeps: a string is valid UTF-8 with whole surrogate pairs, or it is an error. */
#ifndef WALPOST_CONTRACT_SCAN_H
#define WALPOST_CONTRACT_SCAN_H

#include <stdbool.h>

#include "contract/output.h"

#if defined(__SSE2__) && !defined(WALPOST_PORTABLE_SCAN)
#define SCAN_WITH_SSE2
#include <emmintrin.h>
#endif

enum scan_trouble {
    SCAN_FINE = 0,
    SCAN_TRUNCATED,
    SCAN_UNEXPECTED,
    SCAN_CONTROL_CHARACTER,
    SCAN_BAD_ESCAPE,
    SCAN_BAD_NUMBER,
    SCAN_BAD_UTF8,
    SCAN_HALF_SURROGATE,
    SCAN_TOO_DEEP,
    SCAN_TROUBLES,
};

/* Finishes "it is not JSON: ...". */
const char *scan_trouble_text(enum scan_trouble trouble);

/* Where it went wrong, and why. */
struct scan_failure {
    enum scan_trouble trouble;
    const char *at;
};

static inline const char *skip_space(const char *at, const char *end)
{
    while (at < end && (unsigned char)*at <= ' ' &&
           (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* What ends or interrupts a run of plain ASCII in a string. */
static inline bool is_special(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80;
}

/* How many of the 16 bytes at `at` come before the first special one; 16: none is. */
static inline unsigned plain_of_16(const char *at)
{
#ifdef SCAN_WITH_SSE2
    __m128i text = _mm_loadu_si128((const __m128i *)at);
    __m128i quote = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
    /* Signed: below 0x20 are the control characters and everything from 0x80. */
    __m128i other = _mm_cmplt_epi8(text, _mm_set1_epi8(0x20));
    int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), other));
    return (unsigned)__builtin_ctz((unsigned)mask | 0x10000);
#else
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones << 7;
    for (unsigned half = 0; half < 16; half += 8) {
        uint64_t text;
        memcpy(&text, at + half, sizeof(text));
        text = le64toh(text);
        /* (x - 1) & ~x finds zero bytes from the low end on; borrows only spoil those above. */
        uint64_t quote = text ^ ones * '"';
        uint64_t backslash = text ^ ones * '\\';
        uint64_t special = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                           ((text - ones * 0x20) & ~text) | text;
        if ((special & highs) != 0) {
            return half + (unsigned)__builtin_ctzll(special & highs) / 8;
        }
    }
    return 16;
#endif
}

/* Behind the opening quote. Appends what the string means to output (NULL: only reads it); leaves
 * off behind the closing quote. NULL, and *failure, otherwise. */
const char *scan_string(const char *at, const char *end, struct output *output,
                        struct scan_failure *failure);

/* Behind the opening quote: a view of the string where it has no escapes, else of a copy in
 * scratch, which is emptied first. */
const char *scan_text(const char *at, const char *end, struct output *scratch, struct bytes *text,
                      struct scan_failure *failure);

/* A number, as JSON writes it. */
const char *scan_number(const char *at, const char *end, struct scan_failure *failure);

/* A whole value of any kind, `depth` brackets deep at most. */
const char *scan_value(const char *at, const char *end, unsigned depth,
                       struct scan_failure *failure);

/* The length of the UTF-8 sequence at `at`, which is not ASCII; 0: it is not valid. */
size_t utf8_sequence(const char *at, const char *end);

/* Is it valid UTF-8? */
bool utf8_valid(struct bytes text);

#endif
