/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

enum { WIRE_SIZE_MAX = INT32_MAX };

void reader_init(struct reader *reader, const struct pool *pool, enum unknown_policy policy)
{
    *reader = (struct reader){.pool = pool, .policy = policy};
    output_init(&reader->out);
    output_init(&reader->scratch);
    /* An Any may bring any message to any level. */
    reader->marks =
        must_calloc((NESTING_MAX + 1) * (size_t)pool_mark_words(pool) + 1, sizeof(*reader->marks));
    reader->guesses = must_calloc(pool_guesses(pool) + 1, sizeof(*reader->guesses));
}

void reader_release(struct reader *reader)
{
    output_release(&reader->out);
    output_release(&reader->scratch);
    free(reader->lengths);
    free(reader->keys);
    free(reader->marks);
    free(reader->guesses);
}

/* --- nested lengths -------------------------------------------------------------------------- */

static void grow_lengths(struct reader *reader)
{
    reader->max_lengths = reader->max_lengths == 0 ? 64 : reader->max_lengths * 2;
    reader->lengths = must_realloc(reader->lengths, reader->max_lengths * sizeof(*reader->lengths));
}

size_t reader_open(struct reader *reader)
{
    if (reader->n_lengths == reader->max_lengths) {
        grow_lengths(reader);
    }
    output_need(&reader->out, 1);
    reader->lengths[reader->n_lengths] =
        (struct long_length){output_len(&reader->out), reader->added};
    output_byte(&reader->out, 0);
    return reader->n_lengths++;
}

void reader_close(struct reader *reader, size_t opened)
{
    struct long_length *length = &reader->lengths[opened];
    size_t len = output_len(&reader->out) - length->at - 1 + (reader->added - length->len);
    if (len < 0x80) {
        check(opened + 1 == reader->n_lengths);
        reader->out.begin[length->at] = (char)len;
        reader->n_lengths = opened;
        return;
    }
    length->len = len;
    reader->added += varint_size(len) - 1;
}

bool reader_finish(struct reader *reader)
{
    struct output *out = &reader->out;
    if (output_len(out) + reader->added > WIRE_SIZE_MAX) {
        return false;
    }
    if (reader->added == 0) {
        return true;
    }
    output_need(out, reader->added);
    char *from = out->at;
    char *to = out->at + reader->added;
    out->at = to;
    for (size_t i = reader->n_lengths; i-- > 0;) {
        const struct long_length *length = &reader->lengths[i];
        char *place = out->begin + length->at;
        size_t len = (size_t)(from - (place + 1));
        to -= len;
        memmove(to, place + 1, len);
        to -= varint_size(length->len);
        varint_put(to, length->len);
        from = place;
    }
    check(from == to);
    return true;
}

/* --- keys of maps ---------------------------------------------------------------------------- */

void reader_key(struct reader *reader, size_t from)
{
    if (reader->n_keys == reader->max_keys) {
        reader->max_keys = reader->max_keys == 0 ? 64 : reader->max_keys * 2;
        reader->keys = must_realloc(reader->keys, reader->max_keys * sizeof(*reader->keys));
    }
    reader->keys[reader->n_keys++] = (struct key){from, output_len(&reader->out) - from};
}

/* As PostgreSQL's jsonb sorts them: by length, then by bytes. */
static int compare_keys(const void *a, const void *b, void *begin)
{
    const struct key *left = a;
    const struct key *right = b;
    if (left->len != right->len) {
        return left->len < right->len ? -1 : 1;
    }
    return memcmp((char *)begin + left->at, (char *)begin + right->at, left->len);
}

static bool ascending(const struct reader *reader, size_t first)
{
    for (size_t i = first + 1; i < reader->n_keys; i++) {
        if (compare_keys(&reader->keys[i - 1], &reader->keys[i], reader->out.begin) >= 0) {
            return false;
        }
    }
    return true;
}

bool reader_keys_differ(struct reader *reader, size_t first)
{
    bool differ = ascending(reader, first);
    if (!differ) {
        qsort_r(reader->keys + first, reader->n_keys - first, sizeof(*reader->keys), compare_keys,
                reader->out.begin);
        differ = ascending(reader, first);
    }
    reader->n_keys = first;
    return differ;
}

/* --- failures -------------------------------------------------------------------------------- */

static struct bytes rest(const struct reader *reader, const char *at)
{
    return (struct bytes){at, (size_t)(reader->end - at)};
}

const char *reader_fail(struct reader *reader, enum violation_kind kind, const char *at,
                        const char *format, ...)
{
    char expected[sizeof(reader->violation->expected)];
    va_list args;
    va_start(args, format);
    vsnprintf(expected, sizeof(expected), format, args);
    va_end(args);
    if (kind == VIOLATION_TYPE &&
        (at == reader->end || strchr("{[\"-0123456789tfn", *at) == NULL)) {
        kind = VIOLATION_JSON; /* no value of another type either */
    }
    violation_set(reader->violation, kind, (size_t)(at - reader->begin), "%s", expected);
    violation_found_json(reader->violation, rest(reader, at));
    return NULL;
}

const char *reader_fail_scan(struct reader *reader, const struct scan_failure *failure)
{
    violation_set(reader->violation, violation_kind_of_scan(failure),
                  (size_t)(failure->at - reader->begin), "JSON");
    violation_found(reader->violation, "%s", scan_trouble_text(failure->trouble));
    return NULL;
}

const char *reader_fail_json(struct reader *reader, const char *at, const char *expected)
{
    return reader_fail(reader, VIOLATION_JSON, at, "%s", expected);
}

bool reader_enter(struct reader *reader, const char *at)
{
    if (reader->depth == NESTING_MAX) {
        reader_fail(reader, VIOLATION_DEPTH, at, "at most %d levels of messages", NESTING_MAX);
        return false;
    }
    reader->depth++;
    return true;
}
