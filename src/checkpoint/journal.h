/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h - what a replay needs to know: bookmarks, the times of WAL positions, replays.
 * In: the records of walpost.replay.<stream>. Out: plain structs, and the records.
 * Owns: its lists and strings (journal_release).
 * Thread: any, one at a time; pure: no I/O, no clock, no logging.
 * Keeps: nothing here is read by the live stream, so that nothing here can hold it up. */
#ifndef WALPOST_CHECKPOINT_JOURNAL_H
#define WALPOST_CHECKPOINT_JOURNAL_H

#include "checkpoint/checkpoint.h"

/* Partition 0 holds what is written without a Kafka transaction; the progress of a replay stands in
 * one of the others, where its open transactions hide nobody's bookmarks. */
enum {
    JOURNAL_VERSION = 1,
    JOURNAL_PARTITIONS = 8,
    BOOKMARK_NAME_MAX = 63,
    REPLAY_ID_MAX = 40,
    JOURNAL_KEY_MAX = 128,
    MOMENTS_MAX = 128,
};

struct bookmark {
    char name[BOOKMARK_NAME_MAX + 1];
    uint64_t system_id;
    uint32_t timeline;
    lsn position;
    int64_t created_us; /* since 1970 UTC */
};

/* At this time the WAL ended here: what was committed later stands behind. */
struct moment {
    lsn wal_lsn;
    int64_t time_us;
};

struct wal_clock {
    uint64_t system_id;
    size_t count;
    struct moment moments[MOMENTS_MAX]; /* oldest first; both numbers grow */
};

/* What a replay was asked for. */
struct replay_job {
    char id[REPLAY_ID_MAX + 1];
    uint64_t system_id;
    uint32_t timeline;
    lsn from_lsn, to_lsn;           /* the first that is wanted, the first that is not */
    int64_t from_us, to_us;         /* of the commit; 0: no bound */
    char *topic, *key, *event_type; /* NULL: not asked for */
    uint32_t lanes;
    char *key_template;
    int64_t started_us;
    bool done;
};
void replay_job_release(struct replay_job *job);

struct journal {
    bool exists; /* the topic is there */
    struct bookmark *bookmarks;
    size_t n_bookmarks;
    struct wal_clock clock;
    struct replay_job *jobs;
    size_t n_jobs;
    /* Whose progress is read, and into what; NULL: nobody's. */
    const char *wanted_id;
    struct checkpoint *progress;
};

void journal_init(struct journal *journal);
void journal_release(struct journal *journal);

/* One record, in offset order within its partition. Records of kinds that this version does not
 * know are passed over. FATAL: a record of a kind it knows that cannot be read. */
enum verdict MUST_CHECK journal_apply(struct journal *journal, struct bytes key, struct bytes value,
                                      struct error *error);

/* NULL: there is none. Valid until the next call that changes the journal. */
const struct bookmark *journal_bookmark(const struct journal *journal, const char *name);
const struct replay_job *journal_job(const struct journal *journal, const char *id);

/* A name that is neither a position nor a time: it begins with a letter. */
bool bookmark_name_valid(const char *name);
bool replay_id_valid(const char *id);

/* --- the records; keys are written to key, values are malloc'd and the caller's --- */

void journal_bookmark_key(const char *name, char key[static JOURNAL_KEY_MAX]);
char *journal_write_bookmark(const struct bookmark *bookmark, size_t *size);
#define JOURNAL_CLOCK_KEY "clock"
char *journal_write_clock(const struct wal_clock *clock, size_t *size);
void journal_job_key(const char *id, char key[static JOURNAL_KEY_MAX]);
char *journal_write_job(const struct replay_job *job, size_t *size);
/* Of the progress of one lane. */
void journal_progress_key(const char *id, uint32_t lane, char key[static JOURNAL_KEY_MAX]);
/* The partition of a replay's progress. */
int32_t journal_progress_partition(const char *id);

#endif
