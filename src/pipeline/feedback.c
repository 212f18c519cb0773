/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/feedback.h"

#include "base/check.h"

enum {
    LEADER_EVERY_US = 1000 * 1000,
    STATUS_EVERY_US = 100 * 1000,
};

void feedback_init(struct feedback *feedback, lsn slot_lsn, lsn committed_lsn)
{
    *feedback = (struct feedback){
        .flush_lsn = slot_lsn,
        .sent_lsn = slot_lsn,
        .committed_lsn = committed_lsn,
    };
}

void feedback_committed(struct feedback *feedback, lsn settled_lsn)
{
    if (settled_lsn > feedback->committed_lsn) {
        feedback->committed_lsn = settled_lsn;
    }
}

void feedback_update(struct feedback *feedback, lsn safe_lsn)
{
    lsn may = safe_lsn < feedback->committed_lsn ? safe_lsn : feedback->committed_lsn;
    if (may > feedback->flush_lsn) { /* I2; and never below the slot's own position */
        feedback->flush_lsn = may;
    }
}

bool feedback_wants_leader(const struct feedback *feedback, lsn safe_lsn, bool urgent,
                           int64_t now_us)
{
    if (feedback->leader_busy || safe_lsn <= feedback->committed_lsn ||
        safe_lsn <= feedback->flush_lsn) {
        return false;
    }
    return urgent || now_us - feedback->leader_asked_us >= LEADER_EVERY_US;
}

void feedback_leader_asked(struct feedback *feedback, int64_t now_us)
{
    check(!feedback->leader_busy);
    feedback->leader_busy = true;
    feedback->leader_asked_us = now_us;
}

void feedback_leader_answered(struct feedback *feedback, lsn settled_lsn)
{
    feedback->leader_busy = false;
    feedback_committed(feedback, settled_lsn);
}

bool feedback_wants_status(const struct feedback *feedback, bool urgent, int64_t interval_us,
                           int64_t now_us)
{
    int64_t silent_us = now_us - feedback->sent_us;
    if (feedback->flush_lsn > feedback->sent_lsn) {
        return urgent || silent_us >= STATUS_EVERY_US;
    }
    return silent_us >= interval_us;
}

void feedback_sent(struct feedback *feedback, int64_t now_us)
{
    check(feedback->flush_lsn >= feedback->sent_lsn); /* I2 */
    feedback->sent_lsn = feedback->flush_lsn;
    feedback->sent_us = now_us;
}
