/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/sink.h"

#include <stdlib.h>

#include "anchor/journal_topic.h"
#include "base/check.h"
#include "config/config.h"
#include "kafka/producer.h"

enum {
    FENCE_SLICE_MS = 2000,
    FENCE_TRIES_MAX = 30,
    TOPIC_TIMEOUT_MS = 10000,
    READ_TIMEOUT_MS = 10000,
    READ_TRIES_MAX = 7, /* a dead replay's open transaction ends after its timeout, a minute */
};

enum verdict replay_sink_note(const struct config *config, const struct log *log,
                              const struct replay_job *job, struct error *error)
{
    char key[JOURNAL_KEY_MAX];
    struct bytes value;
    char *memory = journal_write_job(job, &value.len);
    value.data = memory;
    journal_job_key(job->id, key);
    enum verdict verdict = journal_provide(config, error);
    if (verdict == OK) {
        verdict = journal_write(config, log, key, value, NULL, error);
    }
    free(memory);
    return verdict;
}

static enum verdict open_fenced(const struct config *config, const struct log *log,
                                const struct replay_job *job, uint32_t lane, int which,
                                struct producer **producer, struct error *error)
{
    char *id =
        must_printf("walpost.%s.replay.%s.%u.%c", config->stream, job->id, lane, 'a' + which);
    enum verdict verdict = kafka_producer_new(config, log, id, producer, error);
    free(id);
    if (verdict != OK) {
        return verdict;
    }
    verdict = RETRY;
    for (int tries = 0; verdict == RETRY && tries < FENCE_TRIES_MAX; tries++) {
        verdict = kafka_producer_fence(*producer, FENCE_SLICE_MS, error);
    }
    return verdict != OK
               ? verdict
               : (*producer)->ops->topic(*producer, config->replay_topic, TOPIC_TIMEOUT_MS, error);
}

static enum verdict read_progress(const struct config *config, const struct log *log,
                                  const struct replay_job *job, struct replay_sink *sink,
                                  struct error *error)
{
    struct checkpoint nothing;
    checkpoint_init(&nothing);
    enum verdict verdict = RETRY;
    for (int tries = 0; verdict == RETRY && tries < READ_TRIES_MAX; tries++) {
        if (tries > 0) {
            log_error(log, LOG_WARN, error);
        }
        checkpoint_release(&sink->progress);
        checkpoint_next_generation(&nothing,
                                   &(struct generation_options){.system_id = job->system_id,
                                                                .timeline = job->timeline,
                                                                .instance = "",
                                                                .lanes = job->lanes,
                                                                .key_template = job->key_template,
                                                                .forget_positions = true,
                                                                .accept_lsn = job->from_lsn},
                                   &sink->progress);
        struct journal journal;
        journal_init(&journal);
        journal.wanted_id = job->id;
        journal.progress = &sink->progress;
        verdict = journal_read(config, true, READ_TIMEOUT_MS, NULL, &journal, error);
        journal_release(&journal);
    }
    checkpoint_complete(&sink->progress);
    return verdict;
}

enum verdict replay_sink_open(const struct config *config, const struct log *log,
                              const struct replay_job *job, struct replay_sink *sink,
                              struct error *error)
{
    enum verdict verdict = OK;
    for (uint32_t lane = 0; verdict == OK && lane < job->lanes; lane++) {
        for (int i = 0; verdict == OK && i < 2; i++) {
            verdict = open_fenced(config, log, job, lane, i, &sink->producers[lane][i], error);
        }
    }
    return verdict != OK ? verdict : read_progress(config, log, job, sink, error);
}

static enum lane_missing_topic missing_topic(const struct config *config)
{
    switch (config->route.on_missing_topic) {
    case MISSING_CREATE: return LANE_TOPIC_CREATE;
    case MISSING_DEAD_LETTER: return LANE_TOPIC_DEAD_LETTER;
    case MISSING_WAIT: break;
    }
    return LANE_TOPIC_WAIT;
}

void replay_sink_start(struct replay_sink *sink, const struct replay_lanes *options)
{
    const struct config *config = options->config;
    const struct replay_job *job = options->job;
    sink->n_lanes = job->lanes;
    for (uint32_t i = 0; i < sink->n_lanes; i++) {
        journal_progress_key(job->id, i, sink->keys[i]);
        sink->lanes[i] = lane_start(&(struct lane_options){
            .number = i,
            .producers = {sink->producers[i][0], sink->producers[i][1]},
            .encoder = options->encoder,
            .gate = contracts_gate(options->contracts, options->encoder),
            .checkpoint = &sink->progress,
            .checkpoint_topic = config->replay_topic,
            .checkpoint_key = bytes_of(sink->keys[i]),
            .checkpoint_partition = journal_progress_partition(job->id),
            .published_lsn = options->published_lsn,
            .alone = sink->n_lanes == 1,
            .on_missing_topic = missing_topic(config),
            .batch_events = config->batch.max_events,
            .batch_bytes = config->batch.max_bytes,
            .linger_us = config->batch.linger_us,
            .notify = options->notify,
            .context = options->context,
        });
        sink->producers[i][0] = NULL;
        sink->producers[i][1] = NULL;
    }
}

struct segment *replay_sink_close(struct replay_sink *sink)
{
    struct segment *left = NULL;
    struct segment **tail = &left;
    for (uint32_t i = 0; i < sink->n_lanes; i++) {
        lane_ask_stop(sink->lanes[i]);
    }
    for (uint32_t i = 0; i < sink->n_lanes; i++) {
        lane_stop(sink->lanes[i]);
    }
    for (uint32_t i = 0; i < sink->n_lanes; i++) {
        *tail = lane_free(sink->lanes[i]);
        while (*tail != NULL) {
            tail = &(*tail)->next;
        }
    }
    for (uint32_t lane = 0; lane < LANES_MAX; lane++) {
        for (int i = 0; i < 2; i++) {
            struct producer *producer = sink->producers[lane][i];
            if (producer != NULL) {
                producer->ops->close(producer);
                sink->producers[lane][i] = NULL;
            }
        }
    }
    sink->n_lanes = 0;
    checkpoint_release(&sink->progress);
    return left;
}
