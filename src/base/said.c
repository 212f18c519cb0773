/* SPDX-License-Identifier: Apache-2.0 */
#include "base/said.h"

#include <stdio.h>
#include <string.h>

bool said_anew(struct said *said, const char *words, int64_t every_us, int64_t now_us)
{
    if (strcmp(said->words, words) == 0 && now_us - said->at_us < every_us) {
        return false;
    }
    snprintf(said->words, sizeof(said->words), "%s", words);
    said->at_us = now_us;
    return true;
}
