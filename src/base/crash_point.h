/* SPDX-License-Identifier: Apache-2.0
 *
 * crash_point.h - named places where a test build kills itself with SIGKILL, or freezes with
 * SIGSTOP, so that it happens where it hurts.
 * In -> out: WALPOST_CRASH="name" or "name:N" (the Nth pass) in the environment, or an order on a
 *     board -> the end of the process; WALPOST_FREEZE in the same form -> a process that waits for
 *     SIGCONT.
 * Owns: nothing.  Thread: any.
 * Keeps: compiled to nothing unless the build has -Dcrash_points=true.
 *
 * The board is a file of 4096 bytes that WALPOST_CRASH_BOARD names, shared with whoever started the
 * process: it outlives a SIGKILL, so it is the evidence of where each thread was. Little endian:
 *
 *     at  bytes
 *      0     24  the point that shall kill; empty: none          written by the other side, last
 *     24      4  which pass of it, from 1
 *     28      4  microseconds from there to the kill
 *     64  each:  a thread, found by its name: 16 bytes its name, 24 bytes the point it passed last,
 *     ...    48  4 bytes the passes of all points, 4 bytes unused
 */
#ifndef WALPOST_BASE_CRASH_POINT_H
#define WALPOST_BASE_CRASH_POINT_H

#ifdef WALPOST_CRASH_POINTS
void crash_point(const char *name);
#else
static inline void crash_point(const char *name)
{
    (void)name;
}
#endif

#endif
