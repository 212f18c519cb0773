/* SPDX-License-Identifier: Apache-2.0
 *
 * verdicts.h - what an error of the Kafka client means for walpost: the whole translation.
 * In: librdkafka's codes and error objects. Out: a verdict, words and a remedy for the user.
 * Owns: nothing.
 * Thread: any.
 * Keeps: I3: a commit whose outcome is not certain is RESTART, never ABORT; an id that Kafka has
 *        forgotten is RESTART, never an abort and a replay. */
#ifndef WALPOST_KAFKA_VERDICTS_H
#define WALPOST_KAFKA_VERDICTS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "base/error.h"
#include "outbox/event.h"

/* What a code says about the world, whoever asks. */
enum kafka_trouble {
    TROUBLE_UNKNOWN = 0,
    TROUBLE_PASSING,  /* a network or a broker that will be back */
    TROUBLE_ID_LOST,  /* fenced, or forgotten by Kafka: the transactional id is not ours any more */
    TROUBLE_RECORD,   /* this record can never be accepted */
    TROUBLE_BATCH,    /* the transaction is spoilt, the id is not */
    TROUBLE_TOPIC,    /* a topic or a right on it is missing */
    TROUBLE_RIGHT,    /* a right on the cluster, the group or the transactional id is missing */
    TROUBLE_LOGIN,    /* who we are, or who they are, was not accepted */
    TROUBLE_SETTING,  /* a setting that the broker does not take */
    TROUBLE_FOR_GOOD, /* no new client can help: the brokers are too old, for example */
};
enum kafka_trouble kafka_trouble_of(rd_kafka_resp_err_t code);

enum kafka_call { CALL_FENCE, CALL_BEGIN, CALL_COMMIT, CALL_ABORT };

/* The rule by itself: fatal and retriable are the client's own words about the error. */
enum verdict kafka_call_verdict(enum kafka_call call, rd_kafka_resp_err_t code, bool fatal,
                                bool retriable);

/* An error of the transactional API. RETRY: the same call again (for commit and abort: it goes on
 * where it was). id is named in the words. */
enum verdict kafka_transaction_verdict(enum kafka_call call, const rd_kafka_error_t *problem,
                                       const char *id, struct error *error);

/* The id is lost, or the client has stopped for good: RESTART, or FATAL where no new client can
 * help. id NULL: a producer without transactions. */
enum verdict kafka_lost_verdict(rd_kafka_resp_err_t code, const char *id, struct error *error);

/* The failed delivery report of a record, or send's refusal; *reason is written with REJECT. */
enum verdict kafka_record_verdict(rd_kafka_resp_err_t code, const char *topic, int32_t partition,
                                  enum dead_reason *reason, struct error *error);

/* A question about the cluster that failed: metadata, an admin request, a fetch. `doing` completes
 * "Kafka could not be asked to ...", `last` is the client's last own complaint or empty. */
enum verdict kafka_request_verdict(rd_kafka_resp_err_t code, const char *doing, const char *servers,
                                   const char *last, struct error *error);

#endif
