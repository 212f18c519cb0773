/* SPDX-License-Identifier: Apache-2.0
 *
 * replay.h - dead letters leave their topic: as the events that they should have been, or for good.
 * In: what is wanted. Out: events, tombstones, marks; what became of each letter.
 * Owns: its clients, for the time of a call.
 * Thread: main's; calls wait.
 * Keeps: I3: an event of a dead letter becomes visible once, whatever is killed and however often
 *        the command is repeated. I8: values up to `memory` are held. */
#ifndef WALPOST_DLQ_REPLAY_H
#define WALPOST_DLQ_REPLAY_H

#include "dlq/filter.h"
#include "dlq/publish.h"
#include "dlq/rows.h"

enum dlq_source {
    DLQ_FROM_LETTER,
    DLQ_FROM_FILE, /* one letter, with this value */
    DLQ_FROM_TABLE,
};

/* What became of a letter, or would (dry run); error NULL: it is gone. */
struct dlq_news {
    const struct letter *letter;
    const char *topic; /* of the event; NULL: none was made */
    const struct error *error;
};

struct dlq_options {
    const struct config *config;
    const struct log *log;
    const struct filter *filter;
    enum dlq_source source;
    struct bytes file;
    struct rows *rows; /* NULL: nothing is marked, nor read from the table */
    bool dry_run;
    void (*news)(void *context, const struct dlq_news *news);
    /* May these letters be purged? NULL: they may. */
    bool (*confirm)(void *context, size_t n_letters);
    void *context;
};

struct dlq_result {
    uint64_t matched; /* letters that were asked for */
    uint64_t gone;    /* replayed, or purged */
    uint64_t stay;
    uint64_t marked; /* rows, those of an earlier command that was interrupted included */
};

/* OK also when letters stay: see the result. INVALID: a file for more than one letter. RESTART: the
 * outcome is not known, to be repeated. RETRY: published, but not marked; the next replay marks. */
enum verdict MUST_CHECK dlq_replay(const struct dlq_options *options, struct dlq_result *result,
                                   struct error *error);
/* AGAIN: it was not confirmed. */
enum verdict MUST_CHECK dlq_purge(const struct dlq_options *options, struct dlq_result *result,
                                  struct error *error);

#endif
