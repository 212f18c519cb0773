/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/table.h"

#include <stdlib.h>
#include <string.h>

const struct pg_table_column *table_column(const struct pg_table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return &table->columns[i];
        }
    }
    return NULL;
}

enum verdict table_judge_schema(const struct config *config, const struct pg_table *table,
                                struct error *error)
{
    if (table->exists || config->outbox.schema_written || table->elsewhere[0] == '\0') {
        return OK;
    }
    char *schema = pg_quote_identifier(table->elsewhere);
    char *name = pg_quote_identifier(config->outbox.table_name);
    error_set(error, INVALID,
              "there is no table %s, but there is %s.%s: outbox.table names no schema, and then "
              "public is meant",
              config->table, schema, name);
    error_remedy(error,
                 "Name the schema: outbox.table: '%s.%s', or '%s' where a new table is meant.",
                 schema, name, config->table);
    free(schema);
    free(name);
    return INVALID;
}

static enum verdict no_column(const struct config *config, const char *role, const char *column,
                              struct error *error)
{
    error_set(error, REFUSE, "table %s has no column \"%s\"", config->table, column);
    return error_remedy(error, "Add the column, or name the right one as outbox.columns.%s.", role);
}

static enum verdict no_status(const struct config *config, struct error *error)
{
    char *column = pg_quote_identifier(config->outbox.columns.status);
    error_set(error, REFUSE, "table %s has no column %s to mark published rows in", config->table,
              column);
    error_remedy(error,
                 "ALTER TABLE %s ADD COLUMN %s text DEFAULT 'PENDING'; or name the right one as "
                 "outbox.columns.status, or set outbox.after_publish to delete or keep.",
                 config->table, column);
    free(column);
    return REFUSE;
}

static enum verdict bytea_payload(const struct config *config, struct error *error)
{
    char *column = pg_quote_identifier(config->outbox.columns.payload);
    error_set(error, REFUSE, "column %s of table %s is of type bytea; walpost reads JSON", column,
              config->table);
    error_remedy(error,
                 "ALTER TABLE %s ALTER COLUMN %s TYPE jsonb USING convert_from(%s, 'UTF8')::jsonb; "
                 "or name another column as outbox.columns.payload.",
                 config->table, column, column);
    free(column);
    return REFUSE;
}

/* PostgreSQL makes a DELETE and an INSERT of an UPDATE that moves a row to another partition: the
 * mark itself would bring the event again. */
static enum verdict partitioned_by_status(const struct config *config, struct error *error)
{
    error_set(error, REFUSE,
              "table %s is partitioned by its column \"%s\": a mark moves the row to another "
              "partition, which PostgreSQL streams as a new row, so every event would come twice",
              config->table, config->outbox.columns.status);
    return error_remedy(error, "Partition the table by another column, or set outbox.after_publish "
                               "to keep.");
}

static enum verdict id_is_no_uuid(const struct config *config, const char *type,
                                  struct error *error)
{
    error_set(
        error, REFUSE,
        "column \"%s\" of table %s is of type %s: an event's id is a UUID, and every row would "
        "be a dead letter",
        config->outbox.columns.id, config->table, type);
    return error_remedy(error, "Name a column of type uuid, or of text that holds UUIDs, as "
                               "outbox.columns.id.");
}

static bool can_hold_uuid(const char *type)
{
    return strcmp(type, "uuid") == 0 || strcmp(type, "text") == 0 ||
           strncmp(type, "character", strlen("character")) == 0;
}

enum verdict table_judge(const struct config *config, const struct pg_table *table, bool marks,
                         struct error *error)
{
    const struct {
        const char *role;
        const char *column;
    } required[] = {
        {"id", config->outbox.columns.id},
        {"aggregate_id", config->outbox.columns.aggregate_id},
        {"event_type", config->outbox.columns.event_type},
        {"payload", config->outbox.columns.payload},
    };
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (table_column(table, required[i].column) == NULL) {
            return no_column(config, required[i].role, required[i].column, error);
        }
    }
    if (strcmp(table_column(table, config->outbox.columns.payload)->type, "bytea") == 0) {
        return bytea_payload(config, error);
    }
    const char *id_type = table_column(table, config->outbox.columns.id)->type;
    if (!can_hold_uuid(id_type)) {
        return id_is_no_uuid(config, id_type, error);
    }
    const struct pg_table_column *status = table_column(table, config->outbox.columns.status);
    if (marks && config->outbox.after_publish == AFTER_MARK && status == NULL) {
        return no_status(config, error);
    }
    if (marks && config->outbox.after_publish != AFTER_KEEP && status != NULL &&
        status->partitions) {
        return partitioned_by_status(config, error);
    }
    if (table->unlogged_or_temporary) {
        error_set(error, REFUSE, "table %s is unlogged or temporary: it never reaches the WAL",
                  config->table);
        return error_remedy(error, "ALTER TABLE %s SET LOGGED;", config->table);
    }
    return OK;
}

static enum verdict right_missing(const struct config *config, const char *role, const char *right,
                                  const char *why, struct error *error)
{
    char *name = pg_quote_identifier(role);
    error_set(error, FATAL, "role %s may not %s table %s: %s", name, right, config->table, why);
    error_remedy(error, "GRANT %s ON %s TO %s;", right, config->table, name);
    free(name);
    return FATAL;
}

enum verdict table_judge_rights(const struct config *config, const struct pg_table *table,
                                const char *role, struct error *error)
{
    enum after_publish after = config->outbox.after_publish;
    if (after == AFTER_KEEP) {
        return OK;
    }
    if (!table->can_select) {
        return right_missing(config, role, "SELECT", "published rows are found with it", error);
    }
    if (after == AFTER_DELETE && !table->can_delete) {
        return right_missing(config, role, "DELETE", "published rows are deleted with it", error);
    }
    /* A dead-lettered row is marked DEAD, never deleted. */
    bool marks = after == AFTER_MARK || table_column(table, config->outbox.columns.status) != NULL;
    if (marks && !table->can_update) {
        return right_missing(config, role, "UPDATE", "published rows are marked with it", error);
    }
    return OK;
}
