/* SPDX-License-Identifier: Apache-2.0
 *
 * topic.h - the checkpoint topic in memory: what was committed to it, and a reader.
 * In -> out: records -> the checkpoint that a start reads.
 * Owns: copies of the records.
 * Thread: any, one at a time.
 * Keeps: order within a partition; none between partitions. */
#ifndef WALPOST_TESTS_UNIT_CHECKPOINT_TOPIC_H
#define WALPOST_TESTS_UNIT_CHECKPOINT_TOPIC_H

#include "checkpoint/checkpoint.h"

struct topic_record {
    int32_t partition;
    struct bytes key;
    char *value;
    size_t size;
};

struct topic {
    struct topic_record *records;
    size_t n, room;
};

void topic_release(struct topic *topic);

void topic_add(struct topic *topic, int32_t partition, struct bytes key, const char *value,
               size_t size);
/* What a generation writes. */
void topic_add_generation(struct topic *topic, const struct checkpoint *checkpoint);
void topic_add_lane(struct topic *topic, const struct checkpoint *checkpoint, uint32_t lane,
                    struct position watermark, lsn settled_lsn);
void topic_add_settled(struct topic *topic, const struct checkpoint *checkpoint, lsn settled_lsn);

/* Leaves only the last record of each key in each partition, as the broker may at any time. */
void topic_compact(struct topic *topic);

/* Reads everything, the partitions in an order that the seed gives, and completes. Fails the test
 * when a record is refused. */
void topic_read(const struct topic *topic, unsigned seed, struct checkpoint *checkpoint);

#endif
