/* SPDX-License-Identifier: Apache-2.0
 *
 * template.h - text with placeholders, compiled once, rendered for every event.
 * In -> out: "outbox.event.{domain}" and a row -> "outbox.event.Order".
 * Owns: its parts and a copy of the text.
 * Thread: compiled in the loop thread; then read-only.
 * Keeps: {domain} {event_type} {aggregate_id} {column:NAME}, and {{ }} for braces; nothing else. */
#ifndef WALPOST_ENCODE_TEMPLATE_H
#define WALPOST_ENCODE_TEMPLATE_H

#include "base/error.h"
#include "outbox/event.h"

struct config;

enum part_kind {
    PART_LITERAL,
    PART_DOMAIN, /* the event type before its first dot */
    PART_ROLE,   /* a member of struct row */
    PART_COLUMN, /* a column without a role, looked up by name */
};

enum { NO_ROLE = -1 };

struct template_part {
    enum part_kind kind;
    struct bytes text;    /* the literal, or the column's name */
    struct bytes written; /* the placeholder as it stands in the template, for messages */
    int role; /* where in struct row; with PART_COLUMN what counts when there is no such column */
};

struct template
{
    char *text;
    struct template_part *parts;
    size_t n_parts;
};

/* key is the option's name for messages, for example "route.topic". INVALID for a placeholder that
 * is none, naming key, placeholder and the nearest valid one, and for a brace without its partner.
 */
enum verdict MUST_CHECK template_compile(struct template *template, const struct config *config,
                                         const char *key, const char *text, struct error *error);
void template_release(struct template *template);

enum rendered { RENDERED, RENDERED_NULL, RENDERED_TOO_LONG };

/* A view into the row where the template is a single placeholder, else text in buffer.
 * RENDERED_NULL: a placeholder is NULL, or a domain is empty. */
enum rendered MUST_CHECK template_render(const struct template *template, const struct row *row,
                                         char *buffer, size_t size, struct bytes *text);

/* After RENDERED_NULL: the first placeholder that is NULL, as it stands in the template. */
struct bytes template_null(const struct template *template, const struct row *row);

/* Could some row give this text? */
bool template_matches(const struct template *template, struct bytes text);

/* The event type before its first dot; NULL where that is empty. */
struct bytes event_domain(struct bytes event_type);

#endif
