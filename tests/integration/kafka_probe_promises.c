/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_probe.h"

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

void probe_promises(struct probe *probe)
{
    the_cluster_is_described(probe);
    an_older_producer_is_fenced(probe);
    an_open_transaction_hides_the_end(probe);
    a_dead_owner_is_aborted_by_its_successor(probe);
    a_bad_record_is_found(probe);
    without_transactions(probe);
}
