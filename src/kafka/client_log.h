/* SPDX-License-Identifier: Apache-2.0
 *
 * client_log.h - librdkafka's own log lines, in ours.
 * In: lines from librdkafka's threads. Out: lines of struct log; the same line at most once in ten
 *     seconds (numbers aside: they count reconnects).
 * Owns: the memory of what was said.
 * Thread: any.
 * Keeps: librdkafka puts no password into its lines; nothing else is added to them. */
#ifndef WALPOST_KAFKA_CLIENT_LOG_H
#define WALPOST_KAFKA_CLIENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

struct client_log;

/* log NULL: every line is dropped. */
struct client_log *client_log_new(const struct log *log);
void client_log_free(struct client_log *log);

/* level as in syslog(3): 0 to 7. */
void client_log_line(struct client_log *log, int level, const char *client, const char *facility,
                     const char *text, int64_t now_us);

#endif
