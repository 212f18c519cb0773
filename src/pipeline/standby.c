/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/standby.h"

#include <inttypes.h>

#include "kafka/reader.h"
#include "pipeline/found.h"

enum { READ_TIMEOUT_MS = 10000 };

/* I11: whoever led after us has the stream; this process must not take it back by itself. A newer
 * generation of our own is one whose commit was aborted, or whose outcome we never learned. */
enum verdict standby_judge_generation(const struct session_options *options,
                                      const struct checkpoint *found, struct error *error)
{
    if (options->last_generation == 0 || found->generation <= options->last_generation ||
        strcmp(found->instance, options->instance) == 0) {
        return OK;
    }
    error_set(error, FENCED,
              "generation %" PRIu64
              " (%s) leads the stream now; this process led generation %" PRIu64,
              found->generation, found->instance, options->last_generation);
    return error_remedy(error,
                        "Nothing is wrong with the stream. Start this instance again if it shall "
                        "stand by.");
}

/* The checkpoint as it is just now, for one that has no part in it. */
static enum verdict look_from_outside(const struct session_options *options,
                                      struct checkpoint *found, struct error *error)
{
    struct reader *reader = NULL;
    enum verdict verdict = reader_new(options->config, &reader, error);
    if (verdict == OK) {
        verdict = checkpoint_read(options->config, reader, false, READ_TIMEOUT_MS, options->stop,
                                  found, error);
    }
    reader_free(reader);
    return verdict;
}

/* The slot is held by another one. Has that one already led? */
enum verdict standby_judge(const struct session_options *options, struct error *error)
{
    struct error held = *error;
    struct checkpoint found;
    if (!options->kafka || options->last_generation == 0 ||
        look_from_outside(options, &found, error) != OK) {
        *error = held;
        return WAIT;
    }
    enum verdict verdict = standby_judge_generation(options, &found, error);
    checkpoint_release(&found);
    if (verdict == FENCED) {
        return FENCED;
    }
    *error = held;
    return WAIT;
}

void standby_say_leader(const struct session_options *options)
{
    struct checkpoint found;
    struct error error;
    if (!options->kafka || look_from_outside(options, &found, &error) != OK) {
        return;
    }
    if (found.found) {
        log_write(options->log, LOG_INFO, "standing by", F_TEXT("leader", found.instance),
                  F_U64("generation", found.generation));
    }
    checkpoint_release(&found);
}
