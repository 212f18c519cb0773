/* SPDX-License-Identifier: Apache-2.0
 *
 * nap.h - leaves a busy socket alone for a moment, so that the next look at it finds more.
 * In: microseconds. Out: one call of wake.
 * Owns: a timer of its own: libev's timers count whole milliseconds.
 * Thread: the loop thread. */
#ifndef WALPOST_PIPELINE_NAP_H
#define WALPOST_PIPELINE_NAP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct nap {
    ev_io io;
    struct ev_loop *loop;
    bool asleep;
    void (*wake)(void *context);
    void *context;
};

void nap_init(struct nap *nap, struct ev_loop *loop, void (*wake)(void *context), void *context);
void nap_release(struct nap *nap);

/* 1 to 999999 microseconds. */
void nap_start(struct nap *nap, uint32_t us);
/* wake is not called; nothing to stop is fine. */
void nap_stop(struct nap *nap);

#endif
