/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash_point.h"

#ifdef WALPOST_CRASH_POINTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void crash_point(const char *name)
{
    static atomic_ulong passes; /* of the one point that is armed */
    const char *armed = getenv("WALPOST_CRASH");
    size_t length = strlen(name);
    if (armed == NULL || strncmp(armed, name, length) != 0 ||
        (armed[length] != '\0' && armed[length] != ':')) {
        return;
    }
    unsigned long wanted = armed[length] == ':' ? strtoul(armed + length + 1, NULL, 10) : 1;
    if (atomic_fetch_add(&passes, 1) + 1 == wanted) {
        raise(SIGKILL);
    }
}
#endif
