/* SPDX-License-Identifier: Apache-2.0
 *
 * A letter's key is its event's id (dead_letter_key), so the set holds keys: a later tombstone has
 * no position. */
#include "pipeline/letters_left.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "config/config.h"
#include "encode/encode.h"

enum {
    DIGEST_SIZE = 16,
    FIRST_SIZE = 64,
    PATIENCE_MS = 10000,
    BEAT_EVERY_US = 1000 * 1000,
    LOOK_EVERY = 256, /* records between two looks at the clock */
    /* A topic may have its records' timestamps from the clock of a broker. */
    CLOCKS_APART_MS = 60 * 60 * 1000,
};

struct slot {
    uint8_t digest[DIGEST_SIZE];
    bool used;
    bool dead; /* false: replayed since */
};

struct letters_left {
    struct bytes stream;
    lsn marked_lsn;
    struct slot *slots;
    size_t size; /* a power of two */
    size_t used;

    const struct letters_left_options *options; /* while it reads */
    uint32_t seen;
    int64_t beat_us;
};

struct letters_left *letters_left_new(struct bytes stream, lsn marked_lsn)
{
    struct letters_left *left = must_calloc(1, sizeof(*left));
    left->stream = stream;
    left->marked_lsn = marked_lsn;
    left->size = FIRST_SIZE;
    left->slots = must_calloc(left->size, sizeof(left->slots[0]));
    return left;
}

void letters_left_free(struct letters_left *left)
{
    if (left != NULL) {
        free(left->slots);
        free(left);
    }
}

/* --- the set --- */

static void digest_of(struct bytes key, uint8_t digest[static SHA256_SIZE])
{
    struct sha256 sha;
    sha256_init(&sha);
    sha256_add(&sha, key.data, key.len);
    sha256_end(&sha, digest);
}

/* The slot of this digest, or the free one where it belongs. */
static struct slot *locate(const struct letters_left *left, const uint8_t *digest)
{
    size_t at;
    memcpy(&at, digest, sizeof(at));
    for (at &= left->size - 1; left->slots[at].used; at = (at + 1) & (left->size - 1)) {
        if (memcmp(left->slots[at].digest, digest, DIGEST_SIZE) == 0) {
            break;
        }
    }
    return &left->slots[at];
}

static void grow(struct letters_left *left)
{
    struct slot *old = left->slots;
    size_t n = left->size;
    left->size *= 2;
    left->slots = must_calloc(left->size, sizeof(left->slots[0]));
    for (size_t i = 0; i < n; i++) {
        if (old[i].used) {
            *locate(left, old[i].digest) = old[i];
        }
    }
    free(old);
}

static void add(struct letters_left *left, struct bytes key)
{
    if (left->used * 2 >= left->size) {
        grow(left);
    }
    uint8_t digest[SHA256_SIZE];
    digest_of(key, digest);
    struct slot *slot = locate(left, digest);
    left->used += !slot->used;
    slot->used = true;
    slot->dead = true;
    memcpy(slot->digest, digest, DIGEST_SIZE);
}

static struct slot *find(const struct letters_left *left, struct bytes key)
{
    uint8_t digest[SHA256_SIZE];
    digest_of(key, digest);
    struct slot *slot = locate(left, digest);
    return slot->used ? slot : NULL;
}

bool letters_left_has(const struct letters_left *left, const struct row *row,
                      struct position position)
{
    if (left == NULL || left->used == 0) {
        return false;
    }
    char text[POSITION_TEXT_SIZE];
    const struct slot *slot = find(left, dead_letter_key(row, position, text));
    return slot != NULL && slot->dead;
}

/* --- the topic --- */

static struct bytes header(const struct reader_record *record, struct bytes name)
{
    for (size_t i = 0; i < record->n_headers; i++) {
        if (bytes_equal(record->headers[i].name, name)) {
            return record->headers[i].value;
        }
    }
    return BYTES_NULL;
}

void letters_left_apply(struct letters_left *left, const struct reader_record *record)
{
    struct bytes stream = header(record, BYTES_LIT("stream"));
    if (stream.data == NULL || !bytes_equal(stream, left->stream)) {
        return;
    }
    if (record->value.data == NULL) {
        /* What was purged is a dead letter for ever, what was replayed is published. */
        struct slot *slot = find(left, record->key);
        if (slot != NULL && bytes_equal(header(record, BYTES_LIT(TOMBSTONE_OUTCOME)),
                                        BYTES_LIT(TOMBSTONE_REPLAYED))) {
            slot->dead = false;
        }
        return;
    }
    struct bytes text = header(record, BYTES_LIT("position"));
    struct position position;
    if (text.data != NULL && position_parse(text.data, text.len, &position) &&
        position.commit_lsn >= left->marked_lsn) {
        add(left, record->key);
    }
}

static bool on_record(void *context, const struct reader_record *record)
{
    struct letters_left *left = context;
    letters_left_apply(left, record);
    if (++left->seen % LOOK_EVERY == 0 && clock_us() - left->beat_us > BEAT_EVERY_US) {
        left->beat_us = clock_us();
        left->options->beat(left->options->context);
    }
    return true;
}

static int64_t since(const struct letters_left_options *options)
{
    int64_t since_ms = options->unmarked.since_ms - CLOCKS_APART_MS;
    return since_ms > 0 ? since_ms : 0;
}

enum verdict letters_left_read(const struct letters_left_options *options, struct reader *reader,
                               struct letters_left **left, struct error *error)
{
    *left = NULL;
    if (!options->unmarked.any || options->unmarked.until_lsn < options->marked_lsn) {
        return OK;
    }
    struct letters_left *made =
        letters_left_new(bytes_of(options->config->stream), options->marked_lsn);
    made->options = options;
    made->beat_us = clock_us();
    enum verdict verdict =
        reader_scan_since(reader, options->config->dead_letter_topic, since(options), PATIENCE_MS,
                          options->stop, on_record, made, error);
    made->options = NULL;
    bool missing = verdict == WAIT && strcmp(error->code, "UNKNOWN_TOPIC_OR_PART") == 0;
    if (missing && options->unmarked.since_ms == 0) {
        verdict = OK; /* whoever wrote the checkpoint did not know of any */
    } else if (verdict == WAIT) {
        error_prefix(error, "which of the events that are published already are dead letters, the "
                            "dead letter topic cannot say: ");
    }
    if (verdict != OK) {
        letters_left_free(made);
        return verdict;
    }
    *left = made;
    return OK;
}
