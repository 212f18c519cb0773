/* SPDX-License-Identifier: Apache-2.0
 *
 * waiter.h - waits for whatever comes first: the server, a lane, a signal.
 * In: a link. Out: what is ready.
 * Owns: two descriptors; SIGINT and SIGTERM, from waiter_open on.
 * Thread: one; waiter_notify: any. */
#ifndef WALPOST_REPLAY_WAITER_H
#define WALPOST_REPLAY_WAITER_H

#include "pg/link.h"

struct waiter {
    int news_fd;
    int signal_fd;
};

/* Before lanes are started: their threads must not take the signals. */
void waiter_open(struct waiter *waiter);
void waiter_close(struct waiter *waiter);
void waiter_notify(void *waiter);
/* listen: to what the server sends. napping: its socket is left alone for a moment, so that the
 * next read finds more. AGAIN: a signal. */
enum verdict MUST_CHECK waiter_wait(struct waiter *waiter, struct link *link, bool listen,
                                    bool napping, bool *readable, struct error *error);

#endif
