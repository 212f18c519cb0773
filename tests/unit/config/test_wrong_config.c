/* SPDX-License-Identifier: Apache-2.0
 *
 * Wrong configurations, and exactly what their user reads. */
#include "base/macros.h"
#include "loading.h"

TestSuite(wrong_config, .init = in_a_new_folder, .fini = leave_folder);

struct wrong {
    const char *text; /* of walpost.yaml; NULL: no file */
    const char *set;  /* --set, or NULL */
    const char *what;
    const char *remedy;
};

static const struct wrong in_the_file[] = {
    {"", NULL, "walpost.yaml: stream is not set",
     "Set stream in the file, by --set stream=... or by the environment; allowed is 1 to 40 "
     "letters of a-z, 0-9 and _."},
    {NULL, NULL, "stream is not set, and there is no walpost.yaml here",
     "Name your configuration with -c FILE; `walpost help config` prints one to begin with."},
    {"stream: Orders\npostgres:\n  dsn: host=db\n", NULL,
     "walpost.yaml:1: stream cannot be \"Orders\"",
     "Allowed is 1 to 40 letters of a-z, 0-9 and _."},
    {"stream: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\npostgres:\n  dsn: host=db\n", NULL,
     "walpost.yaml:1: stream cannot be \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
     "Allowed is 1 to 40 letters of a-z, 0-9 and _."},
    {"stream:\npostgres:\n  dsn: host=db\n", NULL, "walpost.yaml:1: stream has no value",
     "Write a value behind the colon."},
    {"stream: orders\n", NULL, "walpost.yaml: postgres.dsn is not set",
     "Set postgres.dsn in the file, by --set postgres.dsn=... or by the environment; allowed is a "
     "libpq connection string."},
    {SMALLEST "lane: 2\n", NULL, "walpost.yaml:4: there is no key \"lane\"",
     "The nearest valid key is lanes; `walpost help config` lists all."},
    {SMALLEST "batch:\n  max_event: 5\n", NULL,
     "walpost.yaml:5: there is no key \"batch.max_event\"",
     "The nearest valid key is batch.max_events; `walpost help config` lists all."},
    {SMALLEST "max_events: 5\n", NULL, "walpost.yaml:4: there is no key \"max_events\"",
     "The nearest valid key is batch.max_events; `walpost help config` lists all."},
    {SMALLEST "outbox:\n  columns:\n    aggregateid: x\n", NULL,
     "walpost.yaml:6: there is no key \"outbox.columns.aggregateid\"",
     "The nearest valid key is outbox.columns.aggregate_id; `walpost help config` lists all."},
    {SMALLEST "outbox:\n  columns: {id: a, payload: a}\n", NULL,
     "walpost.yaml:5: outbox.columns.id and outbox.columns.payload both name the column \"a\"",
     "Each has a column of its own; one that the table has not keeps its default name."},
    {SMALLEST "outbox:\n  columns: [id]\n", NULL,
     "walpost.yaml:5: outbox.columns is a list here, where a map of keys belongs",
     "Write its keys below it, indented; `walpost help config` shows them."},
    {SMALLEST "outbox:\n  after_publish: marked\n", NULL,
     "walpost.yaml:5: outbox.after_publish cannot be \"marked\"",
     "Allowed is mark, delete or keep; the nearest is mark."},
    {SMALLEST "outbox:\n  table: a.b.c\n", NULL, "walpost.yaml:5: outbox.table cannot be \"a.b.c\"",
     "Allowed is schema.table or table, names with capitals, dots or spaces in double quotes: "
     "'\"My Schema\".events'."},
    {SMALLEST "outbox:\n  table: \"\\\"open\"\n", NULL,
     "walpost.yaml:5: outbox.table cannot be \"\"open\"",
     "Allowed is schema.table or table, names with capitals, dots or spaces in double quotes: "
     "'\"My Schema\".events'."},
    {SMALLEST "outbox:\n  snapshot: pending\n  after_publish: keep\n", NULL,
     "walpost.yaml:5: outbox.snapshot cannot be pending where outbox.after_publish is keep",
     "Rows that are kept as they are stay PENDING after they were published, so a snapshot would "
     "publish them again: set outbox.snapshot to none, or outbox.after_publish to mark or delete."},
    {SMALLEST "lanes: many\n", NULL, "walpost.yaml:4: lanes cannot be \"many\"",
     "Allowed is a whole number from 1 to 64, or partition."},
    {SMALLEST "lanes: 0\n", NULL, "walpost.yaml:4: lanes cannot be \"0\"",
     "Allowed is a whole number from 1 to 64, or partition."},
    {SMALLEST "lanes: 65\n", NULL, "walpost.yaml:4: lanes cannot be \"65\"",
     "Allowed is a whole number from 1 to 64, or partition."},
    {SMALLEST "lanes: 1.5\n", NULL, "walpost.yaml:4: lanes cannot be \"1.5\"",
     "Allowed is a whole number from 1 to 64, or partition."},
    {SMALLEST "lanes: partitions\n", NULL, "walpost.yaml:4: lanes cannot be \"partitions\"",
     "Allowed is a whole number from 1 to 64, or partition."},
    {SMALLEST "lanes: [1, 2]\n", NULL,
     "walpost.yaml:4: lanes is a list here, where one value belongs",
     "Write one text; several parts are separated by commas in it: \"a,b\"."},
    {SMALLEST "lanes: 1\nlanes: 2\n", NULL,
     "walpost.yaml:5: lanes is there twice, first at walpost.yaml:4", "Remove one of the two."},
    {SMALLEST "batch:\n  linger: 1s\nbatch.linger: 2s\n", NULL,
     "walpost.yaml:6: batch.linger is there twice, first at walpost.yaml:5",
     "Remove one of the two."},
    {SMALLEST "encode: json\n", NULL,
     "walpost.yaml:4: encode is \"json\" here, where a map of keys belongs",
     "Write its keys below it, indented; `walpost help config` shows them."},
    {SMALLEST "telemetry: {listen: 127.0.0.1}\n", NULL,
     "walpost.yaml:4: telemetry.listen is not in this version yet",
     "Remove the key: this version has no part that would read it."},
    {SMALLEST "telemetry: {listen: \"127.0.0.1:9847\"}\n", NULL,
     "walpost.yaml:4: telemetry.listen is not in this version yet",
     "Remove the key: this version has no part that would read it."},
    {SMALLEST "batch: {linger: 5}\n", NULL, "walpost.yaml:4: batch.linger cannot be \"5\"",
     "Allowed is a time with its unit, from 0ms to 10s, for example 10ms."},
    {SMALLEST "batch: {linger: 11s}\n", NULL, "walpost.yaml:4: batch.linger cannot be \"11s\"",
     "Allowed is a time with its unit, from 0ms to 10s, for example 10ms."},
    {SMALLEST "batch: {max_bytes: 16XB}\n", NULL,
     "walpost.yaml:4: batch.max_bytes cannot be \"16XB\"",
     "Allowed is a size from 64kB to 4GB, for example 16MB."},
    {SMALLEST "memory: 8MB\n", NULL, "walpost.yaml:4: memory cannot be \"8MB\"",
     "Allowed is a size from 16MB to 64GB, for example 64MB."},
    {SMALLEST "memory: 32MB\n", NULL, "walpost.yaml:4: memory (32 MB) cannot hold one batch",
     "Set memory to 46MB or more, or make batch.max_bytes (16 MB) or batch.max_events (20000, 1.5 "
     "kB each) smaller."},
    {SMALLEST "batch: {max_events: 100000}\n", NULL,
     "walpost.yaml:4: memory (64 MB) cannot hold one batch",
     "Set memory to 163MB or more, or make batch.max_bytes (16 MB) or batch.max_events (100000, "
     "1.5 kB each) smaller."},
    {SMALLEST "topics: {create: yes}\n", NULL, "walpost.yaml:4: topics.create cannot be \"yes\"",
     "Allowed is true or false."},
    {SMALLEST "checkpoint: {replication_factor: 0}\n", NULL,
     "walpost.yaml:4: checkpoint.replication_factor cannot be \"0\"",
     "Allowed is -1 (the broker's default), or 1 to 32767."},
    {SMALLEST "dead_letter: {topic: \"a b\"}\n", NULL,
     "walpost.yaml:4: dead_letter.topic cannot be \"a b\"",
     "Allowed is 1 to 249 letters of a-z, A-Z, 0-9, ., _ and -."},
    {SMALLEST "dead_letter: {topic: walpost.checkpoint.orders}\n", NULL,
     "walpost.yaml:4: dead_letter.topic cannot be the checkpoint topic",
     "Give it a name of its own, for example outbox.dead-letter."},
    {SMALLEST "route:\n  key: {aggregate_id}\n", NULL,
     "walpost.yaml:5: route.key is a map here, where one value belongs",
     "A value that begins with { needs quotes: \"{aggregate_id}\"."},
    {SMALLEST "route:\n  topic: outbox.{kind}\n", NULL,
     "walpost.yaml:5: route.topic cannot be \"outbox.{kind}\"",
     "Allowed is a text with the placeholders {domain}, {event_type}, {aggregate_id} and "
     "{column:NAME}."},
    {SMALLEST "route:\n  headers: {region: \"{region}\"}\n", NULL,
     "walpost.yaml:5: route.headers.region cannot be \"{region}\"",
     "Allowed is a text with the placeholders {domain}, {event_type}, {aggregate_id} and "
     "{column:NAME}."},
    {SMALLEST "kafka:\n  ssl: {ca.location: /x}\n", NULL,
     "walpost.yaml:5: kafka.ssl is a map here, where one value belongs",
     "Names keep their dots: write ssl.NAME as one key, without a map in the map."},
    {SMALLEST "kafka: localhost:9092\n", NULL,
     "walpost.yaml:4: kafka is \"localhost:9092\" here, where a map of keys belongs",
     "Write its keys below it, indented; `walpost help config` shows them."},
    {SMALLEST "kafka:\n  bootstrap.servers: [a, b]\n", NULL,
     "walpost.yaml:5: kafka.bootstrap.servers is a list here, where one value belongs",
     "Write one text; several parts are separated by commas in it: \"a,b\"."},
    {SMALLEST "kafka:\n  sasl.password:\n", NULL,
     "walpost.yaml:5: kafka.sasl.password has no value", "Write a value behind the colon."},
    {SMALLEST "kafka:\n  acks: 1\n  acks: all\n", NULL,
     "walpost.yaml:6: kafka.acks is there twice, first at walpost.yaml:5",
     "Remove one of the two."},
    {SMALLEST "batch:\n\tmax_events: 5\n", NULL,
     "walpost.yaml:5:1: this is no YAML: found character that cannot start any token",
     "A tab stands there; YAML is indented with spaces."},
    {SMALLEST "batch: {max_events: 5\n", NULL,
     "walpost.yaml:5:1: this is no YAML: did not find expected ',' or '}'",
     "Look at this line and the one above: indentation, a missing \": \", quotes that are not "
     "closed, a value that begins with { [ * & % @ and needs quotes."},
    {SMALLEST "  lanes: 5\n", NULL, "walpost.yaml:4: there is no key \"postgres.lanes\"",
     "The nearest valid key is lanes; `walpost help config` lists all."},
    {SMALLEST "route: {key: \"a\\0b\"}\n", NULL, "walpost.yaml:4: a NUL character stands here",
     "Remove the \\0 from the text."},
    {SMALLEST "---\nstream: b\n", NULL, "walpost.yaml:5: a second document begins here",
     "Remove the \"---\": one file configures one stream."},
    {"- stream: orders\n", NULL, "walpost.yaml:1: the file is no map of keys",
     "Begin with a line such as \"stream: orders\"."},
    {SMALLEST "? [a]\n: b\n", NULL, "walpost.yaml:4: a key is missing here",
     "Write \"key: value\"."},
    {"stream: orders\npostgres: {dsn: \"${WALPOST_TEST_UNSET}\"}\n", NULL,
     "walpost.yaml:2: postgres.dsn needs the environment variable WALPOST_TEST_UNSET, which is not "
     "set",
     "Set WALPOST_TEST_UNSET, or write a default: ${WALPOST_TEST_UNSET:-default}."},
    {"stream: orders\npostgres: {dsn: \"host=${not closed\"}\n", NULL,
     "walpost.yaml:2: postgres.dsn has a \"${\" that is no ${VARIABLE}",
     "Write ${NAME} or ${NAME:-default}, and $${ for a plain ${."},
    {"stream: orders\npostgres: {dsn: \"\"}\n", NULL, "walpost.yaml:2: postgres.dsn has no value",
     "Allowed is a libpq connection string."},
    {SMALLEST, "lanes", "--set lanes: this is no key=value",
     "Write for example --set batch.max_events=1000."},
    {SMALLEST, "=3", "--set =3: this is no key=value",
     "Write for example --set batch.max_events=1000."},
    {SMALLEST, "lanes=x", "--set lanes: lanes cannot be \"x\"",
     "Allowed is a whole number from 1 to 64, or partition."},
    {SMALLEST, "lane=3", "--set lane: there is no key \"lane\"",
     "The nearest valid key is lanes; `walpost help config` lists all."},
    {SMALLEST, "batch=3", "--set batch: batch is a section, not a value",
     "Set the keys in it one by one, for example batch.max_events."},
    {SMALLEST, "kafka=3", "--set kafka: kafka is a map, not a value",
     "Set its entries one by one: kafka.NAME."},
    {SMALLEST, "lanes=", "--set lanes: lanes has no value",
     "Allowed is a whole number from 1 to 64, or partition."},
    {SMALLEST, "telemetry.otlp=x",
     "--set telemetry.otlp: telemetry.otlp is not in this version yet",
     "Remove the key: this version has no part that would read it."},
    {SMALLEST "batch: {linger: 1ms}\nbatch: {max_events: 5}\n", NULL,
     "walpost.yaml:5: batch is there twice, first at walpost.yaml:4", "Remove one of the two."},
};

static void expect(const struct wrong *wrong)
{
    struct config *config;
    struct error error;
    if (wrong->text != NULL) {
        write_file("walpost.yaml", wrong->text);
    }
    enum verdict verdict = load_with(&wrong->set, wrong->set == NULL ? 0 : 1, &config, &error);
    cr_expect_eq(verdict, INVALID, "%s was taken", wrong->text);
    cr_expect_null(config);
    cr_expect_str_eq(error.what, wrong->what);
    cr_expect_str_eq(error.remedy, wrong->remedy);
    (void)unlink("walpost.yaml");
}

Test(wrong_config, in_the_file_names_file_line_key_and_what_is_allowed)
{
    for (size_t i = 0; i < ARRAY_LEN(in_the_file); i++) {
        expect(&in_the_file[i]);
    }
}

Test(wrong_config, bytes_that_are_no_text)
{
    struct config *config;
    struct error error;
    static const char nul[] = "stream: a\nlanes: \0";
    write_bytes("walpost.yaml", nul, sizeof(nul) - 1);
    cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID);
    cr_expect_str_eq(error.what, "walpost.yaml:2: a NUL byte stands here");
    cr_expect_str_eq(error.remedy, "Save the file as plain UTF-8 text.");

    write_file("walpost.yaml", "stream: a\nlanes: 1\n# \xff\xfe\n");
    cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID);
    cr_expect_str_eq(error.what, "walpost.yaml:3: a byte that is no UTF-8 text stands here");
}

Test(wrong_config, a_file_that_cannot_be_read)
{
    struct config *config = NULL;
    struct error error;
    struct config_sources sources = {.file = "other.yaml"};
    cr_expect_eq(config_load(&sources, &config, &error), INVALID);
    cr_expect_str_eq(error.what, "other.yaml cannot be read: No such file or directory");
    cr_expect_str_eq(error.remedy, "Name a file with -c FILE that you may read.");
    sources.file = "/tmp";
    cr_expect_eq(config_load(&sources, &config, &error), INVALID);
    cr_expect_str_eq(error.what, "/tmp cannot be read: Is a directory");
    cr_expect_null(config);
}

Test(wrong_config, a_file_that_is_too_large_to_be_a_configuration)
{
    struct config *config = NULL;
    struct error error;
    size_t size = 1024 * 1024 + 1;
    char *spaces = malloc(size);
    memset(spaces, ' ', size);
    write_bytes("walpost.yaml", spaces, size);
    free(spaces);
    cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID);
    cr_expect_str_eq(error.what, "walpost.yaml is larger than 1 MB, so it is no configuration");
}

Test(wrong_config, in_the_environment_names_the_variable)
{
    struct config *config = NULL;
    struct error error;
    write_file("walpost.yaml", SMALLEST);
    setenv("WALPOST_BATCH__MAX_EVENT", "5", 1);
    cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID);
    cr_expect_str_eq(
        error.what,
        "WALPOST_BATCH__MAX_EVENT in the environment: there is no key \"batch.max_event\"");
    unsetenv("WALPOST_BATCH__MAX_EVENT");

    setenv("WALPOST_LANE", "5", 1); /* a slip of the pen, not somebody else's variable */
    cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID);
    cr_expect_str_eq(error.remedy,
                     "The nearest valid key is lanes; `walpost help config` lists all.");
    unsetenv("WALPOST_LANE");

    setenv("WALPOST_BATCH__LINGER", "", 1);
    cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID);
    cr_expect_str_eq(error.what,
                     "WALPOST_BATCH__LINGER in the environment: batch.linger has no value");
}

Test(wrong_config, never_shows_a_secret)
{
    struct config *config = NULL;
    struct error error;
    char *set = malloc(10000);
    snprintf(set, 10000, "postgres.dsn=password=hunter2%9000s", "");
    const char *sets[] = {set};
    write_file("walpost.yaml", SMALLEST);
    cr_expect_eq(load_with(sets, 1, &config, &error), INVALID);
    cr_expect_str_eq(error.what,
                     "--set postgres.dsn: postgres.dsn has a value that is not possible");
    cr_expect_null(strstr(error.remedy, "hunter2"));
    free(set);
}

Test(wrong_config, a_value_with_control_characters_is_shown_in_one_line)
{
    struct config *config = NULL;
    struct error error;
    write_file("walpost.yaml", SMALLEST "lanes: \"\\e[31m\\n4\"\n");
    cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID);
    cr_expect_str_eq(error.what, "walpost.yaml:4: lanes cannot be \"?[31m?4\"");
    write_file("walpost.yaml", SMALLEST "kafka: {\"a\\nb\": 4}\n");
    cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID);
    cr_expect_str_eq(error.what, "walpost.yaml:4: a key has a control character in it");
}
