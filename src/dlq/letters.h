/* SPDX-License-Identifier: Apache-2.0
 *
 * letters.h - the dead letters that are neither replayed nor purged: the newest record of each key,
 * tombstones taken into account, as compaction would leave them.
 * In: the records of the topic, those of a partition in order. Out: letters.
 * Owns: the letters.  Thread: one.
 * Keeps: no value is held, and of letters that are not wanted nothing is. */
#ifndef WALPOST_DLQ_LETTERS_H
#define WALPOST_DLQ_LETTERS_H

#include "dlq/letter.h"

struct letters;

struct letters_options {
    struct bytes stream; /* letters of others in the same topic are not ours */
    bool only_count;     /* keys are kept, headers are not */
    /* Is this letter wanted? NULL: every one is. */
    bool (*wants)(void *context, const struct letter *letter);
    void *context;
};

struct letters *letters_new(const struct letters_options *options);
void letters_free(struct letters *letters); /* takes NULL */

void letters_apply(struct letters *letters, const struct reader_record *record);

size_t letters_count(const struct letters *letters);
/* The letter of this key, or NULL. */
struct letter *letters_find(const struct letters *letters, struct bytes key);
/* All, by position; the array is the caller's, the letters are not. */
struct letter **letters_sorted(const struct letters *letters);
/* The ids whose tombstone says that they were replayed and have a row; views, the array is the
 * caller's. */
struct bytes *letters_replayed(const struct letters *letters, size_t *count);

#endif
