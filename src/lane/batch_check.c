/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "lane/batch.h"

/* The contract, the path, what was expected and found: more than the event has room for. */
static void make_dead(struct event *event, enum dead_reason reason, const struct error *error)
{
    check(event->memory == NULL);
    event->memory = must_strdup(error->what);
    event->row.dead = reason;
    event->row.detail = event->memory;
}

static enum verdict check_event(struct gate *gate, struct event *event, struct error *error)
{
    enum dead_reason reason = DEAD_NOT;
    if (event->row.dead != DEAD_NOT || event->contract != NULL) {
        return OK;
    }
    enum verdict verdict = gate->ops->hold(gate, event, &reason, error);
    if (verdict == REJECT) {
        make_dead(event, reason, error);
        return OK;
    }
    check(verdict != OK || event->contract != NULL); /* I7 */
    return verdict;
}

enum verdict batch_check(const struct batch *batch, struct gate *gate, const atomic_bool *stop,
                         struct segment **culprit, struct error *error)
{
    for (struct segment *segment = batch->first; segment != NULL; segment = segment->next) {
        if (atomic_load_explicit(stop, memory_order_relaxed)) {
            return error_set(error, AGAIN, "stopped before a batch");
        }
        for (struct event *event = segment->first; event != NULL; event = event->next) {
            enum verdict verdict = check_event(gate, event, error);
            if (verdict != OK) {
                *culprit = segment;
                return verdict;
            }
        }
        if (segment == batch->last) {
            break;
        }
    }
    return OK;
}
