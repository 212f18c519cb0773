/* SPDX-License-Identifier: Apache-2.0
 *
 * trouble.h - what can go wrong with a registry, as a verdict and in the user's words.
 * In -> out: a failure below HTTP, or an answer that is an error -> verdict, words, remedy.
 * Owns: nothing.  Thread: any; pure.
 * Keeps: the verdict comes from status and error_code alone; the registry's own words are only
 *        shown, on one line and cut. */
#ifndef WALPOST_REGISTRY_TROUBLE_H
#define WALPOST_REGISTRY_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Nothing was answered. */
enum trouble {
    TROUBLE_RESOLVE,
    TROUBLE_PROXY,
    TROUBLE_CONNECT,
    TROUBLE_NO_CONNECTION, /* in time */
    TROUBLE_NO_ANSWER,     /* in time */
    TROUBLE_CUT_OFF,
    TROUBLE_UNTRUSTED,
    TROUBLE_TLS,
    TROUBLE_CA_FILE,
    TROUBLE_OWN_CERTIFICATE,
    TROUBLE_NOT_HTTP,
    TROUBLE_TOO_LARGE,
};

struct trouble_details {
    enum trouble trouble;
    const char *base;      /* the address */
    int reason;            /* errno, or 0 */
    const char *complaint; /* the library's, shown for certificates only */
    uint32_t timeout_ms;
    const char *ca; /* contracts.registry.tls.ca */
};

/* RETRY or WAIT. */
enum verdict trouble_say(const struct trouble_details *details, struct error *error);

/* An answer with another status than 2xx. */
struct refusal {
    const char *base;
    long status;
    long error_code;     /* Confluent's: 40401; 0: the body had none */
    const char *message; /* its words; NULL: none */
    const char *subject; /* asked about; NULL: none */
    bool logged_in;      /* a user or token was sent */
};

/* RETRY: 5xx, 408, 429. WAIT: somebody must do something: 401, 403, 404, and what is no registry.
 * FATAL: this schema will never be taken: 409, 422. */
enum verdict refusal_say(const struct refusal *refusal, struct error *error);

/* An answer that cannot be understood: RETRY. */
enum verdict nonsense_say(const char *base, long status, const char *body, struct error *error);

#endif
