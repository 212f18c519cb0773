/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline.h - the whole way of an event, wired.
 * In: a configuration, and what this run is for. Out: an exit status.
 * Owns: the loop, the threads and everything between, for the time of the call.
 * Thread: main's; it becomes the loop thread.
 * Keeps: I1 to I12; see ARCHITECTURE.md. */
#ifndef WALPOST_PIPELINE_PIPELINE_H
#define WALPOST_PIPELINE_PIPELINE_H

#include <stdbool.h>

#include "base/log.h"
#include "base/lsn.h"

struct config;

enum run_target {
    TO_KAFKA,
    TO_STDOUT, /* JSON lines; nothing is confirmed, nothing marked, no Kafka */
    TO_NULL,   /* read, decoded, mapped and thrown away: the ceiling of the source */
};

struct run_options {
    lsn until_lsn; /* stop once everything below is settled; 0: run until told to stop */
    bool once;     /* what is there now, then stop */
    bool take_over;
    bool accept_gap;
    enum run_target target;
};

/* Streams until told to stop by SIGTERM or SIGINT, until the end that options name, or until
 * something refuses. Returns the exit status of the process; the reason has been logged. */
int pipeline_run(const struct config *config, const struct run_options *options, struct log *log);

#endif
