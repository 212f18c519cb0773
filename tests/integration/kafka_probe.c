/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_probe.c - what a mock cannot show: kafka/ against a real broker.
 *
 *   kafka_probe SERVERS promises     fencing, isolation, replay, errors; status 1 if one fails
 *   kafka_probe SERVERS endure [S]   publishes numbers for S seconds, while brokers are killed
 *   kafka_probe SERVERS times [N]    how long a batch takes, and what CPU it costs
 *
 * Topics probe.<pid>.* are made and deleted. KAFKA_PROBE_SET="name=value,..." adds properties. */
#include "kafka_probe.h"

#include <unistd.h>

void must(enum verdict verdict, const struct error *error, const char *doing)
{
    if (verdict != OK) {
        fprintf(stderr, "%s: %s: %s [%s]\n", doing, verdict_name(verdict), error->what,
                error->code);
        exit(1);
    }
}

void expect(struct probe *probe, bool holds, const char *what)
{
    printf("%s %s\n", holds ? "ok  " : "FAIL", what);
    probe->failures += !holds;
}

static void set_property(struct probe *probe, char *name, char *value)
{
    check(probe->config.kafka.count < PROPERTIES_MAX);
    probe->pairs[probe->config.kafka.count++] = (struct config_pair){name, value};
}

static void probe_init(struct probe *probe, char *servers)
{
    *probe = (struct probe){.failures = 0};
    snprintf(probe->prefix, sizeof(probe->prefix), "probe.%d", (int)getpid());
    probe->config.stream = must_strdup("probe");
    probe->config.topics.partitions = 2;
    probe->config.topics.replication_factor = -1;
    probe->config.kafka.items = probe->pairs;
    set_property(probe, "bootstrap.servers", servers);
    char *more = getenv("KAFKA_PROBE_SET");
    for (char *name = more == NULL ? NULL : strtok(more, ","); name != NULL;
         name = strtok(NULL, ",")) {
        char *value = strchr(name, '=');
        check(value != NULL);
        *value = '\0';
        set_property(probe, name, value + 1);
    }
    log_init(&probe->log, STDERR_FILENO, LOG_TEXT, LOG_WARN);
    struct error error;
    must(cluster_new(&probe->config, &probe->log, &probe->cluster, &error), &error, "cluster");
    must(reader_new(&probe->config, &probe->reader, &error), &error, "reader");
}

void make_topic(struct probe *probe, const char *kind, int32_t partitions, const char *setting,
                const char *value, char topic[static 64])
{
    const char *const settings[][2] = {{setting, value}};
    snprintf(topic, 64, "%s.%s", probe->prefix, kind);
    struct topic_spec spec = {.name = topic,
                              .partitions = partitions,
                              .replication_factor = -1,
                              .settings = settings,
                              .n_settings = setting != NULL};
    struct error error;
    must(cluster_create_topic(probe->cluster, &spec, TIMEOUT_MS, &error), &error, "create topic");
}

void drop_topic(struct probe *probe, const char *topic)
{
    struct error error;
    must(cluster_delete_topic(probe->cluster, topic, TIMEOUT_MS, &error), &error, "delete topic");
}

struct producer *open_producer(struct probe *probe, const char *id)
{
    struct producer *producer = NULL;
    struct error error;
    must(kafka_producer_new(&probe->config, &probe->log, id, &producer, &error), &error,
         "producer");
    must(kafka_producer_fence(producer, TIMEOUT_MS, &error), &error, "fence");
    return producer;
}

void make_record(struct record *record, const char *topic, int32_t partition, const char *key,
                 struct bytes value)
{
    record->key = bytes_of(key);
    record->value = value;
    record->timestamp_ms = 0;
    record->partition = partition;
    record->n_headers = 0;
    snprintf(record->topic, sizeof(record->topic), "%s", topic);
}

void on_report(void *context, const struct report *report)
{
    struct outcome *outcome = context;
    outcome->reports++;
    if (report->verdict != OK && (outcome->worst == OK || outcome->worst == ABORT)) {
        outcome->worst = report->verdict;
        outcome->reason = report->reason;
        outcome->error = *report->error;
    }
}

/* Sends one record and waits for its report. */
enum verdict send_one(struct producer *producer, const char *topic, int32_t partition,
                      struct bytes value, struct outcome *outcome)
{
    struct record record;
    make_record(&record, topic, partition, "key", value);
    *outcome = (struct outcome){.worst = OK};
    enum verdict verdict = producer->ops->send(producer, &record, outcome, &outcome->error);
    int64_t until_us = clock_us() + (int64_t)TIMEOUT_MS * 4 * 1000;
    while (verdict == OK && outcome->reports == 0 && clock_us() < until_us) {
        producer->ops->poll(producer, 100, on_report, outcome);
    }
    return verdict != OK ? verdict : outcome->reports == 0 ? AGAIN : outcome->worst;
}

/* As a lane does it: what was aborted is replayed. */
void commit_one(struct producer *producer, const char *topic, struct bytes value)
{
    struct error error;
    struct outcome outcome;
    for (int tries = 0;; tries++) {
        must(producer->ops->begin(producer, &error), &error, "begin");
        enum verdict verdict = send_one(producer, topic, 0, value, &outcome);
        if (verdict == OK) {
            must(producer->ops->commit(producer, &error), &error, "commit");
            return;
        }
        if (verdict != ABORT || tries == 3) {
            must(verdict, &outcome.error, "send");
        }
        printf("     (replayed after: %s [%s])\n", outcome.error.what, outcome.error.code);
        must(producer->ops->abort(producer, &error), &error, "abort");
    }
}

static void on_record(void *context, int32_t partition, int64_t offset, struct bytes key,
                      struct bytes value)
{
    (void)partition;
    (void)offset;
    (void)key;
    struct seen *seen = context;
    seen->count++;
    snprintf(seen->last, sizeof(seen->last), "%.*s", (int)(value.len < 60 ? value.len : 60),
             value.data == NULL ? "" : value.data);
}

enum verdict read_topic(struct probe *probe, const char *topic, bool committed, int timeout_ms,
                        struct seen *seen)
{
    struct error error;
    *seen = (struct seen){.count = 0};
    enum verdict verdict =
        reader_read(probe->reader, topic, committed, timeout_ms, NULL, on_record, seen, &error);
    if (verdict != OK) {
        printf("     (%s: %s)\n", verdict_name(verdict), error.what);
    }
    return verdict;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: kafka_probe SERVERS promises | endure [S] | times [N]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct probe probe;
    probe_init(&probe, argv[1]);
    if (strcmp(argv[2], "times") == 0) {
        probe_times(&probe, argc > 3 ? (uint32_t)atoi(argv[3]) : 500);
    } else if (strcmp(argv[2], "endure") == 0) {
        probe_endure(&probe, argc > 3 ? atoi(argv[3]) : 60);
    } else {
        probe_promises(&probe);
    }
    reader_free(probe.reader);
    cluster_free(probe.cluster);
    free(probe.config.stream);
    return probe.failures > 0;
}
