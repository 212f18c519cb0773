/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "encode/trace.h"
#include "sample.h"

#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN_ID  "00f067aa0ba902b7"

static struct trace trace_for(const char *id, const char *traceparent, const char *tracestate,
                              char made[static TRACEPARENT_LEN])
{
    struct row row = {.id = bytes_of(id),
                      .traceparent = bytes_of(traceparent),
                      .tracestate = bytes_of(tracestate)};
    struct trace trace;
    trace_of(&row, made, &trace);
    return trace;
}

Test(trace, a_valid_one_passes_untouched)
{
    static const char *const valid[] = {
        "00-" TRACE_ID "-" SPAN_ID "-01",
        "00-" TRACE_ID "-" SPAN_ID "-00",
        "00-" TRACE_ID "-" SPAN_ID "-ff",
        "01-" TRACE_ID "-" SPAN_ID "-01",
        "cc-" TRACE_ID "-" SPAN_ID "-01-what-the-future-will-be-like",
        "fe-" TRACE_ID "-" SPAN_ID "-01-",
    };
    for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
        char made[TRACEPARENT_LEN];
        struct trace trace = trace_for("x", valid[i], "a=1,b=2", made);
        cr_assert_eq(trace.traceparent.data, valid[i], "%s", valid[i]);
        assert_bytes(trace.traceparent, valid[i]);
        assert_bytes(trace.tracestate, "a=1,b=2");
        assert_bytes(trace.trace_id, TRACE_ID);
        assert_bytes(trace.span_id, SPAN_ID);
    }
}

Test(trace, a_broken_one_is_replaced_and_its_tracestate_dropped)
{
    static const char *const broken[] = {
        NULL,
        "",
        "00-" TRACE_ID "-" SPAN_ID,
        "00-" TRACE_ID "-" SPAN_ID "-1",
        "00-" TRACE_ID "-" SPAN_ID "-01-more",
        "00-" TRACE_ID "-" SPAN_ID "-01 ",
        "00-" TRACE_ID "-" SPAN_ID "-0g",
        "ff-" TRACE_ID "-" SPAN_ID "-01",
        "0-" TRACE_ID "-" SPAN_ID "-001",
        "cc-" TRACE_ID "-" SPAN_ID "-01.more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN_ID "-01",
        "00-" TRACE_ID "-00F067AA0BA902B7-01",
        "00-00000000000000000000000000000000-" SPAN_ID "-01",
        "00-" TRACE_ID "-0000000000000000-01",
        "00_" TRACE_ID "-" SPAN_ID "-01",
        "00-" TRACE_ID "_" SPAN_ID "-01",
        "00-" TRACE_ID "-" SPAN_ID "_01",
        "00-" TRACE_ID "-" SPAN_ID "+01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        char made[TRACEPARENT_LEN];
        struct trace trace =
            trace_for("0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50", broken[i], "a=1", made);
        assert_bytes(trace.traceparent, "00-0190a5c47b1e7c3a9f426d1e8b2a4c50-9f426d1e8b2a4c50-01");
        cr_assert_null(trace.tracestate.data, "%s", broken[i]);
        assert_bytes(trace.trace_id, "0190a5c47b1e7c3a9f426d1e8b2a4c50");
        assert_bytes(trace.span_id, "9f426d1e8b2a4c50");
    }
}

Test(trace, an_empty_tracestate_is_none)
{
    char made[TRACEPARENT_LEN];
    struct trace trace = trace_for("x", "00-" TRACE_ID "-" SPAN_ID "-01", "", made);
    cr_assert_null(trace.tracestate.data);
}

Test(trace, what_is_made_is_valid_for_any_id_and_the_same_again)
{
    static const char *const ids[] = {
        "0190A5C4-7B1E-7C3A-9F42-6D1E8B2A4C50",
        "{0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50}",
        "00000000-0000-0000-0000-000000000000", /* no trace id */
        "0190a5c4-7b1e-7c3a-0000-000000000000", /* its second half is no span id */
        "42",
        "order-77/3",
        "0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c500", /* a digit too many */
    };
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        char made[TRACEPARENT_LEN];
        char again[TRACEPARENT_LEN];
        struct trace trace = trace_for(ids[i], NULL, NULL, made);
        (void)trace_for(ids[i], NULL, NULL, again);
        cr_assert_eq(memcmp(made, again, sizeof(made)), 0);
        /* Only a valid one is passed on as it is. */
        char text[TRACEPARENT_LEN + 1] = {0};
        char unused[TRACEPARENT_LEN];
        memcpy(text, trace.traceparent.data, TRACEPARENT_LEN);
        struct trace passed = trace_for("other", text, NULL, unused);
        cr_assert_eq(passed.traceparent.data, text, "%s gives %s", ids[i], text);
    }
}

Test(trace, the_made_ids_of_different_ids_differ)
{
    char a[TRACEPARENT_LEN];
    char b[TRACEPARENT_LEN];
    (void)trace_for("41", NULL, NULL, a);
    (void)trace_for("42", NULL, NULL, b);
    cr_assert_neq(memcmp(a, b, TRACEPARENT_LEN), 0);
    (void)trace_for("0190A5C4-7B1E-7C3A-9F42-6D1E8B2A4C50", NULL, NULL, a);
    cr_assert_eq(
        memcmp(a, "00-0190a5c47b1e7c3a9f426d1e8b2a4c50-9f426d1e8b2a4c50-01", TRACEPARENT_LEN), 0);
}

Test(trace, without_an_id_there_is_none)
{
    char made[TRACEPARENT_LEN];
    struct trace trace = trace_for(NULL, "nonsense", "a=1", made);
    cr_assert_null(trace.traceparent.data);
    cr_assert_null(trace.tracestate.data);
    cr_assert_null(trace.trace_id.data);
    cr_assert_null(trace.span_id.data);
}
