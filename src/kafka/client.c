/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "config/config.h"
#include "kafka/client_log.h"
#include "kafka/complaint.h"
#include "kafka/conf.h"
#include "kafka/verdicts.h"

/* librdkafka says the same again after half a minute, not at every try. */
enum { EXPLAINS_US = 40 * 1000 * 1000 };

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    client_log_line(rd_kafka_opaque(rk), level, rd_kafka_name(rk), facility, text, clock_us());
}

static enum verdict choose_servers(struct client *client, const struct config *config,
                                   struct error *error)
{
    const char *servers = config_kafka(config, "bootstrap.servers");
    if (servers == NULL) {
        servers = config_kafka(config, "metadata.broker.list");
    }
    if (servers == NULL && config_kafka(config, "test.mock.num.brokers") != NULL) {
        servers = "the mock cluster";
    }
    if (servers == NULL) {
        error_set(error, INVALID, "kafka: bootstrap.servers is missing");
        return error_remedy(error, "Name at least one broker: bootstrap.servers: localhost:9092");
    }
    client->servers = must_strdup(servers);
    return OK;
}

enum verdict client_open(struct client *client, const struct config *config, enum client_role role,
                         const char *transactional_id, const struct log *log, struct error *error)
{
    *client = (struct client){.rk = NULL};
    pthread_mutex_init(&client->mutex, NULL);
    rd_kafka_conf_t *conf = NULL;
    enum verdict verdict = kafka_conf_new(config, role, transactional_id, &conf,
                                          &client->transaction_timeout_ms, error);
    if (verdict != OK) {
        return verdict;
    }
    if (choose_servers(client, config, error) != OK) {
        rd_kafka_conf_destroy(conf);
        return INVALID;
    }
    client->log = client_log_new(log);
    rd_kafka_conf_set_opaque(conf, client->log);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_events(conf, role == CLIENT_PRODUCER
                                       ? RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR
                                       : RD_KAFKA_EVENT_ERROR);
    bool reads = role == CLIENT_READ_COMMITTED || role == CLIENT_READ_UNCOMMITTED;
    char reason[256];
    client->rk =
        rd_kafka_new(reads ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    if (client->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        client_close(client);
        error_set(error, INVALID, "the properties below kafka: do not go together: %s", reason);
        error_remedy(error, "Correct them; librdkafka's CONFIGURATION.md describes them.");
        return INVALID;
    }
    client->queue = rd_kafka_queue_get_main(client->rk);
    return OK;
}

void client_close(struct client *client)
{
    for (size_t i = 0; i < client->n_held; i++) {
        rd_kafka_event_destroy(client->held[i]);
    }
    free(client->held);
    if (client->queue != NULL) {
        rd_kafka_queue_destroy(client->queue);
    }
    if (client->rk != NULL) {
        rd_kafka_destroy_flags(client->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    client_log_free(client->log);
    free(client->servers);
    pthread_mutex_destroy(&client->mutex);
    *client = (struct client){.rk = NULL};
}

const char *client_plain_text(const char *text)
{
    if (strncmp(text, "[thrd:", 6) == 0) {
        const char *end = strstr(text, "]: ");
        return end == NULL ? text : end + 3;
    }
    return text;
}

bool client_note(struct client *client, rd_kafka_event_t *event)
{
    if (rd_kafka_event_type(event) != RD_KAFKA_EVENT_ERROR) {
        return false;
    }
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    pthread_mutex_lock(&client->mutex);
    /* "All brokers are down" comes after the line that says why. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || client->last_code == 0) {
        client->last_code = code;
        snprintf(client->last, sizeof(client->last), "%s",
                 client_plain_text(rd_kafka_event_error_string(event)));
        complaint_shorten(client->last);
        client->last_us = clock_us();
    }
    pthread_mutex_unlock(&client->mutex);
    return rd_kafka_event_error_is_fatal(event) == 1;
}

void client_complaint(struct client *client, char *text, size_t size)
{
    pthread_mutex_lock(&client->mutex);
    bool fresh = client->last_code != 0 && clock_us() - client->last_us < EXPLAINS_US;
    snprintf(text, size, "%s", fresh ? client->last : "");
    pthread_mutex_unlock(&client->mutex);
}

void client_drain(struct client *client)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(client->queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            client->held =
                must_realloc(client->held, (client->n_held + 1) * sizeof(client->held[0]));
            client->held[client->n_held++] = event;
            continue;
        }
        client_note(client, event);
        rd_kafka_event_destroy(event);
    }
}

rd_kafka_event_t *client_poll(struct client *client, int timeout_ms)
{
    if (client->n_held == 0) {
        return rd_kafka_queue_poll(client->queue, timeout_ms);
    }
    rd_kafka_event_t *event = client->held[0];
    client->n_held--;
    memmove(client->held, client->held + 1, client->n_held * sizeof(client->held[0]));
    return event;
}

static bool is_mere_timeout(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
           code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

enum verdict client_failed(struct client *client, rd_kafka_resp_err_t code, const char *doing,
                           struct error *error)
{
    pthread_mutex_lock(&client->mutex);
    if (clock_us() - client->last_us > EXPLAINS_US) {
        client->last_code = 0;
    }
    pthread_mutex_unlock(&client->mutex);
    bool explained = is_mere_timeout(code) && client->last_code != 0;
    enum verdict verdict =
        kafka_request_verdict(explained ? client->last_code : code, doing, client->servers,
                              explained ? client->last : "", error);
    return verdict;
}
