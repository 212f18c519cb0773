/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_registry.h - an HTTP server that does what it is told, one connection at a time. */
#ifndef WALPOST_TESTS_FAKE_REGISTRY_H
#define WALPOST_TESTS_FAKE_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum manner {
    ANSWER,
    HANG,    /* takes the request and says nothing until the client goes */
    CUT_OFF, /* closes in the middle of the answer */
    FLOOD,   /* an answer without end */
    GARBAGE, /* no HTTP at all */
};

struct reply {
    enum manner manner;
    int status;
    const char *body;
};

enum { REPLIES_MAX = 16, REQUEST_SIZE = 4096 };

struct fake_registry {
    char url[64];
    int socket;
    pthread_t thread;
    pthread_mutex_t mutex;
    struct reply replies[REPLIES_MAX]; /* one a request; the last one again and again */
    size_t n_replies;
    size_t n_requests;
    char requests[REPLIES_MAX][REQUEST_SIZE]; /* line, headers and body */
    atomic_bool stop;
};

void fake_registry_start(struct fake_registry *fake);
void fake_registry_stop(struct fake_registry *fake);

/* What is answered from now on. */
void fake_registry_will(struct fake_registry *fake, const struct reply *replies, size_t count);
/* Requests since then. */
size_t fake_registry_requests(struct fake_registry *fake);
/* Does the request (from 0) hold this text? */
int fake_registry_was_asked(struct fake_registry *fake, size_t request, const char *text);

#endif
