/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "contract/base64.h"
#include "contract/time_text.h"

/* --- Base64 ---------------------------------------------------------------------------------- */

Test(base64, both_alphabets_with_padding_or_without)
{
    static const struct {
        const char *text;
        struct bytes bytes;
    } cases[] = {
        {"", {"", 0}},
        {"AQ==", {"\x01", 1}},
        {"AQ", {"\x01", 1}},
        {"AQI=", {"\x01\x02", 2}},
        {"AQI", {"\x01\x02", 2}},
        {"AQID", {"\x01\x02\x03", 3}},
        {"+/+/", {"\xFB\xFF\xBF", 3}},
        {"-_-_", {"\xFB\xFF\xBF", 3}},
        {"Zm9vYmFy", {"foobar", 6}},
        {"AAAA", {"\0\0\0", 3}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char bytes[16];
        size_t len;
        cr_assert(base64_decode(bytes_of(cases[i].text), bytes, &len), "%s", cases[i].text);
        cr_assert(len == cases[i].bytes.len && memcmp(bytes, cases[i].bytes.data, len) == 0, "%s",
                  cases[i].text);
    }
}

Test(base64, what_is_not)
{
    static const char *const cases[] = {
        "A",   "AQI*",  "AQID=", "AQ=",  "AQ===",      "A===",  "=",
        "AQ ", "AQ\n=", "AQ=I",  "=AQI", "A\xC3\xA4Q", "AQIDA",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char bytes[16];
        size_t len;
        cr_assert(!base64_decode(bytes_of(cases[i]), bytes, &len), "%s", cases[i]);
    }
}

Test(base64, every_byte_there_and_back)
{
    char bytes[256];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7 + 3);
    }
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        char text[400];
        char back[400];
        size_t size;
        base64_encode((struct bytes){bytes, len}, text);
        cr_assert(base64_decode((struct bytes){text, base64_encoded_size(len)}, back, &size));
        cr_assert(size == len && memcmp(back, bytes, len) == 0, "%zu", len);
        cr_assert(size <= base64_decoded_max(base64_encoded_size(len)));
    }
}

/* --- times ----------------------------------------------------------------------------------- */

Test(times, timestamps)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t nanos;
        const char *written;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z"},
        {"0001-01-01T00:00:00Z", -62135596800, 0, "0001-01-01T00:00:00Z"},
        {"9999-12-31T23:59:59.999999999Z", 253402300799, 999999999,
         "9999-12-31T23:59:59.999999999Z"},
        {"2024-02-29T12:00:00+01:30", 1709202600, 0, "2024-02-29T10:30:00Z"},
        {"2024-02-29T12:00:00-01:30", 1709213400, 0, "2024-02-29T13:30:00Z"},
        {"1969-12-31T23:59:59.5Z", -1, 500000000, "1969-12-31T23:59:59.500Z"},
        {"2000-03-01T00:00:00.000001Z", 951868800, 1000, "2000-03-01T00:00:00.000001Z"},
        {"2000-03-01T00:00:00.010Z", 951868800, 10000000, "2000-03-01T00:00:00.010Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct time_value time;
        char text[TIME_TEXT_SIZE];
        cr_assert(rfc3339_parse(bytes_of(cases[i].text), &time), "%s", cases[i].text);
        cr_assert(time.seconds == cases[i].seconds && time.nanos == cases[i].nanos, "%s: %lld",
                  cases[i].text, (long long)time.seconds);
        text[rfc3339_format(&time, text)] = '\0';
        cr_assert_str_eq(text, cases[i].written);
    }
}

Test(times, every_day_there_and_back)
{
    for (int64_t seconds = -62135596800; seconds <= 253402300799; seconds += 86400 * 13 + 4711) {
        struct time_value time = {seconds, 0};
        struct time_value back;
        char text[TIME_TEXT_SIZE];
        size_t len = rfc3339_format(&time, text);
        cr_assert(rfc3339_parse((struct bytes){text, len}, &back) && back.seconds == seconds,
                  "%.*s", (int)len, text);
    }
}

Test(times, texts_that_are_no_timestamp)
{
    static const char *const cases[] = {
        "",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01t00:00:00Z",
        "2024-01-01T00:00:00z",
        "2024-01-01 00:00:00Z",
        "2024-1-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.0123456789Z",
        "2024-01-01T00:00:00+0100",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+01:60",
        "2024-01-01T00:00:00Z ",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "10000-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct time_value time;
        cr_assert(!rfc3339_parse(bytes_of(cases[i]), &time), "%s", cases[i]);
    }
}

Test(times, durations)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t nanos;
        const char *written;
    } cases[] = {
        {"0s", 0, 0, "0s"},
        {"1.5s", 1, 500000000, "1.500s"},
        {"-1.5s", -1, -500000000, "-1.500s"},
        {"-0.000001s", 0, -1000, "-0.000001s"},
        {"315576000000s", 315576000000, 0, "315576000000s"},
        {"-315576000000.999999999s", -315576000000, -999999999, "-315576000000.999999999s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct time_value time;
        char text[TIME_TEXT_SIZE];
        cr_assert(duration_parse(bytes_of(cases[i].text), &time), "%s", cases[i].text);
        cr_assert(time.seconds == cases[i].seconds && time.nanos == cases[i].nanos, "%s",
                  cases[i].text);
        text[duration_format(&time, text)] = '\0';
        cr_assert_str_eq(text, cases[i].written);
    }
    static const char *const bad[] = {
        "",    "1",  "s",   ".5s", "1.s",           "--1s",          "+1s",
        "1 s", "1S", "1s ", "1m",  "315576000001s", "1.0123456789s", "99999999999999999999s"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct time_value time;
        cr_assert(!duration_parse(bytes_of(bad[i]), &time), "%s", bad[i]);
    }
}
