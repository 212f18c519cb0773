/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stream_sql.h"

#include <stdlib.h>

#include "base/check.h"
#include "pg/link.h"

char *sql_create_schema(const char *name)
{
    char *schema = pg_quote_identifier(name);
    char *sql = must_printf("CREATE SCHEMA %s", schema);
    free(schema);
    return sql;
}

char *sql_create_table(const struct config *config)
{
    char *id = pg_quote_identifier(config->outbox.columns.id);
    char *aggregate_id = pg_quote_identifier(config->outbox.columns.aggregate_id);
    char *event_type = pg_quote_identifier(config->outbox.columns.event_type);
    char *payload = pg_quote_identifier(config->outbox.columns.payload);
    char *status = pg_quote_identifier(config->outbox.columns.status);
    char *created_at = pg_quote_identifier(config->outbox.columns.created_at);
    char *sql =
        must_printf("CREATE TABLE %s (\n"
                    "    %s uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),\n"
                    "    %s text NOT NULL,\n"
                    "    %s text NOT NULL,\n"
                    "    %s jsonb NOT NULL,\n"
                    "    %s text DEFAULT 'PENDING',\n"
                    "    %s timestamptz DEFAULT pg_catalog.now()\n"
                    ")",
                    config->table, id, aggregate_id, event_type, payload, status, created_at);
    free(id);
    free(aggregate_id);
    free(event_type);
    free(payload);
    free(status);
    free(created_at);
    return sql;
}

/* verb "name" rest */
static char *about_publication(const struct config *config, const char *verb, const char *rest)
{
    char *name = pg_quote_identifier(config->postgres.publication);
    char *sql = must_printf("%s %s%s", verb, name, rest);
    free(name);
    return sql;
}

/* insert only: marks do not come back; via the root: partitions appear as their table. */
char *sql_create_publication(const struct config *config)
{
    char *rest = must_printf(" FOR TABLE %s WITH (publish = 'insert', publish_via_partition_root "
                             "= true)",
                             config->table);
    char *sql = about_publication(config, "CREATE PUBLICATION", rest);
    free(rest);
    return sql;
}

char *sql_extend_publication(const struct config *config)
{
    char *rest = must_printf(" ADD TABLE %s", config->table);
    char *sql = about_publication(config, "ALTER PUBLICATION", rest);
    free(rest);
    return sql;
}

char *sql_drop_publication(const struct config *config)
{
    return about_publication(config, "DROP PUBLICATION IF EXISTS", "");
}
