/* SPDX-License-Identifier: Apache-2.0 */
#include "topic.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"

void topic_release(struct topic *topic)
{
    for (size_t i = 0; i < topic->n; i++) {
        free(topic->records[i].value);
    }
    free(topic->records);
    *topic = (struct topic){0};
}

void topic_add(struct topic *topic, int32_t partition, struct bytes key, const char *value,
               size_t size)
{
    if (topic->n == topic->room) {
        topic->room = topic->room == 0 ? 64 : 2 * topic->room;
        topic->records = must_realloc(topic->records, topic->room * sizeof(topic->records[0]));
    }
    char *copy = must_malloc(size);
    memcpy(copy, value, size);
    topic->records[topic->n++] = (struct topic_record){partition, key, copy, size};
}

void topic_add_generation(struct topic *topic, const struct checkpoint *checkpoint)
{
    size_t size;
    char *value = checkpoint_write_generation(checkpoint, 0, &size);
    topic_add(topic, 0, CHECKPOINT_KEY_GENERATION, value, size);
    free(value);
}

void topic_add_lane(struct topic *topic, const struct checkpoint *checkpoint, uint32_t lane,
                    struct position watermark, lsn settled_lsn)
{
    char value[CHECKPOINT_RECORD_MAX];
    struct unmarked none = {.any = false};
    size_t size = checkpoint_write_lane(checkpoint, watermark, settled_lsn, &none, value);
    topic_add(topic, (int32_t)lane + 1, CHECKPOINT_KEY_LANE, value, size);
}

void topic_add_settled(struct topic *topic, const struct checkpoint *checkpoint, lsn settled_lsn)
{
    char value[CHECKPOINT_RECORD_MAX];
    size_t size = checkpoint_write_settled(checkpoint, settled_lsn, value);
    topic_add(topic, 0, CHECKPOINT_KEY_SETTLED, value, size);
}

void topic_compact(struct topic *topic)
{
    size_t kept = 0;
    for (size_t i = 0; i < topic->n; i++) {
        bool last = true;
        for (size_t k = i + 1; last && k < topic->n; k++) {
            last = topic->records[k].partition != topic->records[i].partition ||
                   !bytes_equal(topic->records[k].key, topic->records[i].key);
        }
        if (last) {
            topic->records[kept++] = topic->records[i];
        } else {
            free(topic->records[i].value);
        }
    }
    topic->n = kept;
}

void topic_read(const struct topic *topic, unsigned seed, struct checkpoint *checkpoint)
{
    checkpoint_init(checkpoint);
    uint32_t start = seed % (LANES_MAX + 1);
    bool backwards = seed / (LANES_MAX + 1) % 2 == 1;
    for (uint32_t i = 0; i <= LANES_MAX; i++) {
        uint32_t at = (start + (backwards ? LANES_MAX + 1 - i : i)) % (LANES_MAX + 1);
        for (size_t k = 0; k < topic->n; k++) {
            const struct topic_record *record = &topic->records[k];
            if (record->partition == (int32_t)at) {
                struct error error = {0};
                struct bytes value = {record->value, record->size};
                enum verdict verdict =
                    checkpoint_apply(checkpoint, record->partition, record->key, value, &error);
                cr_assert_eq(verdict, OK, "%s", error.what);
            }
        }
    }
    checkpoint_complete(checkpoint);
}
