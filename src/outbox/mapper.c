/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/mapper.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/nearest.h"
#include "config/config.h"

/* PostgreSQL's fixed OIDs (pg_type.dat). */
enum { OID_BYTEA = 17, OID_JSON = 114, OID_UUID = 2950, OID_JSONB = 3802 };

enum { NAME_SIZE = 64 /* NAMEDATALEN */, NEAR = 3 };

const struct bytes role_names[ROLES] = {
    [ROLE_ID] = BYTES_LIT("id"),
    [ROLE_AGGREGATE_ID] = BYTES_LIT("aggregate_id"),
    [ROLE_EVENT_TYPE] = BYTES_LIT("event_type"),
    [ROLE_PAYLOAD] = BYTES_LIT("payload"),
    [ROLE_STATUS] = BYTES_LIT("status"),
    [ROLE_CREATED_AT] = BYTES_LIT("created_at"),
    [ROLE_TRACEPARENT] = BYTES_LIT("traceparent"),
    [ROLE_TRACESTATE] = BYTES_LIT("tracestate"),
    [ROLE_SCHEMA_VERSION] = BYTES_LIT("schema_version"),
    [ROLE_HEADERS] = BYTES_LIT("headers"),
};

void mapper_new(const struct config *config, struct mapper **mapper)
{
    struct mapper *made = must_calloc(1, sizeof(*made));
    made->config = config;
    made->message_prefix = bytes_of(config->outbox.message_prefix);
    *mapper = made;
}

void mapper_free(struct mapper *mapper)
{
    if (mapper != NULL) {
        free(mapper->names);
        free(mapper->text);
        free(mapper);
    }
}

/* --- rows ------------------------------------------------------------------------------------ */

struct row row_of(const struct bytes values[static ROLES])
{
    return (struct row){
        .id = values[ROLE_ID],
        .aggregate_id = values[ROLE_AGGREGATE_ID],
        .event_type = values[ROLE_EVENT_TYPE],
        .payload = values[ROLE_PAYLOAD],
        .status = values[ROLE_STATUS],
        .created_at = values[ROLE_CREATED_AT],
        .traceparent = values[ROLE_TRACEPARENT],
        .tracestate = values[ROLE_TRACESTATE],
        .schema_version = values[ROLE_SCHEMA_VERSION],
        .headers = values[ROLE_HEADERS],
    };
}

void mapper_reject(struct mapper *mapper, struct row *row, const char *format, ...)
{
    if (row->dead != DEAD_NOT) {
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(mapper->detail, sizeof(mapper->detail), format, args);
    va_end(args);
    row->dead = DEAD_INVALID_EVENT;
    row->detail = mapper->detail;
}

bool is_uuid(struct bytes text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.len != sizeof(shape) - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (shape[i] == 'x' ? !hex : c != '-') {
            return false;
        }
    }
    return true;
}

static const char *column_name(const struct mapper *mapper, enum role role)
{
    const struct config *config = mapper->config;
    switch (role) {
    case ROLE_ID: return config->outbox.columns.id;
    case ROLE_AGGREGATE_ID: return config->outbox.columns.aggregate_id;
    case ROLE_EVENT_TYPE: return config->outbox.columns.event_type;
    case ROLE_PAYLOAD: return config->outbox.columns.payload;
    case ROLE_STATUS: return config->outbox.columns.status;
    case ROLE_CREATED_AT: return config->outbox.columns.created_at;
    case ROLE_TRACEPARENT: return config->outbox.columns.traceparent;
    case ROLE_TRACESTATE: return config->outbox.columns.tracestate;
    case ROLE_SCHEMA_VERSION: return config->outbox.columns.schema_version;
    case ROLE_HEADERS: return config->outbox.columns.headers;
    case ROLES: break;
    }
    check(false);
    return NULL;
}

static void check_values(struct mapper *mapper, const struct bytes *values, struct row *row)
{
    for (enum role role = 0; role < ROLES_REQUIRED; role++) {
        if (values[role].data == NULL) {
            mapper_reject(mapper, row, "column \"%s\" is NULL", column_name(mapper, role));
        } else if (values[role].len == 0 && role != ROLE_PAYLOAD) {
            mapper_reject(mapper, row, "column \"%s\" is empty", column_name(mapper, role));
        }
    }
    if (row->dead == DEAD_NOT && !mapper->id_is_uuid && !is_uuid(row->id)) {
        mapper_reject(mapper, row, "column \"%s\" holds no UUID", column_name(mapper, ROLE_ID));
    }
    /* The contract says it better. */
    bool judged = mapper->payload_is_json || config_checks_contracts(mapper->config);
    if (row->dead == DEAD_NOT && !judged) {
        enum json_trouble trouble = json_check(row->payload);
        if (trouble != JSON_FINE) {
            mapper_reject(mapper, row, "column \"%s\" holds no JSON: %s",
                          column_name(mapper, ROLE_PAYLOAD), json_trouble_text(trouble));
        }
    }
}

void mapper_judge(struct mapper *mapper, struct row *row)
{
    const struct bytes values[ROLES_REQUIRED] = {
        [ROLE_ID] = row->id,
        [ROLE_AGGREGATE_ID] = row->aggregate_id,
        [ROLE_EVENT_TYPE] = row->event_type,
        [ROLE_PAYLOAD] = row->payload,
    };
    row->dead = DEAD_NOT;
    row->detail = NULL;
    check_values(mapper, values, row);
}

static enum verdict wrong_tuple(const struct mapper *mapper, struct error *error,
                                const char *trouble)
{
    error_set(error, FATAL, "a row of %s.%s was sent %s", mapper->config->outbox.schema_name,
              mapper->config->outbox.table_name, trouble);
    return error_remedy(
        error, "Start walpost again: nothing is lost, it goes on where it stopped. If it comes "
               "back, the server or something between it and walpost breaks the protocol.");
}

enum verdict mapper_row(struct mapper *mapper, const struct tuple *tuple, struct row *row,
                        struct error *error)
{
    if (tuple->n_columns != mapper->n_columns) {
        return wrong_tuple(mapper, error, "with other columns than the table was announced with");
    }
    for (uint16_t i = 0; i < tuple->n_columns; i++) {
        if (tuple->columns[i].kind == COLUMN_UNCHANGED) {
            return wrong_tuple(mapper, error, "as new, with a column left out as unchanged");
        }
        if (tuple->columns[i].kind == COLUMN_BINARY) {
            return wrong_tuple(mapper, error, "in binary form, which was not asked for");
        }
    }
    struct bytes values[ROLES];
    for (enum role role = 0; role < ROLES; role++) {
        uint16_t column = mapper->column_of[role];
        values[role] = column == COLUMN_ABSENT ? BYTES_NULL : tuple->columns[column].value;
    }
    *row = row_of(values);
    for (uint16_t i = 0; i < mapper->n_extra; i++) {
        mapper->extra[i].value = tuple->columns[mapper->extra_columns[i]].value;
    }
    row->extra = mapper->extra;
    row->n_extra = mapper->n_extra;
    check_values(mapper, values, row);
    return OK;
}

/* --- the plan -------------------------------------------------------------------------------- */

static uint16_t find_column(const struct relation_column *columns, uint16_t n_columns,
                            const char *name)
{
    for (uint16_t i = 0; i < n_columns; i++) {
        if (bytes_equal(columns[i].name, bytes_of(name))) {
            return i;
        }
    }
    return COLUMN_ABSENT;
}

/* "id, payload and 3 more" */
static void list_columns(const struct relation_column *columns, uint16_t n_columns, char *text,
                         size_t size)
{
    enum { ROOM_FOR_MORE = NAME_SIZE + 20 };
    size_t used = 0;
    text[0] = '\0';
    for (uint16_t i = 0; i < n_columns; i++) {
        if (used + ROOM_FOR_MORE > size) {
            snprintf(text + used, size - used, " and %u more", (unsigned)(n_columns - i));
            return;
        }
        int shown = columns[i].name.len < NAME_SIZE ? (int)columns[i].name.len : NAME_SIZE - 1;
        used += (size_t)snprintf(text + used, size - used, "%s%.*s", i == 0 ? "" : ", ", shown,
                                 columns[i].name.data);
    }
}

static enum verdict missing_column(const struct mapper *mapper, enum role role,
                                   const struct relation_column *columns, uint16_t n_columns,
                                   struct error *error)
{
    const struct config *config = mapper->config;
    const char *wanted = column_name(mapper, role);
    char names[400];
    char best[NAME_SIZE] = "";
    size_t edits = SIZE_MAX;
    for (uint16_t i = 0; i < n_columns; i++) {
        char name[NAME_SIZE];
        int len = columns[i].name.len < NAME_SIZE ? (int)columns[i].name.len : NAME_SIZE - 1;
        snprintf(name, sizeof(name), "%.*s", len, columns[i].name.data);
        if (edit_distance(wanted, name) < edits) {
            edits = edit_distance(wanted, name);
            memcpy(best, name, sizeof(best));
        }
    }
    list_columns(columns, n_columns, names, sizeof(names));
    error_set(error, REFUSE, "%s.%s has no column \"%s\" (outbox.columns.%s); it has: %s",
              config->outbox.schema_name, config->outbox.table_name, wanted, role_names[role].data,
              n_columns == 0 ? "none" : names);
    if (edits <= NEAR) {
        return error_remedy(
            error,
            "Did you mean \"%s\"? Set outbox.columns.%s to the column that holds it, or add "
            "the column (and to the publication's column list, if it has one).",
            best, role_names[role].data);
    }
    return error_remedy(
        error,
        "Set outbox.columns.%s to the column that holds it, or add the column (and to the "
        "publication's column list, if it has one).",
        role_names[role].data);
}

static enum verdict bytea_payload(const struct mapper *mapper, struct error *error)
{
    const struct config *config = mapper->config;
    const char *name = config->outbox.columns.payload;
    error_set(error, REFUSE,
              "the payload column \"%s\" of %s.%s is of type bytea, which is not JSON", name,
              config->outbox.schema_name, config->outbox.table_name);
    return error_remedy(
        error,
        "Use jsonb, json or text, for example: ALTER TABLE %s.%s ALTER COLUMN %s TYPE jsonb "
        "USING convert_from(%s, 'UTF8')::jsonb",
        config->outbox.schema_name, config->outbox.table_name, name, name);
}

/* The columns without a role. Their names are copied: the RELATION message goes away. */
static void plan_extra(struct mapper *mapper, const struct relation_column *columns,
                       uint16_t n_columns)
{
    size_t size = 0;
    for (uint16_t i = 0; i < n_columns; i++) {
        size += columns[i].name.len;
    }
    mapper->names = must_realloc(mapper->names, size);
    char *at = mapper->names;
    mapper->n_extra = 0;
    for (uint16_t i = 0; i < n_columns; i++) {
        bool has_role = false;
        for (enum role role = 0; role < ROLES; role++) {
            has_role = has_role || mapper->column_of[role] == i;
        }
        if (has_role) {
            continue;
        }
        memcpy(at, columns[i].name.data, columns[i].name.len);
        mapper->extra[mapper->n_extra].name = (struct bytes){at, columns[i].name.len};
        mapper->extra_columns[mapper->n_extra++] = i;
        at += columns[i].name.len;
    }
}

enum verdict mapper_plan(struct mapper *mapper, const struct relation_column *columns,
                         uint16_t n_columns, struct error *error)
{
    uint16_t column_of[ROLES];
    for (enum role role = 0; role < ROLES; role++) {
        column_of[role] = find_column(columns, n_columns, column_name(mapper, role));
        if (role < ROLES_REQUIRED && column_of[role] == COLUMN_ABSENT) {
            return missing_column(mapper, role, columns, n_columns, error);
        }
    }
    uint32_t payload_type = columns[column_of[ROLE_PAYLOAD]].type_oid;
    if (payload_type == OID_BYTEA) {
        return bytea_payload(mapper, error);
    }
    memcpy(mapper->column_of, column_of, sizeof(column_of));
    mapper->id_is_uuid = columns[column_of[ROLE_ID]].type_oid == OID_UUID;
    mapper->payload_is_json = payload_type == OID_JSON || payload_type == OID_JSONB;
    mapper->n_columns = n_columns;
    plan_extra(mapper, columns, n_columns);
    return OK;
}
