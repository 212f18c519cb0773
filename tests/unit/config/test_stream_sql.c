/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "cli/json.h"
#include "cli/stream_sql.h"
#include "loading.h"
#include "pipeline/snapshot_copy.h"

TestSuite(stream_sql, .init = in_a_new_folder, .fini = leave_folder);

static void expect_sql(char *sql, const char *expected)
{
    cr_expect_str_eq(sql, expected);
    free(sql);
}

static struct config *awkward(void)
{
    return load_text(SMALLEST "  publication: 'Say \"hi\"'\n"
                              "outbox:\n"
                              "  table: '\"My Schema\".\"a\"\"b\"'\n"
                              "  columns: {id: 'row\"id', status: State, created_at: at}\n");
}

Test(stream_sql, every_name_is_quoted)
{
    struct config *config = awkward();
    expect_sql(sql_create_publication(config),
               "CREATE PUBLICATION \"Say \"\"hi\"\"\" FOR TABLE \"My Schema\".\"a\"\"b\" WITH "
               "(publish = 'insert', publish_via_partition_root = true)");
    expect_sql(sql_extend_publication(config),
               "ALTER PUBLICATION \"Say \"\"hi\"\"\" ADD TABLE \"My Schema\".\"a\"\"b\"");
    expect_sql(sql_drop_publication(config), "DROP PUBLICATION IF EXISTS \"Say \"\"hi\"\"\"");
    expect_sql(sql_create_schema("My Schema"), "CREATE SCHEMA \"My Schema\"");
    config_free(config);
}

Test(stream_sql, a_snapshot_asks_only_for_columns_that_are_there)
{
    struct config *config = awkward();
    expect_sql(
        snapshot_create_sql(config, true, true),
        "CREATE TABLE \"walpost\".\"snapshot_orders\" AS SELECT pg_catalog.row_number() OVER "
        "(ORDER BY \"at\", \"row\"\"id\") AS n, \"row\"\"id\" AS id FROM \"My "
        "Schema\".\"a\"\"b\" WHERE \"State\" = 'PENDING'");
    expect_sql(
        snapshot_create_sql(config, false, false),
        "CREATE TABLE \"walpost\".\"snapshot_orders\" AS SELECT pg_catalog.row_number() OVER "
        "(ORDER BY \"row\"\"id\") AS n, \"row\"\"id\" AS id FROM \"My Schema\".\"a\"\"b\"");
    expect_sql(snapshot_drop_sql(config), "DROP TABLE IF EXISTS \"walpost\".\"snapshot_orders\"");
    config_free(config);
}

Test(stream_sql, the_table_has_the_configured_columns)
{
    struct config *config = awkward();
    char *sql = sql_create_table(config);
    cr_expect_not_null(strstr(sql, "CREATE TABLE \"My Schema\".\"a\"\"b\""), "%s", sql);
    cr_expect_not_null(strstr(sql, "\"row\"\"id\" uuid PRIMARY KEY"), "%s", sql);
    cr_expect_not_null(strstr(sql, "\"State\" text DEFAULT 'PENDING'"), "%s", sql);
    free(sql);
    config_free(config);
}

Test(stream_sql, json_has_its_commas_and_escapes)
{
    char *text = NULL;
    size_t size = 0;
    struct json json = {.out = open_memstream(&text, &size)};
    json_open(&json, NULL, '{');
    json_text(&json, "a\"b", "x\n\\\x01y");
    json_open(&json, "list", '[');
    json_open(&json, NULL, '{');
    json_close(&json, '}');
    json_int(&json, NULL, -5);
    json_close(&json, ']');
    json_open(&json, "empty", '[');
    json_close(&json, ']');
    json_bool(&json, "yes", true);
    json_lsn(&json, "lsn", 0x16B3748);
    json_lsn(&json, "none", 0);
    json_text(&json, "null", NULL);
    json_close(&json, '}');
    fclose(json.out);
    cr_expect_str_eq(text, "{\"a\\\"b\":\"x\\u000a\\\\\\u0001y\",\"list\":[{},-5],\"empty\":[],"
                           "\"yes\":true,\"lsn\":\"0/16B3748\",\"none\":null,\"null\":null}");
    free(text);
}
