/* SPDX-License-Identifier: Apache-2.0
 *
 * Right configurations, and what they mean. */
#include "base/macros.h"
#include "base/nearest.h"
#include "config/option_table.h"
#include "loading.h"

TestSuite(config, .init = in_a_new_folder, .fini = leave_folder);

Test(config, the_smallest_file_gives_the_defaults)
{
    struct config *config = load_text(SMALLEST);
    cr_expect_str_eq(config->file, "walpost.yaml");
    cr_expect_str_eq(config->stream, "orders");
    cr_expect_str_eq(config->postgres.dsn, "host=db");
    cr_expect_str_eq(config->postgres.slot, "walpost_orders");
    cr_expect_str_eq(config->postgres.publication, "walpost_orders");
    cr_expect_str_eq(config->outbox.schema_name, "public");
    cr_expect_str_eq(config->outbox.table_name, "outbox_events");
    cr_expect_str_eq(config->outbox.columns.id, "id");
    cr_expect_str_eq(config->outbox.columns.headers, "headers");
    cr_expect_str_eq(config->outbox.message_prefix, "walpost");
    cr_expect_eq(config->outbox.after_publish, AFTER_MARK);
    cr_expect_eq(config->outbox.snapshot, SNAPSHOT_PENDING);
    cr_expect_str_eq(config->route.topic, "outbox.event.{domain}");
    cr_expect_str_eq(config->route.key, "{aggregate_id}");
    cr_expect_eq(config->route.headers.count, 0);
    cr_expect_eq(config->route.header_style, HEADERS_WALPOST);
    cr_expect_str_eq(config->route.timestamp, "{column:created_at}");
    cr_expect_eq(config->route.on_missing_topic, MISSING_WAIT);
    cr_expect_eq(config->value, VALUE_ENVELOPE);
    cr_expect_eq(config->delivery, DELIVERY_EXACTLY_ONCE);
    cr_expect_eq(config->lanes, 1);
    cr_expect_eq(config->batch.max_events, 20000);
    cr_expect_eq(config->batch.max_bytes, 16 << 20);
    cr_expect_eq(config->batch.linger_us, 0);
    cr_expect_eq(config->memory, 64 << 20);
    cr_expect_str_eq(config->dead_letter_topic, "outbox.dead-letter");
    cr_expect_eq(config->checkpoint_replication_factor, -1);
    cr_expect_not(config->topics.create);
    cr_expect_eq(config->topics.partitions, 6);
    cr_expect_eq(config->topics.replication_factor, -1);
    cr_expect_eq(config->kafka.count, 0);
    cr_expect_eq(config->telemetry.log, LOG_CHOICE_AUTO);
    cr_expect_eq(config->telemetry.log_level, LEVEL_INFO);
    cr_expect_str_eq(config->checkpoint_topic, "walpost.checkpoint.orders");
    cr_expect_str_eq(config->snapshot_table, "\"walpost\".\"snapshot_orders\"");
    cr_expect_str_eq(config->table, "\"public\".\"outbox_events\"");
    config_free(config);
}

Test(config, every_option_of_a_file_arrives)
{
    struct config *config =
        load_text("stream: shop_2\n"
                  "postgres: {dsn: 'host=a,b dbname=shop', slot: s1, publication: My Publication}\n"
                  "outbox:\n"
                  "  table: '\"My \"\"Schema\"\"\".Events'\n"
                  "  columns: {id: event_id, headers: Extra}\n"
                  "  message_prefix: shop\n"
                  "  after_publish: delete\n"
                  "  snapshot: none\n"
                  "route:\n"
                  "  topic: events\n"
                  "  key: \"{column:tenant}-{aggregate_id}\"\n"
                  "  headers: {region: \"{column:region}\", fixed: \"{{x}}\"}\n"
                  "  header_style: cloudevents\n"
                  "  on_missing_topic: dead_letter\n"
                  "encode: {value: json}\n"
                  "delivery: at_least_once\n"
                  "lanes: 8\n"
                  "batch: {max_events: 500, max_bytes: 1MB, linger: 10ms}\n"
                  "memory: 1GB\n"
                  "dead_letter: {topic: dead}\n"
                  "checkpoint: {replication_factor: 3}\n"
                  "topics: {create: true, partitions: 12, replication_factor: 2}\n"
                  "kafka:\n"
                  "  bootstrap.servers: k1:9092,k2:9092\n"
                  "  compression.type: zstd\n"
                  "telemetry: {log: text, log_level: debug}\n");
    cr_expect_str_eq(config->postgres.slot, "s1");
    cr_expect_str_eq(config->postgres.publication, "My Publication");
    cr_expect_str_eq(config->outbox.schema_name, "My \"Schema\"");
    cr_expect_str_eq(config->outbox.table_name, "events"); /* folded, as SQL does */
    cr_expect_str_eq(config->table, "\"My \"\"Schema\"\"\".\"events\"");
    cr_expect_str_eq(config->outbox.columns.id, "event_id");
    cr_expect_str_eq(config->outbox.columns.headers, "Extra");
    cr_expect_eq(config->outbox.after_publish, AFTER_DELETE);
    cr_expect_eq(config->outbox.snapshot, SNAPSHOT_NONE);
    cr_expect_str_eq(config->route.key, "{column:tenant}-{aggregate_id}");
    cr_assert_eq(config->route.headers.count, 2);
    cr_expect_str_eq(config->route.headers.items[0].name, "region");
    cr_expect_str_eq(config->route.headers.items[0].value, "{column:region}");
    cr_expect_eq(config->route.header_style, HEADERS_CLOUDEVENTS);
    cr_expect_eq(config->route.on_missing_topic, MISSING_DEAD_LETTER);
    cr_expect_eq(config->value, VALUE_JSON);
    cr_expect_eq(config->delivery, DELIVERY_AT_LEAST_ONCE);
    cr_expect_eq(config->lanes, 8);
    cr_expect_eq(config->batch.max_events, 500);
    cr_expect_eq(config->batch.max_bytes, 1 << 20);
    cr_expect_eq(config->batch.linger_us, 10000);
    cr_expect_eq(config->memory, 1 << 30);
    cr_expect_eq(config->checkpoint_replication_factor, 3);
    cr_expect(config->topics.create);
    cr_expect_eq(config->topics.replication_factor, 2);
    cr_assert_eq(config->kafka.count, 2);
    cr_expect_str_eq(config->kafka.items[1].name, "compression.type");
    cr_expect_str_eq(config->kafka.items[1].value, "zstd");
    cr_expect_str_eq(config->kafka.items[1].where, "walpost.yaml:25");
    cr_expect_eq(config->telemetry.log, LOG_CHOICE_TEXT);
    cr_expect_eq(config->telemetry.log_level, LEVEL_DEBUG);
    config_free(config);
}

Test(config, lanes_by_partition)
{
    struct config *config = load_text(SMALLEST "lanes: partition\n");
    cr_expect_eq(config->lanes, LANES_BY_PARTITION);
    config_free(config);
}

Test(config, set_wins_over_the_environment_and_that_over_the_file)
{
    write_file("walpost.yaml", SMALLEST "lanes: 2\nbatch: {max_events: 10, linger: 1ms}\n"
                                        "kafka: {bootstrap.servers: file, client.id: file}\n");
    setenv("WALPOST_LANES", "3", 1);
    setenv("WALPOST_BATCH__MAX_EVENTS", "11", 1);
    setenv("WALPOST_KAFKA__BOOTSTRAP__SERVERS", "environment", 1);
    const char *sets[] = {"lanes=4", "lanes=5", "kafka.linger.ms=7"};
    struct config *config;
    struct error error;
    cr_assert_eq(load_with(sets, 3, &config, &error), OK, "%s", error.what);
    cr_expect_eq(config->lanes, 5);
    cr_expect_eq(config->batch.max_events, 11);
    cr_expect_eq(config->batch.linger_us, 1000);
    cr_assert_eq(config->kafka.count, 3);
    cr_expect_str_eq(config->kafka.items[0].value, "environment");
    cr_expect_str_eq(config->kafka.items[0].where,
                     "WALPOST_KAFKA__BOOTSTRAP__SERVERS in the environment");
    cr_expect_str_eq(config->kafka.items[1].value, "file");
    cr_expect_str_eq(config->kafka.items[2].name, "linger.ms");
    config_free(config);
}

Test(config, variables_of_others_are_left_alone)
{
    setenv("WALPOST_PASSWORD", "x", 1);
    setenv("WALPOST_SERVICE_HOST", "10.0.0.1", 1); /* an orchestrator's */
    setenv("WALPOST_PORT_9847_TCP", "tcp://10.0.0.1:9847", 1);
    config_free(load_text(SMALLEST));
}

Test(config, variables_expand_in_the_file)
{
    setenv("SHOP_PASSWORD", "s: {\"3\"} #", 1); /* is text, never YAML */
    setenv("SHOP_EMPTY", "", 1);
    struct config *config =
        load_text("stream: ${SHOP_STREAM:-orders}\n"
                  "postgres: {dsn: \"password='${SHOP_PASSWORD}' x=${SHOP_EMPTY:-d} $5 $${A}\"}\n");
    cr_expect_str_eq(config->stream, "orders");
    cr_expect_str_eq(config->postgres.dsn, "password='s: {\"3\"} #' x=d $5 ${A}");
    config_free(config);
}

Test(config, a_value_that_is_overridden_needs_no_variable)
{
    write_file("walpost.yaml", "stream: orders\npostgres: {dsn: \"${SHOP_UNSET_DSN}\"}\n");
    const char *sets[] = {"postgres.dsn=host=x ${HOME}"};
    struct config *config;
    struct error error;
    cr_assert_eq(load_with(sets, 1, &config, &error), OK, "%s", error.what);
    cr_expect_str_eq(config->postgres.dsn, "host=x ${HOME}"); /* a shell has had its turn */
    config_free(config);
}

Test(config, without_a_file_the_environment_will_do)
{
    setenv("WALPOST_STREAM", "orders", 1);
    setenv("WALPOST_POSTGRES__DSN", "host=db", 1);
    struct config *config;
    struct error error;
    cr_assert_eq(load_with(NULL, 0, &config, &error), OK, "%s", error.what);
    cr_expect_null(config->file);
    config_free(config);
}

Test(config, snapshot_is_none_by_default_where_rows_are_kept)
{
    struct config *config = load_text(SMALLEST "outbox: {after_publish: keep}\n");
    cr_expect_eq(config->outbox.snapshot, SNAPSHOT_NONE);
    config_free(config);
}

Test(config, a_section_with_nothing_in_it_is_fine)
{
    config_free(load_text(SMALLEST "batch:\nkafka:\n  # bootstrap.servers: x\n"));
}

Test(config, sizes_and_times_have_units)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"65536", 65536},    {"64kB", 65536},   {"64KB", 65536},
                 {"131072B", 131072}, {"1 MB", 1 << 20}, {"1mb", 1 << 20}};
    size_t count;
    const char *name;
    const struct option *bytes = option_find("batch.max_bytes", &name);
    const struct option *linger = option_find("batch.linger", &name);
    struct config config = {0};
    struct error error;
    (void)option_table(&count);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        cr_expect_eq(option_store(bytes, sizes[i].text, NULL, &config, &error), OK, "%s",
                     sizes[i].text);
        cr_expect_eq(config.batch.max_bytes, sizes[i].bytes, "%s", sizes[i].text);
    }
    cr_expect_eq(option_store(linger, "250us", NULL, &config, &error), OK);
    cr_expect_eq(config.batch.linger_us, 250);
    cr_expect_eq(option_store(linger, "2s", NULL, &config, &error), OK);
    cr_expect_eq(config.batch.linger_us, 2000000);
    cr_expect_eq(option_store(linger, "0", NULL, &config, &error), OK);
    static const char *const wrong[] = {"",
                                        "MB",
                                        "1.5MB",
                                        "-64kB",
                                        "+64kB",
                                        " 64kB",
                                        "64kBx",
                                        "1e6",
                                        "0x10000",
                                        "99999999999999999999",
                                        "9223372036854775807GB"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        cr_expect_eq(option_store(bytes, wrong[i], NULL, &config, &error), INVALID, "%s", wrong[i]);
    }
}

Test(config, the_reference_loads_as_it_stands_and_is_the_defaults)
{
    FILE *kept = stdout;
    stdout = fopen("walpost.yaml", "we");
    config_print_reference();
    fclose(stdout);
    stdout = kept;
    struct config *config;
    struct error error;
    cr_assert_eq(load_with(NULL, 0, &config, &error), OK, "%s", error.what);
    cr_expect_eq(config->batch.max_events, 20000);
    cr_expect_str_eq(config->route.key, "{aggregate_id}");
    cr_expect_eq(config->outbox.snapshot, SNAPSHOT_PENDING);
    cr_expect_str_eq(config->kafka.items[0].name, "bootstrap.servers");
    config_free(config);
}

Test(config, every_option_has_a_summary_and_a_default_or_a_reason_for_none)
{
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        const char *name;
        cr_expect_eq(option_find(options[i].path, &name), &options[i], "%s is there twice",
                     options[i].path);
        cr_expect_not_null(options[i].summary, "%s", options[i].path);
        cr_expect(options[i].fallback != NULL || options[i].computed != NULL ||
                      options[i].required || options[i].type == OPTION_PAIRS ||
                      options[i].type == OPTION_LATER,
                  "%s", options[i].path);
    }
}

Test(config, nearest_counts_edits)
{
    cr_expect_eq(edit_distance("", ""), 0);
    cr_expect_eq(edit_distance("", "abc"), 3);
    cr_expect_eq(edit_distance("kitten", "sitting"), 3);
    cr_expect_eq(edit_distance("memroy", "memory"), 1); /* swapped */
    cr_expect_str_eq(option_nearest("memroy"), "memory");
    cr_expect_str_eq(option_nearest("outbox.tabel"), "outbox.table");
    cr_expect_str_eq(option_nearest("slot"), "postgres.slot");
}
