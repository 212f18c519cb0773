/* SPDX-License-Identifier: Apache-2.0
 *
 * broken_rule.h - rules that a test build breaks on purpose, to show that the tests would notice.
 * In -> out: WALPOST_BROKEN_RULE="name" in the environment -> that rule is broken.
 * Owns: nothing.  Thread: any.
 * Keeps: compiled to false unless the build has -Dcrash_points=true. */
#ifndef WALPOST_BASE_BROKEN_RULE_H
#define WALPOST_BASE_BROKEN_RULE_H

#include <stdbool.h>

#ifdef WALPOST_CRASH_POINTS
bool rule_is_broken(const char *name);
#else
static inline bool rule_is_broken(const char *name)
{
    (void)name;
    return false;
}
#endif

#endif
