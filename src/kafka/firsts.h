/* SPDX-License-Identifier: Apache-2.0
 *
 * firsts.h - the first record of a producer to a partition travels alone, until its report.
 * In: what was sent and reported. Out: whether the next one must wait.
 * Owns: one byte for each partition, until firsts_release.
 * Thread: the producer's.
 * Keeps: I3, I4: a partition that does not know a producer takes any sequence number as its first
 *        one. Two requests on the way to it, the first refused because the leader is not there yet,
 *        the second accepted a moment later: the first is lost, and librdkafka reports both as
 *        delivered. Source: KAFKA-15591. */
#ifndef WALPOST_KAFKA_FIRSTS_H
#define WALPOST_KAFKA_FIRSTS_H

#include <stdbool.h>
#include <stdint.h>

struct firsts {
    uint8_t *states;
    uint32_t size;    /* partitions */
    uint32_t unknown; /* of them, those that no record has reached */
};

/* Partitions are only ever added. */
void firsts_grow(struct firsts *firsts, uint32_t partitions);
/* Is the first record still on its way? */
bool firsts_must_wait(const struct firsts *firsts, uint32_t partition);
void firsts_sent(struct firsts *firsts, uint32_t partition);
void firsts_reported(struct firsts *firsts, uint32_t partition, bool arrived);
/* After an abort: the producer may come back under another number. */
void firsts_forget(struct firsts *firsts);
void firsts_release(struct firsts *firsts);

#endif
