/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "kafka/verdicts.h"

enum { LOOK_AGAIN_MS = 20, REASON_SIZE = 512 };

static int left_ms(int64_t deadline_us)
{
    int64_t left = (deadline_us - clock_us()) / 1000;
    return left > 0 ? (int)left : 0;
}

/* --- topics ---------------------------------------------------------------------------------- */

struct topic_look {
    rd_kafka_resp_err_t code;
    int32_t partitions;
    bool led; /* every partition has a leader */
};

static enum verdict look(struct client *client, const char *topic, rd_kafka_topic_t *handle,
                         int timeout_ms, struct topic_look *seen, struct error *error)
{
    rd_kafka_topic_t *own = handle == NULL ? rd_kafka_topic_new(client->rk, topic, NULL) : NULL;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(client->rk, 0, handle == NULL ? own : handle, &metadata, timeout_ms);
    if (own != NULL) {
        rd_kafka_topic_destroy(own);
    }
    if (code == 0 && metadata->topic_cnt != 1) {
        code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    if (code != 0) {
        char doing[300];
        client_drain(client);
        snprintf(doing, sizeof(doing), "describe topic \"%s\"", topic);
        if (metadata != NULL) {
            rd_kafka_metadata_destroy(metadata);
        }
        return client_failed(client, code, doing, error);
    }
    const struct rd_kafka_metadata_topic *found = &metadata->topics[0];
    *seen = (struct topic_look){found->err, found->partition_cnt, found->partition_cnt > 0};
    for (int i = 0; i < found->partition_cnt; i++) {
        seen->led = seen->led && found->partitions[i].leader >= 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

enum verdict admin_topic(struct client *client, const char *topic, rd_kafka_topic_t *handle,
                         int timeout_ms, struct topic_state *state, struct error *error)
{
    struct topic_look seen;
    enum verdict verdict = look(client, topic, handle, timeout_ms, &seen, error);
    if (verdict != OK) {
        return verdict;
    }
    switch (seen.code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        *state = (struct topic_state){.exists = true, .partitions = seen.partitions};
        return OK;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        *state = (struct topic_state){.exists = false};
        return OK;
    default: break;
    }
    enum dead_reason unused;
    verdict = kafka_record_verdict(seen.code, topic, -1, &unused, error) == WAIT ? WAIT : RETRY;
    if (error != NULL) {
        error->verdict = verdict;
    }
    return verdict;
}

/* --- admin requests: one at a time, each with its own queue ---------------------------------- */

struct request {
    struct client *client;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
    int timeout_ms;
};

static void request_init(struct request *request, struct client *client, rd_kafka_admin_op_t kind,
                         int timeout_ms)
{
    char reason[REASON_SIZE];
    request->client = client;
    request->options = rd_kafka_AdminOptions_new(client->rk, kind);
    request->queue = rd_kafka_queue_new(client->rk);
    request->timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
    /* The defaults stand when these are out of range. */
    rd_kafka_AdminOptions_set_request_timeout(request->options, request->timeout_ms, reason,
                                              sizeof(reason));
    if (kind != RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) {
        rd_kafka_AdminOptions_set_operation_timeout(request->options, request->timeout_ms, reason,
                                                    sizeof(reason));
    }
}

static void request_release(struct request *request)
{
    rd_kafka_queue_destroy(request->queue);
    rd_kafka_AdminOptions_destroy(request->options);
}

/* The answer to the request as a whole; *event is to be destroyed, on failure too unless NULL. */
static enum verdict request_wait(struct request *request, const char *doing,
                                 rd_kafka_event_t **event, struct error *error)
{
    *event = rd_kafka_queue_poll(request->queue, request->timeout_ms + 500);
    rd_kafka_resp_err_t code =
        *event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(*event);
    if (code == 0) {
        return OK;
    }
    client_drain(request->client);
    return client_failed(request->client, code, doing, error);
}

/* The answer about one topic. */
static enum verdict topic_answer(struct client *client, const rd_kafka_topic_result_t *result,
                                 const char *doing, struct error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
    if (code == 0) {
        return OK;
    }
    enum verdict verdict = RETRY;
    switch (kafka_trouble_of(code)) {
    case TROUBLE_TOPIC:
    case TROUBLE_RIGHT: verdict = WAIT; break;
    case TROUBLE_SETTING:
    case TROUBLE_RECORD: verdict = INVALID; break;
    default: break;
    }
    const char *said = rd_kafka_topic_result_error_string(result);
    enum verdict unused = kafka_request_verdict(code, doing, client->servers, "", error);
    (void)unused; /* its remedy is wanted; the broker's own words say more than ours */
    if (error != NULL) {
        error->verdict = verdict;
        snprintf(error->what, sizeof(error->what), "Kafka did not %s: %s", doing,
                 said != NULL ? said : rd_kafka_err2str(code));
    }
    return verdict;
}

static rd_kafka_NewTopic_t *new_topic(const struct topic_spec *spec, struct error *error)
{
    char reason[REASON_SIZE] = "";
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        spec->name, spec->partitions, spec->replication_factor, reason, sizeof(reason));
    for (size_t i = 0; topic != NULL && i < spec->n_settings; i++) {
        if (rd_kafka_NewTopic_set_config(topic, spec->settings[i][0], spec->settings[i][1]) != 0) {
            snprintf(reason, sizeof(reason), "setting %s=%s", spec->settings[i][0],
                     spec->settings[i][1]);
            rd_kafka_NewTopic_destroy(topic);
            topic = NULL;
        }
    }
    if (topic == NULL) {
        error_set(error, INVALID, "topic \"%s\" cannot be created: %s", spec->name, reason);
    }
    return topic;
}

/* Brokers hear of a new topic, or a new partition, one after the other. */
static enum verdict wait_until_led(struct client *client, const char *topic, int32_t partitions,
                                   int64_t deadline_us, struct error *error)
{
    for (;;) {
        struct topic_look seen = {0};
        enum verdict verdict =
            look(client, topic, NULL, left_ms(deadline_us) + LOOK_AGAIN_MS, &seen, error);
        if (verdict != OK) {
            return verdict;
        }
        if (seen.code == 0 && seen.led && seen.partitions >= partitions) {
            return OK;
        }
        if (seen.code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
            enum dead_reason unused;
            return kafka_record_verdict(seen.code, topic, -1, &unused, error);
        }
        if (left_ms(deadline_us) == 0) {
            error_set(error, RETRY, "not all partitions of topic \"%s\" have a leader yet", topic);
            return error_remedy(error, "Try again; if it stays, look at the brokers' logs.");
        }
        clock_wait_ms(LOOK_AGAIN_MS);
    }
}

enum verdict admin_create_topic(struct client *client, const struct topic_spec *spec,
                                int timeout_ms, struct error *error)
{
    int64_t deadline_us = clock_us() + (int64_t)timeout_ms * 1000;
    rd_kafka_NewTopic_t *topic = new_topic(spec, error);
    if (topic == NULL) {
        return INVALID;
    }
    char doing[300];
    snprintf(doing, sizeof(doing), "create topic \"%s\"", spec->name);
    struct request request;
    request_init(&request, client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
    rd_kafka_CreateTopics(client->rk, &topic, 1, request.options, request.queue);
    rd_kafka_event_t *event;
    enum verdict verdict = request_wait(&request, doing, &event, error);
    if (verdict == OK) {
        size_t count;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
        if (code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            verdict = topic_answer(client, results[0], doing, error);
        }
    }
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    request_release(&request);
    rd_kafka_NewTopic_destroy(topic);
    return verdict == OK ? wait_until_led(client, spec->name, 1, deadline_us, error) : verdict;
}

enum verdict admin_grow_topic(struct client *client, const char *topic, int32_t partitions,
                              int timeout_ms, struct error *error)
{
    int64_t deadline_us = clock_us() + (int64_t)timeout_ms * 1000;
    char reason[REASON_SIZE];
    char doing[300];
    snprintf(doing, sizeof(doing), "give topic \"%s\" %d partitions", topic, (int)partitions);
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(topic, (size_t)partitions, reason, sizeof(reason));
    if (more == NULL) {
        return error_set(error, INVALID, "Kafka cannot %s: %s", doing, reason);
    }
    struct request request;
    request_init(&request, client, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout_ms);
    rd_kafka_CreatePartitions(client->rk, &more, 1, request.options, request.queue);
    rd_kafka_event_t *event;
    enum verdict verdict = request_wait(&request, doing, &event, error);
    if (verdict == OK) {
        size_t count;
        const rd_kafka_topic_result_t **results = rd_kafka_CreatePartitions_result_topics(
            rd_kafka_event_CreatePartitions_result(event), &count);
        verdict = topic_answer(client, results[0], doing, error);
    }
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    request_release(&request);
    rd_kafka_NewPartitions_destroy(more);
    return verdict == OK ? wait_until_led(client, topic, partitions, deadline_us, error) : verdict;
}

enum verdict admin_delete_topic(struct client *client, const char *topic, int timeout_ms,
                                struct error *error)
{
    char doing[300];
    snprintf(doing, sizeof(doing), "delete topic \"%s\"", topic);
    rd_kafka_DeleteTopic_t *old = rd_kafka_DeleteTopic_new(topic);
    struct request request;
    request_init(&request, client, RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout_ms);
    rd_kafka_DeleteTopics(client->rk, &old, 1, request.options, request.queue);
    rd_kafka_event_t *event;
    enum verdict verdict = request_wait(&request, doing, &event, error);
    if (verdict == OK) {
        size_t count;
        const rd_kafka_topic_result_t **results =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count);
        if (rd_kafka_topic_result_error(results[0]) != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            verdict = topic_answer(client, results[0], doing, error);
        }
    }
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    request_release(&request);
    rd_kafka_DeleteTopic_destroy(old);
    return verdict;
}

/* --- settings -------------------------------------------------------------------------------- */

/* Any broker: the settings that are asked for are the same on all of them. */
static enum verdict some_broker(struct client *client, int timeout_ms, char id[static 16],
                                struct error *error)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client->rk, 0, NULL, &metadata, timeout_ms);
    if (code == 0 && metadata->broker_cnt == 0) {
        rd_kafka_metadata_destroy(metadata);
        code = RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    }
    if (code != 0) {
        client_drain(client);
        return client_failed(client, code, "name its brokers", error);
    }
    snprintf(id, 16, "%d", (int)metadata->brokers[0].id);
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

static enum verdict setting_answer(struct client *client, const rd_kafka_event_t *event,
                                   const char *name, const char *doing, char *value, size_t size,
                                   struct error *error)
{
    size_t n_resources;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result((rd_kafka_event_t *)event), &n_resources);
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[0]);
    if (code != 0) {
        return kafka_request_verdict(code, doing, client->servers, "", error);
    }
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    for (size_t i = 0; i < count; i++) {
        const char *found = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0 && found != NULL) {
            snprintf(value, size, "%s", found);
            return OK;
        }
    }
    return error_set(error, WAIT, "Kafka does not tell the setting %s", name);
}

enum verdict admin_setting(struct client *client, const char *topic, const char *name,
                           int timeout_ms, char *value, size_t size, struct error *error)
{
    char broker[16] = "";
    if (topic == NULL) {
        enum verdict verdict = some_broker(client, timeout_ms, broker, error);
        if (verdict != OK) {
            return verdict;
        }
    }
    char doing[300];
    snprintf(doing, sizeof(doing), "tell %s of %s %s", name, topic == NULL ? "broker" : "topic",
             topic == NULL ? broker : topic);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(
        topic == NULL ? RD_KAFKA_RESOURCE_BROKER : RD_KAFKA_RESOURCE_TOPIC,
        topic == NULL ? broker : topic);
    struct request request;
    request_init(&request, client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
    rd_kafka_DescribeConfigs(client->rk, &resource, 1, request.options, request.queue);
    rd_kafka_event_t *event;
    enum verdict verdict = request_wait(&request, doing, &event, error);
    if (verdict == OK) {
        verdict = setting_answer(client, event, name, doing, value, size, error);
    }
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    request_release(&request);
    rd_kafka_ConfigResource_destroy(resource);
    return verdict;
}
