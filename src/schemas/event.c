/* SPDX-License-Identifier: Apache-2.0
 *
 * What the comments of a contract say: which message is the event, and which fields must come. */
#include <ctype.h>
#include <stdlib.h>

#include "base/check.h"
#include "contract/mark.h"
#include "schemas/schemas.h"

/* What a line "// walpost.event: NAME" says; data NULL: there is none. */
static struct bytes said(struct bytes source)
{
    static const char mark[] = "// walpost.event:";
    const char *at = memmem(source.data, source.len, mark, sizeof(mark) - 1);
    if (at == NULL) {
        return BYTES_NULL;
    }
    const char *end = source.data + source.len;
    at += sizeof(mark) - 1;
    while (at < end && *at == ' ') {
        at++;
    }
    const char *from = at;
    while (at < end && (isalnum((unsigned char)*at) || *at == '_' || *at == '.')) {
        at++;
    }
    return (struct bytes){from, (size_t)(at - from)};
}

/* NULL: there are several, or none. *n: how many. */
static const struct message *only_message(const struct pool *pool, const char *file, unsigned *n)
{
    const struct message *only = NULL;
    *n = 0;
    for (uint32_t i = 0; i < pool_messages(pool); i++) {
        const struct message *message = pool_message_at(pool, i);
        if (strcmp(message->file, file) == 0 && message->outer == NULL) {
            only = message;
            ++*n;
        }
    }
    return *n == 1 ? only : NULL;
}

static const struct message *named_like(const struct pool *pool, const char *file, const char *type)
{
    char *name = must_strdup(type);
    size_t len = 0;
    for (const char *at = type; *at != '\0'; at++) {
        if (*at != '.') {
            name[len++] = *at;
        }
    }
    const struct message *message =
        version_message(&(struct version){pool, file}, (struct bytes){name, len});
    free(name);
    const char *dot = strchr(type, '.');
    return message == NULL && dot != NULL ? named_like(pool, file, dot + 1) : message;
}

enum verdict schema_find_event(const struct pool *pool, const char *file, const char *type,
                               struct bytes source, const struct message **message,
                               struct error *error)
{
    struct bytes name = said(source);
    const struct message *found;
    unsigned n = 1;
    if (name.data != NULL) {
        found = version_message(&(struct version){pool, file}, name);
        if (found == NULL) {
            error_set(error, INVALID, "%s says that \"%.*s\" is the event, but has no such message",
                      file, (int)name.len, name.data);
            return error_remedy(error, "Name a message of the file there.");
        }
    } else {
        found = only_message(pool, file, &n);
        if (found == NULL) {
            found = named_like(pool, file, type);
        }
    }
    if (found == NULL && n == 0) {
        error_set(error, INVALID, "%s has no message that could be the event %s", file, type);
        return error_remedy(error, "Write one: its fields are what the event's payload holds.");
    }
    if (found == NULL) {
        error_set(error, INVALID, "%s does not say which of its messages is the event %s", file,
                  type);
        return error_remedy(error,
                            "Give the message the name of the type without its dots, or write "
                            "a line `// walpost.event: NAME` into the file.");
    }
    *message = found;
    return OK;
}

void schema_compare_events(const struct schema *writer, const struct schema *reader,
                           struct differences *differences)
{
    struct bytes was = writer->message->local;
    struct bytes is = reader->message->local;
    if (!bytes_equal(was, is) &&
        version_message(&(struct version){reader->pool, reader->file}, was) != NULL) {
        differences_add(differences, EVENT_MESSAGE_CHANGED, false, reader->line, is.data,
                        "%.40s became %.40s", was.data, is.data);
    }
}

/* --- fields that must come ------------------------------------------------------------------- */

static unsigned marks_of_fields(const struct pool *pool, const char *file)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < pool_messages(pool); i++) {
        const struct message *message = pool_message_at(pool, i);
        for (uint16_t j = 0; j < message->n_fields && strcmp(message->file, file) == 0; j++) {
            n += message->fields[j].marks;
        }
    }
    return n;
}

enum verdict schema_check_marks(const struct pool *pool, const char *file, struct bytes source,
                                struct error *error)
{
    struct source_marks marks = marks_in_source(source);
    unsigned taken = marks_of_fields(pool, file);
    if (marks.misspelt != 0) {
        error_set(error, INVALID, "%s:%d: a mark that walpost does not know", file,
                  (int)marks.misspelt);
        return error_remedy(error, "A field that must come is marked // walpost.required.");
    }
    if (marks.n > taken) {
        error_set(error, INVALID, "%s: %u marks // walpost.required belong to no field", file,
                  marks.n - taken);
        return error_remedy(error, "Write the mark behind the field, in the same line, or directly "
                                   "above it. Fields of messages can have it, extensions cannot.");
    }
    return OK;
}
