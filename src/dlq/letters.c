/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq/letters.h"

#include <stdlib.h>

#include "base/murmur2.h"

enum { BUCKETS_MIN = 256 };

struct letters {
    struct letters_options options;
    struct letter **buckets;
    uint32_t n_buckets;
    size_t entries; /* with those that are gone */
    size_t alive;
};

struct letters *letters_new(const struct letters_options *options)
{
    struct letters *letters = must_calloc(1, sizeof(*letters));
    letters->options = *options;
    letters->n_buckets = BUCKETS_MIN;
    letters->buckets = must_calloc(letters->n_buckets, sizeof(letters->buckets[0]));
    return letters;
}

void letters_free(struct letters *letters)
{
    if (letters == NULL) {
        return;
    }
    for (uint32_t i = 0; i < letters->n_buckets; i++) {
        for (struct letter *next, *letter = letters->buckets[i]; letter != NULL; letter = next) {
            next = letter->next;
            letter_free(letter);
        }
    }
    free(letters->buckets);
    free(letters);
}

/* --- by key --- */

static struct letter **slot_of(const struct letters *letters, struct bytes key)
{
    struct letter **slot = &letters->buckets[murmur2_bucket(key, letters->n_buckets)];
    while (*slot != NULL && !bytes_equal((*slot)->key, key)) {
        slot = &(*slot)->next;
    }
    return slot;
}

static void grow(struct letters *letters)
{
    struct letter **old = letters->buckets;
    uint32_t n_old = letters->n_buckets;
    letters->n_buckets = 2 * n_old;
    letters->buckets = must_calloc(letters->n_buckets, sizeof(letters->buckets[0]));
    for (uint32_t i = 0; i < n_old; i++) {
        for (struct letter *next, *letter = old[i]; letter != NULL; letter = next) {
            next = letter->next;
            uint32_t bucket = murmur2_bucket(letter->key, letters->n_buckets);
            letter->next = letters->buckets[bucket];
            letters->buckets[bucket] = letter;
        }
    }
    free(old);
}

static void drop(struct letters *letters, struct letter **slot)
{
    struct letter *letter = *slot;
    *slot = letter->next;
    letters->entries--;
    letters->alive -= letter->n_places > 0;
    letter_free(letter);
}

/* In the place of what is there under its key. */
static void put(struct letters *letters, struct letter *letter)
{
    struct letter **slot = slot_of(letters, letter->key);
    struct letter *before = *slot;
    if (before != NULL) {
        letter->places = before->places;
        letter->n_places = before->n_places;
        before->places = NULL;
        before->n_places = 0;
        letters->alive -= letter->n_places > 0;
        drop(letters, slot);
        slot = slot_of(letters, letter->key);
    }
    *slot = letter;
    letters->alive += letter->n_places > 0;
    if (++letters->entries > letters->n_buckets) {
        grow(letters);
    }
}

/* --- places --- */

static void leave(struct letters *letters, struct letter *letter, int32_t partition)
{
    for (size_t i = 0; i < letter->n_places; i++) {
        if (letter->places[i] == partition) {
            letter->places[i] = letter->places[--letter->n_places];
            letters->alive -= letter->n_places == 0;
            return;
        }
    }
}

static void arrive(struct letters *letters, struct letter *letter, int32_t partition)
{
    for (size_t i = 0; i < letter->n_places; i++) {
        if (letter->places[i] == partition) {
            return;
        }
    }
    letter->places =
        must_realloc(letter->places, (letter->n_places + 1) * sizeof(letter->places[0]));
    letter->places[letter->n_places++] = partition;
    letters->alive += letter->n_places == 1;
}

/* --- records --- */

/* What a tombstone says is kept as long as it is the last word: see letters_replayed. */
static void bury(struct letters *letters, const struct reader_record *record)
{
    struct bytes outcome = header_find(record->headers, record->n_headers, TOMBSTONE_OUTCOME);
    struct bytes stream = header_find(record->headers, record->n_headers, "stream");
    bool has_row = header_find(record->headers, record->n_headers, "source_table").data != NULL;
    bool replayed = has_row && bytes_equal(outcome, BYTES_LIT(TOMBSTONE_REPLAYED)) &&
                    bytes_equal(stream, letters->options.stream);
    struct letter **slot = slot_of(letters, record->key);
    if (*slot != NULL) {
        leave(letters, *slot, record->partition);
        if ((*slot)->n_places > 0) {
            return;
        }
        drop(letters, slot);
    }
    if (replayed && !letters->options.only_count) {
        struct reader_record bare = {.key = record->key};
        struct letter *gone = letter_new(&bare);
        gone->replayed = true;
        put(letters, gone);
    }
}

void letters_apply(struct letters *letters, const struct reader_record *record)
{
    if (record->key.data == NULL) {
        return; /* none of walpost's */
    }
    if (record->value.data == NULL) {
        bury(letters, record);
        return;
    }
    struct letter *letter = letter_new(record);
    bool ours = bytes_equal(letter_header(letter, "stream"), letters->options.stream);
    if (!ours || (letters->options.wants != NULL &&
                  !letters->options.wants(letters->options.context, letter))) {
        letter_free(letter);
        struct letter **slot = slot_of(letters, record->key);
        if (*slot != NULL) {
            leave(letters, *slot, record->partition);
            if ((*slot)->n_places == 0) {
                drop(letters, slot);
            }
        }
        return;
    }
    if (letters->options.only_count) {
        struct reader_record bare = {.key = record->key};
        letter_free(letter);
        letter = letter_new(&bare);
    }
    put(letters, letter);
    arrive(letters, letter, record->partition);
}

/* --- what is there --- */

size_t letters_count(const struct letters *letters)
{
    return letters->alive;
}

struct letter *letters_find(const struct letters *letters, struct bytes key)
{
    struct letter *letter = *slot_of(letters, key);
    return letter != NULL && letter->n_places > 0 ? letter : NULL;
}

static int compare(const void *a, const void *b)
{
    const struct letter *x = *(struct letter *const *)a;
    const struct letter *y = *(struct letter *const *)b;
    int order = position_compare(x->position, y->position);
    if (order != 0) {
        return order;
    }
    size_t len = x->key.len < y->key.len ? x->key.len : y->key.len;
    order = memcmp(x->key.data, y->key.data, len);
    return order != 0 ? order : (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

struct letter **letters_sorted(const struct letters *letters)
{
    struct letter **all = must_calloc(letters->alive + 1, sizeof(struct letter *));
    size_t count = 0;
    for (uint32_t i = 0; i < letters->n_buckets; i++) {
        for (struct letter *letter = letters->buckets[i]; letter != NULL; letter = letter->next) {
            if (letter->n_places > 0) {
                all[count++] = letter;
            }
        }
    }
    check(count == letters->alive);
    qsort(all, count, sizeof(struct letter *), compare);
    return all;
}

struct bytes *letters_replayed(const struct letters *letters, size_t *count)
{
    struct bytes *keys = must_calloc(letters->entries + 1, sizeof(keys[0]));
    *count = 0;
    for (uint32_t i = 0; i < letters->n_buckets; i++) {
        for (struct letter *letter = letters->buckets[i]; letter != NULL; letter = letter->next) {
            if (letter->replayed) {
                keys[(*count)++] = letter->key;
            }
        }
    }
    return keys;
}
