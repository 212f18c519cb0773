/* SPDX-License-Identifier: Apache-2.0
 *
 * The consequence of every error, in one place. The rules:
 *
 * | trouble      | a record's report | begin   | commit  | abort   | fence  | a request |
 * | passing      | ABORT             | RETRY   | RETRY   | RETRY   | RETRY  | RETRY     |
 * | id lost      | RESTART           | RESTART | RESTART | RESTART | FENCED | RETRY     |
 * | record       | REJECT            | RESTART | RESTART | RESTART | -      | RETRY     |
 * | batch        | ABORT             | RESTART | (1)     | RESTART | RETRY  | RETRY     |
 * | topic, right | WAIT              | RESTART | RESTART | RESTART | WAIT   | WAIT      |
 * | login        | ABORT             | RESTART | RESTART | RESTART | RETRY  | FATAL     |
 * | setting      | FATAL             | FATAL   | RESTART | RESTART | INVALID| INVALID   |
 * | for good     | FATAL             | FATAL   | FATAL   | FATAL   | FATAL  | FATAL     |
 * | unknown      | ABORT             | RESTART | RESTART | RESTART | RETRY  | RETRY     |
 *
 * RETRY of begin, commit and abort needs the client's own word that the call may be repeated: then
 * it goes on where it was and repeats nothing. Without that word they are RESTART.
 * (1) ABORT only for _INCONSISTENT: the client counted failed records and has sent no commit. Every
 *     other error may come after a first commit request whose answer was lost.
 * An error that the client calls fatal says that this client is at its end: a new one, and a look
 * at the checkpoint, repair it (RESTART); for the fence, which already is a new one, it is FATAL.
 * An unknown error of a transaction is RESTART and not FATAL: beginning again at the slot assumes
 * nothing and loses nothing, and is as visible. An unknown error of a record is ABORT and not
 * REJECT: a dead letter is for ever, a replay is not. */
#include "kafka/verdicts.h"

#include <stddef.h>

struct meaning {
    rd_kafka_resp_err_t code;
    enum kafka_trouble trouble;
    const char *words;
    const char *remedy;
};

#define NEWER_LEADS                                                                            \
    "Nothing, when another walpost took over this stream; otherwise look whether two streams " \
    "have the same name."
#define ID_FORGOTTEN "Nothing: walpost takes the id again and continues from the checkpoint."
#define TOPIC_RIGHT  "Grant READ, WRITE and DESCRIBE on the topic to walpost's user."
#define LOGIN                                                                                      \
    "Do security.protocol, sasl.* and ssl.* below kafka: fit the listener that bootstrap.servers " \
    "names?"
#define NOT_REACHED                                                                 \
    "Is a broker running there, does kafka: bootstrap.servers name it rightly and " \
    "security.protocol fit its listener, and does it answer with addresses "        \
    "(advertised.listeners) that can be reached from here?"

#define E(name) RD_KAFKA_RESP_ERR_##name

static const struct meaning meanings[] = {
    /* transactional ids */
    {E(_FENCED), TROUBLE_ID_LOST, "a newer producer has taken the transactional id", NEWER_LEADS},
    {E(PRODUCER_FENCED), TROUBLE_ID_LOST, "a newer producer has taken the transactional id",
     NEWER_LEADS},
    {E(INVALID_PRODUCER_EPOCH), TROUBLE_ID_LOST,
     "a newer producer has taken the transactional id, or the Kafka transaction took too long",
     NEWER_LEADS},
    {E(INVALID_PRODUCER_ID_MAPPING), TROUBLE_ID_LOST, "Kafka has forgotten the transactional id",
     ID_FORGOTTEN},
    {E(UNKNOWN_PRODUCER_ID), TROUBLE_ID_LOST, "Kafka has forgotten the transactional id",
     ID_FORGOTTEN},
    {E(INVALID_TXN_STATE), TROUBLE_ID_LOST,
     "Kafka has no open transaction of this id (it ends those that take too long)",
     "If this repeats, raise kafka: transaction.timeout.ms or lower batch: max_events."},
    {E(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), TROUBLE_RIGHT,
     "walpost may not use its transactional id",
     "Grant WRITE and DESCRIBE on the transactional ids that begin with walpost.<stream>. to "
     "walpost's user."},
    {E(INVALID_TRANSACTION_TIMEOUT), TROUBLE_SETTING,
     "transaction.timeout.ms is larger than the brokers allow",
     "Set kafka: transaction.timeout.ms to at most the brokers' transaction.max.timeout.ms."},

    /* records */
    {E(MSG_SIZE_TOO_LARGE), TROUBLE_RECORD, "the record is larger than may be sent",
     "Raise the topic's max.message.bytes and kafka: message.max.bytes, or write smaller events."},
    {E(RECORD_LIST_TOO_LARGE), TROUBLE_RECORD, "the record is larger than may be sent",
     "Raise the topic's segment.bytes, or write smaller events."},
    {E(INVALID_MSG_SIZE), TROUBLE_RECORD, "the record is larger than may be sent", ""},
    {E(INVALID_TIMESTAMP), TROUBLE_RECORD, "the record's timestamp is too far from now",
     "Look at route: timestamp and at the topic's message.timestamp.before.max.ms and "
     "message.timestamp.after.max.ms."},
    {E(INVALID_RECORD), TROUBLE_RECORD, "the topic does not take this record",
     "A compacted topic needs keys, and a broker may check records; see the broker's log."},
    {E(POLICY_VIOLATION), TROUBLE_RECORD, "the broker's policy forbids it",
     "See the broker's log for the policy."},
    {E(_BAD_MSG), TROUBLE_RECORD, "the record cannot be written", ""},

    /* batches */
    {E(_MSG_TIMED_OUT), TROUBLE_BATCH, "no broker acknowledged the record in time",
     "Look whether the brokers are up and have enough in-sync replicas (min.insync.replicas)."},
    {E(_STATE), TROUBLE_BATCH, "the Kafka transaction has failed already", ""},
    {E(_PURGE_QUEUE), TROUBLE_BATCH, "the record was given up with its batch", ""},
    {E(_PURGE_INFLIGHT), TROUBLE_BATCH, "the record was given up with its batch", ""},
    {E(_INCONSISTENT), TROUBLE_BATCH, "a record of the batch was not delivered", ""},
    {E(OUT_OF_ORDER_SEQUENCE_NUMBER), TROUBLE_BATCH, "a record before this one was not delivered",
     ""},
    {E(DUPLICATE_SEQUENCE_NUMBER), TROUBLE_BATCH, "the broker took the record for a repetition",
     ""},

    /* topics and rights */
    {E(TOPIC_AUTHORIZATION_FAILED), TROUBLE_TOPIC, "walpost has no right on the topic",
     TOPIC_RIGHT},
    {E(UNKNOWN_TOPIC_OR_PART), TROUBLE_TOPIC, "the topic does not exist",
     "Create the topic, or set topics: create: true and run walpost init."},
    {E(_UNKNOWN_TOPIC), TROUBLE_TOPIC, "the topic does not exist",
     "Create the topic, or set topics: create: true and run walpost init."},
    {E(_UNKNOWN_PARTITION), TROUBLE_TOPIC, "the topic has no such partition",
     "Add partitions to the topic."},
    {E(CLUSTER_AUTHORIZATION_FAILED), TROUBLE_RIGHT, "walpost has no right on the cluster",
     "Grant IDEMPOTENT_WRITE and DESCRIBE on the cluster to walpost's user."},
    {E(GROUP_AUTHORIZATION_FAILED), TROUBLE_RIGHT, "walpost has no right on the group",
     "Grant READ on the group to walpost's user."},

    /* connections */
    {E(_AUTHENTICATION), TROUBLE_LOGIN, "the broker did not accept the login", LOGIN},
    {E(SASL_AUTHENTICATION_FAILED), TROUBLE_LOGIN, "the broker did not accept the login", LOGIN},
    {E(UNSUPPORTED_SASL_MECHANISM), TROUBLE_LOGIN, "the broker does not know the SASL mechanism",
     LOGIN},
    {E(ILLEGAL_SASL_STATE), TROUBLE_LOGIN, "the broker did not accept the login", LOGIN},
    {E(_SSL), TROUBLE_PASSING, "the TLS connection could not be made", LOGIN},
    {E(_RESOLVE), TROUBLE_PASSING, "the broker's host name could not be resolved",
     "Check the host names in kafka: bootstrap.servers, and the name resolution of this machine."},
    {E(_TRANSPORT), TROUBLE_PASSING, "there is no connection to a broker", NOT_REACHED},
    {E(_ALL_BROKERS_DOWN), TROUBLE_PASSING, "there is no connection to any broker", NOT_REACHED},
    {E(_TIMED_OUT), TROUBLE_PASSING, "no answer came in time", NOT_REACHED},
    {E(_TIMED_OUT_QUEUE), TROUBLE_PASSING, "no answer came in time", ""},
    {E(REQUEST_TIMED_OUT), TROUBLE_PASSING, "the brokers did not agree in time", ""},
    {E(_WAIT_COORD), TROUBLE_PASSING, "the coordinator is not known yet", ""},
    {E(COORDINATOR_LOAD_IN_PROGRESS), TROUBLE_PASSING, "the coordinator is still starting", ""},
    {E(COORDINATOR_NOT_AVAILABLE), TROUBLE_PASSING, "the coordinator is not available",
     "If this lasts, look whether __transaction_state has enough replicas."},
    {E(NOT_COORDINATOR), TROUBLE_PASSING, "the coordinator has moved", ""},
    {E(CONCURRENT_TRANSACTIONS), TROUBLE_PASSING,
     "Kafka still completes an earlier transaction of the id", ""},
    {E(LEADER_NOT_AVAILABLE), TROUBLE_PASSING, "a partition has no leader", ""},
    {E(NOT_LEADER_FOR_PARTITION), TROUBLE_PASSING, "a partition's leader has moved", ""},
    {E(NOT_CONTROLLER), TROUBLE_PASSING, "the controller has moved", ""},
    {E(NOT_ENOUGH_REPLICAS), TROUBLE_PASSING, "too few replicas are in sync",
     "Bring the brokers back, or lower the topic's min.insync.replicas."},
    {E(KAFKA_STORAGE_ERROR), TROUBLE_PASSING, "the broker has a disk error", ""},

    /* settings and versions */
    {E(INVALID_REPLICATION_FACTOR), TROUBLE_SETTING, "there are too few brokers for the replicas",
     "Lower topics: replication_factor or checkpoint: replication_factor."},
    {E(INVALID_PARTITIONS), TROUBLE_SETTING, "the number of partitions is not possible", ""},
    {E(INVALID_CONFIG), TROUBLE_SETTING, "the broker does not take a setting", ""},
    {E(TOPIC_EXCEPTION), TROUBLE_TOPIC, "the topic's name is not valid",
     "Topic names have 1 to 249 characters of [a-zA-Z0-9._-]."},
    {E(_UNSUPPORTED_FEATURE), TROUBLE_FOR_GOOD, "the brokers are too old",
     "Use brokers of Kafka 2.5 or newer."},
    {E(UNSUPPORTED_VERSION), TROUBLE_FOR_GOOD, "the brokers are too old",
     "Use brokers of Kafka 2.5 or newer."},
};

static const struct meaning *meaning_of(rd_kafka_resp_err_t code)
{
    static const struct meaning unknown = {0, TROUBLE_UNKNOWN, NULL, ""};
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
        if (meanings[i].code == code) {
            return &meanings[i];
        }
    }
    return &unknown;
}

static const char *words_of(const struct meaning *meaning, rd_kafka_resp_err_t code)
{
    return meaning->words != NULL ? meaning->words : rd_kafka_err2str(code);
}

/* Completes an error whose what is set. */
static void finish(const struct meaning *meaning, rd_kafka_resp_err_t code, struct error *error)
{
    error_code(error, rd_kafka_err2name(code));
    error_remedy(error, "%s", meaning->remedy);
}

enum kafka_trouble kafka_trouble_of(rd_kafka_resp_err_t code)
{
    return meaning_of(code)->trouble;
}

static enum verdict fence_verdict(enum kafka_trouble trouble, bool fatal)
{
    switch (trouble) {
    case TROUBLE_ID_LOST: return FENCED;
    case TROUBLE_TOPIC:
    case TROUBLE_RIGHT: return WAIT;
    case TROUBLE_SETTING: return INVALID;
    case TROUBLE_FOR_GOOD: return FATAL;
    case TROUBLE_PASSING:
    case TROUBLE_RECORD:
    case TROUBLE_BATCH:
    case TROUBLE_LOGIN:
    case TROUBLE_UNKNOWN: break;
    }
    return fatal ? FATAL : RETRY;
}

enum verdict kafka_call_verdict(enum kafka_call call, rd_kafka_resp_err_t code, bool fatal,
                                bool retriable)
{
    enum kafka_trouble trouble = kafka_trouble_of(code);
    if (call == CALL_FENCE) {
        return fence_verdict(trouble, fatal);
    }
    if (trouble == TROUBLE_FOR_GOOD) {
        return FATAL;
    }
    if (trouble == TROUBLE_ID_LOST || fatal) {
        return RESTART;
    }
    if (retriable) {
        return RETRY;
    }
    if (trouble == TROUBLE_SETTING && call == CALL_BEGIN) {
        return FATAL;
    }
    if (code == RD_KAFKA_RESP_ERR__INCONSISTENT && call == CALL_COMMIT) {
        return ABORT;
    }
    return RESTART;
}

enum verdict kafka_transaction_verdict(enum kafka_call call, const rd_kafka_error_t *problem,
                                       const char *id, struct error *error)
{
    static const char *const failed[] = {
        [CALL_FENCE] = "could not be taken",
        [CALL_BEGIN] = "could not begin a Kafka transaction",
        [CALL_COMMIT] = "could not commit its Kafka transaction",
        [CALL_ABORT] = "could not abort its Kafka transaction",
    };
    rd_kafka_resp_err_t code = rd_kafka_error_code(problem);
    const struct meaning *meaning = meaning_of(code);
    const char *words = meaning->words != NULL ? meaning->words : rd_kafka_error_string(problem);
    enum verdict verdict = kafka_call_verdict(call, code, rd_kafka_error_is_fatal(problem) == 1,
                                              rd_kafka_error_is_retriable(problem) == 1);
    error_set(error, verdict, "transactional id \"%s\" %s: %s", id, failed[call], words);
    finish(meaning, code, error);
    return verdict;
}

enum verdict kafka_lost_verdict(rd_kafka_resp_err_t code, const char *id, struct error *error)
{
    const struct meaning *meaning = meaning_of(code);
    enum verdict verdict = meaning->trouble == TROUBLE_FOR_GOOD ? FATAL : RESTART;
    if (id == NULL) {
        error_set(error, verdict, "the producer has stopped: %s", words_of(meaning, code));
    } else {
        error_set(error, verdict, "transactional id \"%s\" is lost: %s", id,
                  words_of(meaning, code));
    }
    finish(meaning, code, error);
    return verdict;
}

static enum verdict record_verdict(enum kafka_trouble trouble)
{
    switch (trouble) {
    case TROUBLE_RECORD: return REJECT;
    case TROUBLE_ID_LOST: return RESTART;
    case TROUBLE_TOPIC:
    case TROUBLE_RIGHT: return WAIT;
    case TROUBLE_SETTING:
    case TROUBLE_FOR_GOOD: return FATAL;
    case TROUBLE_PASSING:
    case TROUBLE_BATCH:
    case TROUBLE_LOGIN:
    case TROUBLE_UNKNOWN: break;
    }
    return ABORT;
}

static bool is_size(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE;
}

enum verdict kafka_record_verdict(rd_kafka_resp_err_t code, const char *topic, int32_t partition,
                                  enum dead_reason *reason, struct error *error)
{
    const struct meaning *meaning = meaning_of(code);
    enum verdict verdict = record_verdict(meaning->trouble);
    if (verdict == REJECT) {
        *reason = is_size(code) ? DEAD_RECORD_TOO_LARGE : DEAD_PROCESSING_FAILED;
    }
    if (partition < 0) {
        error_set(error, verdict, "topic \"%s\": %s", topic, words_of(meaning, code));
    } else {
        error_set(error, verdict, "topic \"%s\", partition %d: %s", topic, (int)partition,
                  words_of(meaning, code));
    }
    finish(meaning, code, error);
    return verdict;
}

enum verdict kafka_request_verdict(rd_kafka_resp_err_t code, const char *doing, const char *servers,
                                   const char *last, struct error *error)
{
    const struct meaning *meaning = meaning_of(code);
    enum verdict verdict = RETRY;
    switch (meaning->trouble) {
    case TROUBLE_TOPIC:
    case TROUBLE_RIGHT: verdict = WAIT; break;
    case TROUBLE_LOGIN:
    case TROUBLE_FOR_GOOD: verdict = FATAL; break;
    case TROUBLE_SETTING: verdict = INVALID; break;
    case TROUBLE_UNKNOWN:
    case TROUBLE_PASSING:
    case TROUBLE_ID_LOST:
    case TROUBLE_RECORD:
    case TROUBLE_BATCH: break;
    }
    if (code == RD_KAFKA_RESP_ERR__BAD_MSG) { /* here it is no record */
        error_set(error, verdict,
                  "Kafka at %s could not be asked to %s: what answers there is no "
                  "broker, or one that wants TLS",
                  servers, doing);
        error_code(error, rd_kafka_err2name(code));
        return error_remedy(error, LOGIN);
    }
    bool reached = code != RD_KAFKA_RESP_ERR__TRANSPORT && code != RD_KAFKA_RESP_ERR__RESOLVE &&
                   code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (reached) {
        error_set(error, verdict, "Kafka at %s could not be asked to %s: %s%s%s%s", servers, doing,
                  words_of(meaning, code), *last != '\0' ? " (" : "", last,
                  *last != '\0' ? ")" : "");
    } else {
        error_set(error, verdict, "Kafka at %s cannot be reached: %s%s%s%s", servers,
                  words_of(meaning, code), *last != '\0' ? " (" : "", last,
                  *last != '\0' ? ")" : "");
    }
    finish(meaning, code, error);
    return verdict;
}
