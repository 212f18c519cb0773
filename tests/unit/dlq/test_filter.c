/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "dlq/filter.h"
#include "records.h"

static bool wanted(const struct filter_texts *texts, struct bytes key)
{
    struct config config;
    struct made made;
    struct filter filter;
    struct error error;
    struct row row = row_of_test();
    config_of_test(&config);
    make_letter(&config, &row, DEAD_MISSING_TOPIC, 3, &made);
    cr_assert_eq(filter_parse(texts, &filter, &error), OK, "%s", error.what);
    struct letter *letter = letter_new(&made.read);
    bool found = filter_wants(&filter, letter, key);
    letter_free(letter);
    return found;
}

Test(filter, nothing_asked_for_is_everything)
{
    struct filter filter;
    cr_expect_eq(filter_parse(&(struct filter_texts){0}, &filter, NULL), OK);
    cr_expect(filter_is_empty(&filter));
    cr_expect(wanted(&(struct filter_texts){0}, BYTES_NULL));
}

Test(filter, each_part_counts)
{
    static const struct filter_texts matching[] = {
        {.ids = ID},
        {.ids = "x," ID ",y"},
        {.ids = ID "," ID},
        {.reason = "missing_topic"},
        {.type = "Order.Placed"},
        {.key = "the key"},
        {.since = "2026-11-23T10:11:14.5Z"},
        {.until = "2026-11-23 10:11:14.500001+00"},
        {.since = "2026-11-23", .until = "2026-11-24", .ids = ID, .reason = "missing_topic"},
    };
    static const struct filter_texts others[] = {
        {.ids = "x"},
        {.ids = ""},
        {.ids = ID "x"},
        {.reason = "invalid_event"},
        {.type = "Order"},
        {.key = "order-1001"},
        {.since = "2026-11-23T10:11:14.500001Z"},
        {.until = "2026-11-23T10:11:14.5Z"},
        {.reason = "missing_topic", .type = "Order.Paid"},
    };
    for (size_t i = 0; i < ARRAY_LEN(matching); i++) {
        cr_expect(wanted(&matching[i], BYTES_LIT("the key")), "%zu", i);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        cr_expect_not(wanted(&others[i], BYTES_LIT("the key")), "%zu", i);
    }
}

Test(filter, the_aggregate_id_counts_where_no_key_can_be_made)
{
    cr_expect(wanted(&(struct filter_texts){.key = "order-1001"}, BYTES_NULL));
}

Test(filter, what_cannot_be_is_refused)
{
    static const struct {
        struct filter_texts texts;
        const char *what;
        const char *remedy;
    } wrong[] = {
        {{.reason = "invalid"},
         "--reason cannot be \"invalid\"",
         "nearest reason is invalid_event"},
        {{.reason = ""}, "--reason cannot be \"\"", "nearest reason is "},
        {{.since = "yesterday"}, "--since cannot be \"yesterday\"", "2026-11-23T10:11:12Z"},
        {{.until = "12"}, "--until cannot be \"12\"", "2026-11-23T10:11:12Z"},
        {{.since = "2026-01-02", .until = "2026-01-01"}, "comes before --since", "Turn them"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct filter filter;
        struct error error;
        cr_expect_eq(filter_parse(&wrong[i].texts, &filter, &error), INVALID);
        cr_expect_not_null(strstr(error.what, wrong[i].what), "%s", error.what);
        cr_expect_not_null(strstr(error.remedy, wrong[i].remedy), "%s", error.remedy);
    }
}
