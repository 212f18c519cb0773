/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/murmur2.h"

static void layout_release(struct layout *layout)
{
    free(layout->key_template);
    free(layout->key_columns);
    *layout = (struct layout){0};
}

static void layout_copy(struct layout *to, const struct layout *from)
{
    *to = *from;
    to->key_template = must_strdup(from->key_template);
    to->key_columns = from->key_columns == NULL ? NULL : must_strdup(from->key_columns);
}

void checkpoint_init(struct checkpoint *checkpoint)
{
    *checkpoint = (struct checkpoint){0};
}

void checkpoint_release(struct checkpoint *checkpoint)
{
    layout_release(&checkpoint->layout);
    for (size_t i = 0; i < checkpoint->n_history; i++) {
        layout_release(&checkpoint->history[i]);
    }
    free(checkpoint->history);
    checkpoint_init(checkpoint);
}

struct checkpoint_summary checkpoint_summarize(const struct checkpoint *checkpoint)
{
    struct checkpoint_summary summary = {
        .generation = checkpoint->generation,
        .system_id = checkpoint->system_id,
        .timeline = checkpoint->timeline,
        .database_oid = checkpoint->database_oid,
        .lanes = checkpoint->layout.lanes,
        .settled_lsn = checkpoint->settled_lsn,
        .furthest_lsn = checkpoint->settled_lsn,
        .origin_lsn = checkpoint->origin_lsn,
        .recovered_lsn = checkpoint->recovered_lsn,
    };
    memcpy(summary.instance, checkpoint->instance, sizeof(summary.instance));
    memcpy(summary.slot, checkpoint->slot, sizeof(summary.slot));
    for (uint32_t i = 0; i < checkpoint->layout.lanes; i++) {
        if (checkpoint->layout.watermarks[i].commit_lsn > summary.furthest_lsn) {
            summary.furthest_lsn = checkpoint->layout.watermarks[i].commit_lsn;
        }
    }
    return summary;
}

void unmarked_add(struct unmarked *unmarked, int64_t timestamp_ms, lsn commit_lsn)
{
    if (!unmarked->any || timestamp_ms < unmarked->since_ms) {
        unmarked->since_ms = timestamp_ms;
    }
    if (!unmarked->any || commit_lsn > unmarked->until_lsn) {
        unmarked->until_lsn = commit_lsn;
    }
    unmarked->any = true;
}

void checkpoint_complete(struct checkpoint *checkpoint)
{
    for (uint32_t i = 0; i <= LANES_MAX; i++) {
        if (!checkpoint->last[i].seen ||
            checkpoint->last[i].generation < checkpoint->first_generation) {
            continue;
        }
        if (checkpoint->last[i].settled_lsn > checkpoint->settled_lsn) {
            checkpoint->settled_lsn = checkpoint->last[i].settled_lsn;
        }
        bool counts = i > 0 && i <= checkpoint->layout.lanes &&
                      checkpoint->last[i].generation == checkpoint->generation;
        if (counts) {
            const struct unmarked *unmarked = &checkpoint->last[i].unmarked;
            checkpoint->layout.watermarks[i - 1] = checkpoint->last[i].watermark;
            if (unmarked->any) {
                unmarked_add(&checkpoint->unmarked, unmarked->since_ms, unmarked->until_lsn);
            }
        }
    }
}

/* The smallest and the largest watermark of a layout. */
static void layout_range(const struct layout *layout, struct position *least, struct position *most)
{
    *least = layout->watermarks[0];
    *most = layout->watermarks[0];
    for (uint32_t i = 1; i < layout->lanes; i++) {
        if (position_compare(layout->watermarks[i], *least) < 0) {
            *least = layout->watermarks[i];
        }
        if (position_compare(layout->watermarks[i], *most) > 0) {
            *most = layout->watermarks[i];
        }
    }
}

/* Is every event that the layout could leave out below S anyway? Compared with its *largest*
 * watermark: a lane that lags must not take the knowledge of the others with it. */
static bool layout_is_passed(const struct layout *layout, lsn settled_lsn)
{
    struct position least;
    struct position most;
    layout_range(layout, &least, &most);
    return most.commit_lsn < settled_lsn || most.commit_lsn == 0;
}

bool layout_same_keys(const struct layout *a, const struct layout *b)
{
    bool both_known = a->key_columns != NULL && b->key_columns != NULL;
    return strcmp(a->key_template, b->key_template) == 0 &&
           (both_known ? strcmp(a->key_columns, b->key_columns) == 0
                       : a->key_columns == b->key_columns);
}

static void history_add(struct checkpoint *next, const struct layout *layout)
{
    if (layout->lanes == 0 || layout_is_passed(layout, next->settled_lsn)) {
        return;
    }
    for (size_t i = 0; i < next->n_history; i++) {
        struct layout *known = &next->history[i];
        if (known->lanes != layout->lanes || !layout_same_keys(known, layout)) {
            continue;
        }
        for (uint32_t lane = 0; lane < layout->lanes; lane++) {
            if (position_compare(layout->watermarks[lane], known->watermarks[lane]) > 0) {
                known->watermarks[lane] = layout->watermarks[lane];
            }
        }
        return;
    }
    next->history = must_realloc(next->history, (next->n_history + 1) * sizeof(next->history[0]));
    layout_copy(&next->history[next->n_history++], layout);
}

/* The letters of the generations before, as far as their rows may not be marked. Nothing was
 * published beyond S and the watermarks. */
static void carry_unmarked(const struct checkpoint *from, lsn marked_lsn, struct unmarked *unmarked)
{
    lsn furthest = from->settled_lsn == 0 ? 0 : from->settled_lsn - 1;
    for (size_t i = 0; i <= from->n_history; i++) {
        const struct layout *layout = i == 0 ? &from->layout : &from->history[i - 1];
        for (uint32_t lane = 0; lane < layout->lanes; lane++) {
            lsn watermark = layout->watermarks[lane].commit_lsn;
            furthest = watermark > furthest ? watermark : furthest;
        }
    }
    *unmarked = from->unmarked;
    if (unmarked->until_lsn > furthest) {
        unmarked->until_lsn = furthest;
    }
    if (unmarked->until_lsn < marked_lsn) {
        *unmarked = (struct unmarked){.any = false};
    }
}

void checkpoint_next_generation(const struct checkpoint *from,
                                const struct generation_options *options, struct checkpoint *next)
{
    checkpoint_init(next);
    next->found = true;
    next->generation = from->generation;
    if (next->generation < options->at_least) {
        next->generation = options->at_least;
    }
    next->generation++;
    next->system_id = options->system_id;
    next->timeline = options->timeline;
    next->database_oid = options->database_oid;
    snprintf(next->instance, sizeof(next->instance), "%s", options->instance);
    snprintf(next->slot, sizeof(next->slot), "%s", options->slot == NULL ? "" : options->slot);
    next->layout.lanes = options->lanes;
    next->layout.key_template = must_strdup(options->key_template);
    next->layout.key_columns =
        options->key_columns == NULL ? NULL : must_strdup(options->key_columns);
    next->lanes_seen = options->lanes;
    check(options->lanes >= 1 && options->lanes <= LANES_MAX);

    next->recovered_lsn = options->recovered_lsn != 0 || options->forget_positions
                              ? options->recovered_lsn
                              : from->recovered_lsn;
    if (options->forget_positions) {
        next->first_generation = next->generation;
        next->settled_lsn = options->accept_lsn;
        next->origin_lsn = options->origin_lsn != 0 ? options->origin_lsn : options->accept_lsn;
        return;
    }
    next->first_generation = from->first_generation;
    next->settled_lsn = from->settled_lsn;
    next->origin_lsn = options->origin_lsn != 0 ? options->origin_lsn : from->origin_lsn;
    if (options->accept_lsn > next->settled_lsn) {
        next->settled_lsn = options->accept_lsn;
    }
    for (size_t i = 0; i < from->n_history; i++) {
        history_add(next, &from->history[i]);
    }
    if (from->found) {
        history_add(next, &from->layout);
        carry_unmarked(from, options->marked_lsn, &next->unmarked);
    }
}

static enum leaving compare_lane(const struct layout *layout, struct position position,
                                 struct bytes key)
{
    uint32_t lane = murmur2_bucket(key, layout->lanes);
    return position_compare(position, layout->watermarks[lane]) <= 0 ? EVENT_IS_COMMITTED
                                                                     : EVENT_IS_NEW;
}

/* An older layout with other keys: where its lanes agree, the key does not matter. */
static enum leaving compare_past(const struct layout *layout, size_t index,
                                 struct position position, const struct past_keys *past)
{
    struct position least;
    struct position most;
    layout_range(layout, &least, &most);
    if (position_compare(position, least) <= 0) {
        return EVENT_IS_COMMITTED;
    }
    if (position_compare(position, most) > 0) {
        return EVENT_IS_NEW;
    }
    struct bytes key;
    if (past == NULL || !past->key_of(past->context, index, &key)) {
        return EVENT_IS_UNKNOWN;
    }
    return compare_lane(layout, position, key);
}

enum leaving checkpoint_compare(const struct checkpoint *checkpoint, struct position position,
                                struct bytes key, const struct past_keys *past)
{
    if (position.commit_lsn < checkpoint->settled_lsn) {
        return EVENT_IS_COMMITTED;
    }
    const struct layout *now = &checkpoint->layout;
    enum leaving answer = now->lanes == 0 ? EVENT_IS_NEW : compare_lane(now, position, key);
    for (size_t i = 0; answer != EVENT_IS_COMMITTED && i < checkpoint->n_history; i++) {
        const struct layout *layout = &checkpoint->history[i];
        enum leaving older = layout_same_keys(layout, now)
                                 ? compare_lane(layout, position, key)
                                 : compare_past(layout, i, position, past);
        if (older != EVENT_IS_NEW) {
            answer = older;
        }
    }
    return answer;
}
