/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "anchor/anchor.h"
#include "anchor/window.h"
#include "base/check.h"
#include "cli/check.h"
#include "cli/say.h"

enum { XMIN_OLD = 10 * 1000 * 1000 };

static const char point[] = "replay window";

static void check_unwanted(struct points *points, const struct look *look)
{
    const char *name = look->config->anchor_slot;
    if (!look->anchor.exists) {
        point_ok(points, point, "none: replay.keep_bytes and replay.keep_for are not set");
        return;
    }
    char bytes[BYTES_TEXT_SIZE];
    char *remedy = must_printf("SELECT pg_drop_replication_slot('%s'); or set replay.keep_bytes or "
                               "replay.keep_for again.",
                               name);
    point_warn(points, point, remedy,
               "anchor slot %s is left from before, and nobody moves it: it holds %s of WAL, and "
               "more with time",
               name, say_bytes(look->anchor.retained_bytes, bytes));
    free(remedy);
}

/* What it costs now, and what it may come to. */
static void check_cost(struct points *points, const struct look *look)
{
    const struct pg_slot *anchor = &look->anchor;
    const struct config *config = look->config;
    int64_t mb = look->server.max_slot_wal_keep_mb;
    uint64_t most = anchor_keep_bytes(config->replay.keep_bytes, mb < 0 ? -1 : mb << 20);
    char kept[BYTES_TEXT_SIZE], limit[BYTES_TEXT_SIZE], wanted[BYTES_TEXT_SIZE];
    int64_t age = 0;
    struct error error;
    if (catalog_slot_xmin_age(look->sql, config->anchor_slot, &age, &error) != OK) {
        point_error(points, point, &error);
        return;
    }
    say_bytes(anchor->retained_bytes, kept);
    say_bytes((int64_t)most, limit);
    if (most == 0) {
        point_warn(points, point, "Set replay.keep_bytes too, or max_slot_wal_keep_size.",
                   "%s of WAL are kept by slot %s, bounded by time alone: a burst of writes fills "
                   "the disk",
                   kept, config->anchor_slot);
    } else if (config->replay.keep_bytes > most) {
        point_warn(
            points, point,
            "Raise max_slot_wal_keep_size to twice replay.keep_bytes, or lower that.",
            "%s of WAL are kept by slot %s; %s are the most, not %s: the anchor keeps to half "
            "of max_slot_wal_keep_size",
            kept, config->anchor_slot, limit,
            say_bytes((int64_t)config->replay.keep_bytes, wanted));
    } else if (age > XMIN_OLD) {
        point_warn(
            points, point,
            "Shorten replay.keep_for or replay.keep_bytes if vacuum of the catalogs matters.",
            "slot %s keeps %s of WAL and holds back vacuum of the system catalogs by %" PRId64
            " transactions",
            config->anchor_slot, kept, age);
    } else {
        point_ok(
            points, point,
            "slot %s keeps %s of WAL on the disk, %s at the most, and holds back vacuum of the "
            "system catalogs by %" PRId64 " transactions",
            config->anchor_slot, kept, limit, age);
    }
}

void check_anchor(struct points *points, struct look *look)
{
    struct error error;
    const struct config *config = look->config;
    if (catalog_slot(look->sql, config->anchor_slot, &look->anchor, &error) != OK) {
        point_error(points, point, &error);
    } else if (!config_keeps_anchor(config)) {
        check_unwanted(points, look);
    } else if (!look->anchor.exists) {
        point_warn(points, point, "Run `walpost init`; or the next `walpost run` makes it.",
                   "there is no anchor slot \"%s\" yet", config->anchor_slot);
    } else if (anchor_is_lost(&look->anchor)) {
        point_warn(points, point,
                   "`walpost run` makes it again. Raise max_slot_wal_keep_size, or set "
                   "replay.keep_bytes to less than half of it.",
                   "anchor slot %s is lost: nothing can be replayed; the stream is not concerned",
                   config->anchor_slot);
    } else {
        check_cost(points, look);
    }
}
