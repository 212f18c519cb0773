/* SPDX-License-Identifier: Apache-2.0
 *
 * nearest.h - what somebody probably meant to write.
 * In -> out: a word and candidates, one at a time -> the candidate with the fewest edits.
 * Owns: nothing; borrows the words.  Thread: any. */
#ifndef WALPOST_BASE_NEAREST_H
#define WALPOST_BASE_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word;
    const char *best; /* NULL: no candidate was offered */
    size_t edits;     /* from word to best */
};

void nearest_init(struct nearest *nearest, const char *word);
void nearest_offer(struct nearest *nearest, const char *candidate);

/* Letters to insert, remove, replace or swap with their neighbour; both cut at 127 letters. */
size_t edit_distance(const char *a, const char *b);

#endif
