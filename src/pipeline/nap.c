/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/nap.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "base/check.h"

static void set(struct nap *nap, uint32_t us)
{
    struct itimerspec timer = {.it_value.tv_nsec = (long)us * 1000};
    check(timerfd_settime(nap->io.fd, 0, &timer, NULL) == 0);
    nap->asleep = us != 0;
}

static void on_timer(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    struct nap *nap = io->data;
    uint64_t expirations;
    if (read(io->fd, &expirations, sizeof(expirations)) > 0) { /* else it was stopped meanwhile */
        nap->asleep = false;
        nap->wake(nap->context);
    }
}

void nap_init(struct nap *nap, struct ev_loop *loop, void (*wake)(void *context), void *context)
{
    *nap = (struct nap){.loop = loop, .wake = wake, .context = context};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    check(fd >= 0);
    ev_io_init(&nap->io, on_timer, fd, EV_READ);
    nap->io.data = nap;
    ev_io_start(loop, &nap->io);
}

void nap_release(struct nap *nap)
{
    ev_io_stop(nap->loop, &nap->io);
    close(nap->io.fd);
}

void nap_start(struct nap *nap, uint32_t us)
{
    set(nap, us);
}

void nap_stop(struct nap *nap)
{
    set(nap, 0);
}
