/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h - the parts of `walpost schema`.
 * In: a command line. Out: an exit status.
 * Owns: nothing.  Thread: main's. */
#ifndef WALPOST_CLI_SCHEMA_H
#define WALPOST_CLI_SCHEMA_H

#include "cli/cli.h"
#include "schemas/schemas.h"

/* The contracts of --folder, else of contracts.dir, and the part of the configuration that needs
 * no server (config NULL: not wanted; else the caller frees it). */
enum verdict MUST_CHECK schema_load(const struct invocation *invocation, struct schemas *schemas,
                                    struct config **config, struct error *error);

int schema_list(const struct invocation *invocation);
int schema_check(const struct invocation *invocation);
int schema_sql(const struct invocation *invocation);
int schema_register(const struct invocation *invocation);

#endif
