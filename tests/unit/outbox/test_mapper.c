/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/macros.h"
#include "outbox/map.h"
#include "outbox_config.h"

enum {
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_TEXT = 25,
    OID_JSON = 114,
    OID_VARCHAR = 1043,
    OID_TIMESTAMPTZ = 1184,
    OID_UUID = 2950,
    OID_JSONB = 3802
};

#define ID "0f0e0d0c-0b0a-4908-8706-050403020100"
#define COLUMN(column_name, oid)                                               \
    {                                                                          \
        .name = BYTES_LIT(column_name), .type_oid = (oid), .type_modifier = -1 \
    }
#define PLAN(columns) mapper_plan(mapper, columns, ARRAY_LEN(columns), &error)
#define ROW(...)                                \
    map_row((const char *const[]){__VA_ARGS__}, \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
#define ASSERT_TEXT(view, text) \
    cr_assert(bytes_equal(view, bytes_of(text)), "%.*s", (int)(view).len, (view).data)
#define ASSERT_NULL(view) cr_assert((view).data == NULL)
#define ASSERT_DEAD(text)                          \
    do {                                           \
        cr_assert(row.dead == DEAD_INVALID_EVENT); \
        cr_assert_str_eq(row.detail, text);        \
    } while (0)

static struct config config;
static struct mapper *mapper;
static struct tuple tuple;
static struct row row;
static struct error error;

static void set_up(void)
{
    config = outbox_config();
    mapper_new(&config, &mapper);
}

static void tear_down(void)
{
    mapper_free(mapper);
}

/* NULL is NULL. */
static void map_row(const char *const *values, size_t n_columns)
{
    tuple.n_columns = (uint16_t)n_columns;
    for (size_t i = 0; i < n_columns; i++) {
        tuple.columns[i] =
            (struct column){values[i] == NULL ? COLUMN_NULL : COLUMN_TEXT, bytes_of(values[i])};
    }
    enum verdict verdict = mapper_row(mapper, &tuple, &row, &error);
    cr_assert(verdict == OK, "%s", error.what);
}

static const struct relation_column default_table[] = {
    COLUMN("id", OID_UUID),         COLUMN("aggregate_id", OID_TEXT),
    COLUMN("event_type", OID_TEXT), COLUMN("payload", OID_JSONB),
    COLUMN("status", OID_TEXT),     COLUMN("created_at", OID_TIMESTAMPTZ),
};

static void plan_default(void)
{
    set_up();
    cr_assert(PLAN(default_table) == OK);
}

TestSuite(mapper, .init = set_up, .fini = tear_down);
TestSuite(mapper_row, .init = plan_default, .fini = tear_down);

Test(mapper_row, the_default_table)
{
    ROW(ID, "order-1", "Order.Created", "{}", "PENDING", "2026-01-02 03:04:05.678901+00");
    cr_assert(row.dead == DEAD_NOT && row.detail == NULL && !row.message);
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.aggregate_id, "order-1");
    ASSERT_TEXT(row.event_type, "Order.Created");
    ASSERT_TEXT(row.payload, "{}");
    ASSERT_TEXT(row.status, "PENDING");
    ASSERT_TEXT(row.created_at, "2026-01-02 03:04:05.678901+00");
    ASSERT_NULL(row.traceparent);
    ASSERT_NULL(row.tracestate);
    ASSERT_NULL(row.schema_version);
    ASSERT_NULL(row.headers);
    cr_assert(row.n_extra == 0);
}

Test(mapper_row, nulls_that_may_be)
{
    ROW(ID, "a", "T", "{}", NULL, NULL);
    cr_assert(row.dead == DEAD_NOT);
    ASSERT_NULL(row.status);
    ASSERT_NULL(row.created_at);
    ROW(ID, "a", "T", "{}", "", "");
    cr_assert(row.dead == DEAD_NOT);
    ASSERT_TEXT(row.status, "");
}

Test(mapper_row, nulls_and_empty_strings_that_may_not_be)
{
    ROW(NULL, "a", "T", "{}", NULL, NULL);
    ASSERT_DEAD("column \"id\" is NULL");
    ROW(ID, NULL, "T", "{}", NULL, NULL);
    ASSERT_DEAD("column \"aggregate_id\" is NULL");
    ROW(ID, "", "T", "{}", NULL, NULL);
    ASSERT_DEAD("column \"aggregate_id\" is empty");
    ROW(ID, "a", NULL, "{}", NULL, NULL);
    ASSERT_DEAD("column \"event_type\" is NULL");
    ROW(ID, "a", "", "{}", NULL, NULL);
    ASSERT_DEAD("column \"event_type\" is empty");
    ROW(ID, "a", "T", NULL, NULL, NULL);
    ASSERT_DEAD("column \"payload\" is NULL");
    ROW(NULL, NULL, NULL, NULL, NULL, NULL);
    ASSERT_DEAD("column \"id\" is NULL");
}

Test(mapper_row, a_dead_row_keeps_what_it_has)
{
    ROW(ID, "", "T", "{\"a\":1}", "PENDING", NULL);
    ASSERT_DEAD("column \"aggregate_id\" is empty");
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.event_type, "T");
    ASSERT_TEXT(row.payload, "{\"a\":1}");
    ASSERT_TEXT(row.status, "PENDING");
}

Test(mapper_row, a_dead_row_leaves_the_next_alone)
{
    ROW(NULL, "a", "T", "{}", NULL, NULL);
    cr_assert(row.dead == DEAD_INVALID_EVENT);
    ROW(ID, "a", "T", "{}", NULL, NULL);
    cr_assert(row.dead == DEAD_NOT && row.detail == NULL);
}

Test(mapper_row, what_no_insert_sends_is_fatal)
{
    ROW(ID, "a", "T", "{}", NULL, NULL);
    tuple.columns[3] = (struct column){COLUMN_UNCHANGED, BYTES_NULL};
    cr_assert(mapper_row(mapper, &tuple, &row, &error) == FATAL);
    cr_assert(strstr(error.what, "public.outbox_events") != NULL &&
              strstr(error.what, "unchanged"));
    tuple.columns[3] = (struct column){COLUMN_BINARY, BYTES_LIT("{}")};
    cr_assert(mapper_row(mapper, &tuple, &row, &error) == FATAL);
    cr_assert(strstr(error.what, "binary") != NULL && error.remedy[0] != '\0');
}

Test(mapper_row, another_number_of_columns_is_fatal)
{
    ROW(ID, "a", "T", "{}", NULL, NULL);
    tuple.n_columns = 5;
    cr_assert(mapper_row(mapper, &tuple, &row, &error) == FATAL);
    tuple.n_columns = 7;
    cr_assert(mapper_row(mapper, &tuple, &row, &error) == FATAL);
    cr_assert(strstr(error.what, "other columns") != NULL);
}

Test(mapper, a_row_before_any_plan_is_fatal)
{
    tuple.n_columns = 6;
    cr_assert(mapper_row(mapper, &tuple, &row, &error) == FATAL);
}

Test(mapper, renamed_columns)
{
    static const struct relation_column columns[] = {
        COLUMN("event_id", OID_UUID), COLUMN("key", OID_TEXT),    COLUMN("type", OID_VARCHAR),
        COLUMN("body", OID_JSON),     COLUMN("state", OID_TEXT),  COLUMN("at", OID_TIMESTAMPTZ),
        COLUMN("parent", OID_TEXT),   COLUMN("tstate", OID_TEXT), COLUMN("version", OID_INT8),
        COLUMN("meta", OID_JSONB),    COLUMN("id", OID_INT8),
    };
    config.outbox.columns.id = "event_id";
    config.outbox.columns.aggregate_id = "key";
    config.outbox.columns.event_type = "type";
    config.outbox.columns.payload = "body";
    config.outbox.columns.status = "state";
    config.outbox.columns.created_at = "at";
    config.outbox.columns.traceparent = "parent";
    config.outbox.columns.tracestate = "tstate";
    config.outbox.columns.schema_version = "version";
    config.outbox.columns.headers = "meta";
    cr_assert(PLAN(columns) == OK);
    ROW(ID, "k", "T", "1", "s", "now", "p", "t", "2", "{\"h\":\"1\"}", "77");
    cr_assert(row.dead == DEAD_NOT);
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.aggregate_id, "k");
    ASSERT_TEXT(row.event_type, "T");
    ASSERT_TEXT(row.payload, "1");
    ASSERT_TEXT(row.status, "s");
    ASSERT_TEXT(row.created_at, "now");
    ASSERT_TEXT(row.traceparent, "p");
    ASSERT_TEXT(row.tracestate, "t");
    ASSERT_TEXT(row.schema_version, "2");
    ASSERT_TEXT(row.headers, "{\"h\":\"1\"}");
    cr_assert(row.n_extra == 1);
    ASSERT_TEXT(row.extra[0].name, "id");
    ASSERT_TEXT(row.extra[0].value, "77");
    ROW(ID, NULL, "T", "1", NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    ASSERT_DEAD("column \"key\" is NULL");
}

Test(mapper, reordered_and_dropped_optional_columns)
{
    static const struct relation_column columns[] = {
        COLUMN("payload", OID_JSON),
        COLUMN("event_type", OID_TEXT),
        COLUMN("aggregate_id", OID_INT8),
        COLUMN("id", OID_UUID),
    };
    cr_assert(PLAN(default_table) == OK);
    cr_assert(PLAN(columns) == OK);
    ROW("[]", "T", "42", ID);
    cr_assert(row.dead == DEAD_NOT);
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.aggregate_id, "42");
    ASSERT_TEXT(row.event_type, "T");
    ASSERT_TEXT(row.payload, "[]");
    ASSERT_NULL(row.status);
    ASSERT_NULL(row.created_at);
}

Test(mapper, extra_columns_keep_the_tables_order_and_outlive_its_announcement)
{
    char region[] = "region";
    char first[] = "a_first";
    struct relation_column columns[] = {
        COLUMN("", OID_TEXT), COLUMN("id", OID_UUID),         COLUMN("aggregate_id", OID_TEXT),
        COLUMN("", OID_TEXT), COLUMN("event_type", OID_TEXT), COLUMN("payload", OID_JSON),
    };
    columns[0].name = bytes_of(first);
    columns[3].name = bytes_of(region);
    cr_assert(PLAN(columns) == OK);
    memset(region, 'x', strlen(region));
    memset(first, 'x', strlen(first));
    ROW("1", ID, "a", "eu", "T", "{}");
    cr_assert(row.n_extra == 2);
    ASSERT_TEXT(row.extra[0].name, "a_first");
    ASSERT_TEXT(row.extra[0].value, "1");
    ASSERT_TEXT(row.extra[1].name, "region");
    ASSERT_TEXT(row.extra[1].value, "eu");
    ROW(NULL, ID, "a", "", "T", "{}");
    ASSERT_NULL(row.extra[0].value);
    ASSERT_TEXT(row.extra[1].value, "");
    cr_assert(PLAN(default_table) == OK);
    ROW(ID, "a", "T", "{}", NULL, NULL);
    cr_assert(row.n_extra == 0);
}

Test(mapper, one_column_may_have_two_roles)
{
    config.outbox.columns.aggregate_id = "id";
    cr_assert(PLAN(default_table) == OK);
    ROW(ID, "order-1", "T", "{}", NULL, NULL);
    ASSERT_TEXT(row.id, ID);
    ASSERT_TEXT(row.aggregate_id, ID);
    cr_assert(row.n_extra == 1);
    ASSERT_TEXT(row.extra[0].name, "aggregate_id");
}

Test(mapper, every_required_column_must_be_there)
{
    for (size_t missing = 0; missing < 4; missing++) {
        struct relation_column columns[ARRAY_LEN(default_table)];
        memcpy(columns, default_table, sizeof(columns));
        columns[missing].name = BYTES_LIT("something_else");
        cr_assert(PLAN(columns) == REFUSE);
        char wanted[64];
        snprintf(wanted, sizeof(wanted), "has no column \"%s\" (outbox.columns.%s)",
                 default_table[missing].name.data, default_table[missing].name.data);
        cr_assert(strstr(error.what, wanted) != NULL, "%s", error.what);
    }
}

Test(mapper, a_missing_column_names_those_that_are_there_and_the_nearest)
{
    static const struct relation_column columns[] = {
        COLUMN("id", OID_UUID),
        COLUMN("agregate_id", OID_TEXT),
        COLUMN("event_type", OID_TEXT),
        COLUMN("payload", OID_JSON),
    };
    cr_assert(PLAN(columns) == REFUSE);
    cr_assert_str_eq(error.what,
                     "public.outbox_events has no column \"aggregate_id\" "
                     "(outbox.columns.aggregate_id); it has: id, agregate_id, event_type, payload");
    cr_assert(strstr(error.remedy,
                     "Did you mean \"agregate_id\"? Set outbox.columns.aggregate_id") != NULL,
              "%s", error.remedy);
}

Test(mapper, a_missing_column_without_a_near_one)
{
    static const struct relation_column columns[] = {COLUMN("id", OID_UUID), COLUMN("x", OID_TEXT)};
    cr_assert(PLAN(columns) == REFUSE);
    cr_assert(strstr(error.remedy, "Did you mean") == NULL);
    cr_assert(strstr(error.remedy, "Set outbox.columns.aggregate_id") != NULL);
    cr_assert(mapper_plan(mapper, NULL, 0, &error) == REFUSE);
    cr_assert(strstr(error.what, "it has: none") != NULL);
}

Test(mapper, a_list_of_many_columns_is_cut)
{
    static char names[200][80];
    struct relation_column columns[200];
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        snprintf(names[i], sizeof(names[i]),
                 "column_with_a_name_as_long_as_postgresql_has_them_%zu_and_more", i);
        columns[i] = (struct relation_column){.name = bytes_of(names[i]), .type_oid = OID_TEXT};
    }
    cr_assert(PLAN(columns) == REFUSE);
    size_t len = strlen(error.what);
    cr_assert(len > 5 && strcmp(error.what + len - 5, " more") == 0, "%s", error.what);
}

Test(mapper, a_refused_plan_leaves_the_old_one)
{
    static const struct relation_column columns[] = {COLUMN("id", OID_TEXT)};
    cr_assert(PLAN(default_table) == OK);
    cr_assert(PLAN(columns) == REFUSE);
    ROW(ID, "a", "T", "{}", NULL, NULL);
    cr_assert(row.dead == DEAD_NOT);
}

Test(mapper, ids_that_are_no_uuid)
{
    struct relation_column columns[ARRAY_LEN(default_table)];
    static const char *const bad[] = {
        "1",
        "0f0e0d0c0b0a49088706050403020100",
        ID "0",
        "0f0e0d0c-0b0a-4908-8706-05040302010",
        "0f0e0d0g-0b0a-4908-8706-050403020100",
        "{0f0e0d0c-0b0a-4908-8706-0504030201}",
        "0f0e0d0c-0b0a-4908-87060-50403020100",
        "0f0e0d0c 0b0a 4908 8706 050403020100",
        "0f0e0d0c-0b0a-4908-8706-05040302010\xC3",
    };
    memcpy(columns, default_table, sizeof(columns));
    columns[0].type_oid = OID_TEXT;
    cr_assert(PLAN(columns) == OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ROW(bad[i], "a", "T", "{}", NULL, NULL);
        ASSERT_DEAD("column \"id\" holds no UUID");
        ASSERT_TEXT(row.id, bad[i]);
    }
    ROW("", "a", "T", "{}", NULL, NULL);
    ASSERT_DEAD("column \"id\" is empty");
    ROW("0F0E0D0C-0B0A-4908-8706-05040302010f", "a", "T", "{}", NULL, NULL);
    cr_assert(row.dead == DEAD_NOT);
}

Test(mapper, a_payload_of_text_must_be_json)
{
    struct relation_column columns[ARRAY_LEN(default_table)];
    memcpy(columns, default_table, sizeof(columns));
    columns[3].type_oid = OID_TEXT;
    cr_assert(PLAN(columns) == OK);
    ROW(ID, "a", "T", " {\"a\": [1, 2]} ", NULL, NULL);
    cr_assert(row.dead == DEAD_NOT);
    ASSERT_TEXT(row.payload, " {\"a\": [1, 2]} ");
    ROW(ID, "a", "T", "{\"a\":", NULL, NULL);
    ASSERT_DEAD("column \"payload\" holds no JSON: it ends too early");
    ASSERT_TEXT(row.payload, "{\"a\":");
    ROW(ID, "a", "T", "", NULL, NULL);
    ASSERT_DEAD("column \"payload\" holds no JSON: it ends too early");
    ROW(ID, "a", "T", "hello", NULL, NULL);
    ASSERT_DEAD("column \"payload\" holds no JSON: a character that may not stand where it stands");
    ROW(ID, "a", "T", NULL, NULL, NULL);
    ASSERT_DEAD("column \"payload\" is NULL");
}

Test(mapper, a_payload_of_json_is_not_looked_at)
{
    struct relation_column columns[ARRAY_LEN(default_table)];
    memcpy(columns, default_table, sizeof(columns));
    columns[3].type_oid = OID_JSON;
    cr_assert(PLAN(columns) == OK);
    ROW(ID, "a", "T", "PostgreSQL has looked", NULL, NULL);
    cr_assert(row.dead == DEAD_NOT);
}

Test(mapper, a_payload_of_bytea_is_refused)
{
    struct relation_column columns[ARRAY_LEN(default_table)];
    memcpy(columns, default_table, sizeof(columns));
    columns[3].type_oid = OID_BYTEA;
    cr_assert(PLAN(columns) == REFUSE);
    cr_assert(strstr(error.what, "\"payload\" of public.outbox_events is of type bytea") != NULL);
    cr_assert(strstr(error.remedy,
                     "ALTER TABLE public.outbox_events ALTER COLUMN payload TYPE jsonb") != NULL);
}

Test(mapper, details_fit_into_an_event)
{
    struct relation_column columns[ARRAY_LEN(default_table)];
    memcpy(columns, default_table, sizeof(columns));
    columns[3].type_oid = OID_TEXT;
    cr_assert(PLAN(columns) == OK);
    static const char *const bad[] = {"\"\n\"", "\"\\x\"", "[01]", "\"\xFF\"", "1 1", "x", ""};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ROW(ID, "a", "T", bad[i], NULL, NULL);
        cr_assert(strlen(row.detail) < sizeof(((struct event *)NULL)->detail), "%s", row.detail);
    }
}

Test(event, dead_reasons_have_the_names_of_the_design)
{
    cr_assert_str_eq(dead_reason_name(DEAD_INVALID_EVENT), "invalid_event");
    cr_assert_str_eq(dead_reason_name(DEAD_RECORD_TOO_LARGE), "record_too_large");
    cr_assert_str_eq(dead_reason_name(DEAD_MISSING_TOPIC), "missing_topic");
    cr_assert_str_eq(dead_reason_name(DEAD_PROCESSING_FAILED), "processing_failed");
    cr_assert_str_eq(dead_reason_name(DEAD_SCHEMA_VALIDATION_FAILED), "schema_validation_failed");
    cr_assert_str_eq(dead_reason_name(DEAD_UNMARSHAL_FAILED), "unmarshal_failed");
    cr_assert_str_eq(dead_reason_name(DEAD_UNKNOWN_EVENT_TYPE), "unknown_event_type");
}
