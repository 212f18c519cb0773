/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/producer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "config/config.h"
#include "kafka/admin.h"
#include "kafka/handles.h"
#include "kafka/verdicts.h"

enum {
    SLICE_MS = 500, /* how soon a blocked commit sees that it shall give up */
    /* librdkafka waits half a second before it asks again for an id whose last transaction is still
     * being completed; calling init_transactions again makes it ask at once. */
    FENCE_SLICE_MS = 20,
    ABORT_SLICE_MS = 20, /* an abort waits for reports that only we can take off the queue */
    CHECKPOINT_TOPIC_MS = 5000,
    /* Kafka forgets an id that was not used for transactional.id.expiration.ms (7 days) and then
     * gives it to anybody, unfenced. Lanes touch their ids daily; a process that slept longer than
     * this must begin anew. */
    UNUSED_MAX_S = 2 * 24 * 60 * 60,
};

struct kafka_producer {
    struct producer base;
    struct client client;
    struct handles handles;
    const struct config *config;
    const struct log *log;
    char *id; /* transactional; NULL: none */
    atomic_bool give_up;
    bool fenced;         /* the id has been taken with the present handle */
    bool in_transaction; /* begun, and neither committed nor aborted */
    uint32_t unreported; /* records */
    int64_t begun_us;    /* both by the clock that counts the sleep of the machine, too */
    int64_t used_us;
    rd_kafka_resp_err_t cause; /* of the failed Kafka transaction; 0: not failed as far as known */
    bool dead;                 /* the handle has seen a fatal error */
    struct error death;
};

static const struct producer_ops ops;

static struct kafka_producer *real(struct producer *producer)
{
    return (struct kafka_producer *)producer;
}

static int64_t boot_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static const char *id_of(const struct kafka_producer *p)
{
    return p->id == NULL ? "(none)" : p->id;
}

/* --- lifecycle ------------------------------------------------------------------------------- */

enum verdict kafka_producer_new(const struct config *config, const struct log *log,
                                const char *transactional_id, struct producer **producer,
                                struct error *error)
{
    struct kafka_producer *p = must_calloc(1, sizeof(*p));
    enum verdict verdict =
        client_open(&p->client, config, CLIENT_PRODUCER, transactional_id, log, error);
    if (verdict != OK) {
        free(p);
        return verdict;
    }
    p->base.ops = &ops;
    p->base.transactional = transactional_id != NULL;
    p->config = config;
    p->log = log;
    p->id = transactional_id == NULL ? NULL : must_strdup(transactional_id);
    *producer = &p->base;
    return OK;
}

/* Takes what is on the queue and throws the reports away. */
static void drain(struct kafka_producer *p)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(p->client.queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            p->unreported -= (uint32_t)rd_kafka_event_message_count(event);
        } else {
            client_note(&p->client, event);
        }
        rd_kafka_event_destroy(event);
    }
}

static void close_handle(struct kafka_producer *p)
{
    /* Without this, records that cannot be sent would keep the handle open. */
    rd_kafka_purge(p->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    drain(p);
    handles_release(&p->handles);
    client_close(&p->client);
    p->unreported = 0;
    p->in_transaction = false;
    p->fenced = false;
    p->dead = false;
    p->cause = 0;
}

static void producer_close(struct producer *producer)
{
    struct kafka_producer *p = real(producer);
    close_handle(p);
    free(p->id);
    free(p);
}

void kafka_producer_give_up(struct producer *producer)
{
    atomic_store(&real(producer)->give_up, true);
}

/* --- fencing --------------------------------------------------------------------------------- */

static enum verdict reopen(struct kafka_producer *p, struct error *error)
{
    close_handle(p);
    return client_open(&p->client, p->config, CLIENT_PRODUCER, p->id, p->log, error);
}

/* init_transactions says little about why a broker cannot be reached; the client knows more. */
static enum verdict fence_failed(struct kafka_producer *p, const rd_kafka_error_t *problem,
                                 struct error *error)
{
    enum verdict verdict = kafka_transaction_verdict(CALL_FENCE, problem, id_of(p), error);
    drain(p);
    if (verdict == RETRY && p->client.last_code != 0) {
        error_set(error, RETRY, "transactional id \"%s\" could not be taken: %s", id_of(p),
                  p->client.last);
        error_code(error, rd_kafka_err2name(p->client.last_code));
        error_remedy(error, "Look whether the brokers of kafka: bootstrap.servers (%s) are up.",
                     p->client.servers);
    }
    return verdict;
}

static enum verdict init_transactions(struct kafka_producer *p, int timeout_ms, struct error *error)
{
    int64_t deadline_us = clock_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        int64_t left_ms = (deadline_us - clock_us()) / 1000;
        int slice_ms = left_ms > FENCE_SLICE_MS ? FENCE_SLICE_MS : left_ms > 1 ? (int)left_ms : 1;
        rd_kafka_error_t *problem = rd_kafka_init_transactions(p->client.rk, slice_ms);
        if (problem == NULL) {
            return OK;
        }
        enum verdict verdict = fence_failed(p, problem, error);
        rd_kafka_error_destroy(problem);
        if (verdict != RETRY || left_ms <= slice_ms || atomic_load(&p->give_up)) {
            return verdict;
        }
    }
}

static enum verdict find_topic(struct kafka_producer *p, const char *topic, int timeout_ms,
                               struct error *error);

enum verdict kafka_producer_fence(struct producer *producer, int timeout_ms, struct error *error)
{
    struct kafka_producer *p = real(producer);
    /* A handle takes its id only once, and none after a fatal error. */
    bool used_up = p->fenced || rd_kafka_fatal_error(p->client.rk, NULL, 0) != 0;
    if (used_up) {
        enum verdict verdict = reopen(p, error);
        if (verdict != OK) {
            return verdict;
        }
    }
    if (producer->transactional) {
        enum verdict verdict = init_transactions(p, timeout_ms, error);
        if (verdict != OK) {
            return verdict;
        }
        p->fenced = true;
    }
    p->used_us = boot_us();
    /* Every batch writes there, and the first record to a topic must not wait for its metadata.
     * Where it is missing, the first record says so. */
    if (p->config->checkpoint_topic != NULL) {
        enum verdict known = find_topic(p, p->config->checkpoint_topic, CHECKPOINT_TOPIC_MS, NULL);
        (void)known;
    }
    return OK;
}

/* --- what has happened to the Kafka transaction ---------------------------------------------- */

/* Why the transaction failed. librdkafka has no question for it, but begin_transaction answers with
 * the reason when one has failed, and is refused without any effect while one is open. */
static void learn_cause(struct kafka_producer *p)
{
    if (!p->in_transaction || p->cause != 0) {
        return;
    }
    rd_kafka_error_t *problem = rd_kafka_begin_transaction(p->client.rk);
    check(problem != NULL);
    bool failed = rd_kafka_error_is_fatal(problem) || rd_kafka_error_txn_requires_abort(problem);
    p->cause = failed ? rd_kafka_error_code(problem) : 0;
    rd_kafka_error_destroy(problem);
}

static enum verdict note_death(struct kafka_producer *p, struct error *error)
{
    if (!p->dead) {
        char reason[256];
        rd_kafka_resp_err_t code = rd_kafka_fatal_error(p->client.rk, reason, sizeof(reason));
        rd_kafka_error_t *problem = rd_kafka_error_new(code, "%s", reason);
        enum kafka_call call = CALL_COMMIT; /* the strictest: nothing is assumed */
        p->dead = true;
        kafka_transaction_verdict(call, problem, id_of(p), &p->death);
        if (p->death.verdict != FATAL) {
            p->death.verdict = RESTART;
        }
        error_prefix(&p->death, "the Kafka client has stopped: ");
        rd_kafka_error_destroy(problem);
    }
    if (error != NULL) {
        *error = p->death;
    }
    return p->death.verdict;
}

/* Does the cause of the failed transaction say more than the record's own report? */
static bool cause_explains(const struct kafka_producer *p)
{
    switch (kafka_trouble_of(p->cause)) {
    case TROUBLE_ID_LOST:
    case TROUBLE_TOPIC:
    case TROUBLE_RIGHT:
    case TROUBLE_FOR_GOOD: return p->cause != 0;
    default: return false;
    }
}

static enum verdict explain(struct kafka_producer *p, rd_kafka_resp_err_t code, const char *topic,
                            int32_t partition, enum dead_reason *reason, struct error *error)
{
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        return note_death(p, error);
    }
    enum kafka_trouble trouble = kafka_trouble_of(code);
    if (trouble == TROUBLE_BATCH || trouble == TROUBLE_UNKNOWN) {
        learn_cause(p);
        if (cause_explains(p)) {
            enum verdict verdict = kafka_record_verdict(p->cause, topic, -1, reason, error);
            error_prefix(error, "in this batch, perhaps of another record: ");
            return verdict;
        }
    }
    return kafka_record_verdict(code, topic, partition, reason, error);
}

/* --- producer_ops ---------------------------------------------------------------------------- */

static enum verdict producer_begin(struct producer *producer, struct error *error)
{
    struct kafka_producer *p = real(producer);
    if (p->dead) {
        return note_death(p, error);
    }
    if (!producer->transactional) {
        return OK;
    }
    int64_t now_us = boot_us();
    if (now_us - p->used_us > (int64_t)UNUSED_MAX_S * 1000000) {
        return error_set(error, RESTART,
                         "transactional id \"%s\" was not used for so long that Kafka may have "
                         "forgotten it",
                         id_of(p));
    }
    rd_kafka_error_t *problem = rd_kafka_begin_transaction(p->client.rk);
    if (problem != NULL) {
        enum verdict verdict = kafka_transaction_verdict(CALL_BEGIN, problem, id_of(p), error);
        rd_kafka_error_destroy(problem);
        return verdict;
    }
    p->in_transaction = true;
    p->begun_us = now_us;
    p->cause = 0;
    return OK;
}

static rd_kafka_headers_t *make_headers(const struct record *record)
{
    if (record->n_headers == 0) {
        return NULL;
    }
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->n_headers);
    for (size_t i = 0; i < record->n_headers; i++) {
        struct bytes name = record->headers[i].name;
        struct bytes value = record->headers[i].value;
        rd_kafka_resp_err_t code = rd_kafka_header_add(headers, name.data, (ssize_t)name.len,
                                                       value.data, (ssize_t)value.len);
        check(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    return headers;
}

static rd_kafka_error_t *produce(struct kafka_producer *p, rd_kafka_topic_t *topic,
                                 const struct record *record, void *tag)
{
    rd_kafka_headers_t *headers = make_headers(record);
    int32_t partition = record->partition < 0 ? RD_KAFKA_PARTITION_UA : record->partition;
    rd_kafka_vu_t arguments[8] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = 0}, /* neither copy nor free the value */
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)record->key.data, .size = record->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)record->value.data, .size = record->value.len}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = tag},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *problem =
        rd_kafka_produceva(p->client.rk, arguments, headers == NULL ? 7 : 8);
    if (problem != NULL && headers != NULL) {
        rd_kafka_headers_destroy(headers);
    }
    return problem;
}

static enum verdict producer_send(struct producer *producer, const struct record *record, void *tag,
                                  struct error *error)
{
    struct kafka_producer *p = real(producer);
    struct handle *handle = handles_find(&p->handles, record->topic);
    if (handle == NULL) {
        handle = handles_add(&p->handles, p->client.rk, record->topic);
    }
    rd_kafka_error_t *problem = produce(p, handle->topic, record, tag);
    if (problem == NULL) {
        p->unreported++;
        return OK;
    }
    rd_kafka_resp_err_t code = rd_kafka_error_code(problem);
    rd_kafka_error_destroy(problem);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return AGAIN;
    }
    enum dead_reason unused;
    enum verdict verdict = explain(p, code, record->topic, record->partition, &unused, error);
    handle->seen = handle->seen && verdict != WAIT;
    return verdict;
}

static void hand_out(struct kafka_producer *p, const rd_kafka_message_t *message,
                     report_fn *report_to, void *context)
{
    struct report report = {.tag = message->_private, .verdict = OK};
    struct error error;
    p->unreported--;
    if (message->err != 0) {
        const char *topic = rd_kafka_topic_name(message->rkt);
        report.verdict =
            explain(p, message->err, topic, message->partition, &report.reason, &error);
        report.error = &error;
        struct handle *handle = report.verdict == WAIT ? handles_find(&p->handles, topic) : NULL;
        if (handle != NULL) {
            handle->seen = false;
        }
    }
    report_to(context, &report);
}

static size_t producer_poll(struct producer *producer, int timeout_ms, report_fn *report_to,
                            void *context)
{
    struct kafka_producer *p = real(producer);
    size_t count = 0;
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(p->client.queue, timeout_ms)) != NULL) {
        const rd_kafka_message_t *message;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            while ((message = rd_kafka_event_message_next(event)) != NULL) {
                hand_out(p, message, report_to, context);
                count++;
            }
        } else if (client_note(&p->client, event)) {
            note_death(p, NULL);
        }
        rd_kafka_event_destroy(event);
        timeout_ms = 0;
    }
    return count;
}

/* True: so much time has passed since begin that the coordinator has ended the transaction by
 * itself, or somebody asks to give up. */
static bool too_late(const struct kafka_producer *p, int factor)
{
    int64_t limit_us = (int64_t)p->client.transaction_timeout_ms * factor * 1000;
    return atomic_load(&p->give_up) || boot_us() - p->begun_us > limit_us;
}

static enum verdict no_answer(const struct kafka_producer *p, const char *doing,
                              struct error *error)
{
    error_set(error, RESTART,
              "transactional id \"%s\": Kafka did not say whether it has %s the transaction",
              id_of(p), doing);
    error_remedy(error, "Nothing: walpost reads the checkpoint and continues from there.");
    return RESTART;
}

static void breathe(int64_t since_us)
{
    if (clock_us() - since_us < 5000) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static enum verdict producer_commit(struct producer *producer, struct error *error)
{
    struct kafka_producer *p = real(producer);
    check(p->unreported == 0);
    if (!producer->transactional) {
        return p->dead ? note_death(p, error) : OK;
    }
    for (;;) {
        int64_t since_us = clock_us();
        rd_kafka_error_t *problem = rd_kafka_commit_transaction(p->client.rk, SLICE_MS);
        if (problem == NULL) {
            p->in_transaction = false;
            p->used_us = boot_us();
            return OK;
        }
        enum verdict verdict = kafka_transaction_verdict(CALL_COMMIT, problem, id_of(p), error);
        rd_kafka_error_destroy(problem);
        if (verdict != RETRY) {
            return verdict;
        }
        if (too_late(p, 2)) {
            return no_answer(p, "committed", error);
        }
        breathe(since_us);
    }
}

static enum verdict abort_idempotent(struct kafka_producer *p, struct error *error)
{
    rd_kafka_purge(p->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    drain(p);
    while (p->unreported > 0 && !atomic_load(&p->give_up)) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(p->client.queue, ABORT_SLICE_MS);
        if (event != NULL && rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            p->unreported -= (uint32_t)rd_kafka_event_message_count(event);
        }
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
    }
    if (p->unreported > 0) {
        return error_set(error, RESTART, "the Kafka client did not give its records back");
    }
    return p->dead ? note_death(p, error) : OK;
}

static enum verdict abort_transaction(struct kafka_producer *p, struct error *error)
{
    learn_cause(p);
    if (kafka_trouble_of(p->cause) == TROUBLE_ID_LOST) {
        /* librdkafka would ask for the id again and get it, whoever uses it now. */
        enum dead_reason unused;
        kafka_record_verdict(p->cause, id_of(p), -1, &unused, error);
        return error_set(error, RESTART, "transactional id \"%s\" is lost: %s", id_of(p),
                         error == NULL ? "" : error->what);
    }
    /* The coordinator has ended the transaction by itself; the id may even be forgotten. */
    if (too_late(p, 1)) {
        return no_answer(p, "aborted", error);
    }
    for (;;) {
        int64_t since_us = clock_us();
        rd_kafka_error_t *problem = rd_kafka_abort_transaction(p->client.rk, ABORT_SLICE_MS);
        drain(p);
        if (problem == NULL) {
            check(p->unreported == 0);
            p->in_transaction = false;
            p->used_us = boot_us();
            return OK;
        }
        enum verdict verdict = kafka_transaction_verdict(CALL_ABORT, problem, id_of(p), error);
        rd_kafka_error_destroy(problem);
        if (verdict != RETRY) {
            return verdict;
        }
        if (too_late(p, 2)) {
            return no_answer(p, "aborted", error);
        }
        breathe(since_us);
    }
}

static enum verdict producer_abort(struct producer *producer, struct error *error)
{
    struct kafka_producer *p = real(producer);
    if (!producer->transactional) {
        return abort_idempotent(p, error);
    }
    return p->in_transaction ? abort_transaction(p, error) : OK;
}

/* --- topics ---------------------------------------------------------------------------------- */

static enum verdict find_topic(struct kafka_producer *p, const char *topic, int timeout_ms,
                               struct error *error)
{
    struct handle *handle = handles_find(&p->handles, topic);
    if (handle != NULL && handle->seen) {
        return OK;
    }
    struct topic_state state;
    enum verdict verdict = admin_topic(&p->client, topic, handle == NULL ? NULL : handle->topic,
                                       timeout_ms, &state, error);
    if (verdict == OK && !state.exists) {
        enum dead_reason unused;
        verdict = kafka_record_verdict(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, topic, -1, &unused,
                                       error);
    }
    if (verdict == OK) {
        handles_add(&p->handles, p->client.rk, topic)->seen = true;
    }
    return verdict;
}

static enum verdict producer_topic(struct producer *producer, const char *name, int timeout_ms,
                                   struct error *error)
{
    return find_topic(real(producer), name, timeout_ms, error);
}

static enum verdict producer_create_topic(struct producer *producer, const char *name,
                                          int timeout_ms, struct error *error)
{
    struct kafka_producer *p = real(producer);
    struct topic_spec spec = {
        .name = name,
        .partitions = (int32_t)p->config->topics.partitions,
        .replication_factor = p->config->topics.replication_factor,
    };
    enum verdict verdict = admin_create_topic(&p->client, &spec, timeout_ms, error);
    if (verdict != OK && verdict != RETRY) {
        /* Somebody must change something, and the stream can wait for it. */
        verdict = WAIT;
        if (error != NULL) {
            error->verdict = WAIT;
        }
    }
    return verdict;
}

static const struct producer_ops ops = {
    .begin = producer_begin,
    .send = producer_send,
    .poll = producer_poll,
    .commit = producer_commit,
    .abort = producer_abort,
    .topic = producer_topic,
    .create_topic = producer_create_topic,
    .close = producer_close,
    .give_up = kafka_producer_give_up,
};
