/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h - time, and the pauses between tries.
 * In -> out: nothing -> microseconds; a number of tries -> milliseconds to wait.
 * Owns: nothing.  Thread: any. */
#ifndef WALPOST_BASE_CLOCK_H
#define WALPOST_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic; for durations. */
int64_t clock_us(void);

/* Since 1970-01-01 UTC; for timestamps. */
int64_t clock_wall_us(void);

/* PostgreSQL's timestamps count microseconds from 2000-01-01 UTC; add this for Unix time. */
#define PG_EPOCH_US INT64_C(946684800000000)

/* Exponential backoff with jitter: base, 2*base, 4*base ... up to max_ms, each times a random 0.5
 * to 1. tries from 0. */
uint32_t backoff_ms(uint32_t tries, uint32_t base_ms, uint32_t max_ms);

/* Waits. Never on the loop thread. */
void clock_wait_ms(uint32_t ms);

#endif
