/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* All of a request, or false when the client goes before. */
static bool read_request(int client, char request[static REQUEST_SIZE])
{
    size_t len = 0;
    while (len + 1 < REQUEST_SIZE) {
        ssize_t got = recv(client, request + len, REQUEST_SIZE - 1 - len, 0);
        if (got <= 0) {
            return false;
        }
        len += (size_t)got;
        request[len] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        if (end == NULL) {
            continue;
        }
        const char *length = strcasestr(request, "content-length:");
        size_t body = length == NULL || length > end ? 0 : (size_t)atol(length + 15);
        if (len >= (size_t)(end + 4 - request) + body) {
            return true;
        }
    }
    return false;
}

static bool send_text(int client, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(client, text, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        text += sent;
        len -= (size_t)sent;
    }
    return true;
}

static void answer(struct fake_registry *fake, int client, const struct reply *reply)
{
    char head[256];
    char rest[64];
    int len = snprintf(head, sizeof(head), "HTTP/1.1 %d x\r\nContent-Length: %zu\r\n\r\n",
                       reply->status, reply->body == NULL ? 1000 : strlen(reply->body));
    switch (reply->manner) {
    case ANSWER:
        (void)send_text(client, head, (size_t)len);
        (void)send_text(client, reply->body, strlen(reply->body));
        break;
    case HANG:
        while (!atomic_load(&fake->stop) && poll(&(struct pollfd){client, POLLIN, 0}, 1, 10) == 0) {
        }
        break;
    case CUT_OFF:
        (void)send_text(client, head, (size_t)len);
        (void)send_text(client, "{\"id\":", 6);
        break;
    case FLOOD:
        memset(rest, 'x', sizeof(rest));
        (void)send_text(client, "HTTP/1.1 200 x\r\n\r\n", 18);
        while (!atomic_load(&fake->stop) && send_text(client, rest, sizeof(rest))) {
        }
        break;
    case GARBAGE: (void)send_text(client, "E ready\n\n\n", 10); break;
    }
}

static void serve(struct fake_registry *fake, int client)
{
    char request[REQUEST_SIZE];
    if (!read_request(client, request)) {
        return;
    }
    pthread_mutex_lock(&fake->mutex);
    size_t i = fake->n_requests++;
    struct reply reply = fake->replies[i < fake->n_replies ? i : fake->n_replies - 1];
    if (i < REPLIES_MAX) {
        memcpy(fake->requests[i], request, sizeof(request));
    }
    pthread_mutex_unlock(&fake->mutex);
    answer(fake, client, &reply);
}

static void *run(void *context)
{
    struct fake_registry *fake = context;
    while (!atomic_load(&fake->stop)) {
        if (poll(&(struct pollfd){fake->socket, POLLIN, 0}, 1, 10) == 1) {
            int client = accept(fake->socket, NULL, NULL);
            serve(fake, client);
            shutdown(client, SHUT_WR); /* what the client still sends does no harm to the answer */
            close(client);
        }
    }
    return NULL;
}

void fake_registry_start(struct fake_registry *fake)
{
    memset(fake, 0, sizeof(*fake));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    fake->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fake->socket, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(fake->socket, 16), 0);
    cr_assert_eq(getsockname(fake->socket, (struct sockaddr *)&address, &size), 0);
    snprintf(fake->url, sizeof(fake->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    cr_assert_eq(pthread_mutex_init(&fake->mutex, NULL), 0);
    fake->replies[0] = (struct reply){ANSWER, 500, "{}"};
    fake->n_replies = 1;
    cr_assert_eq(pthread_create(&fake->thread, NULL, run, fake), 0);
}

void fake_registry_stop(struct fake_registry *fake)
{
    atomic_store(&fake->stop, true);
    pthread_join(fake->thread, NULL);
    close(fake->socket);
    pthread_mutex_destroy(&fake->mutex);
}

void fake_registry_will(struct fake_registry *fake, const struct reply *replies, size_t count)
{
    pthread_mutex_lock(&fake->mutex);
    memcpy(fake->replies, replies, count * sizeof(replies[0]));
    fake->n_replies = count;
    fake->n_requests = 0;
    pthread_mutex_unlock(&fake->mutex);
}

size_t fake_registry_requests(struct fake_registry *fake)
{
    pthread_mutex_lock(&fake->mutex);
    size_t count = fake->n_requests;
    pthread_mutex_unlock(&fake->mutex);
    return count;
}

int fake_registry_was_asked(struct fake_registry *fake, size_t request, const char *text)
{
    pthread_mutex_lock(&fake->mutex);
    int found = request < fake->n_requests && strstr(fake->requests[request], text) != NULL;
    pthread_mutex_unlock(&fake->mutex);
    return found;
}
