/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "cli/dlq.h"
#include "cli/json.h"
#include "cli/reach.h"
#include "cli/say.h"

enum { FILE_GROWS = 64 * 1024 };

/* --- what becomes of each --- */

struct view {
    const struct dlq_order *order;
    struct json json;
    bool yes;
    const char *gone; /* what it is called: "replayed" */
};

static void print_news(const struct view *view, const struct dlq_news *news)
{
    bool stays = news->error != NULL;
    say_coloured(stdout, stays ? COLOUR_YELLOW : COLOUR_GREEN, stays ? "stays" : view->gone);
    printf("  ");
    say_text(stdout, news->letter->key, 0);
    if (stays) {
        printf("  ");
        say_text(stdout, bytes_of(news->error->what), 0);
        if (news->error->remedy[0] != '\0') {
            printf("\n       %s", news->error->remedy);
        }
    } else if (news->topic != NULL) {
        printf("  to %s", news->topic);
    }
    printf("\n");
}

static void on_news(void *context, const struct dlq_news *news)
{
    struct view *view = context;
    if (!view->order->json) {
        print_news(view, news);
        return;
    }
    json_open(&view->json, NULL, '{');
    json_bytes(&view->json, "id", news->letter->key);
    json_text(&view->json, "outcome", news->error != NULL ? "stays" : view->gone);
    json_text(&view->json, "topic", news->topic);
    json_text(&view->json, "trouble", news->error == NULL ? NULL : news->error->what);
    json_text(&view->json, "remedy", news->error == NULL ? NULL : news->error->remedy);
    json_close(&view->json, '}');
}

static void begin_json(struct view *view)
{
    view->json = (struct json){.out = stdout};
    if (view->order->json) {
        json_open(&view->json, NULL, '{');
        json_text(&view->json, "stream", view->order->config->stream);
        json_open(&view->json, "letters", '[');
    }
}

/* Also after a failure: what is done is done. */
static void print_result(struct view *view, const struct dlq_result *result, const char *member,
                         enum verdict verdict)
{
    if (view->order->json) {
        json_close(&view->json, ']');
        json_int(&view->json, "matched", (int64_t)result->matched);
        json_int(&view->json, member, (int64_t)result->gone);
        json_int(&view->json, "stay", (int64_t)result->stay);
        json_int(&view->json, "marked", (int64_t)result->marked);
        json_bool(&view->json, "complete", verdict == OK);
        json_close(&view->json, '}');
        printf("\n");
        return;
    }
    if (result->matched == 0 && verdict == OK) {
        printf("no dead letter matches\n");
    } else if (verdict == OK) {
        printf("%" PRIu64 " %s, %" PRIu64 " stay\n", result->gone, view->gone, result->stay);
    }
    if (result->marked > 0) {
        printf("%" PRIu64 " row%s marked COMMITTED\n", result->marked,
               result->marked == 1 ? "" : "s");
    }
}

/* --- replay --- */

static enum verdict read_file(const char *name, struct bytes *content, struct error *error)
{
    bool standard = strcmp(name, "-") == 0;
    FILE *file = standard ? stdin : fopen(name, "rb");
    size_t size = 0;
    size_t len = 0;
    char *text = NULL;
    while (file != NULL && !feof(file) && !ferror(file)) {
        if (len == size) {
            size = 2 * size + FILE_GROWS;
            text = must_realloc(text, size);
        }
        len += fread(text + len, 1, size - len, file);
    }
    bool failed = file == NULL || ferror(file);
    if (failed) {
        error_set(error, INVALID, "--payload-file %.200s cannot be read: %m", name);
        free(text);
    }
    if (file != NULL && !standard) {
        fclose(file);
    }
    /* The line feed at the end is an editor's. */
    while (!failed && len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    *content = failed ? BYTES_NULL : (struct bytes){text, len};
    return failed ? INVALID : OK;
}

/* Marks and rows want PostgreSQL; what wants neither goes without it. */
static enum verdict open_rows(const struct dlq_order *order, bool from_table, struct link **link,
                              struct rows **rows, struct error *error)
{
    if (!from_table && order->config->outbox.after_publish == AFTER_KEEP) {
        return OK;
    }
    enum verdict verdict = reach_postgres(order->config, false, link, error);
    if (verdict == OK) {
        verdict = rows_open(order->config, *link, rows, error);
    }
    return verdict;
}

static enum verdict replay_with(const struct dlq_order *order, struct dlq_options *options,
                                int *exit_status, struct error *error)
{
    struct view view = {.order = order, .gone = options->dry_run ? "would go" : "replayed"};
    struct dlq_result result;
    options->context = &view;
    options->news = on_news;
    begin_json(&view);
    enum verdict verdict = dlq_replay(options, &result, error);
    print_result(&view, &result, "replayed", verdict);
    if (verdict == OK && !order->json && result.gone > 0) {
        say_next(options->dry_run ? "the same without --dry-run."
                                  : "walpost dlq list shows those that are left.");
    }
    *exit_status = result.stay > 0 ? 1 : 0;
    return verdict;
}

enum verdict dlq_do_replay(const struct dlq_order *order, int *exit_status, struct error *error)
{
    const struct invocation *invocation = order->invocation;
    const char *file = invocation_value(invocation, "--payload-file");
    bool from_table = invocation_value(invocation, "--from-table") != NULL;
    struct log log = reach_log(order->config);
    struct link *link = NULL;
    struct rows *rows = NULL;
    struct dlq_options options = {
        .config = order->config,
        .log = &log,
        .filter = &order->filter,
        .source = file != NULL ? DLQ_FROM_FILE
                  : from_table ? DLQ_FROM_TABLE
                               : DLQ_FROM_LETTER,
        .dry_run = invocation_value(invocation, "--dry-run") != NULL,
    };
    enum verdict verdict = file == NULL ? OK : read_file(file, &options.file, error);
    if (verdict == OK) {
        verdict = open_rows(order, from_table, &link, &rows, error);
    }
    if (verdict == OK) {
        options.rows = rows;
        verdict = replay_with(order, &options, exit_status, error);
    }
    free((char *)options.file.data);
    rows_close(rows);
    link_close(link);
    return verdict;
}

/* --- purge --- */

static bool confirm(void *context, size_t n_letters)
{
    const struct view *view = context;
    if (view->yes) {
        return true;
    }
    if (isatty(STDIN_FILENO) != 1) {
        return false;
    }
    char answer[16] = "";
    fprintf(stderr, "Remove %zu dead letter%s of stream %s for good? [y/N] ", n_letters,
            n_letters == 1 ? "" : "s", view->order->config->stream);
    return fgets(answer, sizeof(answer), stdin) != NULL &&
           (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
}

enum verdict dlq_do_purge(const struct dlq_order *order, int *exit_status, struct error *error)
{
    struct log log = reach_log(order->config);
    struct view view = {.order = order,
                        .gone = "purged",
                        .yes = invocation_value(order->invocation, "--yes") != NULL};
    struct dlq_result result;
    begin_json(&view);
    enum verdict verdict = dlq_purge(&(struct dlq_options){.config = order->config,
                                                           .log = &log,
                                                           .filter = &order->filter,
                                                           .news = on_news,
                                                           .confirm = confirm,
                                                           .context = &view},
                                     &result, error);
    if (verdict == AGAIN) {
        error_set(error, FATAL, "nothing was purged: %" PRIu64 " dead letters match",
                  result.matched);
        verdict = FATAL;
        error_remedy(error, "Answer y, or give --yes.");
    }
    print_result(&view, &result, "purged", verdict);
    *exit_status = result.stay > 0 ? 1 : 0;
    return verdict;
}
