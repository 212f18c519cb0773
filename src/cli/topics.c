/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/topics.h"

#include <string.h>

#include "base/macros.h"

/* The active segment of a compacted topic is never compacted, and it is read whole at every start:
 * so it is small. */
static const char *const checkpoint_settings[][2] = {{"cleanup.policy", "compact"},
                                                     {"segment.bytes", "1048576"},
                                                     {"min.cleanable.dirty.ratio", "0.1"}};
static const char *const dead_letter_settings[][2] = {{"cleanup.policy", "compact"}};

bool topic_is_known(const char *template_text)
{
    return strpbrk(template_text, "{}") == NULL;
}

size_t stream_topics(const struct config *config, struct topic_spec specs[static STREAM_TOPICS_MAX])
{
    size_t count = 0;
    specs[count++] = (struct topic_spec){
        .name = config->checkpoint_topic,
        .partitions = (int32_t)(1 + config->lanes),
        .replication_factor = config->checkpoint_replication_factor,
        .settings = checkpoint_settings,
        .n_settings = ARRAY_LEN(checkpoint_settings),
    };
    specs[count++] = (struct topic_spec){
        .name = config->dead_letter_topic,
        .partitions = (int32_t)config->topics.partitions,
        .replication_factor = config->topics.replication_factor,
        .settings = dead_letter_settings,
        .n_settings = ARRAY_LEN(dead_letter_settings),
    };
    if (config->topics.create && topic_is_known(config->route.topic)) {
        specs[count++] = (struct topic_spec){
            .name = config->route.topic,
            .partitions = (int32_t)config->topics.partitions,
            .replication_factor = config->topics.replication_factor,
        };
    }
    return count;
}
