/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/tally.h"

#include <stdlib.h>

#include "base/check.h"

static bool is_pair(const struct tally_row *row, const char *topic, struct bytes event_type)
{
    return bytes_equal(bytes_of(row->event_type), event_type) && strcmp(row->topic, topic) == 0;
}

void tally_add(struct tally *tally, const char *topic, struct bytes event_type)
{
    for (size_t i = 0; i < tally->count; i++) {
        size_t at = (tally->last + i) % tally->count;
        if (is_pair(&tally->rows[at], topic, event_type)) {
            tally->rows[at].events++;
            tally->last = at;
            return;
        }
    }
    if (tally->count == TALLY_MAX) {
        tally->others++;
        return;
    }
    tally->rows = must_realloc(tally->rows, (tally->count + 1) * sizeof(tally->rows[0]));
    tally->last = tally->count;
    tally->rows[tally->count++] = (struct tally_row){
        .topic = must_strdup(topic),
        .event_type = must_printf("%.*s", (int)event_type.len, event_type.data),
        .events = 1,
    };
}

static int compare(const void *a, const void *b)
{
    const struct tally_row *x = a;
    const struct tally_row *y = b;
    int topics = strcmp(x->topic, y->topic);
    return topics != 0 ? topics : strcmp(x->event_type, y->event_type);
}

void tally_sort(struct tally *tally)
{
    if (tally->count > 0) {
        qsort(tally->rows, tally->count, sizeof(tally->rows[0]), compare);
    }
}

void tally_release(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++) {
        free(tally->rows[i].topic);
        free(tally->rows[i].event_type);
    }
    free(tally->rows);
    *tally = (struct tally){0};
}
