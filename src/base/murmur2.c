/* SPDX-License-Identifier: Apache-2.0 */
#include "base/murmur2.h"

static uint32_t little_endian(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t murmur2(struct bytes key)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *at = (const unsigned char *)key.data;
    size_t left = key.len;
    uint32_t h = 0x9747b28c ^ (uint32_t)key.len;

    for (; left >= 4; at += 4, left -= 4) {
        uint32_t k = little_endian(at) * m;
        k = (k ^ k >> 24) * m;
        h = (h * m) ^ k;
    }
    if (left == 3) {
        h ^= (uint32_t)at[2] << 16;
    }
    if (left >= 2) {
        h ^= (uint32_t)at[1] << 8;
    }
    if (left >= 1) {
        h = (h ^ at[0]) * m;
    }
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}
