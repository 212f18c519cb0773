/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines that end before anything is reached: what is said, and the exit status. */
#include "base/macros.h"
#include "cli/cli.h"
#include "loading.h"

TestSuite(cli, .init = in_a_new_folder, .fini = leave_folder);

enum { WORDS_MAX = 8 };

struct outcome {
    int status;
    char output[32768]; /* of both streams */
};

/* Both streams go to a file for the time of the call. */
static void cli(const char *const words[WORDS_MAX], struct outcome *outcome)
{
    char *argv[WORDS_MAX + 2] = {strdup("walpost")};
    int argc = 1;
    for (; argc <= WORDS_MAX && words[argc - 1] != NULL; argc++) {
        argv[argc] = strdup(words[argc - 1]);
    }
    fflush(NULL);
    int kept[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    outcome->status = cli_main(argc, argv);
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], STDOUT_FILENO + i);
        close(kept[i]);
    }
    rewind(file);
    size_t size = fread(outcome->output, 1, sizeof(outcome->output) - 1, file);
    outcome->output[size] = '\0';
    fclose(file);
    for (int i = 0; i < argc; i++) {
        free(argv[i]);
    }
}

static void expect(const char *const words[WORDS_MAX], int status, const char *part)
{
    static struct outcome outcome;
    cli(words, &outcome);
    cr_expect_eq(outcome.status, status, "%d, not %d: %s", outcome.status, status, outcome.output);
    cr_expect_not_null(strstr(outcome.output, part), "\"%s\" is not in: %s", part, outcome.output);
}

#define WORDS(...) ((const char *const[WORDS_MAX]){__VA_ARGS__})

struct line {
    const char *words[WORDS_MAX];
    const char *error;
};

static const struct line wrong_lines[] = {
    {{NULL}, "walpost: no command was given\n"},
    {{"inti"}, "there is no command \"inti\"\n  The nearest is init;"},
    {{"run", "--onec"}, "walpost run has no option --onec\n  The nearest is --once;"},
    {{"drop", "--yse"}, "The nearest is --yes;"},
    {{"run", "--json"}, "walpost run has no option --json\n"},
    {{"--dry-run", "init"}, "there is no option --dry-run\n"},
    {{"run", "now"}, "\"now\" is one word too many\n"},
    {{"check", "-c"}, "--config needs a value\n  Write --config FILE.\n"},
    {{"run", "--once=yes"}, "--once takes no value\n"},
    {{"run", "--to", "kakfa"},
     "--to cannot be \"kakfa\"\n  Allowed is kafka, stdout or null; the "
     "nearest is kafka.\n"},
    {{"run", "--until-lsn", "5"}, "--until-lsn cannot be \"5\"\n"},
    {{"run", "--until-lsn=0/0"}, "--until-lsn cannot be \"0/0\"\n"},
    {{"run", "--once", "--until-lsn", "0/5"}, "--once and --until-lsn do not go together\n"},
    {{"run", "--accept-gap", "--to=null"}, "--accept-gap and --to null do not go together\n"},
    {{"dlq"}, "walpost dlq does not know what to do\n"},
    {{"dlq", "lits"}, "The nearest is list;"},
    {{"dlq", "show"}, "walpost dlq show needs an id\n"},
    {{"dlq", "replay"}, "walpost dlq replay does not know which dead letters\n"},
    {{"dlq", "purge", "--yes"}, "walpost dlq purge does not know which dead letters\n"},
    {{"dlq", "purge", "--all", "--dry-run"}, "--dry-run does not go with walpost dlq purge\n"},
    {{"dlq", "list", "--payload-file", "x"}, "--payload-file does not go with walpost dlq list\n"},
    {{"dlq", "replay", "--all", "--key", "x"}, "--all and a filter do not go together\n"},
    {{"dlq", "replay", "--all", "--payload-file=x", "--from-table"},
     "--payload-file and --from-table do not go together\n"},
    {{"dlq", "replay", "x"}, "\"x\" is one word too many\n  Write --id x.\n"},
    {{"dlq", "list", "--reason", "missing"}, "The nearest reason is missing_topic;"},
    {{"help", "confgi"}, "The nearest is config;"},
    {{"check"}, "stream is not set, and there is no walpost.yaml here\n"},
    {{"check", "-c", "nowhere.yaml"}, "nowhere.yaml cannot be read: No such file or directory\n"},
    {{"--set", "lanes=0", "check"}, "--set lanes: lanes cannot be \"0\"\n"},
};

Test(cli, a_wrong_line_says_what_and_ends_with_2)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong_lines); i++) {
        expect(wrong_lines[i].words, 2, wrong_lines[i].error);
    }
}

Test(cli, help_is_everywhere)
{
    static const char *const commands[] = {"init", "check", "run", "status", "dlq", "drop"};
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        expect(WORDS("help", commands[i]), 0, "Examples:\n  ");
        expect(WORDS(commands[i], "--help"), 0, "Usage: walpost ");
        expect(WORDS("-h", commands[i]), 0, commands[i]);
        expect(WORDS("--help"), 0, commands[i]);
    }
    expect(WORDS("help"), 0, "Exit status: 0 done");
    expect(WORDS("help", "config"), 0, "\n  max_events: 20000\n");
    expect(WORDS("--version"), 0, "walpost " WALPOST_VERSION);
}

Test(cli, common_options_stand_before_or_behind_the_command)
{
    write_file("other.yaml", "lanes: 0\n");
    expect(WORDS("-c", "other.yaml", "check"), 2, "other.yaml:1: lanes cannot be \"0\"");
    expect(WORDS("check", "--config=other.yaml"), 2, "other.yaml:1: ");
    expect(WORDS("check", "--config", "other.yaml"), 2, "other.yaml:1: ");
}

Test(cli, kafka_is_needed_but_for_a_run_without_it)
{
    write_file("walpost.yaml", SMALLEST);
    expect(WORDS("check"), 2, "walpost.yaml: kafka.bootstrap.servers is not set\n");
    expect(WORDS("run"), 2, "walpost.yaml: kafka.bootstrap.servers is not set\n");
}

Test(cli, properties_of_kafka_are_named_with_their_line)
{
    write_file("walpost.yaml", SMALLEST "kafka:\n  bootstrap.servers: x\n  transactional.id: y\n");
    expect(WORDS("check"), 2, "walpost.yaml:6: kafka.transactional.id cannot be set: ");
    write_file("walpost.yaml", SMALLEST "kafka:\n  linger.msx: 5\n");
    expect(WORDS("check"), 2, "walpost.yaml:5: ");
}

/* Nobody to ask: then it is all of it. */
Test(cli, a_dry_run_needs_nobody)
{
    static struct outcome outcome;
    write_file("walpost.yaml", "stream: orders\npostgres: {dsn: 'host=127.0.0.1 port=1 "
                               "password=hunter2'}\nlanes: 3\n"
                               "route: {topic: events}\ntopics: {create: true}\n");
    cli(WORDS("init", "--dry-run"), &outcome);
    cr_expect_eq(outcome.status, 0);
    static const char *const parts[] = {
        "CREATE TABLE \"public\".\"outbox_events\" (",
        "CREATE SCHEMA \"walpost\";",
        "CREATE PUBLICATION \"walpost_orders\" FOR TABLE",
        "--topic walpost.checkpoint.orders --partitions 4 --config cleanup.policy=compact",
        "--topic outbox.dead-letter",
        "--topic events --partitions 6\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        cr_expect_not_null(strstr(outcome.output, parts[i]), "%s", parts[i]);
    }
    cr_expect_null(strstr(outcome.output, "hunter2"));
}
