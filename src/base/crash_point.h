/* SPDX-License-Identifier: Apache-2.0
 *
 * crash_point.h - named places where a test build kills itself with SIGKILL, so that a crash lands
 * where it hurts. In -> out: WALPOST_CRASH="name" or "name:N" (the Nth pass) in the environment ->
 * the end of the process. Owns: nothing.  Thread: any. Keeps: compiled to nothing unless the build
 * has -Dcrash_points=true. */
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
