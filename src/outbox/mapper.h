/* SPDX-License-Identifier: Apache-2.0
 *
 * mapper.h - the inside of the mapper, shared by mapper.c (plan, rows) and message.c.
 * In -> out: see map.h.
 * Owns: the plan and the scratch memory that a row may look into until the next one.
 * Thread: the loop thread.
 * Keeps: the first thing found wrong with a row is its detail. */
#ifndef WALPOST_OUTBOX_MAPPER_H
#define WALPOST_OUTBOX_MAPPER_H

#include "base/macros.h"
#include "outbox/json.h"
#include "outbox/map.h"

/* What a column or a member of a logical message is for. The required ones come first. */
enum role {
    ROLE_ID,
    ROLE_AGGREGATE_ID,
    ROLE_EVENT_TYPE,
    ROLE_PAYLOAD,
    ROLES_REQUIRED,
    ROLE_STATUS = ROLES_REQUIRED,
    ROLE_CREATED_AT,
    ROLE_TRACEPARENT,
    ROLE_TRACESTATE,
    ROLE_SCHEMA_VERSION,
    ROLE_HEADERS,
    ROLES,
};

/* The option outbox.columns.<name>, and the member of a logical message. */
extern const struct bytes role_names[ROLES];

struct member {
    struct json_value name;
    struct json_value value;
};

enum { COLUMN_ABSENT = UINT16_MAX, MEMBERS_MAX = TUPLE_COLUMNS_MAX };

struct mapper {
    const struct config *config;
    struct bytes message_prefix;

    /* the plan */
    uint16_t n_columns;
    uint16_t column_of[ROLES]; /* or COLUMN_ABSENT */
    bool id_is_uuid;           /* by its type: PostgreSQL has checked it */
    bool payload_is_json;
    uint16_t n_extra;
    uint16_t extra_columns[TUPLE_COLUMNS_MAX];
    char *names; /* backs the names of extra */
    struct named_bytes extra[TUPLE_COLUMNS_MAX];

    /* scratch: the extra members of a message, its strings without their escapes, why a row is dead
     */
    struct member members[MEMBERS_MAX];
    struct named_bytes member_extra[MEMBERS_MAX];
    char *text;
    size_t text_size;
    char detail[160];
};

/* Of the values by role; a good row without extra columns. */
struct row row_of(const struct bytes values[static ROLES]);

/* The row becomes a dead letter, unless it is one: detail finishes the subject, `column "id"`. */
void mapper_reject(struct mapper *mapper, struct row *row, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* 8-4-4-4-12 hexadecimal digits. */
bool is_uuid(struct bytes text);

#endif
