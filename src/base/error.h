/* SPDX-License-Identifier: Apache-2.0
 *
 * error.h - errors named by what the caller must do about them.
 * In -> out: a failure at a seam -> one verdict, and a message in the user's words.
 * Owns: its own text; no pointers.  Thread: any; one struct error belongs to one thread at a time.
 * Keeps: OK is 0 and is compared by name; an error is written only on failure. */
#ifndef WALPOST_BASE_ERROR_H
#define WALPOST_BASE_ERROR_H

#include "base/macros.h"

/* The consequence of a failure. Foreign codes (SQLSTATE, Kafka's) become one of these at the seam,
 * once. What is not known is FATAL. */
enum verdict {
    OK = 0,
    AGAIN,   /* nothing wrong: the call would block, or there is nothing yet */
    RETRY,   /* the same call again, after a backoff */
    REJECT,  /* this event can never be accepted: to the dead letter queue, the stream goes on */
    ABORT,   /* abort the Kafka transaction and replay its batch */
    WAIT,    /* somebody must change something outside (a right, a topic, a lock): wait visibly */
    RESTART, /* nothing is certain any more: end the session and begin again at the slot */
    REFUSE,  /* going on could lose or repeat events (I9): exit status 3 */
    FENCED,  /* a newer walpost leads (I11): exit status 4 */
    INVALID, /* the configuration or the command line is wrong: exit status 2 */
    FATAL,   /* exit status 1 */
};

struct error {
    enum verdict verdict;
    char code[32];    /* SQLSTATE ("55006") or Kafka's name ("_TIMED_OUT"), or empty */
    char what[640];   /* what happened, and where */
    char remedy[640]; /* what to do about it; may be empty */
};

/* Sets verdict and what (printf), clears code and remedy, returns the verdict: `return
 * error_set(error, FATAL, ...)`. error may be NULL. */
enum verdict error_set(struct error *error, enum verdict verdict, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Adds the remedy; returns the verdict that stands. */
enum verdict error_remedy(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds the foreign code. */
void error_code(struct error *error, const char *code);

/* Puts words in front of what: error_prefix(error, "slot \"x\": "). */
void error_prefix(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* The name of a verdict, for logs: "retry". */
const char *verdict_name(enum verdict verdict);

/* The exit status of the process for a verdict (design section 4): 0, 1, 2, 3, 4. */
int verdict_exit_status(enum verdict verdict);

#endif
