/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/waiting.h"

#include <ctype.h>

/* FNV-1a over everything but digits: a count of tries makes no other trouble. */
static uint64_t hash_words(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text != '\0'; text++) {
        if (!isdigit((unsigned char)*text)) {
            hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
        }
    }
    return hash;
}

enum waiting_news waiting_look(struct waiting *waiting, bool lasts, const char *trouble,
                               int64_t now_us)
{
    if (!lasts) {
        bool was_said = waiting->said;
        waiting->said = false;
        return was_said ? WAITING_OVER : WAITING_QUIET;
    }
    uint64_t hash = hash_words(trouble);
    int64_t silent_us = now_us - waiting->said_us;
    bool another = hash != waiting->trouble && silent_us >= WAITING_CHANGED_US;
    if (waiting->said && !another && silent_us < WAITING_SAY_AGAIN_US) {
        return WAITING_QUIET;
    }
    *waiting = (struct waiting){.said = true, .said_us = now_us, .trouble = hash};
    return WAITING_SAY;
}
