/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/found.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "config/config.h"
#include "encode/past_key.h"
#include "kafka/producer.h"
#include "kafka/reader.h"
#include "pipeline/leader.h"

enum { READ_TIMEOUT_MS = 10000, FENCE_TIMEOUT_MS = 15000, TOPIC_TIMEOUT_MS = 10000 };

void instance_name(char *name, size_t size)
{
    char host[64] = "";
    gethostname(host, sizeof(host) - 1);
    snprintf(name, size, "%s:%d:%" PRId64, host, (int)getpid(), (int64_t)time(NULL));
}

/* The active segment of a compacted topic is never compacted, and it is read whole at every start:
 * so it is small. */
static const char *const topic_settings[][2] = {{"cleanup.policy", "compact"},
                                                {"segment.bytes", "1048576"},
                                                {"min.cleanable.dirty.ratio", "0.1"}};

struct topic_spec checkpoint_topic_spec(const struct config *config, uint32_t lanes)
{
    return (struct topic_spec){
        .name = config->checkpoint_topic,
        .partitions = (int32_t)(1 + lanes),
        .replication_factor = config->checkpoint_replication_factor,
        .settings = topic_settings,
        .n_settings = ARRAY_LEN(topic_settings),
    };
}

enum verdict checkpoint_provide(const struct config *config, const struct log *log, uint32_t lanes,
                                bool may_create, struct error *error)
{
    struct cluster *cluster = NULL;
    enum verdict verdict = cluster_new(config, log, &cluster, error);
    if (verdict != OK) {
        return verdict;
    }
    struct topic_state state;
    struct topic_spec spec = checkpoint_topic_spec(config, lanes);
    verdict = cluster_topic(cluster, config->checkpoint_topic, TOPIC_TIMEOUT_MS, &state, error);
    if (verdict == OK && !state.exists && may_create) {
        verdict = cluster_create_topic(cluster, &spec, TOPIC_TIMEOUT_MS, error);
        if (verdict == OK) {
            log_write(log, LOG_WARN, "the checkpoint topic is made again, and empty",
                      F_TEXT("topic", spec.name));
        }
    } else if (verdict == OK && state.exists && state.partitions < spec.partitions) {
        verdict = cluster_grow_topic(cluster, spec.name, spec.partitions, TOPIC_TIMEOUT_MS, error);
        if (verdict == OK) {
            log_write(log, LOG_INFO, "the checkpoint topic has grown for more lanes",
                      F_U64("partitions", spec.partitions));
        }
    }
    cluster_free(cluster);
    return verdict;
}

/* What the reader's callback fills. */
struct reading {
    struct checkpoint *checkpoint;
    enum verdict verdict;
    struct error *error;
};

static void on_record(void *context, int32_t partition, int64_t offset, struct bytes key,
                      struct bytes value)
{
    (void)offset;
    struct reading *reading = context;
    if (reading->verdict == OK) {
        reading->verdict =
            checkpoint_apply(reading->checkpoint, partition, key, value, reading->error);
    }
}

/* A broker that has not heard yet that the topic grew would hide the new lanes' records. */
static enum verdict all_lanes_were_read(const struct config *config, const struct reader *reader,
                                        const struct checkpoint *checkpoint, struct error *error)
{
    uint32_t partitions = (uint32_t)reader_partitions(reader);
    if (!checkpoint->found || checkpoint->layout.lanes < partitions) {
        return OK;
    }
    error_set(error, RETRY, "topic \"%s\" has %u partitions, and its generation has %u lanes",
              config->checkpoint_topic, partitions, checkpoint->layout.lanes);
    return error_remedy(error, "Nothing, when it was grown a moment ago: the broker will know. "
                               "Otherwise give it one more partition than there are lanes.");
}

enum verdict checkpoint_read(const struct config *config, struct reader *reader, bool committed,
                             int timeout_ms, const atomic_bool *stop, struct checkpoint *checkpoint,
                             struct error *error)
{
    checkpoint_init(checkpoint);
    struct error apply_error;
    struct reading reading = {checkpoint, OK, &apply_error};
    enum verdict verdict = reader_read(reader, config->checkpoint_topic, committed, timeout_ms,
                                       stop, on_record, &reading, error);
    if (verdict == OK && reading.verdict != OK) {
        *error = apply_error;
        verdict = reading.verdict;
    }
    if (verdict != OK) {
        checkpoint_release(checkpoint);
        return verdict;
    }
    checkpoint_complete(checkpoint);
    verdict = all_lanes_were_read(config, reader, checkpoint, error);
    if (verdict != OK) {
        checkpoint_release(checkpoint);
    }
    return verdict;
}

enum verdict checkpoint_exists(const struct config *config, const struct log *log, bool *exists,
                               struct checkpoint_summary *summary, struct error *error)
{
    (void)log;
    struct reader *reader = NULL;
    enum verdict verdict = reader_new(config, &reader, error);
    if (verdict != OK) {
        return verdict;
    }
    struct checkpoint checkpoint;
    verdict = checkpoint_read(config, reader, false, READ_TIMEOUT_MS, NULL, &checkpoint, error);
    reader_free(reader);
    if (verdict == WAIT) { /* no such topic: no checkpoint */
        *exists = false;
        return OK;
    }
    if (verdict != OK) {
        return verdict;
    }
    *exists = checkpoint.found;
    *summary = checkpoint_summarize(&checkpoint);
    checkpoint_release(&checkpoint);
    return OK;
}

enum verdict checkpoint_found(const struct config *config, const struct pg_identity *identity,
                              uint32_t lanes, lsn consistent_point, bool with_snapshot,
                              const struct log *log, struct error *error)
{
    char *columns = key_columns(config);
    char instance[128];
    instance_name(instance, sizeof(instance));
    struct checkpoint nothing;
    checkpoint_init(&nothing);
    struct checkpoint first;
    /* Snapshot rows are events at (consistent point - 1, row number): an LSN that no record can
     * have. S stays at it until all of them are published. */
    checkpoint_next_generation(&nothing,
                               &(struct generation_options){
                                   .system_id = identity->system_id,
                                   .timeline = identity->timeline,
                                   .database_oid = identity->database_oid,
                                   .instance = instance,
                                   .slot = config->postgres.slot,
                                   .lanes = lanes,
                                   .key_template = config->route.key,
                                   .key_columns = columns,
                                   .accept_lsn = consistent_point - (with_snapshot ? 1 : 0),
                                   .origin_lsn = consistent_point,
                               },
                               &first);
    free(columns);
    struct leader *leader = NULL;
    enum verdict verdict = leader_open(config, log, NULL, &leader, error);
    if (verdict == OK) {
        verdict = kafka_producer_fence(leader_producer(leader), FENCE_TIMEOUT_MS, error);
    }
    if (verdict == OK) {
        struct bytes value;
        char *memory = checkpoint_write_generation(&first, 0, &value.len);
        value.data = memory;
        verdict = leader_commit(leader, CHECKPOINT_KEY_GENERATION, value, error);
        free(memory);
    }
    leader_close(leader);
    checkpoint_release(&first);
    return verdict;
}
