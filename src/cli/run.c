/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/reach.h"
#include "cli/say.h"
#include "pipeline/pipeline.h"

static const struct {
    const char *name;
    enum run_target target;
} targets[] = {{"kafka", TO_KAFKA}, {"stdout", TO_STDOUT}, {"null", TO_NULL}};

static enum verdict parse_target(const char *text, enum run_target *target, struct error *error)
{
    struct nearest nearest;
    nearest_init(&nearest, text);
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        if (strcmp(targets[i].name, text) == 0) {
            *target = targets[i].target;
            return OK;
        }
        nearest_offer(&nearest, targets[i].name);
    }
    error_set(error, INVALID, "--to cannot be \"%.40s\"", text);
    return error_remedy(error, "Allowed is kafka, stdout or null; the nearest is %s.",
                        nearest.best);
}

static enum verdict parse_options(const struct invocation *invocation, struct run_options *options,
                                  struct error *error)
{
    *options = (struct run_options){
        .once = invocation_value(invocation, "--once") != NULL,
        .take_over = invocation_value(invocation, "--take-over") != NULL,
        .accept_gap = invocation_value(invocation, "--accept-gap") != NULL,
        .target = TO_KAFKA,
    };
    const char *until = invocation_value(invocation, "--until-lsn");
    const char *to = invocation_value(invocation, "--to");
    if (until != NULL && (!lsn_parse(until, &options->until_lsn) || options->until_lsn == 0)) {
        error_set(error, INVALID, "--until-lsn cannot be \"%.40s\"", until);
        return error_remedy(error, "Write a position as PostgreSQL does, for example 0/16B3748; "
                                   "SELECT pg_current_wal_lsn() gives the newest.");
    }
    if (until != NULL && options->once) {
        error_set(error, INVALID, "--once and --until-lsn do not go together");
        return error_remedy(error, "--once ends at the newest position of now, --until-lsn at "
                                   "yours: give one of them.");
    }
    if (to != NULL && parse_target(to, &options->target, error) != OK) {
        return INVALID;
    }
    if (options->accept_gap && options->target != TO_KAFKA) {
        error_set(error, INVALID, "--accept-gap and --to %s do not go together", to);
        return error_remedy(error, "A gap is accepted in the checkpoint, which is in Kafka.");
    }
    return OK;
}

static int run(const struct invocation *invocation)
{
    struct error error;
    struct run_options options;
    struct config *config = NULL;
    if (parse_options(invocation, &options, &error) != OK ||
        reach_config(invocation, options.target == TO_KAFKA, &config, &error) != OK) {
        return say_error(&error);
    }
    struct log log;
    log_init(&log, STDERR_FILENO, (enum log_format)config->telemetry.log,
             (enum log_level)config->telemetry.log_level);
    log.stream = config->stream;
    int status = pipeline_run(config, &options, &log);
    config_free(config);
    return status;
}

static const struct flag flags[] = {
    {"--once", NULL, "publish what is there now, then stop"},
    {"--until-lsn", "LSN", "stop once everything below this position is settled"},
    {"--take-over", NULL, "end the walsender of whoever holds the slot now"},
    {"--accept-gap", NULL, "go on from the slot's position though events before it may be missing"},
    {"--to", "TARGET", "kafka; stdout (JSON lines) and null need no Kafka and confirm nothing"},
    {NULL},
};

const struct command command_run = {
    .name = "run",
    .summary = "streams events until told to stop",
    .details =
        "Publishes every committed event of the outbox, exactly once. SIGTERM and SIGINT "
        "let what is\n"
        "in flight end, then stop. A second walpost of the same stream stands by until the "
        "slot is\n"
        "free. --once and --until-lsn end with exit status 1 when they are told to stop before\n"
        "their end. The log goes to standard error.\n",
    .examples = "  walpost run\n"
                "  walpost run -c orders.yaml --set telemetry.log=json\n"
                "  walpost run --once\n"
                "  walpost run --to stdout | jq .event_type\n",
    .flags = flags,
    .run = run,
};
