/* SPDX-License-Identifier: Apache-2.0
 *
 * The id walpost.<stream>.dlq is taken first: from then on no older command can commit. Then the
 * topic is read, so every letter that is still there has not been replayed. Then each event goes
 * out together with the tombstone of its letter. Killed anywhere, a repetition finds the letters
 * that are left. */
#include "dlq/replay.h"

#include <stdlib.h>

#include "base/check.h"
#include "dlq/topic.h"

enum { BATCH_LETTERS = 500, CHUNK_LETTERS = 20000 };

struct item {
    struct replay *replay;
    struct bytes value; /* of the letter */
    char *memory;       /* of the record's value */
    char topic[RECORD_TOPIC_SIZE];
};

struct replay {
    const struct dlq_options *options;
    struct dlq_result *result;
    struct remaker *remaker;
    struct publisher *publisher;
    struct letters *letters;
    struct letter **sorted;
    struct remade remade; /* of the newest item */
    struct pg_result *row;
};

/* mends: events are made again. */
static enum verdict open_replay(struct replay *replay, bool mends, struct error *error)
{
    const struct dlq_options *options = replay->options;
    enum verdict verdict = remaker_new(options->config, &replay->remaker, error);
    if (verdict == OK && mends) {
        verdict = remaker_load_contracts(replay->remaker, error);
    }
    if (verdict == OK && !options->dry_run) {
        verdict = publisher_open(options->config, options->log, &replay->publisher, error);
    }
    if (verdict == OK) {
        verdict =
            dlq_read(options->config, options->filter, replay->remaker, &replay->letters, error);
    }
    if (verdict == OK) {
        replay->sorted = letters_sorted(replay->letters);
        replay->result->matched = letters_count(replay->letters);
    }
    return verdict;
}

static void close_replay(struct replay *replay)
{
    pg_result_free(replay->row);
    free(replay->sorted);
    letters_free(replay->letters);
    publisher_close(replay->publisher);
    remaker_free(replay->remaker);
}

/* --- one event --- */

static enum verdict fetch_row(struct replay *replay, const struct letter *letter,
                              struct error *error)
{
    pg_result_free(replay->row);
    replay->row = NULL;
    struct bytes id = letter_header(letter, "event_id");
    if (id.data == NULL || letter_header(letter, "source_table").data == NULL) {
        error_set(error, REJECT, "it has no row in the table: it %s",
                  id.data == NULL ? "has no id" : "was a logical message");
        return error_remedy(error, "%s",
                            id.data == NULL ? "Insert it again, then purge this letter."
                                            : "Leave out --from-table, or use --payload-file.");
    }
    enum verdict verdict = rows_fetch(replay->options->rows, id, &replay->row, error);
    if (verdict == OK && pg_result_rows(replay->row) == 0) {
        error_set(error, REJECT, "its row is not in the table any more");
        verdict = error_remedy(error, "Give its payload with --payload-file.");
    }
    return verdict;
}

static enum verdict remake(struct replay *replay, const struct letter *letter, struct item *item,
                           struct error *error)
{
    const struct dlq_options *options = replay->options;
    struct bytes value = options->file;
    switch (options->source) {
    case DLQ_FROM_TABLE: {
        enum verdict verdict = fetch_row(replay, letter, error);
        return verdict != OK
                   ? verdict
                   : remake_from_row(replay->remaker, letter, replay->row, &replay->remade, error);
    }
    case DLQ_FROM_FILE: break;
    case DLQ_FROM_LETTER:
        if (item->value.data == NULL) {
            error_set(error, REJECT, "another dead letter has taken its place meanwhile");
            return error_remedy(error, "Run the command again.");
        }
        value = letter_value(letter) == LETTER_NOTHING ? BYTES_NULL : item->value;
        break;
    }
    return remake_from_value(replay->remaker, letter, value, &replay->remade, error);
}

static enum verdict make_record(struct parcel *parcel, const struct record **record,
                                struct error *error)
{
    struct item *item = parcel->context;
    struct replay *replay = item->replay;
    free(item->memory); /* of an attempt that was aborted */
    item->memory = NULL;
    enum verdict verdict = remake(replay, parcel->letter, item, error);
    if (verdict == OK) {
        item->memory = replay->remade.memory;
        memcpy(item->topic, replay->remade.record.topic, sizeof(item->topic));
        *record = &replay->remade.record;
    }
    return verdict;
}

/* --- a batch --- */

static void tell(struct replay *replay, const struct parcel *parcel)
{
    const struct item *item = parcel->context;
    bool has_topic = item != NULL && item->topic[0] != '\0';
    if (!parcel->done && !parcel->failed) {
        return;
    }
    replay->result->gone += parcel->done;
    replay->result->stay += parcel->failed;
    replay->options->news(replay->options->context,
                          &(struct dlq_news){.letter = parcel->letter,
                                             .topic = has_topic ? item->topic : NULL,
                                             .error = parcel->failed ? &parcel->error : NULL});
}

/* Rows that were not marked because a command was interrupted: their tombstones still say so. */
static enum verdict mark_left_over(struct replay *replay, struct error *error)
{
    size_t count;
    struct bytes *ids = letters_replayed(replay->letters, &count);
    enum verdict verdict =
        rows_mark(replay->options->rows, ids, count, &replay->result->marked, error);
    free(ids);
    return verdict;
}

static enum verdict mark(struct replay *replay, const struct parcel *parcels, size_t n_parcels,
                         struct error *error)
{
    struct bytes *ids = must_calloc(n_parcels, sizeof(ids[0]));
    size_t count = 0;
    for (size_t i = 0; i < n_parcels; i++) {
        bool has_row = letter_header(parcels[i].letter, "source_table").data != NULL;
        struct bytes id = letter_header(parcels[i].letter, "event_id");
        if (parcels[i].done && has_row && id.data != NULL) {
            ids[count++] = id;
        }
    }
    uint64_t marked = 0;
    enum verdict verdict = rows_mark(replay->options->rows, ids, count, &marked, error);
    replay->result->marked += marked;
    free(ids);
    if (verdict != OK) {
        error_prefix(error, "the events are published, but their rows are not marked COMMITTED: ");
        verdict = error_remedy(error, "The next `walpost dlq replay` marks them.");
    }
    return verdict;
}

static enum verdict send_batch(struct replay *replay, struct parcel *parcels, size_t n_parcels,
                               struct error *error)
{
    enum verdict verdict =
        publisher_send(replay->publisher, parcels, n_parcels, make_record, error);
    for (size_t i = 0; i < n_parcels; i++) {
        tell(replay, &parcels[i]);
    }
    if (verdict == OK && replay->options->rows != NULL) {
        verdict = mark(replay, parcels, n_parcels, error);
    }
    return verdict;
}

/* What a replay would do. A verdict other than REJECT is not of the letter. */
static enum verdict only_try(struct replay *replay, struct parcel *parcels, size_t n_parcels,
                             struct error *error)
{
    for (size_t i = 0; i < n_parcels; i++) {
        struct parcel *parcel = &parcels[i];
        const struct record *record;
        enum verdict verdict = make_record(parcel, &record, error);
        if (verdict != OK && verdict != REJECT) {
            return verdict;
        }
        parcel->failed = verdict == REJECT;
        parcel->done = verdict == OK;
        parcel->error = *error;
        tell(replay, parcel);
    }
    return OK;
}

/* --- all of them, in order, as many at a time as memory may hold --- */

static size_t chunk_size(const struct replay *replay, size_t from, size_t n_letters)
{
    uint64_t bytes = 0;
    size_t n = 0;
    while (from + n < n_letters && n < CHUNK_LETTERS) {
        bytes += replay->sorted[from + n]->value_len;
        if (n > 0 && bytes > replay->options->config->memory / 2) {
            break;
        }
        n++;
    }
    return n;
}

static enum verdict replay_batch(struct replay *replay, struct letter *const *letters,
                                 struct item *items, size_t n, struct error *error)
{
    struct parcel *parcels = must_calloc(n, sizeof(parcels[0]));
    for (size_t i = 0; i < n; i++) {
        parcels[i] = (struct parcel){
            .letter = letters[i], .outcome = TOMBSTONE_REPLAYED, .context = &items[i]};
    }
    enum verdict verdict = replay->options->dry_run ? only_try(replay, parcels, n, error)
                                                    : send_batch(replay, parcels, n, error);
    for (size_t i = 0; i < n; i++) {
        free(items[i].memory);
        items[i].memory = NULL;
    }
    free(parcels);
    return verdict;
}

static enum verdict replay_chunk(struct replay *replay, struct letter *const *letters,
                                 size_t n_letters, struct error *error)
{
    struct bytes *values = must_calloc(n_letters, sizeof(values[0]));
    struct item *items = must_calloc(n_letters, sizeof(items[0]));
    enum verdict verdict = OK;
    if (replay->options->source == DLQ_FROM_LETTER) {
        verdict = dlq_read_values(replay->options->config, letters, n_letters, values, error);
    }
    for (size_t i = 0; i < n_letters; i++) {
        items[i] = (struct item){.replay = replay, .value = values[i]};
    }
    for (size_t done = 0; verdict == OK && done < n_letters; done += BATCH_LETTERS) {
        size_t n = n_letters - done < BATCH_LETTERS ? n_letters - done : BATCH_LETTERS;
        verdict = replay_batch(replay, letters + done, items + done, n, error);
    }
    for (size_t i = 0; i < n_letters; i++) {
        free((char *)values[i].data);
    }
    free(values);
    free(items);
    return verdict;
}

static enum verdict replay_all(struct replay *replay, struct error *error)
{
    const struct dlq_options *options = replay->options;
    size_t n_letters = letters_count(replay->letters);
    if (options->source == DLQ_FROM_FILE && n_letters > 1) {
        error_set(error, INVALID, "--payload-file is for one dead letter, and %zu match",
                  n_letters);
        return error_remedy(error, "Name it with --id.");
    }
    enum verdict verdict = OK;
    if (options->rows != NULL && !options->dry_run) {
        verdict = mark_left_over(replay, error);
    }
    for (size_t from = 0; verdict == OK && from < n_letters;) {
        size_t n = chunk_size(replay, from, n_letters);
        verdict = replay_chunk(replay, replay->sorted + from, n, error);
        from += n;
    }
    return verdict;
}

enum verdict dlq_replay(const struct dlq_options *options, struct dlq_result *result,
                        struct error *error)
{
    *result = (struct dlq_result){.matched = 0};
    struct replay *replay = must_calloc(1, sizeof(*replay));
    replay->options = options;
    replay->result = result;
    enum verdict verdict = open_replay(replay, true, error);
    if (verdict == OK) {
        verdict = replay_all(replay, error);
    }
    close_replay(replay);
    free(replay);
    return verdict;
}

/* --- purge --- */

static enum verdict purge_all(struct replay *replay, struct error *error)
{
    size_t n_letters = letters_count(replay->letters);
    struct parcel *parcels = must_calloc(BATCH_LETTERS, sizeof(parcels[0]));
    enum verdict verdict = OK;
    for (size_t from = 0; verdict == OK && from < n_letters; from += BATCH_LETTERS) {
        size_t n = n_letters - from < BATCH_LETTERS ? n_letters - from : BATCH_LETTERS;
        for (size_t i = 0; i < n; i++) {
            parcels[i] =
                (struct parcel){.letter = replay->sorted[from + i], .outcome = TOMBSTONE_PURGED};
        }
        verdict = publisher_send(replay->publisher, parcels, n, NULL, error);
        for (size_t i = 0; i < n; i++) {
            tell(replay, &parcels[i]);
        }
    }
    free(parcels);
    return verdict;
}

enum verdict dlq_purge(const struct dlq_options *options, struct dlq_result *result,
                       struct error *error)
{
    *result = (struct dlq_result){.matched = 0};
    struct replay replay = {.options = options, .result = result};
    enum verdict verdict = open_replay(&replay, false, error);
    if (verdict == OK && result->matched > 0 && options->confirm != NULL &&
        !options->confirm(options->context, result->matched)) {
        verdict = error_set(error, AGAIN, "nothing was purged");
    } else if (verdict == OK) {
        verdict = purge_all(&replay, error);
    }
    close_replay(&replay);
    return verdict;
}
