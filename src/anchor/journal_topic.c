/* SPDX-License-Identifier: Apache-2.0 */
#include "anchor/journal_topic.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "config/config.h"
#include "kafka/producer.h"
#include "kafka/reader.h"

enum { TOPIC_TIMEOUT_MS = 10000, WRITE_TIMEOUT_MS = 20000, POLL_MS = 200, PAUSE_MS = 100 };

/* As the checkpoint's: it is read whole, so it stays small. */
static const char *const topic_settings[][2] = {{"cleanup.policy", "compact"},
                                                {"segment.bytes", "1048576"},
                                                {"min.cleanable.dirty.ratio", "0.1"}};

struct topic_spec journal_topic_spec(const struct config *config)
{
    return (struct topic_spec){
        .name = config->replay_topic,
        .partitions = JOURNAL_PARTITIONS,
        .replication_factor = config->checkpoint_replication_factor,
        .settings = topic_settings,
        .n_settings = ARRAY_LEN(topic_settings),
    };
}

/* --- reading --- */

struct reading {
    struct journal *journal;
    enum verdict verdict;
    struct error error;
};

static void on_record(void *context, int32_t partition, int64_t offset, struct bytes key,
                      struct bytes value)
{
    (void)partition;
    (void)offset;
    struct reading *reading = context;
    if (reading->verdict == OK) {
        reading->verdict = journal_apply(reading->journal, key, value, &reading->error);
    }
}

enum verdict journal_read(const struct config *config, bool committed, int timeout_ms,
                          const atomic_bool *stop, struct journal *journal, struct error *error)
{
    struct reader *reader = NULL;
    enum verdict verdict = reader_new(config, &reader, error);
    if (verdict != OK) {
        return verdict;
    }
    struct reading reading = {.journal = journal, .verdict = OK};
    int64_t deadline_us = clock_us() + timeout_ms * INT64_C(1000);
    for (int left_ms = timeout_ms;;) {
        verdict = reader_read(reader, config->replay_topic, committed, left_ms, stop, on_record,
                              &reading, error);
        left_ms = (int)((deadline_us - clock_us()) / 1000) - PAUSE_MS;
        if (verdict != RETRY || left_ms <= 0) {
            break;
        }
        clock_wait_ms(PAUSE_MS); /* what was applied may be applied again */
    }
    reader_free(reader);
    if (verdict == WAIT && strcmp(error->code, "UNKNOWN_TOPIC_OR_PART") == 0) {
        journal->exists = false;
        return OK;
    }
    if (verdict == OK && reading.verdict != OK) {
        *error = reading.error;
        return reading.verdict;
    }
    journal->exists = verdict == OK;
    return verdict;
}

/* --- writing --- */

enum verdict journal_provide(const struct config *config, struct error *error)
{
    struct cluster *cluster = NULL;
    enum verdict verdict = cluster_new(config, NULL, &cluster, error);
    struct topic_state state;
    if (verdict == OK) {
        verdict = cluster_topic(cluster, config->replay_topic, TOPIC_TIMEOUT_MS, &state, error);
    }
    if (verdict == OK && !state.exists) {
        struct topic_spec spec = journal_topic_spec(config);
        verdict = cluster_create_topic(cluster, &spec, TOPIC_TIMEOUT_MS, error);
    }
    cluster_free(cluster);
    return verdict;
}

struct outcome {
    bool reported;
    enum verdict verdict;
    struct error error;
};

static void on_report(void *context, const struct report *report)
{
    struct outcome *outcome = context;
    outcome->reported = true;
    outcome->verdict = report->verdict;
    if (report->error != NULL) {
        outcome->error = *report->error;
    }
}

static enum verdict send(struct producer *producer, const struct record *record,
                         const atomic_bool *stop, struct error *error)
{
    enum verdict verdict = producer->ops->topic(producer, record->topic, TOPIC_TIMEOUT_MS, error);
    if (verdict == OK) {
        verdict = producer->ops->send(producer, record, NULL, error);
    }
    struct outcome outcome = {.verdict = OK};
    int64_t deadline_us = clock_us() + WRITE_TIMEOUT_MS * INT64_C(1000);
    while (verdict == OK && !outcome.reported) {
        producer->ops->poll(producer, POLL_MS, on_report, &outcome);
        if (stop != NULL && atomic_load(stop)) {
            return error_set(error, AGAIN, "asked to stop");
        }
        if (!outcome.reported && clock_us() > deadline_us) {
            return error_set(error, RETRY, "Kafka did not acknowledge a record of topic \"%s\"",
                             record->topic);
        }
    }
    if (verdict == OK && outcome.verdict != OK) {
        *error = outcome.error;
        verdict = outcome.verdict;
    }
    return verdict;
}

enum verdict journal_write(const struct config *config, const struct log *log, const char *key,
                           struct bytes value, const atomic_bool *stop, struct error *error)
{
    struct producer *producer = NULL;
    enum verdict verdict = kafka_producer_new(config, log, NULL, &producer, error);
    if (verdict != OK) {
        return verdict;
    }
    struct record record;
    record.partition = 0;
    record.timestamp_ms = 0;
    record.n_headers = 0;
    record.key = bytes_of(key);
    record.value = value;
    snprintf(record.topic, sizeof(record.topic), "%s", config->replay_topic);
    verdict = send(producer, &record, stop, error);
    producer->ops->close(producer);
    return verdict;
}

enum verdict journal_write_wal_clock(const struct config *config, const struct log *log,
                                     const struct wal_clock *clock, const atomic_bool *stop,
                                     struct error *error)
{
    struct bytes value;
    char *memory = journal_write_clock(clock, &value.len);
    value.data = memory;
    enum verdict verdict = journal_write(config, log, JOURNAL_CLOCK_KEY, value, stop, error);
    free(memory);
    return verdict;
}
