/* SPDX-License-Identifier: Apache-2.0
 *
 * What a user reads about a registry, and what the program does about it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "registry/registry.h"
#include "registry/trouble.h"

static const struct {
    long status, error_code;
    const char *message;
    bool logged_in;
    enum verdict verdict;
    const char *what;
    const char *remedy;
} refusals[] = {
    {401, 40101, "who?", false, WAIT,
     "the schema registry at http://r asks for a user or token (401): who?",
     "Set contracts.registry.auth.username and contracts.registry.auth.password, or "
     "contracts.registry.auth.token."},
    {401, 0, NULL, true, WAIT,
     "the schema registry at http://r does not accept the user or token "
     "(401)",
     "Check contracts.registry.auth."},
    {403, 0, NULL, true, WAIT, "the schema registry at http://r does not allow this (403)",
     "Give walpost's user the right to it in the registry."},
    {404, 40401, "No", false, WAIT, "the schema registry at http://r has no subject \"s\"",
     "Run `walpost schema register`, or check contracts.registry.subject."},
    {404, 40402, "No", false, WAIT,
     "the schema registry at http://r has no such version of subject \"s\"",
     "Run `walpost schema register`."},
    {404, 40403, "No", false, WAIT,
     "the schema registry at http://r does not have this schema under subject \"s\"",
     "Run `walpost schema register`."},
    {404, 0, NULL, false, WAIT, "there is no schema registry under the path of http://r (404)",
     "Check contracts.registry.url: some have the API under a path, for example /apis/ccompat/v7."},
    {405, 0, NULL, false, WAIT, "there is no schema registry under the path of http://r (405)",
     "Check contracts.registry.url: some have the API under a path, for example /apis/ccompat/v7."},
    {409, 409, "field 3\n  changed", false, FATAL,
     "the schema registry refuses this schema for subject \"s\" as incompatible: field 3 changed",
     "Change the schema so that it is compatible with the versions before, or release it as a new "
     "event type."},
    {422, 42201, "Invalid", false, FATAL,
     "the schema registry at http://r does not accept this schema (422): Invalid",
     "Does it support Protobuf? Is every file that the schema imports registered?"},
    {422, 42203, "Invalid", false, INVALID,
     "the schema registry at http://r does not know this compatibility: Invalid",
     "There are BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE "
     "and NONE."},
    {429, 0, NULL, false, RETRY, "the schema registry at http://r is overloaded (429)",
     "It is asked again after a pause."},
    {500, 50001, "store", false, RETRY, "the schema registry at http://r failed (500): store",
     "Look into its log."},
    {503, 0, NULL, false, RETRY, "the schema registry at http://r failed (503)",
     "Look into its log."},
    {302, 0, NULL, false, WAIT, "http://r sends its callers to another address (302)",
     "Write the final address into contracts.registry.url: redirects are not followed."},
    {400, 0, NULL, false, WAIT, "the schema registry at http://r refuses the request (400)",
     "Is it a registry with Confluent's REST API? Look into its log."},
};

Test(trouble, every_refusal_has_its_verdict_and_words)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct error error;
        struct refusal refusal = {
            "http://r", refusals[i].status,   refusals[i].error_code, refusals[i].message,
            "s",        refusals[i].logged_in};
        cr_expect_eq(refusal_say(&refusal, &error), refusals[i].verdict, "%s", error.what);
        cr_expect_eq(error.verdict, refusals[i].verdict);
        cr_expect_str_eq(error.what, refusals[i].what);
        cr_expect_str_eq(error.remedy, refusals[i].remedy);
    }
}

Test(trouble, only_404_with_a_code_of_the_api_means_missing)
{
    struct error error;
    struct refusal missing = {"http://r", 404, 40403, NULL, "s", false};
    (void)refusal_say(&missing, &error);
    cr_expect(registry_is_missing(&error));
    struct refusal elsewhere = {"http://r", 404, 0, NULL, "s", false};
    (void)refusal_say(&elsewhere, &error);
    cr_expect_not(registry_is_missing(&error));
    struct refusal forbidden = {"http://r", 403, 40301, NULL, "s", false};
    (void)refusal_say(&forbidden, &error);
    cr_expect_not(registry_is_missing(&error));
}

static const struct {
    struct trouble_details details;
    enum verdict verdict;
    const char *what;
} troubles[] = {
    {{TROUBLE_CONNECT, "http://r", ECONNREFUSED, "", 5000, ""},
     RETRY,
     "the schema registry at http://r cannot be reached: Connection refused"},
    {{TROUBLE_NO_CONNECTION, "http://r", 0, "", 5000, ""},
     RETRY,
     "the schema registry at http://r cannot be reached: no connection within 5 s"},
    {{TROUBLE_NO_ANSWER, "http://r", 0, "", 250, ""},
     RETRY,
     "the schema registry at http://r did not answer within 0.25 s"},
    {{TROUBLE_CUT_OFF, "http://r", 0, "", 5000, ""},
     RETRY,
     "the schema registry at http://r closed the connection before its answer ended"},
    {{TROUBLE_UNTRUSTED, "https://r", 0, "SSL certificate problem: self-signed certificate", 1, ""},
     WAIT,
     "the certificate of the schema registry at https://r is not trusted: self-signed certificate"},
    {{TROUBLE_UNTRUSTED, "https://r", 0,
      "SSL: no alternative certificate subject name matches target host name 'r'", 1, ""},
     WAIT,
     "the certificate of the schema registry at https://r is for another host"},
    {{TROUBLE_TOO_LARGE, "http://r", 0, "", 1, ""},
     WAIT,
     "the answer of http://r is larger than any of a schema registry"},
};

Test(trouble, what_never_answered)
{
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
        struct error error;
        cr_expect_eq(trouble_say(&troubles[i].details, &error), troubles[i].verdict, "%zu", i);
        cr_expect_str_eq(error.what, troubles[i].what);
        cr_expect_neq(error.remedy[0], '\0', "%s", error.what);
    }
    for (int trouble = TROUBLE_RESOLVE; trouble <= TROUBLE_TOO_LARGE; trouble++) {
        struct error error;
        struct trouble_details details = {(enum trouble)trouble, "http://r", 0, "", 1, "ca.pem"};
        enum verdict verdict = trouble_say(&details, &error);
        cr_expect(verdict == RETRY || verdict == WAIT, "%d", trouble);
        cr_expect_neq(error.remedy[0], '\0', "%s", error.what);
    }
}

Test(trouble, foreign_text_is_one_line_and_cut)
{
    struct error error;
    cr_expect_eq(nonsense_say("http://r", 200, "<html>\r\n\t<b>\x1b[31m", &error), RETRY);
    cr_expect_str_eq(error.what,
                     "http://r answers (200) with what no schema registry says: <html> <b> [31m");
    (void)nonsense_say("http://r", 200, "", &error);
    cr_expect_str_eq(error.what,
                     "http://r answers (200) with what no schema registry says: nothing");
    /* A character of several bytes is not cut in the middle, wherever the cut is. */
    for (size_t shift = 0; shift < 4; shift++) {
        char body[400];
        memset(body, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(body); i += 3) {
            memcpy(body + i, "\xe2\x82\xac", 3);
            body[i + 3] = '\0';
        }
        (void)nonsense_say("http://r", 200, body, &error);
        const char *end = strstr(error.what, "...");
        cr_assert_not_null(end);
        cr_expect_eq(memcmp(end - 3, "\xe2\x82\xac", 3), 0, "shift %zu: %s", shift, error.what);
    }
}
