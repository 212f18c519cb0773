/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/slot_watch.h"

#include <string.h>

enum { SAY_AGAIN_US = 30 * 1000 * 1000 };

void slot_watch_look(struct slot_watch *watch, const struct log *log, const char *name,
                     const struct pg_slot *slot, int64_t now_us)
{
    struct error error;
    bool is_short = catalog_slot_shortage(slot, name, &error);
    bool is_used_up = is_short && strcmp(slot->wal_status, "unreserved") == 0;
    bool is_worse = is_short && (!watch->is_short || (is_used_up && !watch->is_used_up));
    if (is_short && (is_worse || now_us - watch->said_us >= SAY_AGAIN_US)) {
        watch->said_us = now_us;
        log_error(log, LOG_WARN, &error);
    } else if (!is_short && watch->is_short) {
        log_write(log, LOG_INFO, "the slot is safe again: the server keeps enough WAL for it",
                  F_TEXT("slot", name));
    }
    watch->is_short = is_short;
    watch->is_used_up = is_used_up;
}
