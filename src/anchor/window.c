/* SPDX-License-Identifier: Apache-2.0 */
#include "anchor/window.h"

enum {
    STEP_SHARE = 64,  /* the anchor moves by a 64th of what is kept, not with every byte */
    LIMIT_SHARE = 2,  /* of the server's limit: a slot holds WAL from before its position, and a
                         turn comes only now and then */
    DANGER_SHARE = 4, /* of the server's limit left, as much as may be written between two turns:
                         the anchor gives everything up */
};

uint64_t anchor_keep_bytes(uint64_t keep_bytes, int64_t limit_bytes)
{
    uint64_t may = limit_bytes < 0 ? UINT64_MAX : (uint64_t)limit_bytes / LIMIT_SHARE;
    uint64_t keep = keep_bytes == 0 || keep_bytes > may ? may : keep_bytes;
    return keep == UINT64_MAX ? 0 : keep > 0 ? keep : 1;
}

bool anchor_is_in_danger(int64_t limit_bytes, int64_t safe_bytes)
{
    return limit_bytes >= 0 && safe_bytes >= 0 && safe_bytes < limit_bytes / DANGER_SHARE;
}

static lsn by_bytes(const struct anchor_facts *facts)
{
    uint64_t keep = anchor_keep_bytes(facts->keep_bytes, facts->limit_bytes);
    if (keep == 0 || facts->wal_lsn <= facts->anchor_lsn ||
        facts->wal_lsn - facts->anchor_lsn <= keep) {
        return 0;
    }
    return facts->wal_lsn - keep + keep / STEP_SHARE;
}

static lsn by_age(const struct anchor_facts *facts)
{
    return facts->keep_for_us == 0
               ? 0
               : wal_clock_before(facts->clock, facts->now_us - (int64_t)facts->keep_for_us);
}

lsn anchor_target(const struct anchor_facts *facts)
{
    bool danger = anchor_is_in_danger(facts->limit_bytes, facts->safe_bytes);
    lsn bytes = by_bytes(facts);
    lsn age = by_age(facts);
    lsn target = danger ? facts->live_lsn : bytes > age ? bytes : age;
    if (target > facts->live_lsn) {
        target = facts->live_lsn;
    }
    return target > facts->anchor_lsn ? target : 0;
}

/* --- the clock --- */

int64_t wal_clock_interval_us(uint64_t keep_for_us)
{
    const int64_t least = INT64_C(250) * 1000;
    const int64_t most = INT64_C(600) * 1000000;
    int64_t share = (int64_t)(keep_for_us / 32);
    return keep_for_us == 0 || share > most ? most : share < least ? least : share;
}

static void thin(struct wal_clock *clock)
{
    size_t kept = 0;
    for (size_t i = 0; i < clock->count; i += 2) {
        clock->moments[kept++] = clock->moments[i];
    }
    clock->count = kept;
}

bool wal_clock_note(struct wal_clock *clock, struct moment moment, lsn first_lsn)
{
    while (clock->count > 0 && clock->moments[clock->count - 1].wal_lsn > moment.wal_lsn) {
        clock->count--; /* the server was set back */
    }
    const struct moment *last = clock->count == 0 ? NULL : &clock->moments[clock->count - 1];
    if (last != NULL && (moment.wal_lsn == last->wal_lsn || moment.time_us <= last->time_us)) {
        return false;
    }
    size_t below = 0;
    while (below < clock->count && clock->moments[below].wal_lsn < first_lsn) {
        below++;
    }
    clock->count -= below;
    memmove(clock->moments, clock->moments + below, clock->count * sizeof(clock->moments[0]));
    if (clock->count == MOMENTS_MAX) {
        thin(clock);
    }
    clock->moments[clock->count++] = moment;
    return true;
}

lsn wal_clock_before(const struct wal_clock *clock, int64_t time_us)
{
    lsn before = 0;
    for (size_t i = 0; i < clock->count && clock->moments[i].time_us <= time_us; i++) {
        before = clock->moments[i].wal_lsn;
    }
    return before;
}

int64_t wal_clock_since(const struct wal_clock *clock, lsn position)
{
    for (size_t i = 0; i < clock->count; i++) {
        if (clock->moments[i].wal_lsn >= position) {
            return clock->moments[i].time_us;
        }
    }
    return 0;
}
