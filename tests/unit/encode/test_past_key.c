/* SPDX-License-Identifier: Apache-2.0
 *
 * The key that an event had under an earlier configuration is the one that the encoder of that
 * configuration made. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "encode/past_key.h"
#include "sample.h"

static struct bytes key_by(const struct sample *now, const char *key_template, const char *columns,
                           char buffer[static 256])
{
    struct past_key *past;
    struct error error;
    cr_assert_eq(past_key_new(&now->config, key_template, columns, &past, &error), OK, "%s",
                 error.what);
    struct bytes key = past_key_of(past, &now->event.row, buffer, 256);
    if (key.data != NULL &&
        key.data != buffer) { /* a view into the row, or into past's copy of it */
        memmove(buffer, key.data, key.len);
        key.data = buffer;
    }
    past_key_free(past);
    return key;
}

static void expect_key(const struct sample *now, const char *key_template, const char *columns,
                       const char *wanted)
{
    char buffer[256];
    struct bytes key = key_by(now, key_template, columns, buffer);
    bool same = wanted == NULL ? key.data == NULL : bytes_equal(key, bytes_of(wanted));
    cr_expect(same, "%s: %.*s", key_template, (int)key.len, key.data == NULL ? "" : key.data);
}

static char *columns_of(struct sample *then)
{
    return key_columns(&then->config);
}

Test(past_key, another_template_over_the_same_columns)
{
    struct sample sample;
    sample_init(&sample);
    char *columns = columns_of(&sample);
    expect_key(&sample, "{aggregate_id}", columns, "order-1001");
    expect_key(&sample, "{domain}-{column:tenant}", columns, "Order-17");
    expect_key(&sample, "{column:id}", columns, "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50");
    expect_key(&sample, "all", columns, "all");
    expect_key(&sample, "{column:note}", columns, NULL);
    expect_key(&sample, "{column:nowhere}", columns, NULL);
    free(columns);
}

/* A record of a version that did not write the columns down. */
Test(past_key, unknown_columns_are_those_of_today)
{
    struct sample sample;
    sample_init(&sample);
    expect_key(&sample, "{aggregate_id}/{column:region}", NULL, "order-1001/eu-west");
}

Test(past_key, I3_a_placeholder_means_the_column_that_it_meant_then)
{
    struct sample then;
    struct sample now;
    sample_init(&then);
    sample_init(&now);
    /* Then: the aggregate was the tenant, and what is the aggregate's column today had no role. */
    then.config.outbox.columns.aggregate_id = "tenant";
    then.config.outbox.columns.status = "region";
    char *columns = columns_of(&then);
    expect_key(&now, "{aggregate_id}", columns, "17");
    expect_key(&now, "{column:tenant}", columns, "17");
    expect_key(&now, "{column:region}", columns, "eu-west");
    expect_key(&now, "{column:aggregate_id}-{aggregate_id}", columns, "order-1001-17");
    expect_key(&now, "{domain}", columns, "Order");
    /* The members of a logical message are named by their role, whatever the columns are. */
    now.event.row.message = true;
    expect_key(&now, "{aggregate_id}", columns, "order-1001");
    free(columns);
}

Test(past_key, a_domain_comes_from_the_type_of_that_time)
{
    struct sample then;
    struct sample now;
    sample_init(&then);
    sample_init(&now);
    now.extra[0].value = BYTES_LIT("Payment.Done");
    then.config.outbox.columns.event_type = "region";
    char *columns = columns_of(&then);
    expect_key(&now, "{domain}", columns, "Payment");
    expect_key(&now, "{event_type}", columns, "Payment.Done");
    free(columns);
}

/* Whatever the two configurations are: the past key is what the encoder made then. */
Test(past_key, I3_agrees_with_the_encoder_of_that_time)
{
    static const char *const templates[] = {
        "{aggregate_id}",           "{column:tenant}",           "{column:aggregate_id}",
        "{domain}/{column:region}", "{event_type}{column:note}", "{column:status}"};
    static char *const columns[] = {"aggregate_id", "tenant", "region", "event_type"};
    enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };
    for (int pick = 0; pick < COLUMNS * COLUMNS; pick++) {
        for (size_t t = 0; t < sizeof(templates) / sizeof(templates[0]); t++) {
            /* One physical row: order-1001, Order.PaymentProcessed, tenant 17, region eu-west. */
            struct sample then;
            struct sample now;
            sample_init(&then);
            sample_init(&now);
            char *aggregate = columns[pick % COLUMNS];
            char *type = columns[pick / COLUMNS];
            if (aggregate == type) {
                continue;
            }
            struct bytes physical[COLUMNS] = {now.event.row.aggregate_id, now.extra[3].value,
                                              now.extra[0].value, now.event.row.event_type};
            struct named_bytes extra[COLUMNS + 1] = {{BYTES_LIT("note"), BYTES_LIT("n")}};
            size_t n_extra = 1;
            for (int i = 0; i < COLUMNS; i++) { /* the row as the mapper of that time gave it */
                if (columns[i] == aggregate) {
                    then.event.row.aggregate_id = physical[i];
                } else if (columns[i] == type) {
                    then.event.row.event_type = physical[i];
                } else {
                    extra[n_extra].name = bytes_of(columns[i]);
                    extra[n_extra++].value = physical[i];
                }
            }
            then.event.row.extra = extra;
            then.event.row.n_extra = n_extra;
            then.config.outbox.columns.aggregate_id = aggregate;
            then.config.outbox.columns.event_type = type;
            then.config.route.key = (char *)templates[t];
            now.extra[1].value = BYTES_LIT("n");

            struct error error;
            struct bytes made = BYTES_NULL;
            char buffer[256];
            cr_assert_eq(encoder_new(&then.config, &then.encoder, &error), OK);
            if (encode_key(then.encoder, &then.event.row, buffer, sizeof(buffer), &made, &error) !=
                OK) {
                made = BYTES_NULL;
            }
            char *recorded = columns_of(&then);
            char other[256];
            struct bytes key = key_by(&now, templates[t], recorded, other);
            bool same = made.data == NULL ? key.data == NULL : bytes_equal(key, made);
            cr_expect(same, "%s with %s and %s: %.*s, then %.*s", templates[t], aggregate, type,
                      (int)key.len, key.data, (int)made.len, made.data);
            free(recorded);
            encoder_free(then.encoder);
        }
    }
}

Test(past_key, what_this_version_does_not_understand_is_said)
{
    struct sample sample;
    sample_init(&sample);
    static const struct {
        const char *key_template, *columns;
    } cases[] = {{"{from_the_future}", NULL},
                 {"{aggregate_id}", "aggregate_id=x\n"},
                 {"{aggregate_id}", "no lines"},
                 {"{aggregate_id}", "future=x\n"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct past_key *past;
        struct error error;
        cr_expect_eq(
            past_key_new(&sample.config, cases[i].key_template, cases[i].columns, &past, &error),
            INVALID, "case %zu", i);
    }
}
