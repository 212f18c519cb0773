/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/macros.h"
#include "base/nearest.h"
#include "cli/say.h"
#include "kafka/cluster.h"

/* In the order of a first day with walpost. */
static const struct command *const commands[] = {
    &command_init,     &command_check, &command_run,    &command_status, &command_replay,
    &command_bookmark, &command_dlq,   &command_schema, &command_drop};

static const struct flag common_flags[] = {
    {"--config", "FILE", "the configuration, also -c; else walpost.yaml where it is there"},
    {"--set", "KEY=VALUE", "one key of it, for example --set batch.max_events=1000"},
    {"--json", NULL, "the result as JSON"},
    {"--help", NULL, "this text, also -h"},
    {"--version", NULL, "the version"},
    {NULL},
};

const char *invocation_value(const struct invocation *invocation, const char *flag)
{
    const struct flag *flags = invocation->command->flags;
    for (size_t i = 0; flags != NULL && flags[i].name != NULL; i++) {
        if (strcmp(flags[i].name, flag) == 0) {
            return invocation->values[i];
        }
    }
    return NULL;
}

/* --- help --- */

static const struct flag *find_flag(const struct flag *flags, const char *text)
{
    size_t length = strcspn(text, "=");
    for (; flags != NULL && flags->name != NULL; flags++) {
        if (strlen(flags->name) == length && strncmp(flags->name, text, length) == 0) {
            return flags;
        }
    }
    return NULL;
}

/* A command's own flag hides a common one. */
static void print_flags(const struct flag *flags, const struct command *command)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        bool json = command == NULL || command->json || strcmp(flags->name, "--json") != 0;
        const struct flag *own = command == NULL ? NULL : find_flag(command->flags, flags->name);
        if (!json || (own != NULL && own != flags)) {
            continue;
        }
        char left[32];
        snprintf(left, sizeof(left), "%s%s%s", flags->name, flags->argument == NULL ? "" : " ",
                 flags->argument == NULL ? "" : flags->argument);
        printf("  %-22s %s\n", left, flags->summary);
    }
}

static void print_help(void)
{
    printf(
        "walpost carries committed events from a PostgreSQL outbox table to Kafka, exactly once.\n"
        "\n"
        "Usage: walpost COMMAND [-c walpost.yaml] [--set key=value]\n"
        "\n"
        "Commands:\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        printf("  %-20s %s\n", commands[i]->name, commands[i]->summary);
    }
    printf("  %-20s %s\n", "help COMMAND", "says more about a command");
    printf("  %-20s %s\n", "help config", "every option of walpost.yaml, with its default");
    printf("\nOptions:\n");
    print_flags(common_flags, NULL);
    printf("\nExit status: 0 done, 1 failed, 2 usage or configuration, 3 refused because events "
           "could\n"
           "be lost or repeated, 4 a newer walpost leads the stream.\n");
}

static void print_command_help(const struct command *command)
{
    printf("walpost %s: %s\n\n%s\n", command->name, command->summary, command->details);
    printf("Usage: walpost %s%s%s [options]\n\nOptions:\n", command->name,
           command->words == NULL ? "" : " ", command->words == NULL ? "" : command->words);
    print_flags(command->flags, command);
    print_flags(common_flags, command);
    printf("\nExamples:\n%s", command->examples);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

/* Names that are taken already, so that nobody is sent to another command. */
static const char *const later_commands[] = {"consume", "load"};

static enum verdict unknown_command(const char *name, const char *other, struct error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(later_commands); i++) {
        if (strcmp(name, later_commands[i]) == 0) {
            error_set(error, INVALID, "walpost %s is not in this version yet", name);
            return error_remedy(error, "`walpost help` lists what is.");
        }
    }
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        nearest_offer(&nearest, commands[i]->name);
    }
    nearest_offer(&nearest, other);
    error_set(error, INVALID, "there is no command \"%.40s\"", name);
    return error_remedy(error, "The nearest is %s; `walpost help` lists all.", nearest.best);
}

static int help(const char *topic)
{
    struct error error;
    const struct command *command = topic == NULL ? NULL : find_command(topic);
    if (topic == NULL || strcmp(topic, "help") == 0) {
        print_help();
    } else if (strcmp(topic, "config") == 0) {
        config_print_reference();
    } else if (command != NULL) {
        print_command_help(command);
    } else {
        unknown_command(topic, "config", &error);
        return say_error(&error);
    }
    return 0;
}

static int version(void)
{
    printf("walpost %s (librdkafka %s)\n", WALPOST_VERSION, kafka_library_version());
    return 0;
}

/* --- the command line --- */

/* What parsing finds out; the sets grow. */
struct parsing {
    int argc;
    char **argv;
    int at;
    struct invocation *invocation;
    const char **sets;
    bool help;
    bool version;
};

static enum verdict unknown_flag(const struct command *command, const char *text,
                                 struct error *error)
{
    struct nearest nearest;
    nearest_init(&nearest, text);
    for (const struct flag *flag = common_flags; flag->name != NULL; flag++) {
        nearest_offer(&nearest, flag->name);
    }
    for (const struct flag *flag = command == NULL ? NULL : command->flags;
         flag != NULL && flag->name != NULL; flag++) {
        nearest_offer(&nearest, flag->name);
    }
    if (command == NULL) {
        error_set(error, INVALID, "there is no option %.40s", text);
        return error_remedy(error, "The nearest is %s; `walpost help` lists all.", nearest.best);
    }
    error_set(error, INVALID, "walpost %s has no option %.40s", command->name, text);
    return error_remedy(error, "The nearest is %s; `walpost help %s` lists all.", nearest.best,
                        command->name);
}

/* The argument of a flag: behind its "=", or the next word. */
static enum verdict take_argument(struct parsing *parsing, const struct flag *flag,
                                  const char **value, struct error *error)
{
    const char *text = parsing->argv[parsing->at];
    const char *equals = strncmp(text, "--", 2) == 0 ? strchr(text, '=') : NULL;
    if (flag->argument == NULL) {
        *value = "";
        if (equals != NULL) {
            error_set(error, INVALID, "%s takes no value", flag->name);
            return error_remedy(error, "Write %s alone.", flag->name);
        }
        return OK;
    }
    if (equals != NULL) {
        *value = equals + 1;
        return OK;
    }
    if (parsing->at + 1 == parsing->argc) {
        error_set(error, INVALID, "%s needs a value", flag->name);
        return error_remedy(error, "Write %s %s.", flag->name, flag->argument);
    }
    *value = parsing->argv[++parsing->at];
    return OK;
}

static enum verdict set_common(struct parsing *parsing, const struct flag *flag, const char *value,
                               struct error *error)
{
    struct invocation *invocation = parsing->invocation;
    if (strcmp(flag->name, "--config") == 0) {
        invocation->sources.file = value;
    } else if (strcmp(flag->name, "--set") == 0) {
        parsing->sets[invocation->sources.n_sets++] = value;
    } else if (strcmp(flag->name, "--help") == 0) {
        parsing->help = true;
    } else if (strcmp(flag->name, "--version") == 0) {
        parsing->version = true;
    } else if (invocation->command != NULL && !invocation->command->json) {
        return unknown_flag(invocation->command, flag->name, error);
    } else {
        invocation->json = true;
    }
    return OK;
}

static enum verdict parse_flag(struct parsing *parsing, struct error *error)
{
    const char *text = parsing->argv[parsing->at];
    const struct command *command = parsing->invocation->command;
    const char *value = NULL;
    const char *written = strcmp(text, "-c") == 0   ? "--config"
                          : strcmp(text, "-h") == 0 ? "--help"
                          : strcmp(text, "-V") == 0 ? "--version"
                                                    : text;
    const struct flag *flag = command == NULL ? NULL : find_flag(command->flags, text);
    if (flag != NULL) {
        return take_argument(parsing, flag, &parsing->invocation->values[flag - command->flags],
                             error);
    }
    flag = find_flag(common_flags, written);
    if (flag == NULL) {
        return unknown_flag(command, text, error);
    }
    enum verdict verdict = take_argument(parsing, flag, &value, error);
    return verdict != OK ? verdict : set_common(parsing, flag, value, error);
}

/* A word behind the command that takes it. */
static bool take_word(struct invocation *invocation, const char *word)
{
    if (invocation->command == NULL || invocation->command->words == NULL) {
        return false;
    }
    for (size_t i = 0; i < COMMAND_WORDS_MAX; i++) {
        if (invocation->words[i] == NULL) {
            invocation->words[i] = word;
            return true;
        }
    }
    return false;
}

/* The command may stand behind common options: walpost -c other.yaml run. */
static enum verdict parse(struct parsing *parsing, const char **topic, struct error *error)
{
    bool wants_topic = false;
    for (parsing->at = 1; parsing->at < parsing->argc; parsing->at++) {
        const char *word = parsing->argv[parsing->at];
        enum verdict verdict = OK;
        if (word[0] == '-' && word[1] != '\0') {
            verdict = parse_flag(parsing, error);
        } else if (wants_topic && *topic == NULL) {
            *topic = word;
        } else if (!wants_topic && take_word(parsing->invocation, word)) {
            continue;
        } else if (parsing->invocation->command != NULL || wants_topic) {
            error_set(error, INVALID, "\"%.40s\" is one word too many", word);
            verdict = error_remedy(error, "Look at `walpost help%s%s`.", wants_topic ? "" : " ",
                                   wants_topic ? "" : parsing->invocation->command->name);
        } else if (strcmp(word, "help") == 0) {
            wants_topic = true;
            parsing->help = true;
        } else {
            parsing->invocation->command = find_command(word);
            if (parsing->invocation->command == NULL) {
                verdict = unknown_command(word, "help", error);
            }
        }
        if (verdict != OK) {
            return verdict;
        }
    }
    return OK;
}

static int dispatch(const struct parsing *parsing, const char *topic)
{
    const struct command *command = parsing->invocation->command;
    if (parsing->version) {
        return version();
    }
    if (parsing->help) {
        return help(topic != NULL ? topic : command != NULL ? command->name : NULL);
    }
    if (command == NULL) {
        struct error error;
        error_set(&error, INVALID, "no command was given");
        error_remedy(&error, "`walpost help` lists them; most begin with `walpost init`.");
        return say_error(&error);
    }
    return command->run(parsing->invocation);
}

int cli_main(int argc, char **argv)
{
    struct invocation invocation = {0};
    struct parsing parsing = {.argc = argc, .argv = argv, .invocation = &invocation};
    parsing.sets = must_calloc((unsigned long)argc, sizeof(parsing.sets[0]));
    invocation.sources.sets = parsing.sets;
    const char *topic = NULL;
    struct error error;
    int status;
    if (parse(&parsing, &topic, &error) != OK) {
        status = say_error(&error);
    } else {
        status = dispatch(&parsing, topic);
    }
    free(parsing.sets);
    if (fflush(stdout) != 0 && status == 0) {
        error_set(&error, FATAL, "standard output could not be written");
        status = say_error(&error);
    }
    return status;
}
