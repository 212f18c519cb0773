/* SPDX-License-Identifier: Apache-2.0
 *
 * ask.h - one question to whatever address of the registry answers it.
 * In: method, path, body. Out: the body of a good answer; or a verdict with the user's words.
 * Owns: what struct registry holds.
 * Thread: any; see its two mutexes.
 * Keeps: only this folder sees inside a struct registry. */
#ifndef WALPOST_REGISTRY_ASK_H
#define WALPOST_REGISTRY_ASK_H

#include <pthread.h>

#include "registry/cache.h"
#include "registry/http.h"
#include "registry/registry.h"

struct registry {
    const struct config *config;
    const atomic_bool *stop;
    char **bases; /* addresses, without a slash at the end */
    size_t n_bases;

    pthread_mutex_t call_mutex; /* one request at a time; below it: */
    struct http *http;
    size_t current; /* the address that answered last */

    pthread_mutex_t mutex; /* never held while something waits; below it: */
    struct cache cache;
    char note[REGISTRY_NOTE_SIZE];
    uint32_t troubles; /* in a row */
    int64_t quiet_until_us;
    struct error trouble; /* the last */
};

struct question {
    const char *method;
    char *path;          /* taken over */
    char *body;          /* taken over; NULL: none */
    const char *subject; /* for messages; NULL: none */
};

/* "/subjects/" "a/b" "/versions": the subject becomes one part of the path. malloc'd. */
char *path_of(const char *before, const char *subject, const char *after);

/* Tries every address once, beginning with the one that answered last. On OK *base is who
 * answered, and *body malloc'd. */
enum verdict MUST_CHECK ask(struct registry *registry, struct question question, char **body,
                            const char **base, struct error *error);

/* An answer that cannot be understood: RETRY. */
enum verdict nonsense(const struct registry *registry, const char *base, char *body,
                      struct error *error);

/* A schema that no JSON can hold: INVALID. */
enum verdict not_utf8(const char *subject, struct error *error);

#endif
