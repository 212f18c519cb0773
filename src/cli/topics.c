/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/topics.h"

#include <string.h>

#include "anchor/journal_topic.h"
#include "base/macros.h"
#include "pipeline/found.h"

static const char *const dead_letter_settings[][2] = {{"cleanup.policy", "compact"}};

bool topic_is_known(const char *template_text)
{
    return strpbrk(template_text, "{}") == NULL;
}

size_t stream_topics(const struct config *config, uint32_t lanes,
                     struct topic_spec specs[static STREAM_TOPICS_MAX])
{
    size_t count = 0;
    specs[count++] = checkpoint_topic_spec(config, lanes);
    specs[count++] = (struct topic_spec){
        .name = config->dead_letter_topic,
        .partitions = (int32_t)config->topics.partitions,
        .replication_factor = config->topics.replication_factor,
        .settings = dead_letter_settings,
        .n_settings = ARRAY_LEN(dead_letter_settings),
    };
    if (config_keeps_anchor(config)) {
        specs[count++] = journal_topic_spec(config);
    }
    if (config->topics.create && topic_is_known(config->route.topic)) {
        specs[count++] = (struct topic_spec){
            .name = config->route.topic,
            .partitions = (int32_t)config->topics.partitions,
            .replication_factor = config->topics.replication_factor,
        };
    }
    return count;
}
