/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/check.h"
#include "cli/limits.h"
#include "cli/reach.h"
#include "cli/say.h"
#include "cli/topics.h"

static void check_lanes(struct points *points, struct look *look)
{
    struct error error;
    char text[400];
    if (lanes_find(look->config, look->cluster, &look->lanes, &error) != OK) {
        point_error(points, "lanes", &error);
        return;
    }
    if (look->lanes.partitions == 0) {
        return; /* as the configuration says */
    }
    lanes_describe(&look->lanes, text, sizeof(text));
    if ((uint32_t)look->lanes.partitions % look->lanes.count == 0) {
        point_ok(points, "lanes", "%s", text);
    } else {
        point_warn(points, "lanes",
                   "It works; a Kafka transaction of a lane then touches several partitions. Set "
                   "lanes to a number that divides the partitions, or let it be.",
                   "%s", text);
    }
}

static void check_checkpoint_topic(struct points *points, const struct look *look)
{
    const struct config *config = look->config;
    const char *name = config->checkpoint_topic;
    int32_t wanted = (int32_t)(1 + look->lanes.count);
    struct topic_state state;
    struct error error;
    char policy[64];
    /* NOLINTNEXTLINE(bugprone-branch-clone): each question may fail */
    if (cluster_topic(look->cluster, name, KAFKA_TIMEOUT_MS, &state, &error) != OK) {
        point_error(points, "checkpoint topic", &error);
    } else if (!state.exists) {
        point_wrong(points, "checkpoint topic",
                    look->found.slot.exists
                        ? "Run `walpost init` for a new stream; for one that ran before, see the "
                          "position below."
                        : "Run `walpost init`.",
                    "there is no topic %s", name);
    } else if (state.partitions < wanted) {
        point_wrong(points, "checkpoint topic", "Run `walpost init`: it adds them.",
                    "%s has %d partitions, %u lanes need %d", name, state.partitions,
                    look->lanes.count, wanted);
    } else if (cluster_setting(look->cluster, name, "cleanup.policy", KAFKA_TIMEOUT_MS, policy,
                               sizeof(policy), &error) != OK) {
        point_error(points, "checkpoint topic", &error);
    } else if (strcmp(policy, "compact") != 0) {
        char remedy[400];
        snprintf(remedy, sizeof(remedy),
                 "kafka-configs.sh --alter --topic %s --add-config cleanup.policy=compact", name);
        point_wrong(points, "checkpoint topic", remedy,
                    "%s has cleanup.policy=%s: the checkpoint would be deleted", name, policy);
    } else {
        point_ok(points, "checkpoint topic", "%s, %d partitions, compacted", name,
                 state.partitions);
    }
}

static void check_topic(struct points *points, const struct look *look, const char *point,
                        const char *name, const char *remedy, bool needed)
{
    struct topic_state state;
    struct error error;
    if (cluster_topic(look->cluster, name, KAFKA_TIMEOUT_MS, &state, &error) != OK) {
        point_error(points, point, &error);
    } else if (state.exists) {
        point_ok(points, point, "%s, %d partitions", name, state.partitions);
    } else if (needed) {
        point_wrong(points, point, remedy, "there is no topic %s", name);
    } else {
        point_warn(points, point, remedy, "there is no topic %s", name);
    }
}

/* A dead letter that time may delete is an event lost. */
static void check_dead_letter_topic(struct points *points, const struct look *look)
{
    const char *point = "dead letter topic";
    const char *name = look->config->dead_letter_topic;
    struct topic_state state;
    struct error error;
    char policy[64];
    /* NOLINTNEXTLINE(bugprone-branch-clone): each question may fail */
    if (cluster_topic(look->cluster, name, KAFKA_TIMEOUT_MS, &state, &error) != OK) {
        point_error(points, point, &error);
    } else if (!state.exists) {
        point_wrong(points, point, "Run `walpost init`.", "there is no topic %s", name);
    } else if (cluster_setting(look->cluster, name, "cleanup.policy", KAFKA_TIMEOUT_MS, policy,
                               sizeof(policy), &error) != OK) {
        point_error(points, point, &error);
    } else if (strcmp(policy, "compact") != 0) {
        char remedy[400];
        snprintf(remedy, sizeof(remedy),
                 "kafka-configs.sh --alter --topic %s --add-config cleanup.policy=compact", name);
        point_wrong(points, point, remedy,
                    "%s has cleanup.policy=%s, not compact: dead letters would be deleted by age",
                    name, policy);
    } else {
        point_ok(points, point, "%s, %d partitions, compacted", name, state.partitions);
    }
}

static void check_route_topic(struct points *points, const struct look *look)
{
    const struct config *config = look->config;
    if (!topic_is_known(config->route.topic)) {
        return; /* each event names its own */
    }
    check_topic(points, look, "topic of the route", config->route.topic,
                "Create it, or let walpost do so: --set topics.create=true with `walpost init`.",
                config->route.on_missing_topic == MISSING_WAIT);
}

/* Where each event names its own topic, what a topic takes unless it says otherwise. */
static void check_record_size(struct points *points, const struct look *look)
{
    const char *point = "record size";
    const char *route = look->config->route.topic;
    const char *topic = topic_is_known(route) ? route : NULL;
    struct record_limit limit;
    struct error error;
    char takes[BYTES_TEXT_SIZE];
    char wanted[BYTES_TEXT_SIZE];
    char whose[300];
    enum verdict verdict = record_limit_find(look->config, look->cluster, topic, &limit, &error);
    if (verdict == WAIT && strcmp(error.code, "UNKNOWN_TOPIC_OR_PART") == 0) {
        return; /* it was said already */
    }
    if (verdict != OK) {
        point_warn(points, point, error.remedy, "could not be looked at: %s", error.what);
        return;
    }
    snprintf(whose, sizeof(whose), "%s%s",
             topic == NULL ? "a topic without its own limit" : "topic ",
             topic == NULL ? "" : topic);
    bool ours = limit.configured && limit.wanted_bytes < limit.bytes;
    say_bytes(ours ? limit.wanted_bytes : limit.bytes, takes);
    if (ours) {
        snprintf(whose, sizeof(whose), "kafka.message.max.bytes");
    }
    if (limit.bytes >= limit.wanted_bytes) {
        point_ok(points, point, "%s allows records up to %s; larger ones become dead letters",
                 whose, takes);
        return;
    }
    char remedy[500];
    if (topic == NULL) {
        snprintf(remedy, sizeof(remedy),
                 "Set max.message.bytes of the topics, or the brokers' message.max.bytes, to "
                 "%" PRId64 ".",
                 limit.wanted_bytes);
    } else {
        snprintf(remedy, sizeof(remedy),
                 "kafka-configs.sh --alter --topic %s --add-config "
                 "max.message.bytes=%" PRId64,
                 topic, limit.wanted_bytes);
    }
    point_warn(points, point, remedy,
               "%s allows records up to %s, less than %s (%s): larger ones become dead letters",
               whose, takes, limit.configured ? "kafka.message.max.bytes" : "Kafka's default",
               say_bytes(limit.wanted_bytes, wanted));
}

static void check_transactions(struct points *points, const struct look *look)
{
    const char *point = "transactions";
    struct transaction_limit limit;
    struct error error;
    if (transaction_limit_find(look->config, look->cluster, &limit, &error) != OK ||
        transaction_limit_judge(&limit, &error) != OK) {
        point_error(points, point, &error);
    } else {
        point_ok(points, point, "time out after %" PRId64 " ms, the brokers allow %" PRId64,
                 limit.timeout_ms, limit.broker_ms);
    }
}

static bool check_checkpoint(struct points *points, struct look *look)
{
    struct findings *found = &look->found;
    struct error error;
    struct log log = reach_log(look->config);
    if (checkpoint_exists(look->config, &log, &found->has_checkpoint, &found->checkpoint, &error) !=
        OK) {
        point_error(points, "checkpoint", &error);
        return false;
    }
    if (found->has_checkpoint) {
        point_ok(points, "checkpoint",
                 "generation %" PRIu64 " of %s, %u %s, settled to " LSN_FORMAT,
                 found->checkpoint.generation, found->checkpoint.instance, found->checkpoint.lanes,
                 found->checkpoint.lanes == 1 ? "lane" : "lanes",
                 LSN_ARGS(found->checkpoint.settled_lsn));
    }
    return true; /* without one the position has more to say */
}

void check_kafka(struct points *points, struct look *look, bool *checkpoint_known)
{
    static const char *const all[] = {"checkpoint topic", "dead letter topic", "transactions",
                                      "checkpoint"};
    struct error error;
    int n_brokers = 0;
    *checkpoint_known = false;
    if (reach_kafka(look->config, &look->cluster, &n_brokers, &error) != OK) {
        point_error(points, "brokers", &error);
        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            point_skip(points, all[i], "there is no connection to Kafka");
        }
        return;
    }
    point_ok(points, "brokers", "%d answer", n_brokers);
    check_lanes(points, look);
    check_checkpoint_topic(points, look);
    check_dead_letter_topic(points, look);
    check_route_topic(points, look);
    check_record_size(points, look);
    check_transactions(points, look); /* the leader's, where delivery is at_least_once */
    *checkpoint_known = check_checkpoint(points, look);
}
