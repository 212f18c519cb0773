/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "registry/answer.h"
#include "registry/ask.h"

enum verdict registry_latest(struct registry *registry, const char *subject,
                             struct registry_found *found, struct registry_text *text,
                             struct error *error)
{
    char *body = NULL;
    const char *base = NULL;
    struct registry_found answered;
    struct registry_text answered_text = {0};
    struct question question = {"GET", path_of("/subjects/", subject, "/versions/latest"), NULL,
                                subject};
    enum verdict verdict = ask(registry, question, &body, &base, error);
    if (verdict == OK && (!answer_read_found(body, &answered.id, &answered.version) ||
                          (text != NULL && !answer_read_text(body, &answered_text)))) {
        verdict = nonsense(registry, base, body, error);
    }
    if (verdict == OK) {
        *found = answered;
        if (text != NULL) {
            *text = answered_text;
        }
    }
    free(body);
    return verdict;
}

enum verdict registry_schema_of(struct registry *registry, int32_t id, struct registry_text *text,
                                struct error *error)
{
    char *body = NULL;
    const char *base = NULL;
    struct question question = {"GET", must_printf("/schemas/ids/%d", (int)id), NULL, NULL};
    enum verdict verdict = ask(registry, question, &body, &base, error);
    if (verdict == OK && !answer_read_text(body, text)) {
        verdict = nonsense(registry, base, body, error);
    }
    free(body);
    return verdict;
}

static struct question level_question(const char *method, const char *subject, char *body)
{
    char *path = subject == NULL ? must_strdup("/config") : path_of("/config/", subject, "");
    return (struct question){method, path, body, subject};
}

enum verdict registry_level(struct registry *registry, const char *subject,
                            char level[static REGISTRY_LEVEL_SIZE], struct error *error)
{
    char *body = NULL;
    const char *base = NULL;
    enum verdict verdict = ask(registry, level_question("GET", subject, NULL), &body, &base, error);
    if (verdict == WAIT && subject != NULL && registry_is_missing(error)) {
        level[0] = '\0';
        return OK;
    }
    if (verdict == OK && !answer_read_level(body, level)) {
        verdict = nonsense(registry, base, body, error);
    }
    free(body);
    return verdict;
}

enum verdict registry_set_level(struct registry *registry, const char *subject, const char *level,
                                struct error *error)
{
    char *body = NULL;
    const char *base = NULL;
    char answered[REGISTRY_LEVEL_SIZE];
    char *request = answer_write_level(level);
    check(request != NULL);
    enum verdict verdict =
        ask(registry, level_question("PUT", subject, request), &body, &base, error);
    if (verdict == OK && (!answer_read_level(body, answered) || strcmp(answered, level) != 0)) {
        verdict = nonsense(registry, base, body, error);
    }
    free(body);
    return verdict;
}

enum verdict registry_test(struct registry *registry, const char *subject,
                           const struct registry_schema *schema, bool *compatible, char **words,
                           struct error *error)
{
    char *body = NULL;
    const char *base = NULL;
    char *request = answer_write_schema(schema);
    if (request == NULL) {
        return not_utf8(subject, error);
    }
    struct question question = {
        "POST", path_of("/compatibility/subjects/", subject, "/versions?verbose=true"), request,
        subject};
    enum verdict verdict = ask(registry, question, &body, &base, error);
    if (verdict == WAIT && registry_is_missing(error)) {
        *compatible = true;
        *words = NULL;
        return OK;
    }
    if (verdict == OK && !answer_read_compatible(body, compatible, words)) {
        verdict = nonsense(registry, base, body, error);
    }
    free(body);
    return verdict;
}

enum verdict registry_register(struct registry *registry, const char *subject,
                               const struct registry_schema *schema, struct registry_found *found,
                               struct error *error)
{
    char *body = NULL;
    const char *base = NULL;
    int32_t id = 0;
    char *request = answer_write_schema(schema);
    if (request == NULL) {
        return not_utf8(subject, error);
    }
    struct question question = {"POST", path_of("/subjects/", subject, "/versions"), request,
                                subject};
    enum verdict verdict = ask(registry, question, &body, &base, error);
    if (verdict == OK && !answer_read_found(body, &id, NULL)) {
        verdict = nonsense(registry, base, body, error);
    }
    free(body);
    /* The answer need not say the version; and what was registered must be found by its content. */
    return verdict != OK ? verdict : registry_lookup(registry, subject, schema, found, error);
}
