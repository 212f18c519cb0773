/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/bounds.h"

#include <stdio.h>

#include "anchor/window.h"
#include "base/nearest.h"
#include "encode/timestamp.h"

/* How far commit times may stand against the order of commits: a transaction takes its time a
 * moment before its place in the WAL. */
enum { DISORDER_US = 60 * 1000 * 1000 };

enum verdict bound_parse(const char *flag, const char *text, struct bound *bound,
                         struct error *error)
{
    *bound = (struct bound){.kind = BOUND_NONE, .text = text};
    if (text == NULL) {
        return OK;
    }
    if (lsn_parse(text, &bound->position)) {
        bound->kind = BOUND_LSN;
    } else if (timestamp_parse(bytes_of(text), &bound->time_us)) {
        bound->kind = BOUND_TIME;
    } else if (bookmark_name_valid(text)) {
        bound->kind = BOUND_BOOKMARK;
    } else {
        error_set(error, INVALID, "%s cannot be \"%.40s\"", flag, text);
        return error_remedy(error, "Write a position (0/16B3748), a time (2026-11-23T10:11:12Z, "
                                   "2026-11-23 10:11:12+01) or the name of a bookmark.");
    }
    return OK;
}

void window_format(const struct window *window, char text[static WINDOW_TEXT_SIZE])
{
    char time[TIMESTAMP_TEXT_SIZE];
    int used = snprintf(text, WINDOW_TEXT_SIZE, LSN_FORMAT " to " LSN_FORMAT,
                        LSN_ARGS(window->first_lsn), LSN_ARGS(window->end_lsn));
    if (window->since_us > 0 && timestamp_format(window->since_us, time) > 0) {
        snprintf(text + used, WINDOW_TEXT_SIZE - (size_t)used, ", since %s", time);
    }
}

static enum verdict outside(const struct window *window, const char *what, const char *remedy,
                            struct error *error)
{
    char text[WINDOW_TEXT_SIZE];
    window_format(window, text);
    error_set(error, REFUSE, "%s is outside of what can be replayed: the window is %s", what, text);
    return error_remedy(error, "%s", remedy);
}

static const char keep_more[] =
    "Begin inside of it. replay.keep_bytes and replay.keep_for keep more from now on; what the "
    "anchor has passed is gone.";
static const char come_later[] =
    "The stream has not published it yet, or not confirmed it: look at `walpost status`, and come "
    "back when it has.";

enum verdict window_judge(const struct window *window, const char *what, lsn position,
                          struct error *error)
{
    if (position < window->first_lsn) {
        return outside(window, what, keep_more, error);
    }
    return position > window->end_lsn ? outside(window, what, come_later, error) : OK;
}

static enum verdict no_bookmark(const struct journal *journal, const char *flag, const char *name,
                                struct error *error)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < journal->n_bookmarks; i++) {
        nearest_offer(&nearest, journal->bookmarks[i].name);
    }
    error_set(error, INVALID, "%s: there is no bookmark \"%s\"", flag, name);
    return nearest.best == NULL
               ? error_remedy(error, "There is none at all: `walpost bookmark add NAME` makes one.")
               : error_remedy(error, "The nearest is %s; `walpost bookmark list` lists all.",
                              nearest.best);
}

/* A bound that is a position, by number or by name. */
static enum verdict find_position(const char *flag, const struct bound *bound,
                                  const struct window *window, const struct journal *journal,
                                  lsn *position, struct error *error)
{
    *position = bound->position;
    if (bound->kind == BOUND_BOOKMARK) {
        const struct bookmark *bookmark = journal_bookmark(journal, bound->text);
        if (bookmark == NULL) {
            return no_bookmark(journal, flag, bound->text, error);
        }
        if (bookmark->system_id != window->system_id) {
            error_set(error, REFUSE, "bookmark \"%s\" belongs to another PostgreSQL cluster",
                      bound->text);
            return error_remedy(error,
                                "Its position means nothing here; `walpost bookmark rm %s` "
                                "forgets it.",
                                bound->text);
        }
        *position = bookmark->position;
    }
    char what[160];
    snprintf(what, sizeof(what), "%s %s%s" LSN_FORMAT "%s", flag,
             bound->kind == BOUND_BOOKMARK ? bound->text : "",
             bound->kind == BOUND_BOOKMARK ? " (" : "", LSN_ARGS(*position),
             bound->kind == BOUND_BOOKMARK ? ")" : "");
    return window_judge(window, what, *position, error);
}

static enum verdict resolve_from(const struct bound *from, const struct window *window,
                                 const struct journal *journal, struct replay_job *job,
                                 struct error *error)
{
    if (from->kind != BOUND_TIME) {
        return find_position("--from", from, window, journal, &job->from_lsn, error);
    }
    if (window->since_us == 0 || from->time_us < window->since_us) {
        char what[64];
        snprintf(what, sizeof(what), "--from %.40s", from->text);
        return outside(window, what, keep_more, error);
    }
    job->from_us = from->time_us;
    job->from_lsn = wal_clock_before(&journal->clock, from->time_us - DISORDER_US);
    if (job->from_lsn < window->first_lsn) {
        job->from_lsn = window->first_lsn;
    }
    return OK;
}

enum verdict bounds_resolve(const struct bound *from, const struct bound *to,
                            const struct window *window, const struct journal *journal,
                            struct replay_job *job, struct error *error)
{
    enum verdict verdict = resolve_from(from, window, journal, job, error);
    if (verdict != OK) {
        return verdict;
    }
    job->to_lsn = window->end_lsn;
    if (to->kind == BOUND_TIME) {
        job->to_us = to->time_us;
    } else if (to->kind != BOUND_NONE) {
        verdict = find_position("--to", to, window, journal, &job->to_lsn, error);
    }
    bool upside_down = to->kind != BOUND_NONE &&
                       (job->to_lsn < job->from_lsn ||
                        (from->kind == BOUND_TIME && job->to_us != 0 && job->to_us < job->from_us));
    if (verdict == OK && upside_down) {
        error_set(error, INVALID, "--to %.40s comes before --from %.40s", to->text, from->text);
        verdict = error_remedy(error, "Turn them round.");
    }
    return verdict;
}
