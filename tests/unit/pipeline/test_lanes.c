/* SPDX-License-Identifier: Apache-2.0
 *
 * lanes: partition. How many lanes there are, whatever topics the cluster has. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/murmur2.h"
#include "config/config.h"
#include "pipeline/lanes.h"

/* --- instead of kafka/: a cluster that has these topics --- */

static const struct {
    const char *name;
    int32_t partitions;
} * topics;
static size_t n_topics;
static enum verdict cluster_verdict;

enum verdict cluster_topics(struct cluster *cluster, int timeout_ms,
                            void (*topic)(void *context, const char *name, int32_t partitions),
                            void *context, struct error *error)
{
    (void)cluster;
    (void)timeout_ms;
    if (cluster_verdict != OK) {
        return error_set(error, cluster_verdict, "as the test wants it");
    }
    for (size_t i = 0; i < n_topics; i++) {
        topic(context, topics[i].name, topics[i].partitions);
    }
    return OK;
}

static struct cluster *const cluster = (struct cluster *)(void *)&n_topics; /* never looked into */

static struct config config = {
    .outbox.columns = {"id", "aggregate_id", "event_type", "payload", "status", "created_at",
                       "traceparent", "tracestate", "schema_version", "headers"},
    .route = {.topic = "shop.{domain}"},
    .dead_letter_topic = "shop.dead",
    .lanes = LANES_BY_PARTITION,
    .topics = {.partitions = 6},
};

static void expect_text(const struct lanes *lanes, const char *wanted)
{
    char text[400];
    lanes_describe(lanes, text, sizeof(text));
    cr_expect_str_eq(text, wanted);
}

Test(lanes, a_number_asks_nobody)
{
    struct lanes lanes;
    struct error error;
    config.lanes = 3;
    cluster_verdict = RETRY;
    cr_expect_eq(lanes_find(&config, cluster, &lanes, &error), OK);
    cr_expect_eq(lanes.count, 3);
    expect_text(&lanes, "3 lanes");
}

Test(lanes, the_widest_topic_of_the_route_counts)
{
    /* No domain has a dot. */
    static const typeof(*topics) there[] = {{"shop.Order", 4},     {"shop.Payment", 12},
                                            {"shop.Refund", 8},    {"shop.dead", 30},
                                            {"another.Order", 50}, {"shop.Order.more", 60}};
    topics = there;
    n_topics = sizeof(there) / sizeof(there[0]);
    struct lanes lanes;
    struct error error;
    cr_expect_eq(lanes_find(&config, cluster, &lanes, &error), OK);
    cr_expect_eq(lanes.count, 12);
    expect_text(&lanes, "12 lanes, one for each partition of topic shop.Payment");
}

/* Whatever stream they belong to: a route by a column can make any name. */
Test(lanes, what_holds_no_events_does_not_count)
{
    static const typeof(*topics) there[] = {
        {"orders", 6},
        {"walpost.checkpoint.shop", 7},
        {"walpost.checkpoint.other", 65},
        {"walpost.replay.shop", 8},
        {"shop.dead", 30},
        {"__consumer_offsets", 50},
    };
    topics = there;
    n_topics = sizeof(there) / sizeof(there[0]);
    config.route.topic = "{column:topic}";
    struct lanes lanes;
    struct error error;
    cr_expect_eq(lanes_find(&config, cluster, &lanes, &error), OK);
    expect_text(&lanes, "6 lanes, one for each partition of topic orders");
}

Test(lanes, without_a_topic_those_that_walpost_would_make)
{
    struct lanes lanes;
    struct error error;
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(lanes_find(&config, i == 0 ? cluster : NULL, &lanes, &error), OK);
        cr_expect_eq(lanes.count, 6);
        expect_text(&lanes,
                    "6 lanes, by topics.partitions (6): no topic of the route is there yet");
    }
}

Test(lanes, no_answer_is_no_number)
{
    struct lanes lanes;
    struct error error;
    cluster_verdict = RETRY;
    cr_expect_eq(lanes_find(&config, cluster, &lanes, &error), RETRY);
}

Test(lanes, more_partitions_than_lanes)
{
    static const struct {
        int32_t partitions;
        uint32_t lanes;
        const char *text;
    } cases[] = {
        {1, 1, "1 lane, one for each partition of topic shop.A"},
        {64, 64, "64 lanes, one for each partition of topic shop.A"},
        {65, 64, "64 lanes, the most there can be, sharing the 65 partitions of topic shop.A"},
        {96, 48, "48 lanes, one for each 2 of the 96 partitions of topic shop.A"},
        {67, 64, "64 lanes, the most there can be, sharing the 67 partitions of topic shop.A"},
        {1000, 50, "50 lanes, one for each 20 of the 1000 partitions of topic shop.A"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        typeof(*topics) there[] = {{"shop.A", cases[i].partitions}};
        topics = there;
        n_topics = 1;
        struct lanes lanes;
        struct error error;
        cr_expect_eq(lanes_find(&config, cluster, &lanes, &error), OK);
        cr_expect_eq(lanes.count, cases[i].lanes, "%d", cases[i].partitions);
        expect_text(&lanes, cases[i].text);
    }
}

/* What it is for: where lanes divide the partitions, a partition belongs to one lane, in every
 * topic whose partitions divide the lanes too. */
Test(lanes, a_partition_belongs_to_one_lane)
{
    for (uint32_t partitions = 1; partitions <= 200; partitions++) {
        uint32_t lanes = lanes_for_partitions(partitions);
        cr_expect(lanes >= 1 && lanes <= 64);
        uint32_t owner[200];
        memset(owner, 0xff, sizeof(owner));
        for (int i = 0; i < 2000 && partitions % lanes == 0; i++) {
            char text[16];
            struct bytes key = {text, (size_t)snprintf(text, sizeof(text), "key-%d", i)};
            uint32_t partition = murmur2_bucket(key, partitions);
            uint32_t lane = murmur2_bucket(key, lanes);
            cr_assert(owner[partition] == UINT32_MAX || owner[partition] == lane);
            owner[partition] = lane;
        }
    }
}
