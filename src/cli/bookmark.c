/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "anchor/journal_topic.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/nearest.h"
#include "cli/json.h"
#include "cli/look.h"
#include "cli/say.h"
#include "encode/timestamp.h"

/* Where a bookmark stands, seen from what can be replayed. */
static const char *place(const struct look *look, const struct bookmark *bookmark)
{
    if (bookmark->system_id != look->found.identity.system_id) {
        return "of another cluster";
    }
    if (!look->anchor.exists || bookmark->position < look->anchor.confirmed_lsn) {
        return "outside";
    }
    return bookmark->position <= look->found.slot.confirmed_lsn ? "inside" : "ahead";
}

static enum verdict look_at_journal(const struct config *config, struct journal *journal,
                                    struct error *error)
{
    journal_init(journal);
    return journal_read(config, false, KAFKA_TIMEOUT_MS, NULL, journal, error);
}

static enum verdict write_bookmark(const struct config *config, const char *name,
                                   struct bytes value, struct error *error)
{
    char key[JOURNAL_KEY_MAX];
    struct log log = reach_log(config);
    journal_bookmark_key(name, key);
    enum verdict verdict = journal_provide(config, error);
    return verdict != OK ? verdict : journal_write(config, &log, key, value, NULL, error);
}

/* --- add --- */

static enum verdict wanted_position(struct look *look, const char *text, struct bookmark *bookmark,
                                    struct error *error)
{
    lsn wal_lsn = 0;
    enum verdict verdict = catalog_clock(look->sql, &wal_lsn, &bookmark->created_us, error);
    if (verdict != OK) {
        return verdict;
    }
    bookmark->position = wal_lsn;
    if (text != NULL && !lsn_parse(text, &bookmark->position)) {
        error_set(error, INVALID, "--lsn cannot be \"%.40s\"", text);
        return error_remedy(error, "Write a position as PostgreSQL does, for example 0/16B3748.");
    }
    if (bookmark->position > wal_lsn) {
        error_set(error, INVALID,
                  "--lsn %s is ahead of the server's WAL, which ends at " LSN_FORMAT, text,
                  LSN_ARGS(wal_lsn));
        return error_remedy(error, "Give a position that is there already, or none for now.");
    }
    return OK;
}

static enum verdict add(struct look *look, const struct invocation *invocation, struct error *error)
{
    const char *name = invocation->words[1];
    struct bookmark bookmark = {.system_id = 0};
    enum verdict verdict = look_at_own_stream(look, error);
    if (verdict == OK) {
        verdict = wanted_position(look, invocation_value(invocation, "--lsn"), &bookmark, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    bookmark.system_id = look->found.identity.system_id;
    bookmark.timeline = look->found.identity.timeline;
    struct bytes value;
    char *memory = journal_write_bookmark(&bookmark, &value.len);
    value.data = memory;
    verdict = write_bookmark(look->config, name, value, error);
    free(memory);
    if (verdict != OK) {
        return verdict;
    }
    printf("bookmark %s at " LSN_FORMAT "\n", name, LSN_ARGS(bookmark.position));
    if (strcmp(place(look, &bookmark), "outside") == 0) {
        say_coloured(stdout, COLOUR_YELLOW, "warning");
        printf(": it is outside of what can be replayed%s\n",
               look->anchor.exists ? ""
                                   : ": no anchor slot keeps WAL (replay.keep_bytes, "
                                     "replay.keep_for; then `walpost init`)");
    }
    return OK;
}

/* --- list --- */

static void list_one(struct json *json, const struct look *look, const struct bookmark *bookmark)
{
    char time[TIMESTAMP_TEXT_SIZE];
    timestamp_format(bookmark->created_us, time);
    if (json == NULL) {
        printf("%-24s " LSN_FORMAT "  %s  %s\n", bookmark->name, LSN_ARGS(bookmark->position), time,
               place(look, bookmark));
        return;
    }
    json_open(json, NULL, '{');
    json_text(json, "name", bookmark->name);
    json_lsn(json, "lsn", bookmark->position);
    json_text(json, "created_at", time);
    json_text(json, "window", place(look, bookmark));
    json_close(json, '}');
}

static enum verdict list(struct look *look, const struct invocation *invocation,
                         struct error *error)
{
    struct journal journal;
    enum verdict verdict = look_at_postgres(look, error);
    if (verdict != OK) {
        return verdict;
    }
    verdict = look_at_journal(look->config, &journal, error);
    struct json json = {.out = stdout};
    if (verdict == OK && invocation->json) {
        json_open(&json, NULL, '{');
        json_text(&json, "stream", look->config->stream);
        json_open(&json, "bookmarks", '[');
    }
    for (size_t i = 0; verdict == OK && i < journal.n_bookmarks; i++) {
        list_one(invocation->json ? &json : NULL, look, &journal.bookmarks[i]);
    }
    if (verdict == OK && invocation->json) {
        json_close(&json, ']');
        json_close(&json, '}');
        printf("\n");
    } else if (verdict == OK && journal.n_bookmarks == 0) {
        printf("there are no bookmarks\n");
    }
    journal_release(&journal);
    return verdict;
}

/* --- rm --- */

static enum verdict no_such(const struct journal *journal, const char *name, struct error *error)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < journal->n_bookmarks; i++) {
        nearest_offer(&nearest, journal->bookmarks[i].name);
    }
    error_set(error, INVALID, "there is no bookmark \"%s\"", name);
    return nearest.best == NULL
               ? error_remedy(error, "There is none at all.")
               : error_remedy(error, "The nearest is %s; `walpost bookmark list` lists all.",
                              nearest.best);
}

static enum verdict rm(struct look *look, const char *name, struct error *error)
{
    struct journal journal;
    enum verdict verdict = look_at_journal(look->config, &journal, error);
    if (verdict == OK && journal_bookmark(&journal, name) == NULL) {
        verdict = no_such(&journal, name, error);
    }
    journal_release(&journal);
    if (verdict == OK) {
        verdict = write_bookmark(look->config, name, BYTES_NULL, error);
    }
    if (verdict == OK) {
        printf("removed bookmark %s\n", name);
    }
    return verdict;
}

/* --- the command --- */

static enum verdict check_words(const struct invocation *invocation, struct error *error)
{
    const char *verb = invocation->words[0];
    const char *name = invocation->words[1];
    bool lists = verb != NULL && strcmp(verb, "list") == 0;
    bool names = verb != NULL && (strcmp(verb, "add") == 0 || strcmp(verb, "rm") == 0);
    if (!(lists && name == NULL) && !(names && name != NULL)) {
        error_set(error, INVALID, "walpost bookmark does not know what to do");
        return error_remedy(error, "Write walpost bookmark add NAME, list, or rm NAME.");
    }
    if (names && !bookmark_name_valid(name)) {
        error_set(error, INVALID, "\"%.70s\" cannot be the name of a bookmark", name);
        return error_remedy(error,
                            "A name begins with a letter and has up to %d of a-z, A-Z, 0-9, "
                            "., _ and -.",
                            BOOKMARK_NAME_MAX);
    }
    if (invocation_value(invocation, "--lsn") != NULL && strcmp(verb, "add") != 0) {
        error_set(error, INVALID, "--lsn does not go with walpost bookmark %s", verb);
        return error_remedy(error, "Only add takes a position.");
    }
    return OK;
}

static int bookmark(const struct invocation *invocation)
{
    struct error error;
    struct config *config = NULL;
    if (check_words(invocation, &error) != OK ||
        reach_config(invocation, true, &config, &error) != OK) {
        return say_error(&error);
    }
    struct look look = {.config = config};
    const char *verb = invocation->words[0];
    enum verdict verdict = strcmp(verb, "add") == 0    ? add(&look, invocation, &error)
                           : strcmp(verb, "list") == 0 ? list(&look, invocation, &error)
                                                       : rm(&look, invocation->words[1], &error);
    look_release(&look);
    config_free(config);
    if (verdict != OK) {
        error.verdict = verdict;
        return say_error(&error);
    }
    return 0;
}

static const struct flag flags[] = {
    {"--lsn", "LSN", "add: this position instead of the newest"},
    {NULL},
};

const struct command command_bookmark = {
    .name = "bookmark",
    .summary = "gives a position of the WAL a name, for replays",
    .details =
        "add NAME keeps the newest position, or that of --lsn, under a name; a name that is there\n"
        "already moves. list shows all, and which of them lie in what can be replayed: inside,\n"
        "outside (the anchor has passed it), ahead (not published yet). rm NAME forgets one. They\n"
        "stand in the topic walpost.replay.<stream>.\n",
    .examples = "  walpost bookmark add before-migration\n"
                "  walpost bookmark add incident-42 --lsn 16/B374D848\n"
                "  walpost bookmark list\n"
                "  walpost bookmark rm before-migration\n",
    .flags = flags,
    .words = "add NAME | list | rm NAME",
    .json = true,
    .run = bookmark,
};
