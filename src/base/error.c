/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum verdict error_set(struct error *error, enum verdict verdict, const char *format, ...)
{
    if (error == NULL) {
        return verdict;
    }
    /* The text may quote the error's own old text: format first, then write. */
    char what[sizeof(error->what)];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    *error = (struct error){.verdict = verdict};
    memcpy(error->what, what, sizeof(what));
    return verdict;
}

enum verdict error_remedy(struct error *error, const char *format, ...)
{
    if (error == NULL) {
        return FATAL;
    }
    char remedy[sizeof(error->remedy)]; /* it may quote the old one */
    va_list args;
    va_start(args, format);
    vsnprintf(remedy, sizeof(remedy), format, args);
    va_end(args);
    memcpy(error->remedy, remedy, sizeof(remedy));
    return error->verdict;
}

void error_code(struct error *error, const char *code)
{
    if (error != NULL && code != NULL) {
        snprintf(error->code, sizeof(error->code), "%s", code);
    }
}

void error_prefix(struct error *error, const char *format, ...)
{
    if (error == NULL) {
        return;
    }
    char what[2 * sizeof(error->what)];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(what, sizeof(error->what), format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(error->what)) {
        return;
    }
    snprintf(what + length, sizeof(what) - (size_t)length, "%s", error->what);
    what[sizeof(error->what) - 1] = '\0';
    memcpy(error->what, what, sizeof(error->what));
}

const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case OK: return "ok";
    case AGAIN: return "again";
    case RETRY: return "retry";
    case REJECT: return "reject";
    case ABORT: return "abort";
    case WAIT: return "wait";
    case RESTART: return "restart";
    case REFUSE: return "refuse";
    case FENCED: return "fenced";
    case INVALID: return "invalid";
    case FATAL: return "fatal";
    }
    return "unknown";
}

int verdict_exit_status(enum verdict verdict)
{
    switch (verdict) {
    case OK: return 0;
    case INVALID: return 2;
    case REFUSE: return 3;
    case FENCED: return 4;
    default: return 1;
    }
}
