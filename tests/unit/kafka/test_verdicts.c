/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "kafka/verdicts.h"

#define E(name) RD_KAFKA_RESP_ERR_##name

static const rd_kafka_resp_err_t lost[] = {
    E(_FENCED),
    E(PRODUCER_FENCED),
    E(INVALID_PRODUCER_EPOCH),
    E(INVALID_PRODUCER_ID_MAPPING),
    E(UNKNOWN_PRODUCER_ID),
    E(INVALID_TXN_STATE),
};

Test(verdicts, I3_a_lost_id_is_never_aborted_and_replayed)
{
    for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
        for (int flags = 0; flags < 4; flags++) {
            bool fatal = (flags & 1) != 0;
            bool retriable = (flags & 2) != 0;
            cr_expect_eq(kafka_call_verdict(CALL_BEGIN, lost[i], fatal, retriable), RESTART);
            cr_expect_eq(kafka_call_verdict(CALL_COMMIT, lost[i], fatal, retriable), RESTART);
            cr_expect_eq(kafka_call_verdict(CALL_ABORT, lost[i], fatal, retriable), RESTART);
        }
        enum dead_reason reason;
        struct error error;
        cr_expect_eq(kafka_record_verdict(lost[i], "t", 0, &reason, &error), RESTART, "%s",
                     rd_kafka_err2name(lost[i]));
        cr_expect_eq(kafka_lost_verdict(lost[i], "id", &error), RESTART);
    }
}

Test(verdicts, I11_a_fence_that_is_fenced_says_so)
{
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(_FENCED), true, false), FENCED);
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(PRODUCER_FENCED), true, false), FENCED);
}

Test(verdicts, I3_a_commit_is_aborted_only_when_the_client_has_not_sent_it)
{
    static const rd_kafka_resp_err_t codes[] = {
        E(UNKNOWN),           E(_TIMED_OUT),
        E(_TRANSPORT),        E(_STATE),
        E(_MSG_TIMED_OUT),    E(OUT_OF_ORDER_SEQUENCE_NUMBER),
        E(_PURGE_QUEUE),      E(TOPIC_AUTHORIZATION_FAILED),
        E(INVALID_REQUEST),   E(CLUSTER_AUTHORIZATION_FAILED),
        E(INVALID_TIMESTAMP),
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        cr_expect_eq(kafka_call_verdict(CALL_COMMIT, codes[i], false, false), RESTART, "%s",
                     rd_kafka_err2name(codes[i]));
        cr_expect_eq(kafka_call_verdict(CALL_COMMIT, codes[i], true, false), RESTART, "%s",
                     rd_kafka_err2name(codes[i]));
    }
    cr_expect_eq(kafka_call_verdict(CALL_COMMIT, E(_INCONSISTENT), false, false), ABORT);
}

Test(verdicts, only_the_client_says_that_a_call_may_go_on)
{
    cr_expect_eq(kafka_call_verdict(CALL_COMMIT, E(_TIMED_OUT), false, true), RETRY);
    cr_expect_eq(kafka_call_verdict(CALL_ABORT, E(_TIMED_OUT), false, true), RETRY);
    cr_expect_eq(kafka_call_verdict(CALL_BEGIN, E(_CONFLICT), false, true), RETRY);
    cr_expect_eq(kafka_call_verdict(CALL_ABORT, E(_TIMED_OUT), false, false), RESTART);
    cr_expect_eq(kafka_call_verdict(CALL_COMMIT, E(_TIMED_OUT), true, true), RESTART,
                 "a fatal error ends the client");
}

Test(verdicts, an_unknown_error_of_a_transaction_is_a_new_beginning)
{
    rd_kafka_resp_err_t code = (rd_kafka_resp_err_t)9999;
    cr_expect_eq(kafka_call_verdict(CALL_BEGIN, code, false, false), RESTART);
    cr_expect_eq(kafka_call_verdict(CALL_COMMIT, code, false, false), RESTART);
    cr_expect_eq(kafka_call_verdict(CALL_ABORT, code, false, false), RESTART);
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, code, false, false), RETRY);
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, code, true, false), FATAL);
}

Test(verdicts, what_no_new_client_can_help_is_fatal)
{
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(_UNSUPPORTED_FEATURE), true, false), FATAL);
    cr_expect_eq(kafka_call_verdict(CALL_BEGIN, E(_UNSUPPORTED_FEATURE), true, false), FATAL);
    cr_expect_eq(kafka_call_verdict(CALL_COMMIT, E(_UNSUPPORTED_FEATURE), true, false), FATAL);
}

Test(verdicts, a_fence_waits_for_rights_and_refuses_settings)
{
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), true, 0),
                 WAIT);
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(CLUSTER_AUTHORIZATION_FAILED), true, 0), WAIT);
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(INVALID_TRANSACTION_TIMEOUT), true, 0), INVALID);
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(_TIMED_OUT), false, true), RETRY);
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(COORDINATOR_NOT_AVAILABLE), false, true), RETRY);
    cr_expect_eq(kafka_call_verdict(CALL_FENCE, E(CONCURRENT_TRANSACTIONS), false, true), RETRY);
}

struct expected {
    rd_kafka_resp_err_t code;
    enum verdict verdict;
    enum dead_reason reason;
};

Test(verdicts, every_report_that_the_design_names)
{
    static const struct expected table[] = {
        {E(_MSG_TIMED_OUT), ABORT, DEAD_NOT},
        {E(_PURGE_QUEUE), ABORT, DEAD_NOT},
        {E(_PURGE_INFLIGHT), ABORT, DEAD_NOT},
        {E(OUT_OF_ORDER_SEQUENCE_NUMBER), ABORT, DEAD_NOT},
        {E(NOT_ENOUGH_REPLICAS), ABORT, DEAD_NOT},
        {E(_TRANSPORT), ABORT, DEAD_NOT},
        {E(UNKNOWN), ABORT, DEAD_NOT},
        {E(MSG_SIZE_TOO_LARGE), REJECT, DEAD_RECORD_TOO_LARGE},
        {E(RECORD_LIST_TOO_LARGE), REJECT, DEAD_RECORD_TOO_LARGE},
        {E(INVALID_TIMESTAMP), REJECT, DEAD_PROCESSING_FAILED},
        {E(INVALID_RECORD), REJECT, DEAD_PROCESSING_FAILED},
        {E(TOPIC_AUTHORIZATION_FAILED), WAIT, DEAD_NOT},
        {E(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), WAIT, DEAD_NOT},
        {E(CLUSTER_AUTHORIZATION_FAILED), WAIT, DEAD_NOT},
        {E(UNKNOWN_TOPIC_OR_PART), WAIT, DEAD_NOT},
        {E(_UNKNOWN_TOPIC), WAIT, DEAD_NOT},
        {E(_UNKNOWN_PARTITION), WAIT, DEAD_NOT},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        enum dead_reason reason = DEAD_NOT;
        struct error error;
        enum verdict verdict =
            kafka_record_verdict(table[i].code, "outbox.event.Order", 3, &reason, &error);
        cr_expect_eq(verdict, table[i].verdict, "%s", rd_kafka_err2name(table[i].code));
        cr_expect_eq(reason, table[i].reason, "%s", rd_kafka_err2name(table[i].code));
        cr_expect_eq(error.verdict, verdict);
        cr_expect_eq(strncmp(error.code, rd_kafka_err2name(table[i].code), 31), 0, "%s",
                     error.code);
        cr_expect_not_null(strstr(error.what, "\"outbox.event.Order\", partition 3"), "%s",
                           error.what);
    }
}

Test(verdicts, questions_wait_for_rights_and_stop_at_logins)
{
    struct error error;
    cr_expect_eq(kafka_request_verdict(E(_TIMED_OUT), "name its brokers", "b:9092", "", &error),
                 RETRY);
    cr_expect_str_eq(error.what,
                     "Kafka at b:9092 could not be asked to name its brokers: no answer came in "
                     "time");
    cr_expect_eq(
        kafka_request_verdict(E(_AUTHENTICATION), "name its brokers", "b:9092", "", &error), FATAL);
    cr_expect_eq(kafka_request_verdict(E(CLUSTER_AUTHORIZATION_FAILED), "x", "b", "", &error),
                 WAIT);
    cr_expect_eq(kafka_request_verdict(E(_RESOLVE), "x", "b", "", &error), RETRY);
    cr_expect_eq(kafka_request_verdict(E(_SSL), "x", "b", "", &error), RETRY);
    cr_expect_eq(kafka_request_verdict(E(INVALID_CONFIG), "x", "b", "", &error), INVALID);
    cr_expect_eq(kafka_request_verdict(E(_TRANSPORT), "x", "b", "refused", &error), RETRY);
    cr_expect_not_null(strstr(error.what, "refused"));
}

Test(verdicts, an_error_object_is_optional)
{
    enum dead_reason reason;
    cr_expect_eq(kafka_record_verdict(E(_MSG_TIMED_OUT), "t", -1, &reason, NULL), ABORT);
    cr_expect_eq(kafka_lost_verdict(E(_FENCED), NULL, NULL), RESTART);
    cr_expect_eq(kafka_request_verdict(E(_TIMED_OUT), "x", "b", "", NULL), RETRY);
    rd_kafka_error_t *problem = rd_kafka_error_new(E(_FENCED), "fenced");
    cr_expect_eq(kafka_transaction_verdict(CALL_COMMIT, problem, "id", NULL), RESTART);
    rd_kafka_error_destroy(problem);
}
