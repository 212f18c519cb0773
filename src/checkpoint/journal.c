/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of the topic of replays: proto/walpost/v1/journal.proto. */
#include "checkpoint/journal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/murmur2.h"
#include "journal.pb-c.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static const char bookmark_prefix[] = "bookmark/";
static const char replay_prefix[] = "replay/";

/* --- names --- */

bool bookmark_name_valid(const char *name)
{
    size_t length = strlen(name);
    return length >= 1 && length <= BOOKMARK_NAME_MAX && strchr(LETTERS, name[0]) != NULL &&
           strspn(name, LETTERS DIGITS "._-") == length;
}

bool replay_id_valid(const char *id)
{
    size_t length = strlen(id);
    return length >= 1 && length <= REPLAY_ID_MAX &&
           strspn(id, "abcdefghijklmnopqrstuvwxyz" DIGITS "-") == length;
}

void journal_bookmark_key(const char *name, char key[static JOURNAL_KEY_MAX])
{
    snprintf(key, JOURNAL_KEY_MAX, "%s%s", bookmark_prefix, name);
}

void journal_job_key(const char *id, char key[static JOURNAL_KEY_MAX])
{
    snprintf(key, JOURNAL_KEY_MAX, "%s%s", replay_prefix, id);
}

void journal_progress_key(const char *id, uint32_t lane, char key[static JOURNAL_KEY_MAX])
{
    snprintf(key, JOURNAL_KEY_MAX, "%s%s/%u", replay_prefix, id, lane);
}

int32_t journal_progress_partition(const char *id)
{
    return 1 + (int32_t)murmur2_bucket(bytes_of(id), JOURNAL_PARTITIONS - 1);
}

/* --- life --- */

void journal_init(struct journal *journal)
{
    *journal = (struct journal){.exists = false};
}

void replay_job_release(struct replay_job *job)
{
    free(job->topic);
    free(job->key);
    free(job->event_type);
    free(job->key_template);
    *job = (struct replay_job){0};
}

void journal_release(struct journal *journal)
{
    for (size_t i = 0; i < journal->n_jobs; i++) {
        replay_job_release(&journal->jobs[i]);
    }
    free(journal->jobs);
    free(journal->bookmarks);
    journal_init(journal);
}

/* --- reading --- */

static enum verdict unreadable(struct bytes key, struct error *error)
{
    error_set(error, FATAL, "the record \"%.*s\" in the topic of replays cannot be read",
              (int)key.len, key.data);
    return error_remedy(error,
                        "Somebody else wrote to this topic, or a newer walpost did: run that "
                        "version. The live stream does not depend on it.");
}

static bool is_known(uint32_t version)
{
    return version >= 1 && version <= JOURNAL_VERSION;
}

/* What stands behind the prefix, as a string. False: another kind of record, or too long. */
static bool behind(struct bytes key, const char *prefix, char *name, size_t size)
{
    size_t length = strlen(prefix);
    if (key.len <= length || key.len - length >= size || memcmp(key.data, prefix, length) != 0) {
        return false;
    }
    memcpy(name, key.data + length, key.len - length);
    name[key.len - length] = '\0';
    return true;
}

static struct bookmark *find_bookmark(const struct journal *journal, const char *name)
{
    for (size_t i = 0; i < journal->n_bookmarks; i++) {
        if (strcmp(journal->bookmarks[i].name, name) == 0) {
            return &journal->bookmarks[i];
        }
    }
    return NULL;
}

static void remove_bookmark(struct journal *journal, struct bookmark *known)
{
    if (known != NULL) {
        size_t behind_it = (size_t)(journal->bookmarks + journal->n_bookmarks - known) - 1;
        memmove(known, known + 1, behind_it * sizeof(*known));
        journal->n_bookmarks--;
    }
}

static enum verdict apply_bookmark(struct journal *journal, const char *name, struct bytes key,
                                   struct bytes value, struct error *error)
{
    struct bookmark *known = find_bookmark(journal, name);
    if (value.data == NULL) {
        remove_bookmark(journal, known);
        return OK;
    }
    Walpost__V1__Bookmark *record =
        walpost__v1__bookmark__unpack(NULL, value.len, (const uint8_t *)value.data);
    if (record == NULL || !is_known(record->version)) {
        walpost__v1__bookmark__free_unpacked(record, NULL);
        return unreadable(key, error);
    }
    if (known == NULL) {
        journal->bookmarks = must_realloc(journal->bookmarks, (journal->n_bookmarks + 1) *
                                                                  sizeof(journal->bookmarks[0]));
        known = &journal->bookmarks[journal->n_bookmarks++];
    }
    *known = (struct bookmark){.system_id = record->system_id,
                               .timeline = record->timeline,
                               .position = record->lsn,
                               .created_us = record->created_us};
    snprintf(known->name, sizeof(known->name), "%s", name);
    walpost__v1__bookmark__free_unpacked(record, NULL);
    return OK;
}

static enum verdict apply_clock(struct journal *journal, struct bytes key, struct bytes value,
                                struct error *error)
{
    Walpost__V1__WalClock *record =
        walpost__v1__wal_clock__unpack(NULL, value.len, (const uint8_t *)value.data);
    if (record == NULL || !is_known(record->version) || record->n_lsn != record->n_time_us ||
        record->n_lsn > MOMENTS_MAX) {
        walpost__v1__wal_clock__free_unpacked(record, NULL);
        return unreadable(key, error);
    }
    journal->clock.system_id = record->system_id;
    journal->clock.count = record->n_lsn;
    for (size_t i = 0; i < record->n_lsn; i++) {
        journal->clock.moments[i] = (struct moment){record->lsn[i], record->time_us[i]};
    }
    walpost__v1__wal_clock__free_unpacked(record, NULL);
    return OK;
}

static char *text_or_null(const char *text)
{
    return text[0] == '\0' ? NULL : must_strdup(text);
}

static struct replay_job *job_for(struct journal *journal, const char *id)
{
    for (size_t i = 0; i < journal->n_jobs; i++) {
        if (strcmp(journal->jobs[i].id, id) == 0) {
            replay_job_release(&journal->jobs[i]);
            return &journal->jobs[i];
        }
    }
    journal->jobs = must_realloc(journal->jobs, (journal->n_jobs + 1) * sizeof(journal->jobs[0]));
    return &journal->jobs[journal->n_jobs++];
}

static enum verdict apply_job(struct journal *journal, const char *id, struct bytes key,
                              struct bytes value, struct error *error)
{
    Walpost__V1__Replay *record =
        walpost__v1__replay__unpack(NULL, value.len, (const uint8_t *)value.data);
    if (record == NULL || !is_known(record->version) || record->lanes < 1 ||
        record->lanes > LANES_MAX) {
        walpost__v1__replay__free_unpacked(record, NULL);
        return unreadable(key, error);
    }
    struct replay_job *job = job_for(journal, id);
    *job = (struct replay_job){
        .system_id = record->system_id,
        .timeline = record->timeline,
        .from_lsn = record->from_lsn,
        .to_lsn = record->to_lsn,
        .from_us = record->from_us,
        .to_us = record->to_us,
        .topic = text_or_null(record->topic),
        .key = text_or_null(record->key),
        .event_type = text_or_null(record->event_type),
        .lanes = record->lanes,
        .key_template = must_strdup(record->key_template),
        .started_us = record->started_us,
        .done = record->done,
    };
    snprintf(job->id, sizeof(job->id), "%s", id);
    walpost__v1__replay__free_unpacked(record, NULL);
    return OK;
}

/* A record like a lane's in the checkpoint topic; its errors speak of that topic. */
static enum verdict apply_progress(struct journal *journal, const char *lane, struct bytes key,
                                   struct bytes value, struct error *error)
{
    unsigned long number = strtoul(lane, NULL, 10);
    bool good = number >= LANES_MAX || checkpoint_apply(journal->progress, (int32_t)number + 1,
                                                        CHECKPOINT_KEY_LANE, value, NULL) == OK;
    return good ? OK : unreadable(key, error);
}

static enum verdict apply_replay(struct journal *journal, char *name, struct bytes key,
                                 struct bytes value, struct error *error)
{
    char *slash = strchr(name, '/');
    if (slash != NULL) {
        *slash = '\0';
        bool wanted = journal->wanted_id != NULL && strcmp(journal->wanted_id, name) == 0;
        return wanted && value.data != NULL ? apply_progress(journal, slash + 1, key, value, error)
                                            : OK;
    }
    return value.data == NULL || !replay_id_valid(name)
               ? OK
               : apply_job(journal, name, key, value, error);
}

enum verdict journal_apply(struct journal *journal, struct bytes key, struct bytes value,
                           struct error *error)
{
    char name[JOURNAL_KEY_MAX];
    if (behind(key, bookmark_prefix, name, sizeof(name))) {
        return bookmark_name_valid(name) ? apply_bookmark(journal, name, key, value, error) : OK;
    }
    if (behind(key, replay_prefix, name, sizeof(name))) {
        return apply_replay(journal, name, key, value, error);
    }
    if (bytes_equal(key, BYTES_LIT(JOURNAL_CLOCK_KEY)) && value.data != NULL) {
        return apply_clock(journal, key, value, error);
    }
    return OK;
}

const struct bookmark *journal_bookmark(const struct journal *journal, const char *name)
{
    return find_bookmark(journal, name);
}

const struct replay_job *journal_job(const struct journal *journal, const char *id)
{
    for (size_t i = 0; i < journal->n_jobs; i++) {
        if (strcmp(journal->jobs[i].id, id) == 0) {
            return &journal->jobs[i];
        }
    }
    return NULL;
}

/* --- writing --- */

char *journal_write_bookmark(const struct bookmark *bookmark, size_t *size)
{
    Walpost__V1__Bookmark record = WALPOST__V1__BOOKMARK__INIT;
    record.version = JOURNAL_VERSION;
    record.system_id = bookmark->system_id;
    record.timeline = bookmark->timeline;
    record.lsn = bookmark->position;
    record.created_us = bookmark->created_us;
    char *value = must_malloc(walpost__v1__bookmark__get_packed_size(&record));
    *size = walpost__v1__bookmark__pack(&record, (uint8_t *)value);
    return value;
}

char *journal_write_clock(const struct wal_clock *clock, size_t *size)
{
    uint64_t positions[MOMENTS_MAX];
    int64_t times[MOMENTS_MAX];
    for (size_t i = 0; i < clock->count; i++) {
        positions[i] = clock->moments[i].wal_lsn;
        times[i] = clock->moments[i].time_us;
    }
    Walpost__V1__WalClock record = WALPOST__V1__WAL_CLOCK__INIT;
    record.version = JOURNAL_VERSION;
    record.system_id = clock->system_id;
    record.n_lsn = clock->count;
    record.lsn = positions;
    record.n_time_us = clock->count;
    record.time_us = times;
    char *value = must_malloc(walpost__v1__wal_clock__get_packed_size(&record));
    *size = walpost__v1__wal_clock__pack(&record, (uint8_t *)value);
    return value;
}

char *journal_write_job(const struct replay_job *job, size_t *size)
{
    static char nothing[] = "";
    Walpost__V1__Replay record = WALPOST__V1__REPLAY__INIT;
    record.version = JOURNAL_VERSION;
    record.system_id = job->system_id;
    record.timeline = job->timeline;
    record.from_lsn = job->from_lsn;
    record.to_lsn = job->to_lsn;
    record.from_us = job->from_us;
    record.to_us = job->to_us;
    record.topic = job->topic == NULL ? nothing : job->topic;
    record.key = job->key == NULL ? nothing : job->key;
    record.event_type = job->event_type == NULL ? nothing : job->event_type;
    record.lanes = job->lanes;
    record.key_template = job->key_template;
    record.started_us = job->started_us;
    record.done = job->done;
    char *value = must_malloc(walpost__v1__replay__get_packed_size(&record));
    *size = walpost__v1__replay__pack(&record, (uint8_t *)value);
    return value;
}
