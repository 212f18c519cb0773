/* SPDX-License-Identifier: Apache-2.0
 *
 * topics.h - the topics of a stream, as they must be.
 * In: a configuration. Out: specifications.
 * Owns: nothing; borrows the configuration's names.  Thread: any; pure. */
#ifndef WALPOST_CLI_TOPICS_H
#define WALPOST_CLI_TOPICS_H

#include "config/config.h"
#include "kafka/cluster.h"

enum { STREAM_TOPICS_MAX = 4 };

/* Checkpoint first; then dead letters; then the journal of replays, where an anchor is kept; then,
 * when topics.create is set and its name is known, that of the route. Returns how many. */
size_t stream_topics(const struct config *config, uint32_t lanes,
                     struct topic_spec specs[static STREAM_TOPICS_MAX]);

/* Is the template a name, without placeholders? */
bool topic_is_known(const char *template_text);

#endif
