/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "anchor/journal_topic.h"
#include "base/check.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/reach.h"
#include "cli/say.h"
#include "cli/topics.h"
#include "encode/timestamp.h"

enum { BAR_WIDTH = 30 };

/* --- the command line --- */

static enum verdict check_together(const struct invocation *invocation, struct error *error)
{
    static const char *const with_resume[] = {"--from", "--to",      "--topic", "--key",
                                              "--type", "--dry-run", NULL};
    bool resume = invocation_value(invocation, "--resume") != NULL;
    for (size_t i = 0; resume && with_resume[i] != NULL; i++) {
        if (invocation_value(invocation, with_resume[i]) != NULL) {
            error_set(error, INVALID, "--resume and %s do not go together", with_resume[i]);
            return error_remedy(error,
                                "A replay is resumed as it was asked for: give its id alone.");
        }
    }
    if (!resume && invocation_value(invocation, "--from") == NULL) {
        error_set(error, INVALID, "walpost replay needs --from");
        return error_remedy(error,
                            "Give a position, a time or a bookmark; `walpost status` shows what "
                            "can be replayed.");
    }
    return OK;
}

static enum verdict check_texts(const struct invocation *invocation, struct error *error)
{
    const char *topic = invocation_value(invocation, "--topic");
    const char *id = invocation_value(invocation, "--resume");
    if (topic != NULL && (topic[0] == '\0' || !topic_is_known(topic))) {
        error_set(error, INVALID, "--topic cannot be \"%.60s\"", topic);
        return error_remedy(error, "Give the name of a topic; without --topic, events go where the "
                                   "stream would send them.");
    }
    if (id != NULL && !replay_id_valid(id)) {
        error_set(error, INVALID, "--resume cannot be \"%.60s\"", id);
        return error_remedy(error, "`walpost status` lists the replays that are not done.");
    }
    return OK;
}

static enum verdict parse(const struct invocation *invocation, struct replay_options *options,
                          struct error *error)
{
    enum verdict verdict = check_together(invocation, error);
    if (verdict == OK) {
        verdict = check_texts(invocation, error);
    }
    if (verdict == OK) {
        verdict =
            bound_parse("--from", invocation_value(invocation, "--from"), &options->from, error);
    }
    if (verdict == OK) {
        verdict = bound_parse("--to", invocation_value(invocation, "--to"), &options->to, error);
    }
    options->dry_run = invocation_value(invocation, "--dry-run") != NULL;
    options->resume = invocation_value(invocation, "--resume") != NULL;
    return verdict;
}

/* --- the job --- */

static char *text_or_null(const char *text)
{
    return text == NULL ? NULL : must_strdup(text);
}

static void new_job(const struct invocation *invocation, struct replay_job *job)
{
    uint16_t noise = 0;
    char day[32];
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(day, sizeof(day), "%Y%m%d-%H%M%S", &parts);
    check(getrandom(&noise, sizeof(noise), 0) == sizeof(noise));
    snprintf(job->id, sizeof(job->id), "%s-%04x", day, noise);
    job->topic = text_or_null(invocation_value(invocation, "--topic"));
    job->key = text_or_null(invocation_value(invocation, "--key"));
    job->event_type = text_or_null(invocation_value(invocation, "--type"));
}

static void copy_job(const struct replay_job *from, struct replay_job *to)
{
    *to = *from;
    to->topic = text_or_null(from->topic);
    to->key = text_or_null(from->key);
    to->event_type = text_or_null(from->event_type);
    to->key_template = must_strdup(from->key_template);
}

static enum verdict find_job(const struct journal *journal, const char *id, struct replay_job *job,
                             struct error *error)
{
    const struct replay_job *found = journal_job(journal, id);
    if (found == NULL) {
        error_set(error, INVALID, "there is no replay %s", id);
        return error_remedy(error, "`walpost status` lists the replays that are not done.");
    }
    copy_job(found, job);
    return OK;
}

/* The topic of a replay takes the place of route.topic, so that every step finds it there. */
static enum verdict load_with_topic(const struct invocation *invocation, const char *topic,
                                    struct config **config, struct error *error)
{
    struct invocation with = *invocation;
    char *set = must_printf("route.topic=%s", topic == NULL ? "" : topic);
    const char **sets = must_calloc(invocation->sources.n_sets + 1, sizeof(sets[0]));
    for (size_t i = 0; i < invocation->sources.n_sets; i++) {
        sets[i] = invocation->sources.sets[i];
    }
    with.sources.sets = sets;
    if (topic != NULL) {
        sets[with.sources.n_sets++] = set;
    }
    enum verdict verdict = reach_config(&with, true, config, error);
    free(sets);
    free(set);
    return verdict;
}

/* --- what a person sees --- */

struct view {
    const struct config *config;
    bool json;
    bool dry_run;
    bool bar;      /* standard error is a terminal */
    bool bar_open; /* its line is not ended */
};

static void on_began(void *context, const struct replay_job *job, const struct window *window)
{
    const struct view *view = context;
    char text[WINDOW_TEXT_SIZE];
    window_format(window, text);
    if (view->json) {
        return;
    }
    fprintf(stderr, "%s%s of stream %s: " LSN_FORMAT " to " LSN_FORMAT " of the window %s\n",
            view->dry_run ? "dry run" : "replay ", view->dry_run ? "" : job->id,
            view->config->stream, LSN_ARGS(job->from_lsn), LSN_ARGS(job->to_lsn), text);
    if (!view->dry_run) {
        fprintf(stderr, "after an interruption: walpost replay --resume %s\n", job->id);
    }
}

static void on_progress(void *context, const struct replay_progress *progress)
{
    struct view *view = context;
    if (!view->bar || progress->to_lsn <= progress->from_lsn) {
        return;
    }
    lsn read = progress->read_lsn < progress->to_lsn ? progress->read_lsn : progress->to_lsn;
    double share =
        (double)(read - progress->from_lsn) / (double)(progress->to_lsn - progress->from_lsn);
    double seconds = (double)progress->us / 1e6;
    int full = (int)(share * BAR_WIDTH);
    fprintf(stderr, "\r[%.*s%*s] %3.0f %%  %" PRIu64 " events, %.0f a second \033[K", full,
            "##############################", BAR_WIDTH - full, "", share * 100, progress->events,
            seconds > 0 ? (double)progress->events / seconds : 0.0);
    view->bar_open = true;
}

static void print_json(const struct view *view, const struct replay_job *job,
                       const struct replay_result *result, const char *state)
{
    char since[TIMESTAMP_TEXT_SIZE];
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "stream", view->config->stream);
    json_text(&json, "replay_id", view->dry_run ? NULL : job->id);
    json_text(&json, "state", state);
    json_lsn(&json, "from_lsn", job->from_lsn);
    json_lsn(&json, "to_lsn", job->to_lsn);
    json_open(&json, "window", '{');
    json_lsn(&json, "from_lsn", result->window.first_lsn);
    json_lsn(&json, "to_lsn", result->window.end_lsn);
    bool known = result->window.since_us > 0;
    json_text(&json, "since",
              known && timestamp_format(result->window.since_us, since) > 0 ? since : NULL);
    json_close(&json, '}');
    json_int(&json, "events", (int64_t)result->events);
    json_int(&json, "dead_letters", (int64_t)result->dead_letters);
    json_int(&json, "left_out", (int64_t)result->left_out);
    json_int(&json, "unwanted", (int64_t)result->unwanted);
    json_int(&json, "unfit", (int64_t)result->unfit);
    json_int(&json, "milliseconds", result->us / 1000);
    if (view->dry_run) {
        json_open(&json, "counts", '[');
        for (size_t i = 0; i < result->tally.count; i++) {
            json_open(&json, NULL, '{');
            json_text(&json, "topic", result->tally.rows[i].topic);
            json_text(&json, "event_type", result->tally.rows[i].event_type);
            json_int(&json, "events", (int64_t)result->tally.rows[i].events);
            json_close(&json, '}');
        }
        json_close(&json, ']');
        json_int(&json, "others", (int64_t)result->tally.others);
    }
    json_close(&json, '}');
    printf("\n");
}

static void print_count(uint64_t count, const char *what)
{
    if (count > 0) {
        printf("%12" PRIu64 "  %s\n", count, what);
    }
}

static void print_tally(const struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++) {
        printf("%12" PRIu64 "  %s  %s\n", tally->rows[i].events, tally->rows[i].topic,
               tally->rows[i].event_type);
    }
    print_count(tally->others, "of further topics and types");
}

static void print_result(const struct view *view, const struct replay_result *result)
{
    double seconds = (double)result->us / 1e6;
    if (view->dry_run) {
        print_tally(&result->tally);
        printf("%12" PRIu64 "  events would be published\n", result->events);
    } else {
        printf("%12" PRIu64 "  events published, in %.1f s (%.0f a second)\n", result->events,
               seconds, seconds > 0 ? (double)result->events / seconds : 0.0);
    }
    print_count(result->left_out, "left out: this replay had published them before");
    print_count(result->dead_letters,
                view->dry_run ? "would become dead letters" : "became dead letters");
    print_count(result->unfit, "rows that are no events: they are dead letters already");
    print_count(result->unwanted, "not asked for, by key, type or time");
}

static const char *state_of(const struct view *view, enum verdict verdict)
{
    return verdict != OK ? "interrupted" : view->dry_run ? "dry run" : "done";
}

/* Something may be published, and the rest can follow. */
static void say_how_to_resume(const struct replay_job *job, struct error *error)
{
    char remedy[sizeof(error->remedy)];
    snprintf(remedy, sizeof(remedy), "%s", error->remedy);
    error_remedy(error, "%s%s`walpost replay --resume %s` goes on where it was.", remedy,
                 remedy[0] == '\0' ? "" : " ", job->id);
}

/* --- the command --- */

static enum verdict replay_with(const struct invocation *invocation, struct config *config,
                                const struct replay_options *options, struct replay_job *job,
                                struct error *error)
{
    struct log log = reach_log(config);
    struct view view = {.config = config,
                        .json = invocation->json,
                        .dry_run = options->dry_run,
                        .bar = !invocation->json && isatty(STDERR_FILENO) == 1};
    struct replay_result result;
    struct replay_options wired = *options;
    wired.config = config;
    wired.log = &log;
    wired.began = on_began;
    wired.progress = on_progress;
    wired.context = &view;
    if (job->done) {
        error_set(error, INVALID, "replay %s is done", job->id);
        return error_remedy(error, "Begin a new one with --from.");
    }
    enum verdict verdict = replay_run(&wired, job, &result, error);
    if (view.bar_open) {
        fprintf(stderr, "\n");
    }
    bool interrupted =
        verdict != OK && verdict != REFUSE && verdict != INVALID && job->from_lsn != 0;
    if (interrupted && !options->dry_run) {
        say_how_to_resume(job, error);
    }
    if (verdict == OK || interrupted) {
        if (invocation->json) {
            print_json(&view, job, &result, state_of(&view, verdict));
        } else if (verdict == OK) {
            print_result(&view, &result);
        }
    }
    tally_release(&result.tally);
    return verdict;
}

/* A copy of a configuration must not publish its events into the stream that it was copied from. */
static enum verdict judge_stream(const struct config *config, struct error *error)
{
    struct look look = {.config = config};
    enum verdict verdict = look_at_own_stream(&look, error);
    look_release(&look);
    return verdict;
}

static int replay(const struct invocation *invocation)
{
    struct error error;
    struct replay_options options = {.from = {.kind = BOUND_NONE}};
    struct config *config = NULL;
    struct replay_job job = {.id = ""};
    struct journal journal;
    journal_init(&journal);
    enum verdict verdict = parse(invocation, &options, &error);
    if (verdict == OK) {
        verdict =
            load_with_topic(invocation, invocation_value(invocation, "--topic"), &config, &error);
    }
    if (verdict == OK) {
        verdict = judge_stream(config, &error);
    }
    if (verdict == OK) {
        verdict = journal_read(config, false, KAFKA_TIMEOUT_MS, NULL, &journal, &error);
    }
    if (verdict == OK && options.resume) {
        verdict = find_job(&journal, invocation_value(invocation, "--resume"), &job, &error);
    } else if (verdict == OK) {
        new_job(invocation, &job);
    }
    if (verdict == OK && options.resume && job.topic != NULL) {
        config_free(config);
        config = NULL;
        verdict = load_with_topic(invocation, job.topic, &config, &error);
    }
    if (verdict == OK) {
        options.journal = &journal;
        verdict = replay_with(invocation, config, &options, &job, &error);
    }
    replay_job_release(&job);
    journal_release(&journal);
    config_free(config);
    if (verdict != OK) {
        error.verdict = verdict;
        return say_error(&error);
    }
    return 0;
}

static const struct flag flags[] = {
    {"--from", "WHERE", "begin at this position (0/16B3748), time or bookmark"},
    {"--to", "WHERE", "end before it; else where the stream stands now"},
    {"--topic", "TOPIC", "to this topic, instead of where the stream would send it"},
    {"--key", "KEY", "only events with this record key"},
    {"--type", "TYPE", "only events of this type"},
    {"--dry-run", NULL, "count by topic and type, publish nothing"},
    {"--resume", "ID", "go on with a replay that was interrupted"},
    {NULL},
};

const struct command command_replay = {
    .name = "replay",
    .summary = "publishes events once more, from the WAL that is kept",
    .details =
        "Reads what lies between --from and --to again and publishes it with the same event_id,\n"
        "key and value, and the headers replay_id and position: to the topics of the stream, "
        "where\n"
        "a consumer that knows its events by event_id sees nothing new, or to --topic, which then\n"
        "has every event again, in the order of the stream. It runs beside `walpost run` and\n"
        "touches nothing of it. A replay that was interrupted goes on with --resume: nothing is\n"
        "published twice. What is outside of the window that replay.keep_bytes and "
        "replay.keep_for\n"
        "keep is refused (exit status 3); `walpost status` shows the window.\n",
    .examples = "  walpost replay --from before-migration --dry-run\n"
                "  walpost replay --from before-migration --topic orders.rebuilt\n"
                "  walpost replay --from 2026-11-23T10:00:00Z --to 2026-11-23T11:00:00Z --key 42\n"
                "  walpost replay --from 0/16B3748 --type Order.Paid --json | jq .events\n"
                "  walpost replay --resume 20261123-101112-1a2b\n",
    .flags = flags,
    .json = true,
    .run = replay,
};
