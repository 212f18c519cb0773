/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes.h - how many lanes a start has: the number of the configuration, or one for each partition.
 * In: a configuration and, for `lanes: partition`, the cluster's topics. Out: a number, and where
 *     it comes from.
 * Owns: nothing.  Thread: any; the question waits.
 * Keeps: the rule by which a key finds its lane is the same for every number, murmur2(key) mod
 *     lanes: where the lanes are the partitions of a topic, it is Kafka's own. */
#ifndef WALPOST_PIPELINE_LANES_H
#define WALPOST_PIPELINE_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "kafka/cluster.h"

struct config;

struct lanes {
    uint32_t count;
    int32_t partitions; /* of the widest topic; 0: `lanes` is a number */
    char topic[250];    /* the widest topic; "": none is there yet, so topics.partitions counts */
};

/* RETRY: no answer. Without a cluster (NULL) no topic is known. */
enum verdict MUST_CHECK lanes_find(const struct config *config, struct cluster *cluster,
                                   struct lanes *lanes, struct error *error);

/* The lanes for a topic of so many partitions: as many, up to LANES_MAX; above, the largest number
 * that divides them, so that no partition belongs to two lanes; LANES_MAX where only a small one
 * does. Pure. */
uint32_t lanes_for_partitions(uint32_t partitions);

/* "6 lanes, one for each partition of topic orders" */
void lanes_describe(const struct lanes *lanes, char *text, size_t size);

#endif
