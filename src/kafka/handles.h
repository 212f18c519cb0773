/* SPDX-License-Identifier: Apache-2.0
 *
 * handles.h - a producer's topics by name: librdkafka wants a handle for each record.
 * In: topic names. Out: handles, and whether their metadata has been seen.
 * Owns: the handles, until handles_release (before their client is closed).
 * Thread: the producer's.
 * Keeps: only topics that exist are kept, so the table is as large as the cluster's list at most.
 */
#ifndef WALPOST_KAFKA_HANDLES_H
#define WALPOST_KAFKA_HANDLES_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "kafka/firsts.h"

struct handle {
    rd_kafka_topic_t *topic; /* NULL: a free slot */
    bool seen;               /* its metadata was there when last asked for */
    struct firsts firsts;
};

struct handles {
    struct handle *slots;
    size_t size; /* a power of two, or 0 */
    size_t count;
    size_t last; /* the slot of the last find: the next record mostly goes to the same topic */
};

/* NULL when it is not there. Valid until the next add. */
struct handle *handles_find(struct handles *handles, const char *name);
struct handle *handles_add(struct handles *handles, rd_kafka_t *rk, const char *name);
/* Every partition is one again that no record has reached. */
void handles_forget_firsts(struct handles *handles);
void handles_release(struct handles *handles);

#endif
