/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

/* Logs into a pipe, and what came out of it. */
struct out {
    struct log log;
    int fds[2];
    char text[16384];
    size_t len;
};

static void out_open(struct out *out, enum log_format format)
{
    cr_assert_eq(pipe(out->fds), 0);
    log_init(&out->log, out->fds[1], format, LOG_INFO);
}

static const char *out_read(struct out *out)
{
    close(out->fds[1]);
    out->len = 0;
    ssize_t n;
    while ((n = read(out->fds[0], out->text + out->len, sizeof(out->text) - 1 - out->len)) > 0) {
        out->len += (size_t)n;
    }
    close(out->fds[0]);
    out->text[out->len] = '\0';
    return out->text;
}

/* --- as much of RFC 8259 as an object of strings, numbers and null needs --- */

static const char *json_string(const char *at)
{
    if (*at++ != '"') {
        return NULL;
    }
    for (; *at != '"'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20) {
            return NULL;
        }
        if (c == '\\') {
            at++;
            if (*at == 'u') {
                if (strspn(at + 1, "0123456789abcdefABCDEF") < 4) {
                    return NULL;
                }
                at += 4;
            } else if (*at == '\0' || strchr("\"\\/bfnrt", *at) == NULL) {
                return NULL;
            }
        }
    }
    return at + 1;
}

static const char *json_value(const char *at)
{
    if (*at == '"') {
        return json_string(at);
    }
    if (strncmp(at, "null", 4) == 0) {
        return at + 4;
    }
    char *end;
    strtod(at, &end);
    return end > at && strspn(at, "-0123456789.") == (size_t)(end - at) ? end : NULL;
}

/* One line that is one object; how many members it has. */
static int json_members(const char *line)
{
    int members = 0;
    const char *at = line;
    if (*at != '{') {
        return -1;
    }
    do {
        at = json_string(at + 1);
        if (at == NULL || *at != ':') {
            return -1;
        }
        at = json_value(at + 1);
        if (at == NULL) {
            return -1;
        }
        members++;
    } while (*at == ',');
    return strcmp(at, "}\n") == 0 ? members : -1;
}

/* Is every multi-byte character whole? */
static bool is_utf8(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t len = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : *at >= 0xc2 ? 2 : 0;
        for (size_t i = 1; i < len; i++) {
            if ((at[i] & 0xc0) != 0x80) {
                return false;
            }
        }
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

Test(log, json_has_time_level_message_and_typed_fields)
{
    struct out out;
    out_open(&out, LOG_JSON);
    out.log.stream = "orders";
    log_write(&out.log, LOG_WARN, "slot acquired", F_TEXT("slot", "a"), F_U64("n", UINT64_MAX),
              F_LSN("position", UINT64_C(0x16B374D848)), F_SECONDS("took", 1.5),
              F_TEXT("nothing", NULL));
    const char *line = out_read(&out);
    cr_expect_eq(json_members(line), 9, "%s", line);
    cr_expect_not_null(strstr(line, "\"level\":\"warn\",\"message\":\"slot acquired\""), "%s",
                       line);
    cr_expect_not_null(strstr(line, "\"stream\":\"orders\",\"slot\":\"a\""), "%s", line);
    cr_expect_not_null(strstr(line, "\"n\":18446744073709551615,"), "%s", line);
    cr_expect_not_null(strstr(line, "\"position\":\"16/B374D848\","), "%s", line);
    cr_expect_not_null(strstr(line, "\"took\":1.500,\"nothing\":\"\"}"), "%s", line);
}

Test(log, a_message_without_fields)
{
    struct out out;
    out_open(&out, LOG_JSON);
    log_write(&out.log, LOG_INFO, "hello");
    cr_expect_eq(json_members(out_read(&out)), 3, "%s", out.text);
}

Test(log, json_escapes_quotes_and_control_characters)
{
    struct out out;
    out_open(&out, LOG_JSON);
    char all[256];
    for (int c = 1; c < 128; c++) {
        all[c - 1] = (char)c;
    }
    all[127] = '\0';
    log_write(&out.log, LOG_INFO, all, F_TEXT("all", all));
    const char *line = out_read(&out);
    cr_expect_eq(json_members(line), 4, "%s", line);
    cr_expect_not_null(strstr(line, "\\u0001"));
    cr_expect_not_null(strstr(line, "\\u000a"));
    cr_expect_not_null(strstr(line, "!\\\"#"));
    cr_expect_not_null(strstr(line, "[\\\\]"));
}

Test(log, json_is_utf8_whatever_the_text_is)
{
    static const char *const texts[] = {"gr\xc3\xbc\xc3\x9f",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x90\x98", /* good */
                                        "\xfc",
                                        "\xc3",
                                        "\xe2\x82",
                                        "\xf0\x9f\x90",
                                        "\xc0\xaf",
                                        "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80",
                                        "\xff\xfe",
                                        "\x80"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct out out;
        out_open(&out, LOG_JSON);
        log_write(&out.log, LOG_INFO, "x", F_TEXT("text", texts[i]));
        const char *line = out_read(&out);
        cr_expect_eq(json_members(line), 4, "%zu: %s", i, line);
        cr_expect(is_utf8(line), "%zu", i);
        cr_expect_eq(strstr(line, "\\ufffd") != NULL, i >= 3, "%zu: %s", i, line);
        cr_expect_eq(strstr(line, texts[i]) != NULL, i < 3, "%zu: %s", i, line);
    }
}

Test(log, a_number_that_is_none_is_null)
{
    struct out out;
    out_open(&out, LOG_JSON);
    log_write(&out.log, LOG_INFO, "x", F_SECONDS("a", NAN), F_SECONDS("b", INFINITY));
    const char *line = out_read(&out);
    cr_expect_eq(json_members(line), 5, "%s", line);
    cr_expect_not_null(strstr(line, "\"a\":null,\"b\":null}"), "%s", line);
}

/* Wherever the end of the line falls, what was opened is closed: each length is tried. */
Test(log, too_long_a_line_is_cut_and_still_json)
{
    static char text[6000];
    for (size_t len = 3800; len < 4200; len++) {
        for (int kind = 0; kind < 3; kind++) {
            const char *unit = kind == 0 ? "a" : kind == 1 ? "\"" : "\xe2\x82\xac";
            size_t width = kind == 0 ? 1 : kind == 1 ? 2 : 3; /* in the line */
            text[0] = '\0';
            char *at = text;
            for (size_t i = 0; i < len / width; i++) {
                at = stpcpy(at, unit);
            }
            struct out out;
            out_open(&out, LOG_JSON);
            log_write(&out.log, LOG_INFO, text, F_TEXT("b", "bbbbbbbb"), F_U64("c", 123456),
                      F_LSN("d", 5), F_TEXT("e", "eee"));
            const char *line = out_read(&out);
            cr_assert_leq(out.len, 4096);
            cr_assert_geq(json_members(line), 3, "length %zu, kind %d: ...%s", len, kind,
                          line + (out.len > 80 ? out.len - 80 : 0));
            cr_assert(is_utf8(line), "length %zu", len);
        }
    }
}

Test(log, an_error_with_everything_full_is_one_line_of_json)
{
    struct error error;
    char quotes[2000];
    memset(quotes, '\x01', sizeof(quotes) - 1); /* six characters each in JSON */
    quotes[sizeof(quotes) - 1] = '\0';
    error_set(&error, REFUSE, "%s", quotes);
    error_code(&error, quotes);
    error_remedy(&error, "%s", quotes);
    struct out out;
    out_open(&out, LOG_JSON);
    log_error(&out.log, LOG_ERROR, &error);
    const char *line = out_read(&out);
    cr_expect_geq(json_members(line), 3, "%s", line);
    cr_expect_eq(strchr(line, '\n'), line + out.len - 1);
}

Test(log, an_error_names_its_consequence_code_and_remedy)
{
    struct error error;
    error_set(&error, WAIT, "the slot is in use");
    error_code(&error, "55006");
    error_remedy(&error, "Wait.");
    struct out out;
    out_open(&out, LOG_JSON);
    log_error(&out.log, LOG_ERROR, &error);
    const char *line = out_read(&out);
    cr_expect_not_null(strstr(line, "\"message\":\"the slot is in use\",\"consequence\":\"wait\","
                                    "\"code\":\"55006\",\"remedy\":\"Wait.\"}"),
                       "%s", line);
}

Test(log, text_stays_one_line_and_drives_no_terminal)
{
    struct out out;
    out_open(&out, LOG_TEXT);
    log_write(&out.log, LOG_INFO, "a\nb", F_TEXT("c", "\033[2Jd\r\xc3\xbc"), F_U64("n", 1));
    const char *line = out_read(&out);
    cr_expect_eq(strchr(line, '\n'), line + out.len - 1, "%s", line);
    cr_expect_null(strchr(line, '\033'));
    cr_expect_null(strchr(line, '\r'));
    cr_expect_not_null(strstr(line, "info  a\\nb  c=\\x1b[2Jd\\x0d\xc3\xbc  n=1\n"), "%s", line);
}

Test(log, what_is_below_the_level_is_not_written)
{
    struct out out;
    out_open(&out, LOG_JSON);
    out.log.level = LOG_WARN;
    log_write(&out.log, LOG_DEBUG, "a");
    log_write(&out.log, LOG_INFO, "b");
    cr_expect_str_eq(out_read(&out), "");
}

Test(log, a_pipe_gets_json_without_colours)
{
    struct out out;
    out_open(&out, LOG_AUTO);
    cr_expect_eq(out.log.format, LOG_JSON);
    cr_expect_not(out.log.colour);
    out_read(&out);
}
