/* SPDX-License-Identifier: Apache-2.0
 *
 * checkpoint.h - how far the stream is, as Kafka says: generations, watermarks, S.
 * In: the records of walpost.checkpoint.<stream>. Out: what a start needs to know, and the records
 *     that a generation writes.
 * Owns: its strings and layouts (checkpoint_release).
 * Thread: any, one at a time; pure: no I/O, no clock, no logging.
 * Keeps: I3, I6: an event is left out when it is below S, or at or below its lane's watermark in
 *     this generation or any of the history; a lane record counts only for the generation that it
 *     names.
 *
 * S ("settled LSN") is a flush position, as PostgreSQL means it: exclusive. Every event whose
 * commit LSN is below S is settled. A transaction may well begin its commit record exactly at the
 * end of the one before (commit LSN == S): that one is not settled. */
#ifndef WALPOST_CHECKPOINT_CHECKPOINT_H
#define WALPOST_CHECKPOINT_CHECKPOINT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/lsn.h"

enum {
    LANES_MAX = 64,
    CHECKPOINT_VERSION = 1,
    CHECKPOINT_RECORD_MAX = 128,
    SLOT_NAME_SIZE = 64, /* PostgreSQL's NAMEDATALEN */
};

/* How lanes owned keys in some generation, and how far each came. Which lane an event belonged to
 * follows from three things: the template of its key, what the template's placeholders stood for,
 * and the number of lanes. */
struct layout {
    char *key_template;
    char *key_columns; /* opaque here; NULL: recorded by a version that did not know it */
    uint32_t lanes;
    struct position watermarks[LANES_MAX]; /* commit_lsn 0: nothing committed */
};

/* Which dead letters may belong to rows that are not marked yet. A start that leaves such rows out
 * asks the dead letter topic which they are: to Kafka a published event and a dead letter are the
 * same, to the table they are not. */
struct unmarked {
    bool any;
    int64_t since_ms; /* no record of theirs is older; 0: not known */
    lsn until_lsn;    /* the largest commit LSN among them */
};
void unmarked_add(struct unmarked *unmarked, int64_t timestamp_ms, lsn commit_lsn);

struct checkpoint {
    bool found; /* a generation record was there */
    uint64_t generation;
    uint64_t first_generation;
    uint64_t system_id;
    uint32_t timeline;
    uint32_t database_oid; /* 0: not known */
    char instance[128];
    char slot[SLOT_NAME_SIZE]; /* that it reads; empty: not known */
    lsn settled_lsn;           /* S: the largest of all records that count */
    lsn origin_lsn;            /* where init or recover created the slot */
    lsn recovered_lsn;         /* S of the slot before, where the table was read again; 0: never */
    struct layout layout;      /* of this generation */
    struct layout *history;
    size_t n_history;
    struct unmarked unmarked; /* of this generation and those before */
    uint32_t lanes_seen;      /* the most lanes of any generation read: all must be fenced */

    /* While reading: the last record of each lane, and of the leader, whichever generation it
     * names. */
    struct {
        bool seen;
        uint64_t generation;
        struct position watermark;
        lsn settled_lsn;
        struct unmarked unmarked;
    } last[LANES_MAX + 1]; /* 0: the leader's "settled" record; 1 + i: lane i */
};

/* What judgements and screens need of it, without its memory. */
struct checkpoint_summary {
    uint64_t generation;
    uint64_t system_id;
    uint32_t timeline;
    uint32_t database_oid; /* 0: not known */
    uint32_t lanes;
    lsn settled_lsn;   /* S */
    lsn furthest_lsn;  /* no event that Kafka has is beyond it */
    lsn origin_lsn;    /* where the slot was created; settled_lsn below it: the snapshot is not
                          finished */
    lsn recovered_lsn; /* S of the slot before, where the table was read again; 0: never */
    char instance[128];
    char slot[SLOT_NAME_SIZE]; /* empty: not known */
};

struct checkpoint_summary checkpoint_summarize(const struct checkpoint *checkpoint);

void checkpoint_init(struct checkpoint *checkpoint);
void checkpoint_release(struct checkpoint *checkpoint);

/* One record of the topic, in offset order within its partition; partitions in any order. FATAL:
 * written by a newer walpost, or no checkpoint record at all. */
enum verdict MUST_CHECK checkpoint_apply(struct checkpoint *checkpoint, int32_t partition,
                                         struct bytes key, struct bytes value, struct error *error);

/* After the last record: settles which watermarks and which S count. */
void checkpoint_complete(struct checkpoint *checkpoint);

/* What the next generation starts from: the watermarks of this one join the history, entries that S
 * has passed are dropped, entries of one layout are merged (the larger watermark of each lane
 * leaves out exactly what either did). */
struct generation_options {
    uint64_t system_id;
    uint32_t timeline;
    uint32_t database_oid;
    const char *instance;
    const char *slot; /* NULL: not known */
    uint32_t lanes;
    const char *key_template;
    const char *key_columns;
    bool forget_positions; /* another system or timeline was accepted: everything starts at
                              accept_lsn */
    lsn accept_lsn;        /* S is raised to it when a gap is accepted; else 0 */
    lsn origin_lsn;        /* of a stream that is founded or recovered; 0: as before */
    lsn recovered_lsn;     /* of a stream that is recovered; 0: as before */
    lsn marked_lsn;        /* the rows of all events below it are marked */
    uint64_t at_least;     /* number it above this one too (seen uncommitted) */
};
void checkpoint_next_generation(const struct checkpoint *from,
                                const struct generation_options *options, struct checkpoint *next);

enum leaving {
    EVENT_IS_NEW,
    EVENT_IS_COMMITTED, /* left out: Kafka has it */
    EVENT_IS_UNKNOWN,   /* an old key template cannot tell: refuse */
};

/* The key that the event in question had under the template of history[index], BYTES_NULL when
 * that made none. False: the template means nothing to this version. */
struct past_keys {
    bool (*key_of)(void *context, size_t index, struct bytes *key);
    void *context;
};

/* May the event at this position, with this key under the current template, be published? `past` is
 * asked only about layouts with other keys, and only where their watermarks differ in the answer;
 * NULL: no such key can be told. */
enum leaving checkpoint_compare(const struct checkpoint *checkpoint, struct position position,
                                struct bytes key, const struct past_keys *past);

/* Did these two layouts give every event the same key? */
bool layout_same_keys(const struct layout *a, const struct layout *b);

/* --- the records --- */

#define CHECKPOINT_KEY_GENERATION BYTES_LIT("generation")
#define CHECKPOINT_KEY_SETTLED    BYTES_LIT("settled")
#define CHECKPOINT_KEY_LANE       BYTES_LIT("lane")

/* Each writes one record's value. The generation's may be long: malloc'd, the caller frees. */
size_t checkpoint_write_lane(const struct checkpoint *checkpoint, struct position watermark,
                             lsn settled_lsn, const struct unmarked *unmarked,
                             char value[static CHECKPOINT_RECORD_MAX]);
size_t checkpoint_write_settled(const struct checkpoint *checkpoint, lsn settled_lsn,
                                char value[static CHECKPOINT_RECORD_MAX]);
char *checkpoint_write_generation(const struct checkpoint *checkpoint, lsn accepted_gap_lsn,
                                  size_t *size);

#endif
