/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/ending.h"

#include "pipeline/flow.h"
#include "pipeline/pipeline.h"

void ending_note(struct ending *ending, const struct flow *flow)
{
    ending->end_lsn = flow->until_lsn;
    ending->stopped_lsn = flow->sink == NULL ? flow->feedback.sent_lsn : flow->read_lsn;
}

int ending_status(const struct ending *ending, const struct run_options *options, int status,
                  const struct log *log)
{
    bool has_end = options->once || options->until_lsn != 0;
    if (!has_end || ending->reached || status != 0) {
        return status;
    }
    struct error error;
    if (ending->end_lsn == 0) {
        error_set(&error, FATAL, "told to stop before anything was read: nothing was done");
    } else {
        error_set(&error, FATAL,
                  "told to stop at " LSN_FORMAT ", before the end of this run at " LSN_FORMAT,
                  LSN_ARGS(ending->stopped_lsn), LSN_ARGS(ending->end_lsn));
    }
    error_remedy(&error, "Run it again: it %s.",
                 options->target == TO_KAFKA ? "goes on where this one stopped" : "begins anew");
    log_error(log, LOG_ERROR, &error);
    return verdict_exit_status(FATAL);
}
