/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/handles.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { FIRST_SIZE = 16 };

/* FNV-1a. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    }
    return hash;
}

/* The slot of name, or the free one where it belongs. */
static size_t locate(const struct handles *handles, const char *name)
{
    size_t mask = handles->size - 1;
    size_t at = hash_name(name) & mask;
    while (handles->slots[at].topic != NULL &&
           strcmp(rd_kafka_topic_name(handles->slots[at].topic), name) != 0) {
        at = (at + 1) & mask;
    }
    return at;
}

struct handle *handles_find(struct handles *handles, const char *name)
{
    if (handles->count == 0) {
        return NULL;
    }
    struct handle *last = &handles->slots[handles->last];
    if (last->topic == NULL || strcmp(rd_kafka_topic_name(last->topic), name) != 0) {
        handles->last = locate(handles, name);
        last = &handles->slots[handles->last];
    }
    return last->topic == NULL ? NULL : last;
}

static void grow(struct handles *handles)
{
    struct handles old = *handles;
    handles->size = old.size == 0 ? FIRST_SIZE : old.size * 2;
    handles->slots = must_calloc(handles->size, sizeof(handles->slots[0]));
    handles->last = 0;
    for (size_t i = 0; i < old.size; i++) {
        if (old.slots[i].topic != NULL) {
            handles->slots[locate(handles, rd_kafka_topic_name(old.slots[i].topic))] = old.slots[i];
        }
    }
    free(old.slots);
}

struct handle *handles_add(struct handles *handles, rd_kafka_t *rk, const char *name)
{
    if (handles->count * 2 >= handles->size) {
        grow(handles);
    }
    struct handle *handle = &handles->slots[locate(handles, name)];
    if (handle->topic == NULL) {
        handle->topic = rd_kafka_topic_new(rk, name, NULL);
        check(handle->topic != NULL);
        handles->count++;
    }
    return handle;
}

void handles_forget_firsts(struct handles *handles)
{
    for (size_t i = 0; i < handles->size; i++) {
        if (handles->slots[i].firsts.size > 0) {
            firsts_forget(&handles->slots[i].firsts);
        }
    }
}

void handles_release(struct handles *handles)
{
    for (size_t i = 0; i < handles->size; i++) {
        if (handles->slots[i].topic != NULL) {
            rd_kafka_topic_destroy(handles->slots[i].topic);
            firsts_release(&handles->slots[i].firsts);
        }
    }
    free(handles->slots);
    *handles = (struct handles){.slots = NULL};
}
