/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - the inside of JSON -> Protobuf, for the files from_json*.c.
 *
 * A length stands before what it measures, and is not known until that is written. Every nested
 * message gets one byte for its length; where it turns out to need more, the place is kept in a
 * list, and one pass from the end to the front moves everything once when the whole is written.
 * Places are in the order of the text: one that is closed with a short length is the last in the
 * list, because an inner one that is long makes its outer one long too.
 *
 * In -> out: every read function takes the place in the text and returns the place behind what it
 *            read; NULL: the violation is set, and whoever is outside adds his part of the path.
 * Owns: outputs and lists, which are used again for the next payload.
 * Thread: one at a time. */
#ifndef WALPOST_CONTRACT_READER_H
#define WALPOST_CONTRACT_READER_H

#include "contract/scan.h"
#include "contract/transcode.h"

/* A nested message whose length is not, or not yet, in its one byte. */
struct long_length {
    size_t at;  /* of its length byte */
    size_t len; /* while it is open: what lengths inside other messages had added before */
};

/* A key of a map, as it stands in the output, to find one that comes twice. */
struct key {
    size_t at;
    size_t len;
};

struct reader {
    const struct pool *pool;
    enum unknown_policy policy;
    const char *begin;
    const char *end;
    struct output out;
    struct output scratch; /* strings without their escapes */
    struct violation *violation;
    unsigned depth;
    bool left_out; /* the last scalar: an enum name that is not known, under UNKNOWN_IGNORE */

    size_t added; /* bytes that long lengths need more than one */
    struct long_length *lengths;
    size_t n_lengths;
    size_t max_lengths;

    struct key *keys; /* of all maps that are open */
    size_t n_keys;
    size_t max_keys;

    uint64_t *marks; /* a bit for each field and oneof that was seen, for each open message */
    size_t n_marks;
    uint16_t *guesses; /* for each field of the pool: the index of the one that came next */
};

void reader_init(struct reader *reader, const struct pool *pool, enum unknown_policy policy);
void reader_release(struct reader *reader);

/* --- nested lengths (reader.c) --- */

/* A nested message begins behind its tag; returns its number for reader_close. */
size_t reader_open(struct reader *reader);
void reader_close(struct reader *reader, size_t opened);
/* Puts all long lengths in. False: the whole is too large for Protobuf. */
bool reader_finish(struct reader *reader);

/* Where the output stands, to take back what is written behind. */
struct reader_mark {
    size_t len;
    size_t n_lengths;
    size_t added;
};
static inline struct reader_mark reader_mark(const struct reader *reader)
{
    return (struct reader_mark){output_len(&reader->out), reader->n_lengths, reader->added};
}
static inline void reader_rewind(struct reader *reader, struct reader_mark mark)
{
    reader->out.at = reader->out.begin + mark.len;
    reader->n_lengths = mark.n_lengths;
    reader->added = mark.added;
}

/* --- keys of maps (reader.c) --- */

void reader_key(struct reader *reader, size_t from);
/* Are all keys since `first` different? Forgets them. */
bool reader_keys_differ(struct reader *reader, size_t first);

/* --- failures (reader.c); all return NULL --- */

const char *reader_fail(struct reader *reader, enum violation_kind kind, const char *at,
                        const char *format, ...) PRINTF_LIKE(4, 5);
const char *reader_fail_scan(struct reader *reader, const struct scan_failure *failure);
/* Something of JSON's own was expected here: a comma, a colon. */
const char *reader_fail_json(struct reader *reader, const char *at, const char *expected);

/* One level deeper: a message, or the entry of a map, inside another. False, and the violation set:
 * readers of Protobuf would refuse what comes out. */
bool reader_enter(struct reader *reader, const char *at);
static inline void reader_leave(struct reader *reader)
{
    reader->depth--;
}

/* --- values --- */

/* An object, at its brace, as the fields of a message without its length (from_json.c). In an Any
 * its "@type" is passed over. */
const char *read_members(struct reader *reader, const char *at, const struct message *message,
                         bool in_any);
/* A value for a message of any kind, without tag and length (from_json.c). */
const char *read_message(struct reader *reader, const char *at, const struct message *message);
/* The name of a member, at its quote, up to behind the colon and space (from_json.c). */
const char *read_name(struct reader *reader, const char *at, struct bytes *name);

/* One value of a field that is no message (from_json_scalar.c). */
enum element_form {
    FORM_FIELD,  /* with its tag; nothing where it is zero and the field has no presence */
    FORM_ALWAYS, /* with its tag, zero or not */
    FORM_PACKED, /* without it */
};
const char *read_scalar(struct reader *reader, const char *at, const struct field *field,
                        enum element_form form);
const char *read_key(struct reader *reader, const char *at, const struct field *field);
/* A string with its tag and length, or only with the tag given. */
const char *read_string(struct reader *reader, const char *at, uint64_t tag, size_t tag_len);
/* A string as text in the reader's scratch, or in the payload. */
const char *read_text(struct reader *reader, const char *at, const char *expected,
                      struct bytes *text);

/* A value of a well-known type, without tag and length (from_json_known.c). */
const char *read_well_known(struct reader *reader, const char *at, const struct message *message);

static inline bool reader_is(const struct reader *reader, const char *at, char wanted)
{
    return at < reader->end && *at == wanted;
}

static inline const char *reader_space(const struct reader *reader, const char *at)
{
    return skip_space(at, reader->end);
}

static inline bool reader_is_null(const struct reader *reader, const char *at)
{
    return reader->end - at >= 4 && memcmp(at, "null", 4) == 0;
}

#endif
