/* SPDX-License-Identifier: Apache-2.0
 *
 * client.h - one librdkafka handle: how it is configured, what it says, what it last complained of.
 * In: the kafka: section of the configuration. Out: a handle for a producer, a reader or questions.
 * Owns: the handle and its event queue, from client_open to client_close.
 * Thread: one at a time; librdkafka's own threads call into the log, and any may ask for the last
 *         complaint.
 * Keeps: properties that carry a promise are set here, after the user's. */
#ifndef WALPOST_KAFKA_CLIENT_H
#define WALPOST_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "base/error.h"
#include "base/log.h"

struct config;
struct client_log;

enum client_role {
    CLIENT_PRODUCER,       /* transactional or idempotent */
    CLIENT_READ_COMMITTED, /* consumers without a group */
    CLIENT_READ_UNCOMMITTED,
    CLIENT_ADMIN,
};

struct client {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* delivery reports and errors, as events */
    struct client_log *log;
    char *servers; /* bootstrap.servers, for messages */
    int transaction_timeout_ms;
    pthread_mutex_t mutex;         /* guards the three below */
    rd_kafka_resp_err_t last_code; /* the newest complaint; 0: none */
    char last[256];
    int64_t last_us;
    rd_kafka_event_t **held; /* delivery reports that came while an answer was waited for */
    size_t n_held;
};

/* transactional_id: CLIENT_PRODUCER only; NULL for an idempotent producer. log may be NULL. */
enum verdict MUST_CHECK client_open(struct client *client, const struct config *config,
                                    enum client_role role, const char *transactional_id,
                                    const struct log *log, struct error *error);
/* Waits for librdkafka's threads; what was still queued is dropped without a report. Takes a
 * zeroed client. */
void client_close(struct client *client);

/* Remembers what an error event says. True: it is fatal to this handle. */
bool client_note(struct client *client, rd_kafka_event_t *event);
/* Notes every event that waits. Delivery reports are held for client_poll: a batch may be under
 * way. */
void client_drain(struct client *client);
/* The next event, the held ones first; NULL: none within timeout_ms. To be destroyed. */
rd_kafka_event_t *client_poll(struct client *client, int timeout_ms);

/* What the client complained of in the last half minute; "": of nothing. Any thread. */
void client_complaint(struct client *client, char *text, size_t size);

/* The verdict of a failed question: the client's last complaint explains a mere timeout. */
enum verdict client_failed(struct client *client, rd_kafka_resp_err_t code, const char *doing,
                           struct error *error);

/* The bytes of a librdkafka error message without its "[thrd:...]: " in front. */
const char *client_plain_text(const char *text);

#endif
