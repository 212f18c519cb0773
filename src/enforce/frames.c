/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/frames.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "config/config.h"
#include "registry/proto_file.h"
#include "registry/subject.h"

/* The way to a message in its file: wire_format.h. */
struct way {
    int32_t indexes[WIRE_INDEXES_MAX];
    size_t n;
};

struct frames {
    const struct config *config;
    const struct schemas *schemas;
    struct registry *registry;
    pthread_mutex_t mutex; /* guards the files: an import is settled once */
    struct proto_files files;
    struct proto_file **of; /* for each schema */
    struct way *ways;
};

/* --- the way to a message --- */

/* Its place among those beside it. Entries of maps are no messages of the file's author. */
static int32_t place_of(const struct pool *pool, const struct message *message)
{
    int32_t place = 0;
    for (uint32_t i = 0; i < pool_messages(pool); i++) {
        const struct message *other = pool_message_at(pool, i);
        if (other == message) {
            return place;
        }
        place += other->outer == message->outer && !other->map_entry &&
                 strcmp(other->file, message->file) == 0;
    }
    check(false);
    return 0;
}

/* Only Protobuf has one. */
static enum verdict find_way(const struct schema *schema, struct way *way, struct error *error)
{
    size_t depth = 0;
    for (const struct message *at = schema->message; at != NULL; at = at->outer) {
        depth++;
    }
    if (depth > WIRE_INDEXES_MAX) {
        error_set(error, INVALID, "%s: the event is nested deeper than %d messages", schema->file,
                  WIRE_INDEXES_MAX);
        return error_remedy(error, "Move the event's message towards the top of the file.");
    }
    way->n = depth;
    for (const struct message *at = schema->message; at != NULL; at = at->outer) {
        way->indexes[--depth] = place_of(schema->pool, at);
    }
    return OK;
}

/* --- lifecycle --- */

static enum verdict load(struct frames *frames, struct error *error)
{
    enum verdict verdict = OK;
    for (size_t i = 0; i < frames->schemas->n && verdict == OK; i++) {
        const struct schema *schema = &frames->schemas->all[i];
        verdict = proto_files_load(&frames->files, schema->file, &frames->of[i], error);
        if (verdict == OK) {
            verdict = find_way(schema, &frames->ways[i], error);
        }
    }
    return verdict;
}

enum verdict frames_new(const struct config *config, const struct schemas *schemas,
                        const atomic_bool *stop, struct frames **frames, struct error *error)
{
    struct frames *made = must_calloc(1, sizeof(*made));
    made->config = config;
    made->schemas = schemas;
    made->of = must_calloc(schemas->n, sizeof(made->of[0]));
    made->ways = must_calloc(schemas->n, sizeof(made->ways[0]));
    check(pthread_mutex_init(&made->mutex, NULL) == 0);
    proto_files_init(&made->files, schemas->folder);
    enum verdict verdict = load(made, error);
    if (verdict == OK) {
        verdict = registry_new(config, stop, &made->registry, error);
    }
    if (verdict != OK) {
        frames_free(made);
        return verdict;
    }
    *frames = made;
    return OK;
}

void frames_free(struct frames *frames)
{
    if (frames != NULL) {
        registry_free(frames->registry);
        proto_files_release(&frames->files);
        pthread_mutex_destroy(&frames->mutex);
        free(frames->of);
        free(frames->ways);
        free(frames);
    }
}

bool frames_note(struct frames *frames, char note[static REGISTRY_NOTE_SIZE])
{
    return registry_note(frames->registry, note);
}

/* --- asking --- */

bool frames_need_topic(const struct frames *frames)
{
    return subject_needs_topic(frames->config->contracts.registry.subject);
}

static enum verdict find_subject(const struct frames *frames, const struct schema *schema,
                                 const char *topic, char subject[static SUBJECT_SIZE],
                                 struct error *error)
{
    if (subject_name(frames->config->contracts.registry.subject, topic, schema->event, subject)) {
        return OK;
    }
    error_set(error, INVALID, "the subject of %.100s is too long", schema->type);
    return error_remedy(error, "Set contracts.registry.subject to topic or record, or shorten the "
                               "names that it is made of.");
}

/* Imports first: their versions are part of the question. */
static enum verdict resolve(struct frames *frames, struct proto_file *file, const char *subject,
                            struct registry_found *found, struct error *error)
{
    struct registry_reference references[PROTO_IMPORTS_MAX];
    for (size_t i = 0; i < file->n_imports; i++) {
        struct proto_file *import = file->imports[i];
        if (import->settled) {
            continue;
        }
        enum verdict verdict = resolve(frames, import, import->name, &import->found, error);
        if (verdict != OK) {
            return verdict;
        }
        import->settled = true;
    }
    struct registry_schema schema = proto_file_schema(file, references);
    return registry_resolve(frames->registry, subject, &schema, found, error);
}

/* Only Protobuf says behind the id which message of the file it is. */
static void write_frame(struct frame *frame, const struct schema *schema, const struct way *way,
                        int32_t id)
{
    enum { ID_LEN = 5 };
    static const int32_t first = 0;
    bool protobuf = schema->kind == SCHEMA_PROTOBUF;
    size_t len =
        wire_header(id, protobuf ? way->indexes : &first, protobuf ? way->n : 1, frame->data);
    check(len > 0);
    frame->len = (uint8_t)(protobuf ? len : ID_LEN);
}

enum verdict frames_find(struct frames *frames, size_t schema, const char *topic,
                         struct frame *frame, struct error *error)
{
    char subject[SUBJECT_SIZE];
    struct registry_found found = {0};
    const struct way *way = &frames->ways[schema];
    enum verdict verdict =
        find_subject(frames, &frames->schemas->all[schema], topic, subject, error);
    if (verdict != OK) {
        return verdict;
    }
    pthread_mutex_lock(&frames->mutex);
    verdict = resolve(frames, frames->of[schema], subject, &found, error);
    pthread_mutex_unlock(&frames->mutex);
    if (verdict == RETRY) {
        error->verdict = verdict = WAIT; /* somebody runs a registry */
    }
    if (verdict == OK) {
        write_frame(frame, &frames->schemas->all[schema], way, found.id);
    }
    return verdict;
}
