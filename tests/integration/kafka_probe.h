/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_probe.h - what the parts of kafka_probe share; see kafka_probe.c.
 * In -> out: nothing; helpers that end the program on a failure nobody expects.
 * Owns: struct probe, for the whole run.  Thread: one.  Keeps: nothing. */
#ifndef WALPOST_TESTS_INTEGRATION_KAFKA_PROBE_H
#define WALPOST_TESTS_INTEGRATION_KAFKA_PROBE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "config/config.h"
#include "kafka/cluster.h"
#include "kafka/producer.h"
#include "kafka/reader.h"

enum { TIMEOUT_MS = 15000, PROPERTIES_MAX = 16 };

struct probe {
    struct config config;
    struct config_pair pairs[PROPERTIES_MAX];
    char prefix[32];
    struct log log;
    struct cluster *cluster;
    struct reader *reader;
    int failures;
};

struct outcome {
    uint32_t reports;
    enum verdict worst;
    enum dead_reason reason;
    struct error error;
};

struct seen {
    uint32_t count;
    char last[64];
};

void must(enum verdict verdict, const struct error *error, const char *doing);
void expect(struct probe *probe, bool holds, const char *what);
void make_topic(struct probe *probe, const char *kind, int32_t partitions, const char *setting,
                const char *value, char topic[static 64]);
void drop_topic(struct probe *probe, const char *topic);
struct producer *open_producer(struct probe *probe, const char *id);
void make_record(struct record *record, const char *topic, int32_t partition, const char *key,
                 struct bytes value);
void on_report(void *context, const struct report *report);
enum verdict send_one(struct producer *producer, const char *topic, int32_t partition,
                      struct bytes value, struct outcome *outcome);
void commit_one(struct producer *producer, const char *topic, struct bytes value);
enum verdict read_topic(struct probe *probe, const char *topic, bool committed, int timeout_ms,
                        struct seen *seen);

/* The parts. */
void probe_promises(struct probe *probe);
void probe_endure(struct probe *probe, int seconds);
void probe_times(struct probe *probe, uint32_t n);

#endif
