/* SPDX-License-Identifier: Apache-2.0
 *
 * base64.h - bytes as JSON carries them.
 * In -> out: text -> bytes, and back.
 * Owns: nothing.  Thread: any; pure.
 * Source: RFC 4648, sections 4 and 5. Both alphabets are read, with padding or without. */
#ifndef WALPOST_CONTRACT_BASE64_H
#define WALPOST_CONTRACT_BASE64_H

#include <stdbool.h>

#include "base/bytes.h"

/* What base64_decode writes at most: it stores in blocks. */
static inline size_t base64_decoded_max(size_t len)
{
    return len / 4 * 3 + 4;
}

/* False, and nothing that counts, when the text is not Base64. */
bool base64_decode(struct bytes text, char *to, size_t *len);

static inline size_t base64_encoded_size(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* The standard alphabet, with padding: base64_encoded_size characters. */
void base64_encode(struct bytes bytes, char *to);

#endif
