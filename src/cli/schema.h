/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h - the parts of `walpost schema`.
 * In: a command line. Out: an exit status.
 * Owns: nothing.  Thread: main's. */
#ifndef WALPOST_CLI_SCHEMA_H
#define WALPOST_CLI_SCHEMA_H

#include "cli/cli.h"

int schema_list(const struct invocation *invocation);
int schema_check(const struct invocation *invocation);
int schema_register(const struct invocation *invocation);

#endif
