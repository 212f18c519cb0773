/* SPDX-License-Identifier: Apache-2.0
 *
 * dlq.h - the parts of `walpost dlq`.
 * In: a command line that was checked, a configuration. Out: what a person, or a program, reads.
 * Owns: nothing.  Thread: main's. */
#ifndef WALPOST_CLI_DLQ_H
#define WALPOST_CLI_DLQ_H

#include "cli/cli.h"
#include "dlq/filter.h"

struct dlq_order {
    const struct invocation *invocation;
    const struct config *config;
    struct filter filter;
    bool json;
};

enum verdict MUST_CHECK dlq_list(const struct dlq_order *order, struct error *error);
enum verdict MUST_CHECK dlq_show(const struct dlq_order *order, struct error *error);
/* *exit_status is 1 where letters stay. */
enum verdict MUST_CHECK dlq_do_replay(const struct dlq_order *order, int *exit_status,
                                      struct error *error);
enum verdict MUST_CHECK dlq_do_purge(const struct dlq_order *order, int *exit_status,
                                     struct error *error);

#endif
