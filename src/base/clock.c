/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <sys/random.h>
#include <time.h>

static int64_t now_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return now_us(CLOCK_REALTIME);
}

uint32_t backoff_ms(uint32_t tries, uint32_t base_ms, uint32_t max_ms)
{
    uint64_t pause = (uint64_t)base_ms << (tries < 32 ? tries : 32);
    if (pause > max_ms) {
        pause = max_ms;
    }
    uint32_t noise = 0;
    if (getrandom(&noise, sizeof(noise), GRND_NONBLOCK) != sizeof(noise)) {
        noise = (uint32_t)clock_us();
    }
    return (uint32_t)(pause / 2 + noise % (pause / 2 + 1));
}

void clock_wait_ms(uint32_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}
