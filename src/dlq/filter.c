/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq/filter.h"

#include "base/nearest.h"
#include "encode/timestamp.h"

static enum verdict check_reason(const char *reason, struct error *error)
{
    struct nearest nearest;
    nearest_init(&nearest, reason);
    for (int i = DEAD_NOT + 1; i < DEAD_REASONS; i++) {
        const char *name = dead_reason_name((enum dead_reason)i);
        if (strcmp(name, reason) == 0) {
            return OK;
        }
        nearest_offer(&nearest, name);
    }
    error_set(error, INVALID, "--reason cannot be \"%.60s\"", reason);
    return error_remedy(error, "The nearest reason is %s; docs/dead-letters.md lists all.",
                        nearest.best);
}

static enum verdict parse_time(const char *flag, const char *text, bool *given, int64_t *us,
                               struct error *error)
{
    *given = text != NULL;
    if (text == NULL || timestamp_parse(bytes_of(text), us)) {
        return OK;
    }
    error_set(error, INVALID, "%s cannot be \"%.40s\"", flag, text);
    return error_remedy(error, "Write a time: 2026-11-23T10:11:12Z, 2026-11-23 10:11:12+01.");
}

enum verdict filter_parse(const struct filter_texts *texts, struct filter *filter,
                          struct error *error)
{
    *filter = (struct filter){
        .ids = bytes_of(texts->ids),
        .reason = bytes_of(texts->reason),
        .type = bytes_of(texts->type),
        .key = bytes_of(texts->key),
    };
    enum verdict verdict = texts->reason == NULL ? OK : check_reason(texts->reason, error);
    if (verdict == OK) {
        verdict = parse_time("--since", texts->since, &filter->has_since, &filter->since_us, error);
    }
    if (verdict == OK) {
        verdict = parse_time("--until", texts->until, &filter->has_until, &filter->until_us, error);
    }
    if (verdict == OK && filter->has_since && filter->has_until &&
        filter->until_us < filter->since_us) {
        error_set(error, INVALID, "--until %.40s comes before --since %.40s", texts->until,
                  texts->since);
        verdict = error_remedy(error, "Turn them round.");
    }
    return verdict;
}

bool filter_is_empty(const struct filter *filter)
{
    return filter->ids.data == NULL && filter->reason.data == NULL && filter->type.data == NULL &&
           filter->key.data == NULL && !filter->has_since && !filter->has_until;
}

/* An id that holds a comma itself can be given alone. */
static bool is_listed(struct bytes list, struct bytes id)
{
    if (bytes_equal(list, id)) {
        return true;
    }
    const char *at = list.data;
    const char *end = list.data + list.len;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma == NULL ? end : comma;
        if (bytes_equal((struct bytes){at, (size_t)(stop - at)}, id)) {
            return true;
        }
        at = stop + 1;
    }
    return false;
}

static bool in_time(const struct filter *filter, const struct letter *letter)
{
    int64_t us;
    if (!filter->has_since && !filter->has_until) {
        return true;
    }
    return letter_time(letter, &us) && (!filter->has_since || us >= filter->since_us) &&
           (!filter->has_until || us < filter->until_us);
}

static bool matches(struct bytes wanted, struct bytes found)
{
    return wanted.data == NULL || bytes_equal(wanted, found);
}

bool filter_wants(const struct filter *filter, const struct letter *letter, struct bytes key)
{
    if (key.data == NULL) {
        key = letter_header(letter, "aggregate_id");
    }
    return (filter->ids.data == NULL || is_listed(filter->ids, letter->key)) &&
           matches(filter->reason, letter_header(letter, "reason")) &&
           matches(filter->type, letter_header(letter, "event_type")) &&
           matches(filter->key, key) && in_time(filter, letter);
}
