/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "registry/answer.h"
#include "registry/ask.h"

enum { PAUSE_BASE_MS = 200, PAUSE_MAX_MS = 10000, PAUSE_STEP_MS = 50 };

static const char *cache_file(const struct registry *registry)
{
    const char *file = registry->config->contracts.registry.cache;
    return file[0] == '\0' ? NULL : file;
}

static void note_error(struct registry *registry, const struct error *error)
{
    snprintf(registry->note, sizeof(registry->note), "%.200s. %.300s", error->what, error->remedy);
}

/* --- lifecycle --- */

static void split_addresses(struct registry *registry, const char *list)
{
    while (*list != '\0') {
        size_t part = strcspn(list, ",");
        const char *begin = list + strspn(list, " ");
        const char *end = list + part;
        while (end > begin && (end[-1] == ' ' || end[-1] == '/')) {
            end--;
        }
        registry->bases =
            must_realloc(registry->bases, (registry->n_bases + 1) * sizeof(registry->bases[0]));
        registry->bases[registry->n_bases++] = must_printf("%.*s", (int)(end - begin), begin);
        list += part + (list[part] == ',' ? 1 : 0);
    }
}

enum verdict registry_new(const struct config *config, const atomic_bool *stop,
                          struct registry **registry, struct error *error)
{
    struct http *http;
    enum verdict verdict = http_new(config, &http, error);
    if (verdict != OK) {
        return verdict;
    }
    struct registry *made = must_calloc(1, sizeof(*made));
    made->config = config;
    made->stop = stop;
    made->http = http;
    split_addresses(made, config->contracts.registry.url);
    check(made->n_bases > 0);
    check(pthread_mutex_init(&made->call_mutex, NULL) == 0);
    check(pthread_mutex_init(&made->mutex, NULL) == 0);
    struct error trouble;
    if (cache_file(made) != NULL && cache_read(&made->cache, cache_file(made),
                                               config->contracts.registry.url, &trouble) != OK) {
        note_error(made, &trouble);
    }
    *registry = made;
    return OK;
}

void registry_free(struct registry *registry)
{
    if (registry == NULL) {
        return;
    }
    http_free(registry->http);
    cache_release(&registry->cache);
    for (size_t i = 0; i < registry->n_bases; i++) {
        free(registry->bases[i]);
    }
    free(registry->bases);
    pthread_mutex_destroy(&registry->call_mutex);
    pthread_mutex_destroy(&registry->mutex);
    free(registry);
}

bool registry_note(struct registry *registry, char note[static REGISTRY_NOTE_SIZE])
{
    pthread_mutex_lock(&registry->mutex);
    bool there = registry->note[0] != '\0';
    if (there) {
        memcpy(note, registry->note, REGISTRY_NOTE_SIZE);
        registry->note[0] = '\0';
    }
    pthread_mutex_unlock(&registry->mutex);
    return there;
}

void registry_text_release(struct registry_text *text)
{
    free(text->type);
    free(text->text);
    *text = (struct registry_text){0};
}

/* --- looking up --- */

bool registry_is_missing(const struct error *error)
{
    return error->verdict == WAIT && strncmp(error->code, "4040", 4) == 0;
}

static void remember(struct registry *registry, const char *subject,
                     const struct registry_schema *schema, const struct registry_found *found)
{
    uint8_t key[SHA256_SIZE];
    cache_key(subject, schema, key);
    struct error trouble;
    pthread_mutex_lock(&registry->mutex);
    const struct registry_found *known = cache_find(&registry->cache, key);
    if (known == NULL || known->id != found->id || known->version != found->version) {
        cache_add(&registry->cache, key, found);
        if (cache_file(registry) != NULL &&
            cache_write(&registry->cache, cache_file(registry),
                        registry->config->contracts.registry.url, &trouble) != OK) {
            note_error(registry, &trouble);
        }
    }
    pthread_mutex_unlock(&registry->mutex);
}

bool registry_known(struct registry *registry, const char *subject,
                    const struct registry_schema *schema, struct registry_found *found)
{
    uint8_t key[SHA256_SIZE];
    cache_key(subject, schema, key);
    pthread_mutex_lock(&registry->mutex);
    const struct registry_found *known = cache_find(&registry->cache, key);
    if (known != NULL) {
        *found = *known;
    }
    pthread_mutex_unlock(&registry->mutex);
    return known != NULL;
}

static enum verdict look_up(struct registry *registry, const char *subject, const char *options,
                            const struct registry_schema *schema, struct registry_found *found,
                            struct error *error)
{
    char *body = NULL;
    const char *base = NULL;
    char *request = answer_write_schema(schema);
    if (request == NULL) {
        return not_utf8(subject, error);
    }
    struct question question = {"POST", path_of("/subjects/", subject, options), request, subject};
    enum verdict verdict = ask(registry, question, &body, &base, error);
    if (verdict == OK && !answer_read_found(body, &found->id, &found->version)) {
        verdict = nonsense(registry, base, body, error);
    }
    free(body);
    return verdict;
}

enum verdict registry_lookup(struct registry *registry, const char *subject,
                             const struct registry_schema *schema, struct registry_found *found,
                             struct error *error)
{
    struct registry_found answered = {0};
    enum verdict verdict = look_up(registry, subject, "", schema, &answered, error);
    if (verdict == WAIT && registry_is_missing(error) && strcmp(error->code, "40401") != 0) {
        /* Registered by somebody who let the registry bring it into its own form. */
        verdict = look_up(registry, subject, "?normalize=true", schema, &answered, error);
    }
    if (verdict == FATAL) {
        error->verdict = verdict = WAIT; /* a stream does not end because a schema is not taken */
    }
    if (verdict == OK) {
        remember(registry, subject, schema, &answered);
        *found = answered;
    }
    return verdict;
}

/* --- waiting --- */

static bool in_pause(struct registry *registry, struct error *error)
{
    pthread_mutex_lock(&registry->mutex);
    bool pause = clock_us() < registry->quiet_until_us;
    if (pause) {
        *error = registry->trouble;
    }
    pthread_mutex_unlock(&registry->mutex);
    return pause;
}

static void note_outcome(struct registry *registry, enum verdict verdict, const struct error *error)
{
    pthread_mutex_lock(&registry->mutex);
    if (verdict == RETRY) {
        uint32_t pause_ms = backoff_ms(registry->troubles, PAUSE_BASE_MS, PAUSE_MAX_MS);
        registry->quiet_until_us = clock_us() + (int64_t)pause_ms * 1000;
        registry->troubles += registry->troubles < 32 ? 1 : 0;
        registry->trouble = *error;
    } else if (verdict != AGAIN) {
        registry->troubles = 0;
        registry->quiet_until_us = 0;
    }
    pthread_mutex_unlock(&registry->mutex);
}

enum verdict registry_resolve(struct registry *registry, const char *subject,
                              const struct registry_schema *schema, struct registry_found *found,
                              struct error *error)
{
    if (registry_known(registry, subject, schema, found)) {
        return OK;
    }
    if (in_pause(registry, error)) {
        return RETRY;
    }
    enum verdict verdict = registry_lookup(registry, subject, schema, found, error);
    note_outcome(registry, verdict, error);
    return verdict;
}

static bool is_stopped(const struct registry *registry)
{
    return registry->stop != NULL && atomic_load(registry->stop);
}

enum verdict registry_await(struct registry *registry, const char *subject,
                            const struct registry_schema *schema, registry_say_fn *say,
                            void *context, struct registry_found *found, struct error *error)
{
    check(registry->stop != NULL);
    for (uint32_t tries = 1;; tries++) {
        enum verdict verdict = registry_resolve(registry, subject, schema, found, error);
        if (verdict == OK || verdict == AGAIN || verdict == INVALID) {
            return verdict;
        }
        say(context, tries, error);
        uint32_t left_ms = backoff_ms(tries - 1, PAUSE_BASE_MS, PAUSE_MAX_MS);
        while (left_ms > 0 && !is_stopped(registry)) {
            uint32_t step_ms = left_ms < PAUSE_STEP_MS ? left_ms : PAUSE_STEP_MS;
            clock_wait_ms(step_ms);
            left_ms -= step_ms;
        }
        if (is_stopped(registry)) {
            return error_set(error, AGAIN, "asked to stop");
        }
    }
}
