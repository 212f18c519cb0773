/* SPDX-License-Identifier: Apache-2.0
 *
 * http.h - one HTTP request, one answer, within a time and a size. The home of libcurl.
 * In: a method, an address, a body. Out: a status and a body; or why there is none.
 * Owns: its connections, kept open between requests.
 * Thread: one request at a time; the caller sees to that.
 * Keeps: I8: an answer has a size limit, whatever the server sends. Certificates are verified,
 *        always. Redirects are not followed: they could take a password elsewhere. No secret is in
 *        an error. */
#ifndef WALPOST_REGISTRY_HTTP_H
#define WALPOST_REGISTRY_HTTP_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

enum { HTTP_ANSWER_MAX = 4 << 20 };

struct http;

struct http_request {
    const char *method; /* "GET", "POST", "PUT" */
    const char *base;   /* "https://registry:8081", for messages too */
    const char *path;   /* behind it, escaped: "/subjects/x/versions" */
    const char *body;   /* JSON, or NULL */
};

struct http_answer {
    long status;
    char *body; /* with a NUL behind it */
    size_t len;
};

/* INVALID: a file of contracts.registry.tls cannot be read. Borrows config. */
enum verdict MUST_CHECK http_new(const struct config *config, struct http **http,
                                 struct error *error);
void http_free(struct http *http);

/* OK: an answer of any status came; http_answer_release it. RETRY: nothing answered in time, or
 * not to the end. WAIT: the two do not fit (TLS, a certificate, no HTTP at all, a huge answer).
 * AGAIN: *stop became true (stop may be NULL). */
enum verdict MUST_CHECK http_call(struct http *http, const struct http_request *request,
                                  const atomic_bool *stop, struct http_answer *answer,
                                  struct error *error);
void http_answer_release(struct http_answer *answer);

#endif
