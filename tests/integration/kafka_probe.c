/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_probe.c - what a mock cannot show: kafka/ against a real broker.
 *
 *   kafka_probe SERVERS promises       fencing, isolation, replay, errors; exit 1 if one does not
 * hold kafka_probe SERVERS times [N]      how long a batch takes, and what CPU it costs
 *
 * Topics probe.<pid>.* are made and deleted. KAFKA_PROBE_SET="name=value,..." adds properties. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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

static void must(enum verdict verdict, const struct error *error, const char *doing)
{
    if (verdict != OK) {
        fprintf(stderr, "%s: %s: %s [%s]\n", doing, verdict_name(verdict), error->what,
                error->code);
        exit(1);
    }
}

static void expect(struct probe *probe, bool holds, const char *what)
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

static void make_topic(struct probe *probe, const char *kind, int32_t partitions,
                       const char *setting, const char *value, char topic[static 64])
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

static void drop_topic(struct probe *probe, const char *topic)
{
    struct error error;
    must(cluster_delete_topic(probe->cluster, topic, TIMEOUT_MS, &error), &error, "delete topic");
}

static struct producer *open_producer(struct probe *probe, const char *id)
{
    struct producer *producer = NULL;
    struct error error;
    must(kafka_producer_new(&probe->config, &probe->log, id, &producer, &error), &error,
         "producer");
    must(kafka_producer_fence(producer, TIMEOUT_MS, &error), &error, "fence");
    return producer;
}

static void make_record(struct record *record, const char *topic, int32_t partition,
                        const char *key, struct bytes value)
{
    record->key = bytes_of(key);
    record->value = value;
    record->timestamp_ms = 0;
    record->partition = partition;
    record->n_headers = 0;
    snprintf(record->topic, sizeof(record->topic), "%s", topic);
}

struct outcome {
    uint32_t reports;
    enum verdict worst;
    enum dead_reason reason;
    struct error error;
};

static void on_report(void *context, const struct report *report)
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
static enum verdict send_one(struct producer *producer, const char *topic, int32_t partition,
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
static void commit_one(struct producer *producer, const char *topic, struct bytes value)
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

struct seen {
    uint32_t count;
    char last[64];
};

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

static enum verdict read_topic(struct probe *probe, const char *topic, bool committed,
                               int timeout_ms, struct seen *seen)
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

/* --- promises -------------------------------------------------------------------------------- */

static void an_older_producer_is_fenced(struct probe *probe)
{
    char topic[64];
    char id[64];
    make_topic(probe, "fencing", 1, NULL, NULL, topic);
    snprintf(id, sizeof(id), "%s.fenced", probe->prefix);
    struct error error;
    struct outcome outcome;
    struct seen seen;

    struct producer *older = open_producer(probe, id);
    must(older->ops->begin(older, &error), &error, "begin");
    must(send_one(older, topic, 0, BYTES_LIT("older"), &outcome), &outcome.error, "send");
    struct producer *newer = open_producer(probe, id);
    enum verdict verdict = older->ops->commit(older, &error);
    printf("     (%s: %s)\n", verdict_name(verdict), error.what);
    expect(probe, verdict == RESTART || verdict == FENCED,
           "the commit of a fenced producer is RESTART or FENCED");
    commit_one(newer, topic, BYTES_LIT("newer"));
    verdict = read_topic(probe, topic, true, TIMEOUT_MS, &seen);
    expect(probe, verdict == OK && seen.count == 1 && strcmp(seen.last, "newer") == 0,
           "it has published nothing, its successor has");
    verdict = older->ops->begin(older, &error);
    expect(probe, verdict == RESTART, "and it cannot begin again");
    must(kafka_producer_fence(older, TIMEOUT_MS, &error), &error, "fence again");
    commit_one(older, topic, BYTES_LIT("older"));
    expect(probe, true, "until it takes the id again");

    must(newer->ops->begin(newer, &error), &error, "begin");
    verdict = send_one(newer, topic, 0, BYTES_LIT("lost"), &outcome);
    printf("     (%s: %s)\n", verdict_name(verdict), outcome.error.what);
    expect(probe, verdict == RESTART, "a record of a fenced producer is RESTART");
    verdict = newer->ops->abort(newer, &error);
    expect(probe, verdict == RESTART, "and so is its abort");
    newer->ops->close(newer);
    older->ops->close(older);
    drop_topic(probe, topic);
}

static void an_open_transaction_hides_the_end(struct probe *probe)
{
    char topic[64];
    char id[64];
    make_topic(probe, "hidden", 2, NULL, NULL, topic);
    struct error error;
    struct outcome outcome;
    struct seen seen;
    snprintf(id, sizeof(id), "%s.open", probe->prefix);
    struct producer *open = open_producer(probe, id);
    snprintf(id, sizeof(id), "%s.closed", probe->prefix);
    struct producer *closed = open_producer(probe, id);
    must(open->ops->begin(open, &error), &error, "begin");
    must(send_one(open, topic, 0, BYTES_LIT("open"), &outcome), &outcome.error, "send");
    commit_one(closed, topic, BYTES_LIT("closed"));
    enum verdict verdict = read_topic(probe, topic, true, 300, &seen);
    expect(probe, verdict == RETRY && seen.count == 0,
           "another id's open transaction hides the end: RETRY, not empty");
    verdict = read_topic(probe, topic, false, TIMEOUT_MS, &seen);
    expect(probe, verdict == OK && seen.count == 2, "uncommitted, both records are there");
    must(open->ops->abort(open, &error), &error, "abort");
    verdict = read_topic(probe, topic, true, TIMEOUT_MS, &seen);
    expect(probe, verdict == OK && seen.count == 1 && strcmp(seen.last, "closed") == 0,
           "after its abort the committed record is read, the aborted one is not");
    commit_one(open, topic, BYTES_LIT("replayed"));
    verdict = read_topic(probe, topic, true, TIMEOUT_MS, &seen);
    expect(probe, verdict == OK && seen.count == 2 && strcmp(seen.last, "replayed") == 0,
           "abort and replay on the same producer publish once");
    must(open->ops->begin(open, &error), &error, "begin");
    must(send_one(open, topic, 1, BYTES_LIT("aborted"), &outcome), &outcome.error, "send");
    must(open->ops->abort(open, &error), &error, "abort");
    verdict = read_topic(probe, topic, true, TIMEOUT_MS, &seen);
    expect(probe, verdict == OK && seen.count == 2, "a partition of aborted records has an end");
    open->ops->close(open);
    closed->ops->close(closed);
    drop_topic(probe, topic);
}

static void a_dead_owner_is_aborted_by_its_successor(struct probe *probe)
{
    char topic[64];
    char id[64];
    make_topic(probe, "dead", 1, NULL, NULL, topic);
    snprintf(id, sizeof(id), "%s.dead", probe->prefix);
    struct error error;
    struct outcome outcome;
    struct seen seen;
    struct producer *dead = open_producer(probe, id);
    must(dead->ops->begin(dead, &error), &error, "begin");
    must(send_one(dead, topic, 0, BYTES_LIT("left open"), &outcome), &outcome.error, "send");
    dead->ops->close(dead);
    int64_t since_us = clock_us();
    struct producer *successor = open_producer(probe, id);
    enum verdict verdict = read_topic(probe, topic, true, TIMEOUT_MS, &seen);
    printf("     (fence and read: %.1f ms)\n", (double)(clock_us() - since_us) / 1000);
    expect(probe, verdict == OK && seen.count == 0,
           "taking the id aborts what its dead owner left open");
    successor->ops->close(successor);
    drop_topic(probe, topic);
}

static void a_bad_record_is_found(struct probe *probe)
{
    char topic[64];
    char id[64];
    make_topic(probe, "small", 1, "max.message.bytes", "2000", topic);
    snprintf(id, sizeof(id), "%s.bad", probe->prefix);
    static char large[4000];
    memset(large, 'x', sizeof(large));
    struct error error;
    struct outcome outcome;
    struct seen seen;
    struct producer *producer = open_producer(probe, id);
    must(producer->ops->begin(producer, &error), &error, "begin");
    enum verdict verdict =
        send_one(producer, topic, 0, (struct bytes){large, sizeof(large)}, &outcome);
    printf("     (%s: %s)\n", verdict_name(verdict), outcome.error.what);
    expect(probe, verdict == REJECT && outcome.reason == DEAD_RECORD_TOO_LARGE,
           "larger than the topic's max.message.bytes: REJECT, record_too_large");
    must(producer->ops->abort(producer, &error), &error, "abort");
    commit_one(producer, topic, BYTES_LIT("small"));
    verdict = read_topic(probe, topic, true, TIMEOUT_MS, &seen);
    expect(probe, verdict == OK && seen.count == 1, "and the producer goes on");

    must(producer->ops->begin(producer, &error), &error, "begin");
    struct record record;
    make_record(&record, topic, 7, "key", BYTES_LIT("nowhere"));
    verdict = producer->ops->send(producer, &record, NULL, &error);
    printf("     (%s: %s)\n", verdict_name(verdict), error.what);
    expect(probe, verdict == WAIT, "a partition that the topic does not have: WAIT");
    must(producer->ops->abort(producer, &error), &error, "abort");
    verdict = producer->ops->topic(producer, "probe.no.such.topic", TIMEOUT_MS, &error);
    printf("     (%s: %s)\n", verdict_name(verdict), error.what);
    expect(probe, verdict == WAIT, "a topic that does not exist: WAIT");
    verdict = producer->ops->topic(producer, "probe.no.such.topic", TIMEOUT_MS, &error);
    expect(probe, verdict == WAIT, "and asking has not created it");

    char late[64];
    snprintf(late, sizeof(late), "%s.late", probe->prefix);
    verdict = producer->ops->topic(producer, late, TIMEOUT_MS, &error);
    expect(probe, verdict == WAIT, "a late topic: WAIT");
    must(producer->ops->create_topic(producer, late, TIMEOUT_MS, &error), &error, "create");
    verdict = producer->ops->topic(producer, late, TIMEOUT_MS, &error);
    int64_t since_us = clock_us();
    commit_one(producer, late, BYTES_LIT("at last"));
    double ms = (double)(clock_us() - since_us) / 1000;
    printf("     (first batch to it: %.1f ms)\n", ms);
    expect(probe, verdict == OK && ms < 500,
           "once created it takes records without a second's wait");
    drop_topic(probe, late);
    must(producer->ops->begin(producer, &error), &error, "begin");
    verdict = send_one(producer, late, -1, BYTES_LIT("gone"), &outcome);
    printf("     (%s: %s)\n", verdict_name(verdict), outcome.error.what);
    expect(probe, verdict == WAIT || verdict == ABORT, "deleted under the producer: WAIT or ABORT");
    verdict = producer->ops->abort(producer, &error);
    printf("     (%s)\n", verdict == OK ? "ok" : error.what);
    expect(probe, verdict == OK || verdict == RESTART, "and its batch does not stay open");
    if (verdict == RESTART) {
        must(kafka_producer_fence(producer, TIMEOUT_MS, &error), &error, "fence again");
    }
    must(producer->ops->create_topic(producer, late, TIMEOUT_MS, &error), &error, "create");
    must(producer->ops->topic(producer, late, TIMEOUT_MS, &error), &error, "topic");
    since_us = clock_us();
    commit_one(producer, late, BYTES_LIT("again"));
    ms = (double)(clock_us() - since_us) / 1000;
    printf("     (first batch to it: %.1f ms)\n", ms);
    expect(probe, ms < 500, "created again, it takes records at once");
    drop_topic(probe, late);
    producer->ops->close(producer);
    drop_topic(probe, topic);
}

static void the_cluster_is_described(struct probe *probe)
{
    char topic[64];
    char value[64];
    struct error error;
    struct topic_state state;
    int n_brokers = 0;
    must(cluster_ping(probe->cluster, TIMEOUT_MS, &n_brokers, &error), &error, "ping");
    expect(probe, n_brokers >= 1, "ping counts brokers");
    make_topic(probe, "described", 2, "cleanup.policy", "compact", topic);
    make_topic(probe, "described", 2, "cleanup.policy", "compact", topic);
    must(cluster_grow_topic(probe->cluster, topic, 5, TIMEOUT_MS, &error), &error, "grow");
    must(cluster_topic(probe->cluster, topic, TIMEOUT_MS, &state, &error), &error, "topic");
    expect(probe, state.exists && state.partitions == 5, "a topic is made, made again and grown");
    enum verdict verdict = cluster_grow_topic(probe->cluster, topic, 2, TIMEOUT_MS, &error);
    printf("     (%s: %s)\n", verdict_name(verdict), error.what);
    expect(probe, verdict == INVALID, "it cannot shrink");
    must(cluster_setting(probe->cluster, topic, "cleanup.policy", TIMEOUT_MS, value, sizeof(value),
                         &error),
         &error, "setting");
    expect(probe, strcmp(value, "compact") == 0, "a topic's setting is read");
    must(cluster_setting(probe->cluster, NULL, "transaction.max.timeout.ms", TIMEOUT_MS, value,
                         sizeof(value), &error),
         &error, "setting");
    expect(probe, atoi(value) > 0, "a broker's setting is read");
    drop_topic(probe, topic);
    must(cluster_topic(probe->cluster, topic, TIMEOUT_MS, &state, &error), &error, "topic");
    expect(probe, !state.exists, "a deleted topic is gone");
    struct topic_spec wide = {.name = topic, .partitions = 1, .replication_factor = 99};
    verdict = cluster_create_topic(probe->cluster, &wide, TIMEOUT_MS, &error);
    printf("     (%s: %s)\n", verdict_name(verdict), error.what);
    expect(probe, verdict == INVALID, "more replicas than brokers: INVALID");
}

static void without_transactions(struct probe *probe)
{
    char topic[64];
    make_topic(probe, "plain", 2, NULL, NULL, topic);
    struct error error;
    struct seen seen;
    struct outcome outcome = {.worst = OK};
    struct producer *producer = open_producer(probe, NULL);
    commit_one(producer, topic, BYTES_LIT("first"));
    struct record record;
    make_record(&record, topic, 0, "key", BYTES_LIT("second"));
    must(producer->ops->begin(producer, &error), &error, "begin");
    must(producer->ops->send(producer, &record, NULL, &error), &error, "send");
    must(producer->ops->abort(producer, &error), &error, "abort");
    producer->ops->poll(producer, 100, on_report, &outcome);
    expect(probe, outcome.reports == 0, "an idempotent producer's abort throws the reports away");
    commit_one(producer, topic, BYTES_LIT("third"));
    enum verdict verdict = read_topic(probe, topic, true, TIMEOUT_MS, &seen);
    expect(probe, verdict == OK && seen.count >= 2 && strcmp(seen.last, "third") == 0,
           "and it goes on afterwards");
    producer->ops->close(producer);
    drop_topic(probe, topic);
}

/* --- endurance ------------------------------------------------------------------------------- */

enum { NUMBERS_A_BATCH = 3 };

struct numbers {
    uint32_t next;
    uint32_t wrong;
};

static void on_number(void *context, int32_t partition, int64_t offset, struct bytes key,
                      struct bytes value)
{
    (void)partition;
    (void)key;
    struct numbers *numbers = context;
    char text[16];
    snprintf(text, sizeof(text), "%.*s", (int)value.len, value.data);
    if ((uint32_t)atoi(text) != numbers->next) {
        printf("     at offset %" PRId64 ": %s instead of %u\n", offset, text, numbers->next);
        numbers->wrong++;
    }
    numbers->next = (uint32_t)atoi(text) + 1;
}

static enum verdict try_numbers(struct producer *producer, const char *topic, uint32_t first,
                                struct error *error)
{
    static char values[NUMBERS_A_BATCH][16];
    struct outcome outcome = {.worst = OK};
    enum verdict verdict = producer->ops->topic(producer, topic, TIMEOUT_MS, error);
    if (verdict == OK) {
        verdict = producer->ops->begin(producer, error);
    }
    uint32_t sent = 0;
    for (; verdict == OK && sent < NUMBERS_A_BATCH; sent++) {
        struct record record;
        snprintf(values[sent], sizeof(values[sent]), "%u", first + sent);
        make_record(&record, topic, 0, "key", bytes_of(values[sent]));
        verdict = producer->ops->send(producer, &record, NULL, error);
    }
    while (verdict == OK && outcome.reports < sent) {
        producer->ops->poll(producer, 100, on_report, &outcome);
        if (outcome.worst != OK) {
            *error = outcome.error;
            verdict = outcome.worst;
        }
    }
    return verdict == OK ? producer->ops->commit(producer, error) : verdict;
}

/* Takes both ids again and asks the topic what has been committed. */
static uint32_t begin_anew(struct probe *probe, struct producer *turns[2], const char *topic)
{
    struct error error;
    for (uint32_t i = 0; i < 2; i++) {
        while (kafka_producer_fence(turns[i], TIMEOUT_MS, &error) != OK) {
            printf("     fence: %s\n", error.what);
            usleep(200000);
        }
    }
    for (;;) {
        struct numbers numbers = {.next = 0};
        enum verdict verdict =
            reader_read(probe->reader, topic, true, TIMEOUT_MS, NULL, on_number, &numbers, &error);
        if (verdict == OK) {
            return numbers.next;
        }
        printf("     read: %s\n", error.what);
    }
}

static void endure(struct probe *probe, int seconds)
{
    char topic[64];
    char id[64];
    struct error error;
    struct producer *turns[2];
    uint32_t counts[FATAL + 1] = {0};
    make_topic(probe, "endure", 1, NULL, NULL, topic);
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(id, sizeof(id), "%s.endure.%u", probe->prefix, i);
        turns[i] = open_producer(probe, id);
    }
    uint32_t next = 0;
    uint32_t turn = 0;
    int64_t until_us = clock_us() + (int64_t)seconds * 1000000;
    while (clock_us() < until_us) {
        int64_t since_us = clock_us();
        enum verdict verdict = try_numbers(turns[turn], topic, next, &error);
        counts[verdict]++;
        if (verdict == OK) {
            next += NUMBERS_A_BATCH;
            turn = 1 - turn;
            continue;
        }
        printf("     %.1f s: %s: %s\n", (double)(clock_us() - since_us) / 1e6,
               verdict_name(verdict), error.what);
        if (verdict == ABORT || verdict == RETRY || verdict == WAIT) {
            verdict = turns[turn]->ops->abort(turns[turn], &error);
            usleep(50000);
        }
        if (verdict != OK) {
            uint32_t found = begin_anew(probe, turns, topic);
            printf("     began anew: %s; at %u, found %u\n", error.what, next, found);
            expect(probe, found == next || found == next + NUMBERS_A_BATCH,
                   "what is found is what was there before, or the batch in question too");
            next = found;
        }
    }
    begin_anew(probe, turns, topic);
    struct numbers numbers = {.next = 0};
    must(reader_read(probe->reader, topic, true, TIMEOUT_MS, NULL, on_number, &numbers, &error),
         &error, "read");
    printf("     %u numbers; batches: %u ok, %u abort, %u restart, %u wait, %u retry\n",
           numbers.next, counts[OK], counts[ABORT], counts[RESTART], counts[WAIT], counts[RETRY]);
    expect(probe, numbers.wrong == 0 && numbers.next == next,
           "every number is there exactly once, in order");
    turns[0]->ops->close(turns[0]);
    turns[1]->ops->close(turns[1]);
    drop_topic(probe, topic);
}

/* --- times ----------------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static double cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* The lane's way: events, the checkpoint record last, all reports, commit. */
static void run_batch(struct producer *producer, const char *events, const char *checkpoint,
                      uint32_t n, struct bytes value)
{
    struct error error;
    struct outcome outcome = {.worst = OK};
    struct record record;
    char key[32];
    must(producer->ops->begin(producer, &error), &error, "begin");
    for (uint32_t i = 0; i <= n; i++) {
        snprintf(key, sizeof(key), "key %u", i);
        make_record(&record, i == n ? checkpoint : events, i == n ? 0 : -1, key, value);
        for (uint32_t h = 0; i < n && h < 10; h++) {
            record.headers[h].name = BYTES_LIT("header_name");
            record.headers[h].value = BYTES_LIT("a value of some 30 bytes here.");
            record.n_headers = h + 1;
        }
        enum verdict verdict;
        while ((verdict = producer->ops->send(producer, &record, NULL, &error)) == AGAIN) {
            producer->ops->poll(producer, 100, on_report, &outcome);
        }
        must(verdict, &error, "send");
        if (i % 512 == 511) {
            producer->ops->poll(producer, 0, on_report, &outcome);
        }
    }
    while (outcome.reports <= n) {
        producer->ops->poll(producer, 100, on_report, &outcome);
    }
    must(outcome.worst, &outcome.error, "report");
    must(producer->ops->commit(producer, &error), &error, "commit");
}

static void time_batches(struct probe *probe, const char *name, uint32_t producers, uint32_t events,
                         uint32_t batches, int64_t every_us, const char *topic,
                         const char *checkpoint)
{
    static char value[500];
    memset(value, 'v', sizeof(value));
    struct producer *turns[2];
    char id[64];
    for (uint32_t i = 0; i < producers; i++) {
        snprintf(id, sizeof(id), "%s.%c", probe->prefix, 'a' + (char)i);
        turns[i] = open_producer(probe, id);
        struct error error;
        must(turns[i]->ops->topic(turns[i], topic, TIMEOUT_MS, &error), &error, "topic");
        must(turns[i]->ops->topic(turns[i], checkpoint, TIMEOUT_MS, &error), &error, "topic");
        int64_t since_us = clock_us();
        run_batch(turns[i], topic, checkpoint, 1, (struct bytes){value, sizeof(value)});
        printf("  first batch of producer %c: %.1f ms\n", 'a' + (char)i,
               (double)(clock_us() - since_us) / 1000);
    }
    int64_t *times = must_calloc(batches, sizeof(*times));
    double cpu_before = cpu_ms();
    int64_t began_us = clock_us();
    for (uint32_t i = 0; i < batches; i++) {
        int64_t due_us = began_us + every_us * i;
        while (every_us > 0 && clock_us() < due_us) {
            usleep((useconds_t)(due_us - clock_us() > 0 ? due_us - clock_us() : 1));
        }
        int64_t since_us = clock_us();
        run_batch(turns[i % producers], topic, checkpoint, events,
                  (struct bytes){value, sizeof(value)});
        times[i] = clock_us() - since_us;
    }
    double seconds = (double)(clock_us() - began_us) / 1e6;
    double cpu = cpu_ms() - cpu_before;
    qsort(times, batches, sizeof(*times), compare_times);
    printf("%-44s p50 %6.2f  p90 %6.2f  p99 %6.2f ms  %7.1f batches/s %9.0f events/s  cpu %.2f ms "
           "a batch\n",
           name, (double)times[batches / 2] / 1000, (double)times[batches * 9 / 10] / 1000,
           (double)times[batches * 99 / 100] / 1000, batches / seconds,
           (double)batches * events / seconds, cpu / batches);
    free(times);
    for (uint32_t i = 0; i < producers; i++) {
        turns[i]->ops->close(turns[i]);
    }
}

static void time_reader(struct probe *probe, const char *topic)
{
    int64_t times[9];
    struct seen seen;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        int64_t since_us = clock_us();
        enum verdict verdict = read_topic(probe, topic, i % 2 == 0, TIMEOUT_MS, &seen);
        times[i] = clock_us() - since_us;
        check(verdict == OK);
        printf("%s%.1f", i == 0 ? "  read (committed, uncommitted in turns): " : " ",
               (double)times[i] / 1000);
    }
    printf(" ms, %u records\n", seen.count);
}

static void times(struct probe *probe, uint32_t n)
{
    char events[64];
    char checkpoint[64];
    make_topic(probe, "events", 6, NULL, NULL, events);
    make_topic(probe, "checkpoint", 4, "cleanup.policy", "compact", checkpoint);
    printf("librdkafka %s\n", kafka_library_version());
    time_batches(probe, "1 event, one producer", 1, 1, n, 0, events, checkpoint);
    time_reader(probe, checkpoint);
    time_batches(probe, "1 event, two producers in turns", 2, 1, n, 0, events, checkpoint);
    time_batches(probe, "5 events every 10 ms, two producers", 2, 5, n, 10000, events, checkpoint);
    time_batches(probe, "10000 events, two producers in turns", 2, 10000, n / 10 + 2, 0, events,
                 checkpoint);
    drop_topic(probe, events);
    drop_topic(probe, checkpoint);
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
        times(&probe, argc > 3 ? (uint32_t)atoi(argv[3]) : 500);
    } else if (strcmp(argv[2], "endure") == 0) {
        endure(&probe, argc > 3 ? atoi(argv[3]) : 60);
    } else {
        the_cluster_is_described(&probe);
        an_older_producer_is_fenced(&probe);
        an_open_transaction_hides_the_end(&probe);
        a_dead_owner_is_aborted_by_its_successor(&probe);
        a_bad_record_is_found(&probe);
        without_transactions(&probe);
    }
    reader_free(probe.reader);
    cluster_free(probe.cluster);
    free(probe.config.stream);
    return probe.failures > 0;
}
