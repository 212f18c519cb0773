/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const level_colours[] = {"\033[2m", "\033[32m", "\033[33m", "\033[31m"};

enum {
    LINE_SIZE = 4096,
    TAIL_SIZE = 4, /* kept free for what closes a line: a quote, a brace, the newline */
};

/* A line under construction. Too long a line is cut, and what was opened is still closed. */
struct line {
    char text[LINE_SIZE];
    size_t len;
    bool full; /* something did not fit: nothing more is added */
};

static void put_bytes(struct line *line, const char *bytes, size_t len)
{
    if (line->full || line->len + len > sizeof(line->text) - TAIL_SIZE) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

/* Short pieces only: all of it, or nothing. */
static void PRINTF_LIKE(2, 3) put(struct line *line, const char *format, ...)
{
    char piece[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof(piece)) {
        put_bytes(line, piece, (size_t)n);
    } else {
        line->full = true;
    }
}

/* Closes what is open, for which there is always room. */
static void put_tail(struct line *line, char c)
{
    check(line->len < sizeof(line->text));
    line->text[line->len++] = c;
}

/* How many bytes the character takes; 0: not UTF-8 (RFC 3629, the table of section 4). */
static size_t utf8_len(const unsigned char *at)
{
    if (at[0] < 0x80) {
        return 1;
    }
    size_t len = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool wrong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
                 (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f);
    return wrong ? 0 : len;
}

/* Without the quotes around it. Other programs' messages come in any encoding, and a message that
 * was cut may end in half a character: JSON must be UTF-8 all the same. */
static void put_json(struct line *line, const char *text)
{
    for (size_t len; *text != '\0'; text += len) {
        unsigned char c = (unsigned char)*text;
        len = utf8_len((const unsigned char *)text);
        if (len == 0) {
            put_bytes(line, "\\ufffd", 6);
            len = 1;
        } else if (c == '"' || c == '\\') {
            put(line, "\\%c", c);
        } else if (c < 0x20) {
            put(line, "\\u%04x", c);
        } else {
            put_bytes(line, text, len);
        }
    }
}

/* One line stays one line, and nobody's text drives the terminal. */
static void put_text(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\n') {
            put_bytes(line, "\\n", 2);
        } else if (c < 0x20 || c == 0x7f) {
            put(line, "\\x%02x", c);
        } else {
            put_bytes(line, text, 1);
        }
    }
}

/* ,"name":"text" with as much of the text as there is room for; nothing where that is none. */
static void put_json_text(struct line *line, const char *before, const char *text)
{
    put(line, "%s\"", before);
    if (!line->full) {
        put_json(line, text);
        put_tail(line, '"');
    }
}

static void put_number(struct line *line, const char *before, const struct log_field *field,
                       bool json)
{
    const char *quote = json ? "\"" : "";
    switch (field->kind) {
    case FIELD_TEXT: break;
    case FIELD_U64: put(line, "%s%llu", before, (unsigned long long)field->u64); break;
    case FIELD_LSN:
        put(line, "%s%s" LSN_FORMAT "%s", before, quote, LSN_ARGS(field->u64), quote);
        break;
    case FIELD_SECONDS:
        if (__builtin_isfinite(field->seconds)) {
            put(line, "%s%.3f", before, field->seconds);
        } else {
            put(line, "%snull", before);
        }
        break;
    }
}

static void put_field(struct line *line, const struct log_field *field, bool json)
{
    char before[64];
    snprintf(before, sizeof(before), json ? ",\"%s\":" : "  %s=", field->name);
    const char *text = field->kind == FIELD_TEXT && field->text != NULL ? field->text : "";
    if (field->kind != FIELD_TEXT) {
        put_number(line, before, field, json);
    } else if (json) {
        put_json_text(line, before, text);
    } else {
        put(line, "%s", before);
        put_text(line, text);
    }
}

void log_init(struct log *log, int fd, enum log_format format, enum log_level level)
{
    bool terminal = isatty(fd) == 1;
    *log = (struct log){.fd = fd, .level = level, .colour = terminal};
    log->format = format != LOG_AUTO ? format : terminal ? LOG_TEXT : LOG_JSON;
}

void log_fields(const struct log *log, enum log_level level, const char *message,
                const struct log_field *fields, size_t count)
{
    if (level < log->level) {
        return;
    }
    struct timespec now;
    struct tm utc;
    char when[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);

    struct line line;
    line.len = 0;
    line.full = false;
    bool json = log->format == LOG_JSON;
    if (json) {
        put(&line, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\"", when, now.tv_nsec / 1000000,
            level_names[level]);
        put_json_text(&line, ",\"message\":", message);
        if (log->stream != NULL) {
            put_json_text(&line, ",\"stream\":", log->stream);
        }
    } else {
        put(&line, "%s.%03ldZ %s%-5s%s ", when, now.tv_nsec / 1000000,
            log->colour ? level_colours[level] : "", level_names[level],
            log->colour ? "\033[0m" : "");
        put_text(&line, message);
    }
    for (size_t i = 0; i < count; i++) {
        put_field(&line, &fields[i], json);
    }
    if (json) {
        put_tail(&line, '}');
    }
    put_tail(&line, '\n');
    ssize_t written = write(log->fd, line.text, line.len);
    (void)written; /* nowhere left to report it */
}

void log_error(const struct log *log, enum log_level level, const struct error *error)
{
    struct log_field fields[3];
    size_t count = 0;
    fields[count++] = F_TEXT("consequence", verdict_name(error->verdict));
    if (error->code[0] != '\0') {
        fields[count++] = F_TEXT("code", error->code);
    }
    if (error->remedy[0] != '\0') {
        fields[count++] = F_TEXT("remedy", error->remedy);
    }
    log_fields(log, level, error->what, fields, count);
}
