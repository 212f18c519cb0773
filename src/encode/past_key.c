/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/past_key.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "config/config.h"
#include "encode/template.h"

#define ROLE(name)                                                                      \
    {                                                                                   \
#name, offsetof(struct config, outbox.columns.name), offsetof(struct row, name) \
    }

static const struct role {
    const char *name;
    size_t column; /* in struct config */
    size_t value;  /* in struct row */
} roles[] = {
    ROLE(id),         ROLE(aggregate_id), ROLE(event_type), ROLE(payload),        ROLE(status),
    ROLE(created_at), ROLE(traceparent),  ROLE(tracestate), ROLE(schema_version), ROLE(headers)};

enum { N_ROLES = ARRAY_LEN(roles) };

struct past_key {
    const struct config *now;
    struct config then; /* a shallow copy, but for the columns */
    char *columns;      /* backs their names */
    bool moved;         /* a role had another column than today */
    struct template key;
    struct named_bytes *extra; /* scratch: of a row as it was seen then */
    size_t extra_size;
};

static char **column_of(struct config *config, const struct role *role)
{
    return (char **)(void *)((char *)config + role->column);
}

static const char *column_now(const struct config *config, const struct role *role)
{
    return *(char *const *)(const void *)((const char *)config + role->column);
}

static struct bytes *value_of(struct row *row, const struct role *role)
{
    return (struct bytes *)(void *)((char *)row + role->value);
}

char *key_columns(const struct config *config)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    for (size_t i = 0; i < N_ROLES; i++) {
        fprintf(out, "%s=%s\n", roles[i].name, column_now(config, &roles[i]));
    }
    fclose(out);
    return text;
}

/* --- the configuration of that time --- */

static const struct role *role_named(const char *name, size_t length)
{
    for (size_t i = 0; i < N_ROLES; i++) {
        if (strlen(roles[i].name) == length && memcmp(roles[i].name, name, length) == 0) {
            return &roles[i];
        }
    }
    return NULL;
}

/* False: not what key_columns of this version writes. */
static bool read_columns(struct past_key *past)
{
    size_t known = 0;
    for (char *line = past->columns; *line != '\0';) {
        char *equals = strchr(line, '=');
        char *end = strchr(line, '\n');
        if (equals == NULL || end == NULL || equals > end) {
            return false;
        }
        const struct role *role = role_named(line, (size_t)(equals - line));
        if (role == NULL) {
            return false;
        }
        *end = '\0';
        *column_of(&past->then, role) = equals + 1;
        past->moved |= strcmp(equals + 1, column_now(past->now, role)) != 0;
        known++;
        line = end + 1;
    }
    return known == N_ROLES;
}

enum verdict past_key_new(const struct config *config, const char *key_template,
                          const char *columns, struct past_key **past, struct error *error)
{
    struct past_key *made = must_calloc(1, sizeof(*made));
    made->now = config;
    made->then = *config;
    made->columns = columns == NULL ? NULL : must_strdup(columns);
    enum verdict verdict = OK;
    if (columns != NULL && !read_columns(made)) {
        verdict =
            error_set(error, INVALID, "the columns of an earlier generation are not readable");
    }
    if (verdict == OK) {
        verdict = template_compile(&made->key, &made->then, "route.key", key_template, error);
    }
    if (verdict != OK) {
        past_key_free(made);
        return verdict;
    }
    *past = made;
    return OK;
}

void past_key_free(struct past_key *past)
{
    if (past != NULL) {
        template_release(&past->key);
        free(past->columns);
        free(past->extra);
        free(past);
    }
}

/* --- the row as it was seen at that time --- */

/* The column of the table, whatever it is for today. */
static struct bytes column_value(const struct past_key *past, const struct row *row,
                                 const char *column)
{
    for (size_t i = 0; i < N_ROLES; i++) {
        if (strcmp(column_now(past->now, &roles[i]), column) == 0) {
            return *(const struct bytes *)(const void *)((const char *)row + roles[i].value);
        }
    }
    for (size_t i = 0; i < row->n_extra; i++) {
        if (bytes_equal(row->extra[i].name, bytes_of(column))) {
            return row->extra[i].value;
        }
    }
    return BYTES_NULL;
}

static struct row row_then(struct past_key *past, const struct row *row)
{
    struct row then = *row;
    size_t most = row->n_extra + N_ROLES;
    if (past->extra_size < most) {
        past->extra = must_realloc(past->extra, most * sizeof(past->extra[0]));
        past->extra_size = most;
    }
    size_t n = row->n_extra;
    if (n > 0) {
        memcpy(past->extra, row->extra, n * sizeof(past->extra[0]));
    }
    /* What has a role today may have been a column like any other. */
    for (size_t i = 0; i < N_ROLES; i++) {
        struct bytes value = *value_of(&then, &roles[i]);
        if (value.data != NULL) {
            past->extra[n].name = bytes_of(column_now(past->now, &roles[i]));
            past->extra[n++].value = value;
        }
    }
    for (size_t i = 0; i < N_ROLES; i++) {
        *value_of(&then, &roles[i]) = column_value(past, row, column_now(&past->then, &roles[i]));
    }
    then.extra = past->extra;
    then.n_extra = n;
    return then;
}

struct bytes past_key_of(struct past_key *past, const struct row *row, char *buffer, size_t size)
{
    struct row then = *row;
    if (past->moved && !row->message) { /* the members of a message have names of their own */
        then = row_then(past, row);
    }
    struct bytes key;
    return template_render(&past->key, &then, buffer, size, &key) == RENDERED ? key : BYTES_NULL;
}
