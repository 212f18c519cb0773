/* SPDX-License-Identifier: Apache-2.0
 *
 * sha256.h - a fingerprint by which contents are told apart.
 * In -> out: bytes, in any number of pieces -> 32 bytes.
 * Owns: nothing.  Thread: any; pure.
 * Keeps: SHA-256. Source: FIPS 180-4, sections 4.1.2, 5 and 6.2. */
#ifndef WALPOST_BASE_SHA256_H
#define WALPOST_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_TEXT_SIZE = 65 };

struct sha256 {
    uint32_t state[8];
    uint64_t total; /* bytes so far */
    uint8_t block[64];
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t len);
void sha256_end(struct sha256 *sha, uint8_t digest[static SHA256_SIZE]);

/* In hexadecimal, lower case. */
void sha256_text(const uint8_t digest[static SHA256_SIZE], char text[static SHA256_TEXT_SIZE]);

#endif
