/* SPDX-License-Identifier: Apache-2.0
 *
 * The records of the checkpoint topic: proto/walpost/v1/checkpoint.proto. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "checkpoint.pb-c.h"
#include "checkpoint/checkpoint.h"

static enum verdict not_a_checkpoint(struct error *error, int32_t partition)
{
    error_set(error, FATAL,
              "partition %d of the checkpoint topic holds a record that is no checkpoint",
              partition);
    return error_remedy(error,
                        "Somebody else wrote to this topic. Find out who; only walpost may write "
                        "there.");
}

/* No walpost ever wrote version 0: it is what protobuf reads out of nothing. */
static enum verdict check_version(uint32_t version, int32_t partition, struct error *error)
{
    if (version == 0) {
        return not_a_checkpoint(error, partition);
    }
    if (version <= CHECKPOINT_VERSION) {
        return OK;
    }
    error_set(error, FATAL,
              "the checkpoint was written in format %u by a newer walpost; this one knows %d",
              version, CHECKPOINT_VERSION);
    return error_remedy(error, "Run the newer version.");
}

static struct position position_of(const Walpost__V1__Watermark *watermark)
{
    if (watermark == NULL) {
        return (struct position){0};
    }
    return (struct position){watermark->commit_lsn, watermark->ordinal};
}

static struct unmarked unmarked_of(const Walpost__V1__UnmarkedLetters *from)
{
    if (from == NULL) { /* the version that wrote it did not know */
        return (struct unmarked){.any = true, .until_lsn = UINT64_MAX};
    }
    return (struct unmarked){
        .any = from->until_lsn > 0, .since_ms = from->since_ms, .until_lsn = from->until_lsn};
}

static Walpost__V1__UnmarkedLetters unmarked_write(const struct unmarked *unmarked)
{
    Walpost__V1__UnmarkedLetters record = WALPOST__V1__UNMARKED_LETTERS__INIT;
    if (unmarked->any) {
        record.since_ms = unmarked->since_ms;
        record.until_lsn = unmarked->until_lsn;
    }
    return record;
}

static char *known_columns(const char *columns)
{
    return columns[0] == '\0' ? NULL : must_strdup(columns);
}

static void layout_read(struct layout *layout, const Walpost__V1__Layout *from)
{
    *layout = (struct layout){.key_template = must_strdup(from->key_template),
                              .key_columns = known_columns(from->key_columns)};
    layout->lanes = (uint32_t)from->n_watermarks;
    for (uint32_t i = 0; i < layout->lanes; i++) {
        layout->watermarks[i] = position_of(from->watermarks[i]);
    }
}

static void generation_read(struct checkpoint *checkpoint,
                            const Walpost__V1__GenerationCheckpoint *from)
{
    uint32_t lanes_seen = checkpoint->lanes_seen;
    struct checkpoint fresh = {0};
    fresh.found = true;
    memcpy(fresh.last, checkpoint->last, sizeof(fresh.last));
    fresh.generation = from->generation;
    fresh.first_generation = from->first_generation;
    fresh.system_id = from->system_id;
    fresh.timeline = from->timeline;
    fresh.database_oid = from->database_oid;
    fresh.settled_lsn = from->settled_lsn;
    fresh.origin_lsn = from->origin_lsn;
    fresh.recovered_lsn = from->recovered_lsn;
    fresh.unmarked = unmarked_of(from->unmarked);
    snprintf(fresh.instance, sizeof(fresh.instance), "%s", from->instance);
    snprintf(fresh.slot, sizeof(fresh.slot), "%s", from->slot);
    fresh.layout.lanes = from->lanes;
    fresh.layout.key_template = must_strdup(from->key_template);
    fresh.layout.key_columns = known_columns(from->key_columns);
    fresh.lanes_seen = fresh.layout.lanes > lanes_seen ? fresh.layout.lanes : lanes_seen;
    fresh.history = must_calloc(from->n_history, sizeof(fresh.history[0]));
    fresh.n_history = from->n_history;
    for (size_t i = 0; i < from->n_history; i++) {
        layout_read(&fresh.history[i], from->history[i]);
    }
    checkpoint_release(checkpoint);
    *checkpoint = fresh;
}

/* A number of lanes that is not the one that was written would look up the wrong watermark. */
static bool lanes_are_possible(const Walpost__V1__GenerationCheckpoint *record)
{
    bool possible = record->lanes >= 1 && record->lanes <= LANES_MAX;
    for (size_t i = 0; possible && i < record->n_history; i++) {
        size_t lanes = record->history[i]->n_watermarks;
        possible = lanes >= 1 && lanes <= LANES_MAX;
    }
    return possible;
}

static enum verdict apply_generation(struct checkpoint *checkpoint, int32_t partition,
                                     struct bytes value, struct error *error)
{
    Walpost__V1__GenerationCheckpoint *record =
        walpost__v1__generation_checkpoint__unpack(NULL, value.len, (const uint8_t *)value.data);
    if (record == NULL) {
        return not_a_checkpoint(error, partition);
    }
    enum verdict verdict = check_version(record->version, partition, error);
    if (verdict == OK && !lanes_are_possible(record)) {
        verdict = not_a_checkpoint(error, partition);
    }
    if (verdict == OK && (!checkpoint->found || record->generation >= checkpoint->generation)) {
        generation_read(checkpoint, record);
    }
    walpost__v1__generation_checkpoint__free_unpacked(record, NULL);
    return verdict;
}

static enum verdict apply_settled(struct checkpoint *checkpoint, int32_t partition,
                                  struct bytes value, struct error *error)
{
    Walpost__V1__SettledCheckpoint *record =
        walpost__v1__settled_checkpoint__unpack(NULL, value.len, (const uint8_t *)value.data);
    if (record == NULL) {
        return not_a_checkpoint(error, partition);
    }
    enum verdict verdict = check_version(record->version, partition, error);
    if (verdict == OK &&
        (!checkpoint->last[0].seen || record->generation >= checkpoint->last[0].generation)) {
        checkpoint->last[0].seen = true;
        checkpoint->last[0].generation = record->generation;
        checkpoint->last[0].settled_lsn = record->settled_lsn;
    }
    walpost__v1__settled_checkpoint__free_unpacked(record, NULL);
    return verdict;
}

/* An at-least-once lane of an older generation that comes back to life may still append: the newest
 * generation's record counts, wherever it stands. */
static enum verdict apply_lane(struct checkpoint *checkpoint, int32_t partition, struct bytes value,
                               struct error *error)
{
    Walpost__V1__LaneCheckpoint *record =
        walpost__v1__lane_checkpoint__unpack(NULL, value.len, (const uint8_t *)value.data);
    if (record == NULL) {
        return not_a_checkpoint(error, partition);
    }
    enum verdict verdict = check_version(record->version, partition, error);
    if (verdict == OK && (!checkpoint->last[partition].seen ||
                          record->generation >= checkpoint->last[partition].generation)) {
        checkpoint->last[partition].seen = true;
        checkpoint->last[partition].generation = record->generation;
        checkpoint->last[partition].watermark = position_of(record->watermark);
        checkpoint->last[partition].settled_lsn = record->settled_lsn;
        checkpoint->last[partition].unmarked = unmarked_of(record->unmarked);
    }
    walpost__v1__lane_checkpoint__free_unpacked(record, NULL);
    return verdict;
}

enum verdict checkpoint_apply(struct checkpoint *checkpoint, int32_t partition, struct bytes key,
                              struct bytes value, struct error *error)
{
    if (partition < 0 || partition > LANES_MAX || value.data == NULL) {
        return not_a_checkpoint(error, partition);
    }
    if (partition == 0 && bytes_equal(key, CHECKPOINT_KEY_GENERATION)) {
        return apply_generation(checkpoint, partition, value, error);
    }
    if (partition == 0 && bytes_equal(key, CHECKPOINT_KEY_SETTLED)) {
        return apply_settled(checkpoint, partition, value, error);
    }
    if (partition > 0 && bytes_equal(key, CHECKPOINT_KEY_LANE)) {
        return apply_lane(checkpoint, partition, value, error);
    }
    return not_a_checkpoint(error, partition);
}

size_t checkpoint_write_lane(const struct checkpoint *checkpoint, struct position watermark,
                             lsn settled_lsn, const struct unmarked *unmarked,
                             char value[static CHECKPOINT_RECORD_MAX])
{
    Walpost__V1__UnmarkedLetters letters = unmarked_write(unmarked);
    Walpost__V1__Watermark mark = WALPOST__V1__WATERMARK__INIT;
    mark.commit_lsn = watermark.commit_lsn;
    mark.ordinal = watermark.ordinal;
    Walpost__V1__LaneCheckpoint record = WALPOST__V1__LANE_CHECKPOINT__INIT;
    record.version = CHECKPOINT_VERSION;
    record.generation = checkpoint->generation;
    record.system_id = checkpoint->system_id;
    record.timeline = checkpoint->timeline;
    record.watermark = &mark;
    record.settled_lsn = settled_lsn;
    record.unmarked = &letters;
    check(walpost__v1__lane_checkpoint__get_packed_size(&record) <= CHECKPOINT_RECORD_MAX);
    return walpost__v1__lane_checkpoint__pack(&record, (uint8_t *)value);
}

size_t checkpoint_write_settled(const struct checkpoint *checkpoint, lsn settled_lsn,
                                char value[static CHECKPOINT_RECORD_MAX])
{
    Walpost__V1__SettledCheckpoint record = WALPOST__V1__SETTLED_CHECKPOINT__INIT;
    record.version = CHECKPOINT_VERSION;
    record.generation = checkpoint->generation;
    record.system_id = checkpoint->system_id;
    record.timeline = checkpoint->timeline;
    record.settled_lsn = settled_lsn;
    check(walpost__v1__settled_checkpoint__get_packed_size(&record) <= CHECKPOINT_RECORD_MAX);
    return walpost__v1__settled_checkpoint__pack(&record, (uint8_t *)value);
}

/* Protobuf-c wants arrays of pointers: one layout and its watermarks in three allocations. */
static Walpost__V1__Layout *layout_write(const struct layout *from)
{
    Walpost__V1__Layout *layout = must_malloc(sizeof(*layout));
    walpost__v1__layout__init(layout);
    layout->key_template = from->key_template;
    if (from->key_columns != NULL) {
        layout->key_columns = from->key_columns;
    }
    layout->n_watermarks = from->lanes;
    layout->watermarks = must_calloc(from->lanes, sizeof(layout->watermarks[0]));
    Walpost__V1__Watermark *marks = must_calloc(from->lanes, sizeof(*marks));
    for (uint32_t i = 0; i < from->lanes; i++) {
        walpost__v1__watermark__init(&marks[i]);
        marks[i].commit_lsn = from->watermarks[i].commit_lsn;
        marks[i].ordinal = from->watermarks[i].ordinal;
        layout->watermarks[i] = &marks[i];
    }
    return layout;
}

static void layout_write_free(Walpost__V1__Layout *layout)
{
    free(layout->watermarks[0]);
    free(layout->watermarks);
    free(layout);
}

char *checkpoint_write_generation(const struct checkpoint *checkpoint, lsn accepted_gap_lsn,
                                  size_t *size)
{
    char *instance = must_strdup(checkpoint->instance);
    char *slot = must_strdup(checkpoint->slot);
    Walpost__V1__UnmarkedLetters letters = unmarked_write(&checkpoint->unmarked);
    Walpost__V1__GenerationCheckpoint record = WALPOST__V1__GENERATION_CHECKPOINT__INIT;
    record.version = CHECKPOINT_VERSION;
    record.generation = checkpoint->generation;
    record.first_generation = checkpoint->first_generation;
    record.system_id = checkpoint->system_id;
    record.timeline = checkpoint->timeline;
    record.database_oid = checkpoint->database_oid;
    record.instance = instance;
    record.slot = slot;
    record.lanes = checkpoint->layout.lanes;
    record.key_template = checkpoint->layout.key_template;
    if (checkpoint->layout.key_columns != NULL) {
        record.key_columns = checkpoint->layout.key_columns;
    }
    record.settled_lsn = checkpoint->settled_lsn;
    record.origin_lsn = checkpoint->origin_lsn;
    record.recovered_lsn = checkpoint->recovered_lsn;
    record.accepted_gap_lsn = accepted_gap_lsn;
    record.unmarked = &letters;
    record.n_history = checkpoint->n_history;
    record.history = must_calloc(checkpoint->n_history, sizeof(record.history[0]));
    for (size_t i = 0; i < checkpoint->n_history; i++) {
        record.history[i] = layout_write(&checkpoint->history[i]);
    }
    *size = walpost__v1__generation_checkpoint__get_packed_size(&record);
    char *value = must_malloc(*size);
    walpost__v1__generation_checkpoint__pack(&record, (uint8_t *)value);
    for (size_t i = 0; i < checkpoint->n_history; i++) {
        layout_write_free(record.history[i]);
    }
    free(record.history);
    free(instance);
    free(slot);
    return value;
}
