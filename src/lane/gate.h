/* SPDX-License-Identifier: Apache-2.0
 *
 * gate.h - the seam between a lane and the contracts: what may become a record.
 * In: a good event. Out: it keeps its contract, or why not.
 * Owns: whoever implements it owns what it needs; one gate belongs to one lane, which frees it.
 * Thread: the lane's.
 * Keeps: I7: no event passes without a contract that it keeps. The same event gets the same answer,
 *        however often it is asked about. */
#ifndef WALPOST_LANE_GATE_H
#define WALPOST_LANE_GATE_H

#include "base/error.h"
#include "outbox/event.h"

struct gate;

struct gate_ops {
    /* OK: event->contract and event->typed are set. REJECT: it breaks its contract, or there is
     * none: a dead letter of this reason. WAIT: somebody must do something outside first; nothing
     * of the event has changed. FATAL: the stream must not go on with it. */
    enum verdict (*hold)(struct gate *gate, struct event *event, enum dead_reason *reason,
                         struct error *error);
    void (*free)(struct gate *gate);
};

struct gate {
    const struct gate_ops *ops;
};

#endif
