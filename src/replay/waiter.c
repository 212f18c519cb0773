/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/waiter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

enum { NAP_SOCKET_US = 200, NAP_TCP_US = 1000, WAKE_US = 100 * 1000 };

void waiter_open(struct waiter *waiter)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
    waiter->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    waiter->news_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    check(waiter->signal_fd >= 0 && waiter->news_fd >= 0);
}

void waiter_close(struct waiter *waiter)
{
    close(waiter->signal_fd);
    close(waiter->news_fd);
}

void waiter_notify(void *waiter)
{
    const struct waiter *notified = waiter;
    check(eventfd_write(notified->news_fd, 1) == 0);
}

enum verdict waiter_wait(struct waiter *waiter, struct link *link, bool listen, bool napping,
                         bool *readable, struct error *error)
{
    bool reads = listen && !napping;
    short events = (short)((reads ? POLLIN : 0) | (link_wants_write(link) ? POLLOUT : 0));
    struct pollfd fds[] = {{.fd = events != 0 ? link_fd(link) : -1, .events = events},
                           {.fd = waiter->news_fd, .events = POLLIN},
                           {.fd = waiter->signal_fd, .events = POLLIN}};
    long us = !napping ? WAKE_US : link_is_unix_socket(link) ? NAP_SOCKET_US : NAP_TCP_US;
    struct timespec timeout = {.tv_nsec = us * 1000};
    int n = ppoll(fds, sizeof(fds) / sizeof(fds[0]), &timeout, NULL);
    check(n >= 0 || errno == EINTR);
    eventfd_t ignored;
    (void)eventfd_read(waiter->news_fd, &ignored);
    *readable = napping || (n > 0 && (fds[0].revents & ~POLLOUT) != 0);
    if (n > 0 && fds[2].revents != 0) {
        return error_set(error, AGAIN, "told to stop");
    }
    if (n > 0 && fds[0].revents & POLLOUT) {
        enum verdict verdict = link_flush(link, error);
        return verdict == AGAIN ? OK : verdict;
    }
    return OK;
}
