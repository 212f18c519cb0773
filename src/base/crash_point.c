/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash_point.h"

#ifdef WALPOST_CRASH_POINTS
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 84 };

struct seat {
    char thread[16];
    char point[24];
    uint32_t passes;
    uint32_t unused;
};

struct board {
    char armed[24];
    _Atomic uint32_t passes;
    uint32_t delay_us;
    char unused[32];
    struct seat seats[THREADS];
};

_Static_assert(sizeof(struct board) == 4096, "the board's layout is an interface");

static struct board *board;
static pthread_once_t board_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t seats_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct seat *own_seat;

static void open_board(void)
{
    const char *name = getenv("WALPOST_CRASH_BOARD");
    int file = name == NULL ? -1 : open(name, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    void *memory = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    board = memory == MAP_FAILED ? NULL : memory;
}

/* A thread that follows another one of its name, after a reconnect, has its seat. */
static struct seat *find_seat(void)
{
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof(name));
    struct seat *seat = NULL;
    pthread_mutex_lock(&seats_mutex);
    for (int i = 0; i < THREADS && seat == NULL; i++) {
        if (strcmp(board->seats[i].thread, name) == 0 || board->seats[i].thread[0] == '\0') {
            seat = &board->seats[i];
            snprintf(seat->thread, sizeof(seat->thread), "%s", name);
        }
    }
    pthread_mutex_unlock(&seats_mutex);
    return seat;
}

static void *kill_later(void *argument)
{
    uint32_t us = (uint32_t)(uintptr_t)argument;
    clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){us / 1000000, us % 1000000 * 1000L},
                    NULL);
    raise(SIGKILL);
    return NULL;
}

static void obey_board(const char *name)
{
    if (own_seat == NULL) {
        own_seat = find_seat();
    }
    if (own_seat != NULL) {
        snprintf(own_seat->point, sizeof(own_seat->point), "%s", name);
        own_seat->passes++;
    }
    if (strncmp(board->armed, name, sizeof(board->armed)) != 0 ||
        atomic_fetch_sub(&board->passes, 1) != 1) {
        return;
    }
    pthread_t thread;
    void *us = (void *)(uintptr_t)board->delay_us; /* NOLINT(performance-no-int-to-ptr) */
    if (us == NULL || pthread_create(&thread, NULL, kill_later, us) != 0) {
        raise(SIGKILL);
    }
}

/* passes: of the one point that is armed. */
static void meet(const char *armed, const char *name, atomic_ulong *passes, int signal_number)
{
    size_t length = strlen(name);
    if (armed == NULL || strncmp(armed, name, length) != 0 ||
        (armed[length] != '\0' && armed[length] != ':')) {
        return;
    }
    unsigned long wanted = armed[length] == ':' ? strtoul(armed + length + 1, NULL, 10) : 1;
    if (atomic_fetch_add(passes, 1) + 1 == wanted) {
        raise(signal_number);
    }
}

void crash_point(const char *name)
{
    pthread_once(&board_once, open_board);
    if (board != NULL) {
        obey_board(name);
    }
    static atomic_ulong killed_passes;
    static atomic_ulong frozen_passes;
    meet(getenv("WALPOST_CRASH"), name, &killed_passes, SIGKILL);
    meet(getenv("WALPOST_FREEZE"), name, &frozen_passes, SIGSTOP);
}
#endif
