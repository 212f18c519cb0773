/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/judgement.h"

#include "config/config.h"
#include "pipeline/recover.h"
#include "pipeline/source.h"

static enum verdict judge_slot(const struct session_options *options, const struct session *session,
                               const struct checkpoint *found, struct error *error)
{
    struct seen seen = source_seen(options, session);
    struct checkpoint_summary recorded = checkpoint_summarize(found);
    return belongs_to_slot(&seen, &recorded, error);
}

enum verdict judgement_of_stream(const struct session_options *options, struct session *session,
                                 const struct checkpoint *found, struct error *error)
{
    enum verdict verdict = source_judge_lineage(options, found, session, error);
    return verdict != OK ? verdict : judge_slot(options, session, found, error);
}

enum verdict judgement_make(const struct session_options *options, struct session *session,
                            const struct checkpoint *found, struct judgement *judgement,
                            struct error *error)
{
    *judgement = (struct judgement){.gap = OK};
    struct seen seen = source_seen(options, session);
    if (!found->found) {
        judgement->gap = belongs_refuse_without_checkpoint(&seen, &judgement->error);
        judgement->foreign = true;
        return OK;
    }
    struct checkpoint_summary recorded = checkpoint_summarize(found);
    judgement->gap = source_judge_lineage(options, found, session, &judgement->error);
    judgement->foreign = judgement->gap == REFUSE;
    if (judgement->gap == OK) {
        judgement->gap = judge_slot(options, session, found, &judgement->error);
        judgement->other_slot = judgement->gap == REFUSE;
    }
    if (judgement->gap == OK) {
        judgement->gap = belongs_to_position(&seen, &recorded, &judgement->error);
    }
    bool not_ours = judgement->foreign || judgement->other_slot;
    if (not_ours) {
        enum verdict alive = source_still_ours(options, session, OK, error);
        if (alive != OK) {
            return alive;
        }
    }
    bool recover = judgement->gap == REFUSE && !not_ours && !options->accept_gap &&
                   options->config->recover == RECOVER_TABLE;
    return recover ? recover_is_prepared(options, session, &judgement->recovered, error) : OK;
}

bool judgement_may_lead(const struct session_options *options, const struct judgement *judgement)
{
    return judgement->gap == OK ||
           (judgement->gap == REFUSE &&
            (options->accept_gap || (!judgement->foreign && !judgement->other_slot)));
}

bool judgement_is_accepted(const struct session_options *options, const struct judgement *judgement)
{
    return judgement->gap == REFUSE && (options->accept_gap || judgement->recovered);
}

void judgement_say_accepted(const struct session_options *options, const struct session *session,
                            const struct checkpoint *found, const struct judgement *judgement)
{
    if (judgement->other_slot) {
        log_write(options->log, LOG_WARN, "going on with another slot, as told by --accept-gap",
                  F_TEXT("before", found->slot), F_LSN("checkpoint", found->settled_lsn),
                  F_TEXT("now", options->config->postgres.slot), F_LSN("slot", session->slot_lsn));
        return;
    }
    log_write(options->log, LOG_WARN,
              judgement->recovered
                  ? "recovered from the table: rows that were still PENDING are published, some of "
                    "them perhaps a second time; logical messages between the two positions are "
                    "lost"
                  : "going on over a gap, as told by --accept-gap",
              F_LSN("checkpoint", found->settled_lsn), F_LSN("slot", session->slot_lsn));
}
