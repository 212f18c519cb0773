/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/template.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "base/nearest.h"
#include "config/config.h"

#define ROLE(member) ((int)offsetof(struct row, member))

void template_release(struct template *template)
{
    free(template->text);
    free(template->parts);
    *template = (struct template){0};
}

/* The member of struct row that a column fills: by the name that it has in the configuration, or by
 * the role's own name, which is what the JSON of a logical message has. */
static int role_of(const struct config *config, struct bytes name, bool *configured)
{
    const struct {
        const char *column;
        struct bytes name;
        int role;
    } roles[] = {
        {config->outbox.columns.id, BYTES_LIT("id"), ROLE(id)},
        {config->outbox.columns.aggregate_id, BYTES_LIT("aggregate_id"), ROLE(aggregate_id)},
        {config->outbox.columns.event_type, BYTES_LIT("event_type"), ROLE(event_type)},
        {config->outbox.columns.payload, BYTES_LIT("payload"), ROLE(payload)},
        {config->outbox.columns.status, BYTES_LIT("status"), ROLE(status)},
        {config->outbox.columns.created_at, BYTES_LIT("created_at"), ROLE(created_at)},
        {config->outbox.columns.traceparent, BYTES_LIT("traceparent"), ROLE(traceparent)},
        {config->outbox.columns.tracestate, BYTES_LIT("tracestate"), ROLE(tracestate)},
        {config->outbox.columns.schema_version, BYTES_LIT("schema_version"), ROLE(schema_version)},
        {config->outbox.columns.headers, BYTES_LIT("headers"), ROLE(headers)},
    };
    int by_own_name = NO_ROLE;
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (bytes_equal(name, bytes_of(roles[i].column))) {
            *configured = true;
            return roles[i].role;
        }
        if (bytes_equal(name, roles[i].name)) {
            by_own_name = roles[i].role;
        }
    }
    *configured = false;
    return by_own_name;
}

static enum verdict unknown_placeholder(const char *key, struct bytes name, struct error *error)
{
    static const char *const known[] = {"domain", "event_type", "aggregate_id", "column:NAME"};
    enum { CLOSE = 3 };
    char word[64];
    int shown = name.len < sizeof(word) ? (int)name.len : (int)sizeof(word) - 1;
    snprintf(word, sizeof(word), "%.*s", shown, name.data);
    struct nearest nearest;
    nearest_init(&nearest, word);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        nearest_offer(&nearest, known[i]);
    }
    error_set(error, INVALID, "%s: {%s} is no placeholder", key, word);
    if (nearest.edits > CLOSE && name.len > 0 && strchr(word, ':') == NULL) {
        return error_remedy(error,
                            "For a column of the table write {column:%s}. The others are {domain}, "
                            "{event_type} and {aggregate_id}; {{ and }} stand for braces.",
                            word);
    }
    return error_remedy(error,
                        "Did you mean {%s}? There are {domain}, {event_type}, {aggregate_id} and "
                        "{column:NAME}; {{ and }} stand for braces.",
                        nearest.best);
}

static enum verdict compile_placeholder(struct template_part *part, const struct config *config,
                                        const char *key, struct bytes name, struct error *error)
{
    static const struct bytes column = BYTES_LIT("column:");
    part->written = (struct bytes){name.data - 1, name.len + 2};
    if (bytes_equal(name, BYTES_LIT("domain"))) {
        part->kind = PART_DOMAIN;
    } else if (bytes_equal(name, BYTES_LIT("event_type"))) {
        part->kind = PART_ROLE;
        part->role = ROLE(event_type);
    } else if (bytes_equal(name, BYTES_LIT("aggregate_id"))) {
        part->kind = PART_ROLE;
        part->role = ROLE(aggregate_id);
    } else if (name.len > column.len && memcmp(name.data, column.data, column.len) == 0) {
        bool configured;
        part->text = (struct bytes){name.data + column.len, name.len - column.len};
        part->role = role_of(config, part->text, &configured);
        part->kind = configured ? PART_ROLE : PART_COLUMN;
    } else {
        return unknown_placeholder(key, name, error);
    }
    return OK;
}

/* Everything up to the next placeholder or escaped brace; of "a{{b" the literals "a{" and "b". */
static const char *compile_literal(struct template_part *part, const char *at)
{
    size_t len = strcspn(at, "{}");
    part->kind = PART_LITERAL;
    part->text = (struct bytes){at, len};
    if (at[len] != '\0' && at[len] == at[len + 1]) {
        part->text.len++;
        return at + len + 2;
    }
    return at + len;
}

static enum verdict lonely_brace(const char *key, const char *text, char brace, struct error *error)
{
    error_set(error, INVALID, "%s: \"%.200s\" has a %c without its partner", key, text, brace);
    return error_remedy(error, "A placeholder is written {domain}; for a brace itself write %c%c.",
                        brace, brace);
}

enum verdict template_compile(struct template *template, const struct config *config,
                              const char *key, const char *text, struct error *error)
{
    /* No part is shorter than a character. */
    *template = (struct template){
        .text = must_strdup(text),
        .parts = must_calloc(strlen(text) + 1, sizeof(template->parts[0])),
    };
    enum verdict verdict = OK;
    const char *at = template->text;
    while (*at != '\0') {
        struct template_part *part = &template->parts[template->n_parts++];
        part->role = NO_ROLE;
        if ((*at != '{' && *at != '}') || at[0] == at[1]) {
            at = compile_literal(part, at);
            continue;
        }
        size_t len = strcspn(at + 1, "{}");
        if (*at == '}' || at[1 + len] != '}') {
            verdict = lonely_brace(key, text, *at, error);
            goto fail;
        }
        verdict = compile_placeholder(part, config, key, (struct bytes){at + 1, len}, error);
        if (verdict != OK) {
            goto fail;
        }
        at += len + 2;
    }
    return OK;
fail:
    template_release(template);
    return verdict;
}

struct bytes event_domain(struct bytes event_type)
{
    if (bytes_empty(event_type)) {
        return BYTES_NULL;
    }
    const char *dot = memchr(event_type.data, '.', event_type.len);
    size_t len = dot == NULL ? event_type.len : (size_t)(dot - event_type.data);
    return len == 0 ? BYTES_NULL : (struct bytes){event_type.data, len};
}

static struct bytes role_value(const struct row *row, int role)
{
    return role == NO_ROLE ? BYTES_NULL : *(const struct bytes *)((const char *)row + role);
}

static struct bytes part_value(const struct template_part *part, const struct row *row)
{
    switch (part->kind) {
    case PART_LITERAL: return part->text;
    case PART_DOMAIN: return event_domain(row->event_type);
    case PART_ROLE: return role_value(row, part->role);
    case PART_COLUMN: break;
    }
    for (size_t i = 0; i < row->n_extra; i++) {
        if (bytes_equal(row->extra[i].name, part->text)) {
            return row->extra[i].value;
        }
    }
    return role_value(row, part->role);
}

enum rendered template_render(const struct template *template, const struct row *row, char *buffer,
                              size_t size, struct bytes *text)
{
    if (template->n_parts == 1 && template->parts[0].kind != PART_LITERAL) {
        struct bytes value = part_value(&template->parts[0], row);
        if (value.data == NULL) {
            return RENDERED_NULL;
        }
        *text = value;
        return RENDERED;
    }
    size_t used = 0;
    for (size_t i = 0; i < template->n_parts; i++) {
        struct bytes value = part_value(&template->parts[i], row);
        if (value.data == NULL) {
            return RENDERED_NULL;
        }
        if (value.len > size - used) {
            return RENDERED_TOO_LONG;
        }
        memcpy(buffer + used, value.data, value.len);
        used += value.len;
    }
    *text = (struct bytes){buffer, used};
    return RENDERED;
}

struct bytes template_null(const struct template *template, const struct row *row)
{
    for (size_t i = 0; i < template->n_parts; i++) {
        if (part_value(&template->parts[i], row).data == NULL) {
            return template->parts[i].written;
        }
    }
    return BYTES_NULL;
}

/* ends[i]: what came before this part can end at i, and then what comes up to its end. One walk
 * over the text for each part, since a template and a name of a topic may be as hostile as they
 * like. */
static void match_literal(struct bytes literal, struct bytes text, bool *ends)
{
    for (size_t i = text.len + 1; i-- > 0;) {
        ends[i] = i >= literal.len && ends[i - literal.len] &&
                  memcmp(text.data + i - literal.len, literal.data, literal.len) == 0;
    }
}

/* At least one character; in a domain no dot. */
static void match_placeholder(bool domain, struct bytes text, bool *ends)
{
    bool begun = false;
    for (size_t i = 0; i <= text.len; i++) {
        bool begins = ends[i];
        begun = begun && !(domain && text.data[i - 1] == '.');
        ends[i] = begun;
        begun = begun || begins;
    }
}

bool template_matches(const struct template *template, struct bytes text)
{
    bool *ends = must_calloc(text.len + 1, sizeof(*ends));
    ends[0] = true;
    for (size_t i = 0; i < template->n_parts; i++) {
        const struct template_part *part = &template->parts[i];
        if (part->kind == PART_LITERAL) {
            match_literal(part->text, text, ends);
        } else {
            match_placeholder(part->kind == PART_DOMAIN, text, ends);
        }
    }
    bool matches = ends[text.len];
    free(ends);
    return matches;
}
