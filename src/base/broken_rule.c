/* SPDX-License-Identifier: Apache-2.0 */
#include "base/broken_rule.h"

#ifdef WALPOST_CRASH_POINTS
#include <stdlib.h>
#include <string.h>

bool rule_is_broken(const char *name)
{
    const char *broken = getenv("WALPOST_BROKEN_RULE");
    return broken != NULL && strcmp(broken, name) == 0;
}
#endif
