/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/lanes.h"

#include <stdio.h>

#include "base/check.h"
#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "encode/template.h"

enum {
    TOPICS_TIMEOUT_MS = 10000,
    LANES_WORTH = 16, /* fewer would be too few for a topic that was made so wide */
};

uint32_t lanes_for_partitions(uint32_t partitions)
{
    if (partitions <= LANES_MAX) {
        return partitions == 0 ? 1 : partitions;
    }
    for (uint32_t lanes = LANES_MAX; lanes >= LANES_WORTH; lanes--) {
        if (partitions % lanes == 0) {
            return lanes;
        }
    }
    return LANES_MAX;
}

struct search {
    const struct config *config;
    struct template topic;
    struct lanes *lanes;
};

/* Topics that no stream's events are in, whatever names a route can make. */
static bool is_reserved(const struct config *config, const char *name)
{
    static const char *const prefixes[] = {CHECKPOINT_TOPIC_PREFIX, REPLAY_TOPIC_PREFIX, "_"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return strcmp(name, config->dead_letter_topic) == 0;
}

/* The route's topics are known by name only as events come; those that are there and could be its
 * own are counted. */
static void on_topic(void *context, const char *name, int32_t partitions)
{
    struct search *search = context;
    if (!is_reserved(search->config, name) && partitions > search->lanes->partitions &&
        template_matches(&search->topic, bytes_of(name))) {
        search->lanes->partitions = partitions;
        snprintf(search->lanes->topic, sizeof(search->lanes->topic), "%s", name);
    }
}

enum verdict lanes_find(const struct config *config, struct cluster *cluster, struct lanes *lanes,
                        struct error *error)
{
    *lanes = (struct lanes){.count = config->lanes};
    if (config->lanes != LANES_BY_PARTITION) {
        return OK;
    }
    struct search search = {.config = config, .lanes = lanes};
    enum verdict verdict =
        template_compile(&search.topic, config, "route.topic", config->route.topic, error);
    if (verdict != OK) {
        return verdict;
    }
    if (cluster != NULL) {
        verdict = cluster_topics(cluster, TOPICS_TIMEOUT_MS, on_topic, &search, error);
    }
    template_release(&search.topic);
    if (lanes->partitions == 0) {
        lanes->partitions = (int32_t)config->topics.partitions;
    }
    lanes->count = lanes_for_partitions((uint32_t)lanes->partitions);
    return verdict;
}

void lanes_describe(const struct lanes *lanes, char *text, size_t size)
{
    int used = snprintf(text, size, "%u %s", lanes->count, lanes->count == 1 ? "lane" : "lanes");
    if (lanes->partitions == 0 || used < 0 || (size_t)used >= size) {
        return;
    }
    if (lanes->topic[0] == '\0') {
        snprintf(text + used, size - (size_t)used,
                 ", by topics.partitions (%d): no topic of the route is there yet",
                 lanes->partitions);
        return;
    }
    char many[64] = "one for each partition";
    if ((uint32_t)lanes->partitions % lanes->count != 0) {
        snprintf(many, sizeof(many), "the most there can be, sharing the %d partitions",
                 lanes->partitions);
    } else if ((uint32_t)lanes->partitions > lanes->count) {
        snprintf(many, sizeof(many), "one for each %u of the %d partitions",
                 (uint32_t)lanes->partitions / lanes->count, lanes->partitions);
    }
    snprintf(text + used, size - (size_t)used, ", %s of topic %s", many, lanes->topic);
}
