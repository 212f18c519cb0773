/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "encode/template.h"
#include "sample.h"

static void compile(struct template *template, const struct config *config, const char *text)
{
    struct error error;
    cr_assert_eq(template_compile(template, config, "route.topic", text, &error), OK, "%s: %s",
                 text, error.what);
}

Test(template, renders)
{
    static const struct {
        const char *template;
        const char *text;
    } cases[] = {
        {"outbox.event.{domain}", "outbox.event.Order"},
        {"{event_type}", "Order.PaymentProcessed"},
        {"{aggregate_id}", "order-1001"},
        {"{domain}.{aggregate_id}", "Order.order-1001"},
        {"{column:region}", "eu-west"},
        {"{column:empty}", ""},
        {"a{column:empty}b", "ab"},
        {"{column:status}/{column:id}", "PENDING/0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"},
        {"{column:created_at}", "2026-11-23 10:11:12.345678+00"},
        {"{column:payload}", "{\"amount\": 12.50, \"currency\": \"EUR\"}"},
        {"plain", "plain"},
        {"", ""},
        {"{{}}", "{}"},
        {"{{domain}}", "{domain}"},
        {"{{{domain}}}", "{Order}"},
        {"a{{b}}c{domain}d", "a{b}cOrderd"},
    };
    struct sample sample;
    sample_init(&sample);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct template template;
        char buffer[256];
        struct bytes text;
        compile(&template, &sample.config, cases[i].template);
        cr_assert_eq(template_render(&template, &sample.event.row, buffer, sizeof(buffer), &text),
                     RENDERED);
        assert_bytes(text, cases[i].text);
        template_release(&template);
    }
}

Test(template, a_single_placeholder_is_a_view_into_the_row)
{
    struct sample sample;
    sample_init(&sample);
    struct template template;
    struct bytes text;
    compile(&template, &sample.config, "{aggregate_id}");
    cr_assert_eq(template_render(&template, &sample.event.row, NULL, 0, &text), RENDERED);
    cr_assert_eq(text.data, sample.event.row.aggregate_id.data);
    template_release(&template);
}

Test(template, roles_go_by_their_configured_name)
{
    struct sample sample;
    sample_init(&sample);
    sample.config.outbox.columns.created_at = "happened";
    sample.config.outbox.columns.status = "region"; /* a role's name hides an extra column's */
    struct template template;
    struct bytes text;
    char buffer[64];
    compile(&template, &sample.config, "{column:happened}|{column:region}");
    cr_assert_eq(template_render(&template, &sample.event.row, buffer, sizeof(buffer), &text),
                 RENDERED);
    assert_bytes(text, "2026-11-23 10:11:12.345678+00|PENDING");
    template_release(&template);
    /* The default of route.timestamp still finds its column, but an extra column of that name comes
     * first. */
    compile(&template, &sample.config, "{column:created_at}");
    cr_assert_eq(template_render(&template, &sample.event.row, NULL, 0, &text), RENDERED);
    assert_bytes(text, "2026-11-23 10:11:12.345678+00");
    sample.extra[0] = (struct named_bytes){BYTES_LIT("created_at"), BYTES_LIT("extra")};
    cr_assert_eq(template_render(&template, &sample.event.row, NULL, 0, &text), RENDERED);
    assert_bytes(text, "extra");
    template_release(&template);
}

Test(template, null_and_absent_columns_say_which)
{
    static const struct {
        const char *template;
        const char *placeholder;
    } cases[] = {
        {"{column:note}", "{column:note}"},
        {"x{column:region}{column:nowhere}", "{column:nowhere}"},
        {"{domain}", "{domain}"},
        {"a{event_type}", "{event_type}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sample sample;
        sample_init(&sample);
        sample.event.row.event_type = BYTES_NULL;
        struct template template;
        char buffer[64];
        struct bytes text = BYTES_LIT("untouched");
        compile(&template, &sample.config, cases[i].template);
        cr_assert_eq(template_render(&template, &sample.event.row, buffer, sizeof(buffer), &text),
                     RENDERED_NULL);
        assert_bytes(text, "untouched");
        assert_bytes(template_null(&template, &sample.event.row), cases[i].placeholder);
        template_release(&template);
    }
}

Test(template, the_domain_ends_before_the_first_dot)
{
    static const struct {
        const char *event_type;
        const char *domain; /* NULL: none */
    } cases[] = {
        {"Order.Payment.Processed", "Order"},
        {"OrderPlaced", "OrderPlaced"},
        {"Order.", "Order"},
        {".Placed", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bytes domain = event_domain(bytes_of(cases[i].event_type));
        if (cases[i].domain == NULL) {
            cr_assert_null(domain.data);
        } else {
            assert_bytes(domain, cases[i].domain);
        }
    }
}

Test(template, what_does_not_fit_is_not_written)
{
    struct sample sample;
    sample_init(&sample);
    struct template template;
    struct bytes text;
    char buffer[12];
    compile(&template, &sample.config, "x-{aggregate_id}"); /* 12 bytes */
    cr_assert_eq(template_render(&template, &sample.event.row, buffer, 12, &text), RENDERED);
    cr_assert_eq(template_render(&template, &sample.event.row, buffer, 11, &text),
                 RENDERED_TOO_LONG);
    template_release(&template);
}

Test(template, names_key_placeholder_and_remedy_of_a_mistake)
{
    static const struct {
        const char *template;
        const char *what;
        const char *remedy;
    } cases[] = {
        {"{domian}", "route.topic: {domian} is no placeholder", "Did you mean {domain}?"},
        {"{eventtype}", "{eventtype}", "Did you mean {event_type}?"},
        {"{aggregateid}", "{aggregateid}", "Did you mean {aggregate_id}?"},
        {"a.{Domain}", "{Domain}", "Did you mean {domain}?"},
        {"{customer}", "{customer}", "write {column:customer}"},
        {"{region}", "{region}", "write {column:region}"},
        {"{column:}", "{column:}", "{column:NAME}"},
        {"{col:region}", "{col:region}", "{column:NAME}"},
        {"{}", "{}", "{domain}"},
        {"{domain", "route.topic: \"{domain\" has a { without its partner", "write {{"},
        {"domain}", "has a } without its partner", "write }}"},
        {"{a{b}", "has a { without its partner", "{{"},
        {"{", "has a {", "{{"},
    };
    struct sample sample;
    sample_init(&sample);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct template template;
        struct error error = {0};
        cr_assert_eq(
            template_compile(&template, &sample.config, "route.topic", cases[i].template, &error),
            INVALID, "%s", cases[i].template);
        cr_assert_not_null(strstr(error.what, "route.topic"), "%s", error.what);
        cr_assert_not_null(strstr(error.what, cases[i].what), "%s", error.what);
        cr_assert_not_null(strstr(error.remedy, cases[i].remedy), "%s: %s", error.what,
                           error.remedy);
        cr_assert_null(template.parts);
    }
}

Test(template, matches_what_it_could_have_given)
{
    static const struct {
        const char *template, *text;
        bool matches;
    } cases[] = {
        {"orders", "orders", true},
        {"orders", "orders2", false},
        {"orders", "order", false},
        {"outbox.event.{domain}", "outbox.event.Order", true},
        {"outbox.event.{domain}", "outbox.event.", false},
        {"outbox.event.{domain}", "outbox.event.Order.Item", false}, /* a domain has no dot */
        {"outbox.event.{event_type}", "outbox.event.Order.Item", true},
        {"outbox.event.{domain}", "outbox.Order", false},
        {"{domain}.{column:region}.x", "a.b.c.x", true},
        {"{domain}.{column:region}.x", "a.b.c.y", false},
        {"{{{domain}}}", "{a}", true},
        {"{column:region}ab", "aabab", true}, /* not the first place that fits, but the last */
        {"{column:region}.{domain}", "eu.west.Order", true},
        {"{column:region}{domain}.x", "e.u.x", true},
        {"{domain}{domain}{domain}", "ab", false},
        {"{domain}x{column:region}x{domain}", "axx.bxc", true},
        {"{domain}x{column:region}x{domain}", "a.x.bxc", false},
        {"{domain}x{column:region}x{domain}", "axbxc.d", false},
    };
    struct sample sample;
    sample_init(&sample);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct template template;
        compile(&template, &sample.config, cases[i].template);
        cr_expect_eq(template_matches(&template, bytes_of(cases[i].text)), cases[i].matches,
                     "%s and %s", cases[i].template, cases[i].text);
        template_release(&template);
    }
}

/* Of every way to share the text among the placeholders none fits: the last letter is another. */
Test(template, matching_takes_no_time_however_many_placeholders, .timeout = 20)
{
    char written[512] = "";
    char text[250];
    struct sample sample;
    sample_init(&sample);
    for (size_t i = 0; i < 24; i++) {
        strcat(written, "{column:region}a");
    }
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    struct template template;
    compile(&template, &sample.config, written);
    cr_expect(template_matches(&template, bytes_of(text)));
    text[sizeof(text) - 2] = 'b';
    cr_expect_not(template_matches(&template, bytes_of(text)));
    template_release(&template);
}
