/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"

enum { SLICE_US = 100000 };

/* Shared by the one who asks and the thread that looks up; whoever leaves last frees it. */
struct lookup {
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool done, abandoned;
    int status; /* of getaddrinfo */
    struct addresses found;
    char host[];
};

bool resolve_needed(const char *host)
{
    struct in6_addr address;
    if (host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@') {
        return false;
    }
    return inet_pton(AF_INET, host, &address) != 1 && inet_pton(AF_INET6, host, &address) != 1 &&
           strchr(host, '%') == NULL;
}

static void lookup_free(struct lookup *lookup)
{
    pthread_cond_destroy(&lookup->answered);
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

static void *lookup_run(void *argument)
{
    struct lookup *lookup = argument;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    struct addresses found = {0};
    int status = getaddrinfo(lookup->host, NULL, &hints, &list);
    for (struct addrinfo *each = list; each != NULL && found.count < ADDRESSES_MAX;
         each = each->ai_next) {
        if (getnameinfo(each->ai_addr, each->ai_addrlen, found.text[found.count], ADDRESS_TEXT_SIZE,
                        NULL, 0, NI_NUMERICHOST) == 0) {
            found.count++;
        }
    }
    if (list != NULL) {
        freeaddrinfo(list);
    }
    pthread_mutex_lock(&lookup->mutex);
    lookup->status = status;
    lookup->found = found;
    lookup->done = true;
    bool abandoned = lookup->abandoned;
    pthread_cond_signal(&lookup->answered);
    pthread_mutex_unlock(&lookup->mutex);
    if (abandoned) {
        lookup_free(lookup);
    }
    return NULL;
}

static struct lookup *lookup_start(const char *host)
{
    struct lookup *lookup = must_calloc(1, sizeof(*lookup) + strlen(host) + 1);
    memcpy(lookup->host, host, strlen(host) + 1);
    pthread_mutex_init(&lookup->mutex, NULL);
    pthread_cond_init(&lookup->answered, NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int failed = pthread_create(&thread, &attributes, lookup_run, lookup);
    pthread_attr_destroy(&attributes);
    if (failed != 0) {
        lookup_free(lookup);
        return NULL;
    }
    return lookup;
}

/* True when the answer is there. */
static bool lookup_wait(struct lookup *lookup, int64_t deadline_us, const atomic_bool *stop)
{
    while (!lookup->done && clock_us() < deadline_us && !(stop != NULL && atomic_load(stop))) {
        int64_t until_us = clock_us() + SLICE_US;
        until_us = until_us < deadline_us ? until_us : deadline_us;
        struct timespec until = {.tv_sec = until_us / 1000000,
                                 .tv_nsec = until_us % 1000000 * 1000};
        pthread_cond_clockwait(&lookup->answered, &lookup->mutex, CLOCK_MONOTONIC, &until);
    }
    return lookup->done;
}

static enum verdict unknown_host(const char *host, int status, struct error *error)
{
    error_set(error, RETRY, "the host name \"%s\" cannot be resolved: %s", host,
              status == 0 ? "it has no address" : gai_strerror(status));
    return error_remedy(error,
                        "Check the host in postgres.dsn, and the name resolution of this machine.");
}

enum verdict resolve_host(const char *host, int64_t deadline_us, const atomic_bool *stop,
                          struct addresses *found, struct error *error)
{
    struct lookup *lookup = lookup_start(host);
    if (lookup == NULL) {
        return error_set(error, RETRY, "no thread could be started to look up the host name \"%s\"",
                         host);
    }
    pthread_mutex_lock(&lookup->mutex);
    bool done = lookup_wait(lookup, deadline_us, stop);
    lookup->abandoned = !done;
    int status = lookup->status;
    struct addresses answer = lookup->found;
    pthread_mutex_unlock(&lookup->mutex);
    if (done) {
        lookup_free(lookup);
    } else if (stop != NULL && atomic_load(stop)) {
        return error_set(error, AGAIN, "stopped while looking up the host name \"%s\"", host);
    } else {
        error_set(error, RETRY, "the name service did not answer for the host name \"%s\" in time",
                  host);
        return error_remedy(error, "Check the name resolution of this machine.");
    }
    if (answer.count == 0) {
        return unknown_host(host, status, error);
    }
    *found = answer;
    return OK;
}
