/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"

Test(error, set_writes_verdict_and_text_and_clears_the_rest)
{
    struct error error;
    memset(&error, 'x', sizeof(error));
    cr_expect_eq(error_set(&error, RETRY, "slot \"%s\" is busy", "a"), RETRY);
    cr_expect_eq(error.verdict, RETRY);
    cr_expect_str_eq(error.what, "slot \"a\" is busy");
    cr_expect_str_eq(error.code, "");
    cr_expect_str_eq(error.remedy, "");
}

Test(error, remedy_and_code_are_added)
{
    struct error error;
    error_set(&error, WAIT, "no");
    error_code(&error, "55006");
    cr_expect_eq(error_remedy(&error, "Wait %d s.", 3), WAIT);
    cr_expect_str_eq(error.code, "55006");
    cr_expect_str_eq(error.remedy, "Wait 3 s.");
    cr_expect_str_eq(error.what, "no");
    error_code(&error, NULL);
    cr_expect_str_eq(error.code, "55006");
}

Test(error, null_is_allowed_everywhere)
{
    cr_expect_eq(error_set(NULL, FENCED, "x"), FENCED);
    error_code(NULL, "x");
    error_prefix(NULL, "x");
    error_remedy(NULL, "x");
}

Test(error, text_may_quote_the_errors_own)
{
    struct error error;
    error_set(&error, RETRY, "first");
    error_remedy(&error, "Do it.");
    error_code(&error, "1");
    error_remedy(&error, "%s Then wait. %s", error.remedy, error.what);
    cr_expect_str_eq(error.remedy, "Do it. Then wait. first");
    error_set(&error, FATAL, "after \"%s\" (%s): %s", error.what, error.code, error.remedy);
    cr_expect_str_eq(error.what, "after \"first\" (1): Do it. Then wait. first");
    error_prefix(&error, "%.5s: ", error.what);
    cr_expect_str_eq(error.what, "after: after \"first\" (1): Do it. Then wait. first");
}

Test(error, too_long_a_text_is_cut)
{
    char text[5000];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct error error;
    error_set(&error, FATAL, "%s", text);
    cr_expect_eq(strlen(error.what), sizeof(error.what) - 1);
    error_remedy(&error, "%s", text);
    cr_expect_eq(strlen(error.remedy), sizeof(error.remedy) - 1);
    error_code(&error, text);
    cr_expect_eq(strlen(error.code), sizeof(error.code) - 1);
    error_prefix(&error, "prefix: ");
    cr_expect_eq(strlen(error.what), sizeof(error.what) - 1);
    cr_expect_eq(strncmp(error.what, "prefix: aaa", 11), 0);
    error_prefix(&error, "%s", text); /* takes all the room: left out */
    cr_expect_eq(strncmp(error.what, "prefix: aaa", 11), 0);
}

Test(error, verdicts_have_names_and_exit_statuses)
{
    cr_expect_eq(OK, 0);
    for (enum verdict v = OK; v <= FATAL; v++) {
        cr_expect_str_neq(verdict_name(v), "unknown");
    }
    cr_expect_eq(verdict_exit_status(OK), 0);
    cr_expect_eq(verdict_exit_status(FATAL), 1);
    cr_expect_eq(verdict_exit_status(RETRY), 1);
    cr_expect_eq(verdict_exit_status(INVALID), 2);
    cr_expect_eq(verdict_exit_status(REFUSE), 3);
    cr_expect_eq(verdict_exit_status(FENCED), 4);
}
