/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/producer_state.h"

#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "kafka/verdicts.h"

enum {
    SLICE_MS = 500,      /* how soon a blocked commit sees that it shall give up */
    ABORT_SLICE_MS = 20, /* an abort waits for reports that only we can take off the queue */
    BREATH_MS = 5,
    /* Kafka forgets an id that was not used for transactional.id.expiration.ms (7 days) and then
     * gives it to anybody, unfenced. Lanes touch their ids daily; a process that slept longer than
     * this must begin anew. */
    UNUSED_MAX_S = 2 * 24 * 60 * 60,
};

/* The client has ended our Kafka transaction without telling us, or the call that told us was lost:
 * what it has now is another one, with nothing in it. Whether ours was committed only the
 * checkpoint can say, so the client may not be used again: a commit of the empty one would look
 * like ours. */
static void lose_transaction(struct kafka_producer *p)
{
    p->dead = true;
    p->lost = true;
    error_set(&p->death, RESTART,
              "transactional id \"%s\": the Kafka client has no transaction any more where one was "
              "open; whether it was committed is not known",
              p->id);
    error_remedy(&p->death, "Nothing: walpost reads the checkpoint and continues from there.");
}

/* Why the transaction failed. librdkafka has no question for it, but begin_transaction answers with
 * the reason when one has failed, and is refused without any effect while one is open. */
void producer_learn_cause(struct kafka_producer *p)
{
    if (!p->in_transaction || p->lost || p->cause != 0) {
        return;
    }
    rd_kafka_error_t *problem = rd_kafka_begin_transaction(p->client.rk);
    if (problem == NULL) {
        lose_transaction(p);
        return;
    }
    bool failed = rd_kafka_error_is_fatal(problem) || rd_kafka_error_txn_requires_abort(problem);
    p->cause = failed ? rd_kafka_error_code(problem) : 0;
    rd_kafka_error_destroy(problem);
}

enum verdict producer_begin(struct producer *producer, struct error *error)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    if (p->dead) {
        return producer_note_death(p, error);
    }
    if (!producer->transactional) {
        return OK;
    }
    if (p->in_transaction) {
        return error_set(
            error, RESTART,
            "transactional id \"%s\": the outcome of its last transaction is not known", p->id);
    }
    int64_t now_us = producer_boot_us();
    if (now_us - p->used_us > (int64_t)UNUSED_MAX_S * 1000000) {
        return error_set(error, RESTART,
                         "transactional id \"%s\" was not used for so long that Kafka may have "
                         "forgotten it",
                         p->id);
    }
    rd_kafka_error_t *problem = rd_kafka_begin_transaction(p->client.rk);
    if (problem != NULL) {
        enum verdict verdict = kafka_transaction_verdict(CALL_BEGIN, problem, p->id, error);
        rd_kafka_error_destroy(problem);
        return verdict;
    }
    p->in_transaction = true;
    p->begun_us = now_us;
    p->cause = 0;
    p->refusal.what[0] = '\0';
    return OK;
}

/* True: so much time has passed since begin that the coordinator has ended the transaction by
 * itself, or somebody asks to give up. */
static bool too_late(const struct kafka_producer *p, int factor)
{
    int64_t limit_us = (int64_t)p->client.transaction_timeout_ms * factor * 1000;
    return producer_gives_up(p) || producer_boot_us() - p->begun_us > limit_us;
}

static enum verdict no_answer(const struct kafka_producer *p, const char *doing,
                              struct error *error)
{
    error_set(error, RESTART,
              "transactional id \"%s\": Kafka did not say whether it has %s the transaction", p->id,
              doing);
    error_remedy(error, "Nothing: walpost reads the checkpoint and continues from there.");
    return RESTART;
}

/* An answer that came at once will not be another one at once. */
static void breathe(int64_t since_us)
{
    if (clock_us() - since_us < BREATH_MS * INT64_C(1000)) {
        clock_wait_ms(BREATH_MS);
    }
}

enum verdict producer_commit(struct producer *producer, struct error *error)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    check(p->unreported == 0);
    if (!producer->transactional || p->lost) {
        return p->dead ? producer_note_death(p, error) : OK;
    }
    for (;;) {
        int64_t since_us = clock_us();
        rd_kafka_error_t *problem = rd_kafka_commit_transaction(p->client.rk, SLICE_MS);
        if (problem == NULL) {
            p->in_transaction = false;
            p->used_us = producer_boot_us();
            return OK;
        }
        enum verdict verdict = kafka_transaction_verdict(CALL_COMMIT, problem, p->id, error);
        rd_kafka_error_destroy(problem);
        if (verdict != RETRY) {
            return verdict;
        }
        producer_drain(p, 0); /* what the client complains of: somebody may ask */
        if (too_late(p, 2)) {
            return no_answer(p, "committed", error);
        }
        breathe(since_us);
    }
}

static enum verdict abort_idempotent(struct kafka_producer *p, struct error *error)
{
    rd_kafka_purge(p->client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    producer_drain(p, 0);
    while (p->unreported > 0 && !producer_gives_up(p)) {
        producer_drain(p, ABORT_SLICE_MS);
    }
    if (p->unreported > 0) {
        return error_set(error, RESTART, "the Kafka client did not give its records back");
    }
    return p->dead ? producer_note_death(p, error) : OK;
}

/* Where the coordinator has refused every partition, it has no transaction that it could abort, and
 * says so; to librdkafka that is the end of the handle. The user should hear what was refused. */
static void say_cause(struct kafka_producer *p, struct error *error)
{
    if (error != NULL && p->refusal.what[0] != '\0') {
        *error = p->refusal;
        error->verdict = RESTART;
    }
}

static enum verdict abort_transaction(struct kafka_producer *p, struct error *error)
{
    producer_learn_cause(p);
    if (p->lost) {
        return producer_note_death(p, error);
    }
    if (kafka_trouble_of(p->cause) == TROUBLE_ID_LOST) {
        /* librdkafka would ask for the id again and get it, whoever uses it now. */
        return kafka_lost_verdict(p->cause, p->id, error);
    }
    /* The coordinator has ended the transaction by itself; the id may even be forgotten. */
    if (too_late(p, 1)) {
        return no_answer(p, "aborted", error);
    }
    for (;;) {
        int64_t since_us = clock_us();
        rd_kafka_error_t *problem = rd_kafka_abort_transaction(p->client.rk, ABORT_SLICE_MS);
        producer_drain(p, 0);
        if (problem == NULL) {
            check(p->unreported == 0);
            p->in_transaction = false;
            p->used_us = producer_boot_us();
            return OK;
        }
        enum verdict verdict = kafka_transaction_verdict(CALL_ABORT, problem, p->id, error);
        rd_kafka_error_destroy(problem);
        if (verdict == RESTART) {
            say_cause(p, error);
        }
        if (verdict != RETRY) {
            return verdict;
        }
        if (too_late(p, 2)) {
            return no_answer(p, "aborted", error);
        }
        breathe(since_us);
    }
}

enum verdict producer_abort(struct producer *producer, struct error *error)
{
    struct kafka_producer *p = kafka_producer_of(producer);
    handles_forget_firsts(&p->handles);
    if (!producer->transactional) {
        return abort_idempotent(p, error);
    }
    return p->in_transaction ? abort_transaction(p, error) : OK;
}
