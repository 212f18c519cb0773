/* SPDX-License-Identifier: Apache-2.0
 *
 * cli.h - the command line: one table of commands, from which parsing, --help and the nearest name
 * come.
 * In: argv. Out: an exit status (0 done, 1 failed, 2 usage, 3 refused, 4 fenced).
 * Owns: what a command line says, for the time of the command.  Thread: main's.
 * Keeps: results go to standard output, errors to standard error; a wrong command line changes
 *     nothing. */
#ifndef WALPOST_CLI_CLI_H
#define WALPOST_CLI_CLI_H

#include "base/error.h"
#include "config/config.h"

/* --name, or --name ARGUMENT. */
struct flag {
    const char *name;     /* with the dashes; NULL ends a list */
    const char *argument; /* "LSN"; NULL: there is none */
    const char *summary;
};

struct invocation;

struct command {
    const char *name;
    const char *summary;  /* one line */
    const char *details;  /* for --help; whole paragraphs */
    const char *examples; /* lines, each with its newline */
    const struct flag *flags;
    const char *words; /* what may stand behind the command: "add NAME | list"; NULL: nothing */
    bool json;         /* takes --json */
    int (*run)(const struct invocation *invocation);
};

enum { FLAGS_MAX = 12, COMMAND_WORDS_MAX = 2 };

struct invocation {
    const struct command *command;
    struct config_sources sources;
    bool json;
    const char *words[COMMAND_WORDS_MAX]; /* behind the command; NULL: not given */
    const char *values[FLAGS_MAX]; /* beside command->flags: NULL: not given; "" for a flag alone */
};

/* What was given for a flag of the command, or NULL. */
const char *invocation_value(const struct invocation *invocation, const char *flag);

int cli_main(int argc, char **argv);

extern const struct command command_init;
extern const struct command command_check;
extern const struct command command_run;
extern const struct command command_status;
extern const struct command command_replay;
extern const struct command command_bookmark;
extern const struct command command_schema;
extern const struct command command_dlq;
extern const struct command command_drop;

#endif
