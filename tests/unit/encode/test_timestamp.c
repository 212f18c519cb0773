/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/macros.h"
#include "encode/timestamp.h"

Test(timestamp, reads_what_postgresql_prints)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"2026-11-23 10:11:12.345678+00", INT64_C(1795428672345678)},
        {"2026-11-23 10:11:12.5+00", INT64_C(1795428672500000)},
        {"2026-11-23 10:11:12+00", INT64_C(1795428672000000)},
        {"2026-11-23 10:11:12", INT64_C(1795428672000000)},
        {"2026-11-23", INT64_C(1795392000000000)},
        {"2026-11-23 15:41:12+05:30", INT64_C(1795428672000000)},
        {"2026-11-23 10:01:32-00:09:40", INT64_C(1795428672000000)},
        {"2026-11-23T10:11:12Z", INT64_C(1795428672000000)},
        {"2026-11-23T10:11:12.123456789Z", INT64_C(1795428672123456)},
        {"1970-01-01 00:00:00+00", 0},
        {"1969-12-31 23:59:59.999999+00", -1},
        {"2000-02-29 00:00:00+00", INT64_C(951782400000000)},
        {"0001-01-01 00:00:00+00", INT64_C(-62135596800000000)},
        {"9999-12-31 23:59:59.999999+00", INT64_C(253402300799999999)},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = 42;
        cr_assert(timestamp_parse(bytes_of(cases[i].text), &us), "%s", cases[i].text);
        cr_assert_eq(us, cases[i].us, "%s: %ld", cases[i].text, (long)us);
    }
}

Test(timestamp, refuses_everything_else_and_leaves_the_result_alone)
{
    static const char *const texts[] = {
        NULL,
        "",
        "infinity",
        "-infinity",
        "2026-11-23 10:11:12+00 BC",
        "0044-03-15 BC",
        "0000-01-01",
        "12026-01-01 00:00:00+00",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "2100-02-29",
        "2026-04-31",
        "2026-11-00",
        "2026-11-23 24:00:00",
        "2026-11-23 10:60:00",
        "2026-11-23 10:11:60",
        "2026-11-23 10:11",
        "2026-11-23 10:11:12.",
        "2026-11-23 10:11:12.x",
        "2026-11-23 10:11:12.1234567890",
        "2026-11-23 10:11:12+",
        "2026-11-23 10:11:12+0",
        "2026-11-23 10:11:12+00:",
        "2026-11-23 10:11:12+19",
        "2026-11-23 10:11:12 ",
        "2026-11-23 ",
        " 2026-11-23",
        "2026/11/23",
        "1795428672",
        "Mon Nov 23 10:11:12 2026 UTC",
        "2026-11-2",
        "+026-11-23",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t us = 42;
        cr_assert_not(timestamp_parse(bytes_of(texts[i]), &us), "%s", texts[i]);
        cr_assert_eq(us, 42);
    }
}

Test(timestamp, never_reads_beyond_the_view)
{
    const char text[] = "2026-11-23 10:11:12.345678+00";
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        char *copy = malloc(len + 1);
        memcpy(copy + 1, text, len);
        int64_t us;
        (void)timestamp_parse((struct bytes){copy + 1, len}, &us);
        free(copy);
    }
}

Test(timestamp, writes_rfc_3339)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {INT64_C(1795428672345678), "2026-11-23T10:11:12.345678Z"},
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(-62135596800000000), "0001-01-01T00:00:00.000000Z"},
        {INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
        {INT64_C(-62135596800000001), ""},
        {INT64_C(253402300800000000), ""},
        {INT64_MIN, ""},
        {INT64_MAX, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[TIMESTAMP_TEXT_SIZE];
        cr_assert_eq(timestamp_format(cases[i].us, text), strlen(cases[i].text), "%s", text);
        cr_assert_str_eq(text, cases[i].text);
    }
}

Test(timestamp, agrees_with_the_c_library_on_every_day_of_ten_thousand_years)
{
    for (int64_t day = -719162; day <= 2932896; day++) {
        time_t second = (time_t)(day * 86400 + 86399);
        struct tm tm;
        gmtime_r(&second, &tm);
        char expected[64];
        snprintf(expected, sizeof(expected), "%04d-%02d-%02dT23:59:59.000007Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday);
        char text[TIMESTAMP_TEXT_SIZE];
        size_t len = timestamp_format(second * INT64_C(1000000) + 7, text);
        int64_t us;
        if (len != 27 || memcmp(text, expected, len) != 0 ||
            !timestamp_parse((struct bytes){text, len}, &us) ||
            us != second * INT64_C(1000000) + 7) {
            cr_assert(false, "%s, should be %s", text, expected);
        }
    }
}
