/* SPDX-License-Identifier: Apache-2.0
 *
 * murmur2.h - the hash by which Java's Kafka clients choose a partition; walpost chooses the lane
 * by it.
 * In -> out: bytes -> 32 bits.
 * Owns: nothing.  Thread: any.
 * Keeps: the same value as org.apache.kafka.common.utils.Utils.murmur2, so that lanes that divide a
 *     topic's partitions own whole partitions.
 * Source: the public domain MurmurHash2 by Austin Appleby, with Kafka's seed. */
#ifndef WALPOST_BASE_MURMUR2_H
#define WALPOST_BASE_MURMUR2_H

#include <stdint.h>

#include "base/bytes.h"

uint32_t murmur2(struct bytes key);

/* Kafka's "toPositive" of the hash, modulo n. No key, or an empty one: 0. */
static inline uint32_t murmur2_bucket(struct bytes key, uint32_t n)
{
    return key.len == 0 || n <= 1 ? 0 : (murmur2(key) & 0x7fffffff) % n;
}

#endif
