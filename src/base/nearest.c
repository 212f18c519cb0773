/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <string.h>

enum { WORD_MAX = 127 };

void nearest_init(struct nearest *nearest, const char *word)
{
    *nearest = (struct nearest){.word = word};
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t edit_distance(const char *a, const char *b)
{
    size_t a_len = strnlen(a, WORD_MAX);
    size_t b_len = strnlen(b, WORD_MAX);
    size_t rows[3][WORD_MAX + 1]; /* this one and the two before it, by number mod 3 */
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

/* A key in the wrong section, or without one, is one mistake, however long the section's name. */
static size_t misplaced(const char *a, const char *b)
{
    const char *a_last = strrchr(a, '.');
    const char *b_last = strrchr(b, '.');
    return edit_distance(a_last == NULL ? a : a_last + 1, b_last == NULL ? b : b_last + 1) + 2;
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t edits =
        least(edit_distance(nearest->word, candidate), misplaced(nearest->word, candidate));
    if (nearest->best == NULL || edits < nearest->edits) {
        nearest->best = candidate;
        nearest->edits = edits;
    }
}
