/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const level_colours[] = {"\033[2m", "\033[32m", "\033[33m", "\033[31m"};

/* A line under construction. Too long a line is cut, never overflown. */
struct line {
    char text[4096];
    size_t len;
};

static void PRINTF_LIKE(2, 3) put(struct line *line, const char *format, ...)
{
    size_t room = sizeof(line->text) - 1 - line->len;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line->text + line->len, room, format, args);
    va_end(args);
    if (n > 0) {
        line->len += (size_t)n < room ? (size_t)n : room - 1;
    }
}

static void put_json_string(struct line *line, const char *text)
{
    put(line, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            put(line, "\\%c", c);
        } else if (c < 0x20) {
            put(line, "\\u%04x", c);
        } else {
            put(line, "%c", c);
        }
    }
    put(line, "\"");
}

static void put_value(struct line *line, const struct field *field, bool json)
{
    switch (field->kind) {
    case FIELD_TEXT:
        if (json) {
            put_json_string(line, field->text == NULL ? "" : field->text);
        } else {
            put(line, "%s", field->text == NULL ? "" : field->text);
        }
        break;
    case FIELD_U64: put(line, "%llu", (unsigned long long)field->u64); break;
    case FIELD_LSN:
        put(line, json ? "\"" LSN_FORMAT "\"" : LSN_FORMAT, LSN_ARGS(field->u64));
        break;
    case FIELD_SECONDS: put(line, "%.3f", field->seconds); break;
    }
}

void log_init(struct log *log, int fd, enum log_format format, enum log_level level)
{
    bool terminal = isatty(fd) == 1;
    *log = (struct log){.fd = fd, .level = level, .colour = terminal};
    log->format = format != LOG_AUTO ? format : terminal ? LOG_TEXT : LOG_JSON;
}

void log_fields(const struct log *log, enum log_level level, const char *message,
                const struct field *fields, size_t count)
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

    struct line line = {.len = 0};
    bool json = log->format == LOG_JSON;
    if (json) {
        put(&line, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"message\":", when,
            now.tv_nsec / 1000000, level_names[level]);
        put_json_string(&line, message);
        if (log->stream != NULL) {
            put(&line, ",\"stream\":");
            put_json_string(&line, log->stream);
        }
    } else {
        put(&line, "%s.%03ldZ %s%-5s%s %s", when, now.tv_nsec / 1000000,
            log->colour ? level_colours[level] : "", level_names[level],
            log->colour ? "\033[0m" : "", message);
    }
    for (size_t i = 0; i < count; i++) {
        if (json) {
            put(&line, ",\"%s\":", fields[i].name);
        } else {
            put(&line, "  %s=", fields[i].name);
        }
        put_value(&line, &fields[i], json);
    }
    if (json) {
        put(&line, "}");
    }
    line.text[line.len++] = '\n';
    ssize_t written = write(log->fd, line.text, line.len);
    (void)written; /* nowhere left to report it */
}

void log_error(const struct log *log, enum log_level level, const struct error *error)
{
    struct field fields[3];
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
