/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/leader.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "config/config.h"
#include "kafka/producer.h"
#include "pipeline/doing.h"

struct leader {
    const struct config *config;
    const atomic_bool *stop;
    struct doing *doing; /* may be NULL */
    struct producer *producer;
    char *value; /* the record's value stays until the producer is closed or the next commit */
};

enum { TRIES_MAX = 5, REPORT_TIMEOUT_MS = 200, TOPIC_TIMEOUT_MS = 2000 };

enum verdict leader_open(const struct config *config, const struct log *log,
                         const atomic_bool *stop, struct leader **leader, struct error *error)
{
    char *id = must_printf("walpost.%s.leader", config->stream);
    struct producer *producer = NULL;
    enum verdict verdict = kafka_producer_new(config, log, id, &producer, error);
    free(id);
    if (verdict != OK) {
        return verdict;
    }
    *leader = must_calloc(1, sizeof(**leader));
    (*leader)->config = config;
    (*leader)->stop = stop;
    kafka_producer_stop_with(producer, stop);
    (*leader)->producer = producer;
    return OK;
}

void leader_close(struct leader *leader)
{
    if (leader != NULL) {
        leader->producer->ops->close(leader->producer);
        free(leader->value);
        free(leader);
    }
}

void leader_tell(struct leader *leader, struct doing *doing)
{
    leader->doing = doing;
}

struct producer *leader_producer(struct leader *leader)
{
    return leader->producer;
}

static bool told_to_stop(const struct leader *leader, struct error *error)
{
    if (leader->stop == NULL || !atomic_load(leader->stop)) {
        return false;
    }
    error_set(error, RESTART, "stopped in the middle of a commit of the leader");
    return true;
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

static void tell_complaint(const struct leader *leader)
{
    char complaint[256];
    leader->producer->ops->complaint(leader->producer, complaint, sizeof(complaint));
    if (complaint[0] != '\0') {
        doing_trouble(leader->doing, complaint, "");
    }
}

/* One attempt. ABORT, RETRY, WAIT: not committed, the Kafka transaction still to be aborted. */
static enum verdict attempt(struct leader *leader, const struct record *record, struct error *error)
{
    struct producer *producer = leader->producer;
    enum verdict verdict = producer->ops->topic(producer, record->topic, TOPIC_TIMEOUT_MS, error);
    if (verdict == OK) {
        verdict = producer->ops->begin(producer, error);
    }
    if (verdict == OK) {
        verdict = producer->ops->send(producer, record, NULL, error);
    }
    struct outcome outcome = {.verdict = OK};
    while (verdict == OK && !outcome.reported) {
        if (told_to_stop(leader, error)) {
            return RESTART;
        }
        producer->ops->poll(producer, REPORT_TIMEOUT_MS, on_report, &outcome);
        tell_complaint(leader);
    }
    if (verdict == OK && outcome.verdict != OK) {
        *error = outcome.error;
        verdict = outcome.verdict;
    }
    return verdict != OK ? verdict : producer->ops->commit(producer, error);
}

enum verdict leader_commit(struct leader *leader, struct bytes key, struct bytes value,
                           struct error *error)
{
    struct record record;
    record.partition = 0;
    record.timestamp_ms = 0;
    record.n_headers = 0;
    record.key = key;
    leader->value = must_realloc(leader->value, value.len);
    memcpy(leader->value, value.data, value.len);
    record.value = (struct bytes){leader->value, value.len};
    snprintf(record.topic, sizeof(record.topic), "%s", leader->config->checkpoint_topic);

    for (int tries = 0; tries < TRIES_MAX; tries++) {
        if (told_to_stop(leader, error)) {
            return RESTART;
        }
        enum verdict verdict = attempt(leader, &record, error);
        bool known_not_committed =
            verdict == ABORT || verdict == RETRY || verdict == WAIT || verdict == REJECT;
        if (!known_not_committed) {
            return verdict;
        }
        doing_trouble(leader->doing, error->what, error->remedy);
        struct error aborted;
        enum verdict abort_verdict = leader->producer->ops->abort(leader->producer, &aborted);
        if (abort_verdict != OK) {
            *error = aborted;
            return RESTART;
        }
    }
    error->verdict = RETRY;
    return RETRY;
}
