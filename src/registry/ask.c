/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "registry/answer.h"
#include "registry/secrets.h"
#include "registry/trouble.h"

/* --- one request, whatever address answers it --- */

/* A name as one part of a path: what is not unreserved in RFC 3986 becomes %XX. */
static char *escaped(const char *name)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char *text = must_malloc(3 * strlen(name) + 1);
    char *at = text;
    for (; *name != '\0'; name++) {
        if (strchr(unreserved, *name) != NULL) {
            *at++ = *name;
        } else {
            at += snprintf(at, 4, "%%%02X", (unsigned char)*name);
        }
    }
    *at = '\0';
    return text;
}

char *path_of(const char *before, const char *subject, const char *after)
{
    char *name = escaped(subject);
    char *path = must_printf("%s%s%s", before, name, after);
    free(name);
    return path;
}

/* A status that is an error becomes one. */
static enum verdict judge(const struct registry *registry, const char *base,
                          const struct question *question, struct http_answer *answer,
                          struct error *error)
{
    if (answer->status >= 200 && answer->status < 300) {
        return OK;
    }
    secrets_hide(registry->config, answer->body);
    struct refusal refusal = {
        .base = base,
        .status = answer->status,
        .subject = question->subject,
        .logged_in = registry->config->contracts.registry.auth.token[0] != '\0' ||
                     registry->config->contracts.registry.auth.username[0] != '\0',
    };
    char *message;
    answer_read_refusal(answer->body, &refusal.error_code, &message);
    refusal.message = message;
    enum verdict verdict = refusal_say(&refusal, error);
    free(message);
    return verdict;
}

static enum verdict ask_one(struct registry *registry, const char *base,
                            const struct question *question, char **body, struct error *error)
{
    struct http_request request = {question->method, base, question->path, question->body};
    struct http_answer answer;
    enum verdict verdict = http_call(registry->http, &request, registry->stop, &answer, error);
    if (verdict != OK) {
        return verdict;
    }
    verdict = judge(registry, base, question, &answer, error);
    if (verdict == OK) {
        *body = answer.body;
    } else {
        http_answer_release(&answer);
    }
    return verdict;
}

enum verdict ask(struct registry *registry, struct question question, char **body,
                 const char **base, struct error *error)
{
    enum verdict verdict = RETRY;
    pthread_mutex_lock(&registry->call_mutex);
    for (size_t i = 0; i < registry->n_bases && verdict == RETRY; i++) {
        size_t at = (registry->current + (i > 0 ? 1 : 0)) % registry->n_bases;
        registry->current = at;
        *base = registry->bases[at];
        verdict = ask_one(registry, *base, &question, body, error);
    }
    pthread_mutex_unlock(&registry->call_mutex);
    if (verdict == RETRY && registry->n_bases > 1) {
        error_prefix(error, "none of %zu schema registries is well; the last: ", registry->n_bases);
    }
    free(question.path);
    free(question.body);
    return verdict;
}

enum verdict not_utf8(const char *subject, struct error *error)
{
    error_set(error, INVALID, "the schema for subject \"%.200s\" is not UTF-8 text", subject);
    return error_remedy(error, "Save the file as UTF-8.");
}

enum verdict nonsense(const struct registry *registry, const char *base, char *body,
                      struct error *error)
{
    secrets_hide(registry->config, body);
    return nonsense_say(base, 200, body, error);
}
