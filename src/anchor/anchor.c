/* SPDX-License-Identifier: Apache-2.0 */
#include "anchor/anchor.h"

#include <string.h>

#include "config/config.h"

bool anchor_is_lost(const struct pg_slot *anchor)
{
    return strcmp(anchor->wal_status, "lost") == 0 || anchor->invalidation[0] != '\0';
}

enum verdict anchor_make(const struct config *config, struct link *link,
                         const struct pg_slot *found, struct error *error)
{
    enum verdict verdict = OK;
    if (found->exists) {
        verdict = catalog_drop_slot(link, config->anchor_slot, error);
    }
    return verdict != OK
               ? verdict
               : catalog_copy_slot(link, config->postgres.slot, config->anchor_slot, false, error);
}
