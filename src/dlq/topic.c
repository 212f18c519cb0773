/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq/topic.h"

#include <stdlib.h>

#include "base/clock.h"
#include "config/config.h"

enum { PATIENCE_MS = 30000, DEPTH_PATIENCE_MS = 5000 };

struct scan {
    struct letters *letters;
    int64_t deadline_us; /* 0: none */
    bool late;
};

static bool on_record(void *context, const struct reader_record *record)
{
    struct scan *scan = context;
    letters_apply(scan->letters, record);
    scan->late = scan->deadline_us != 0 && clock_us() > scan->deadline_us;
    return !scan->late;
}

static enum verdict read_topic(const struct config *config, int patience_ms, reader_scan_fn *fn,
                               void *context, struct error *error)
{
    struct reader *reader = NULL;
    enum verdict verdict = reader_new(config, &reader, error);
    if (verdict == OK) {
        verdict = reader_scan(reader, config->dead_letter_topic, patience_ms, fn, context, error);
    }
    reader_free(reader);
    return verdict;
}

/* --- letters --- */

struct wish {
    const struct filter *filter;
    struct remaker *remaker;
};

static bool wants(void *context, const struct letter *letter)
{
    const struct wish *wish = context;
    struct bytes key =
        wish->filter->key.data == NULL ? BYTES_NULL : remaker_key(wish->remaker, letter);
    return filter_wants(wish->filter, letter, key);
}

enum verdict dlq_read(const struct config *config, const struct filter *filter,
                      struct remaker *remaker, struct letters **letters, struct error *error)
{
    struct wish wish = {filter, remaker};
    struct scan scan = {.letters = letters_new(&(struct letters_options){
                            .stream = bytes_of(config->stream),
                            .wants = wants,
                            .context = &wish,
                        })};
    enum verdict verdict = read_topic(config, PATIENCE_MS, on_record, &scan, error);
    if (verdict != OK) {
        letters_free(scan.letters);
        return verdict;
    }
    *letters = scan.letters;
    return OK;
}

/* --- values --- */

struct wanted {
    struct letter *const *letters;
    size_t n_letters;
    size_t *order; /* indexes, by place */
    struct bytes *values;
    size_t missing;
};

static int compare_places(int32_t partition, int64_t offset, const struct letter *letter)
{
    if (partition != letter->partition) {
        return partition < letter->partition ? -1 : 1;
    }
    return offset == letter->offset ? 0 : offset < letter->offset ? -1 : 1;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct wanted *wanted = context;
    const struct letter *letter = wanted->letters[*(const size_t *)a];
    return compare_places(letter->partition, letter->offset, wanted->letters[*(const size_t *)b]);
}

static bool on_value(void *context, const struct reader_record *record)
{
    struct wanted *wanted = context;
    size_t low = 0;
    size_t high = wanted->n_letters;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t index = wanted->order[middle];
        int order = compare_places(record->partition, record->offset, wanted->letters[index]);
        if (order == 0) {
            char *copy = must_malloc(record->value.len + 1);
            memcpy(copy, record->value.data, record->value.len);
            wanted->values[index] = (struct bytes){copy, record->value.len};
            wanted->missing--;
            break;
        }
        low = order < 0 ? low : middle + 1;
        high = order < 0 ? middle : high;
    }
    return wanted->missing > 0;
}

enum verdict dlq_read_values(const struct config *config, struct letter *const *letters,
                             size_t n_letters, struct bytes *values, struct error *error)
{
    struct wanted wanted = {letters, n_letters, must_calloc(n_letters + 1, sizeof(size_t)), values,
                            n_letters};
    for (size_t i = 0; i < n_letters; i++) {
        wanted.order[i] = i;
        values[i] = BYTES_NULL;
    }
    qsort_r(wanted.order, n_letters, sizeof(wanted.order[0]), compare, &wanted);
    enum verdict verdict =
        n_letters == 0 ? OK : read_topic(config, PATIENCE_MS, on_value, &wanted, error);
    free(wanted.order);
    for (size_t i = 0; verdict != OK && i < n_letters; i++) {
        free((char *)values[i].data);
        values[i] = BYTES_NULL;
    }
    return verdict;
}

/* --- how many --- */

enum verdict dlq_depth(const struct config *config, int within_ms, uint64_t *depth,
                       struct error *error)
{
    struct scan scan = {
        .letters = letters_new(
            &(struct letters_options){.stream = bytes_of(config->stream), .only_count = true}),
        .deadline_us = clock_us() + (int64_t)within_ms * 1000,
    };
    enum verdict verdict = read_topic(config, DEPTH_PATIENCE_MS, on_record, &scan, error);
    if (verdict == OK && scan.late) {
        verdict = error_set(error, AGAIN,
                            "there are more dead letters than can be counted in %d "
                            "seconds; `walpost dlq list` counts them",
                            within_ms / 1000);
    }
    *depth = letters_count(scan.letters);
    letters_free(scan.letters);
    return verdict;
}
