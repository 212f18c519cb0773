/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h - structured logs: a message and typed fields, as text on a terminal, as JSON lines
 * otherwise.
 * In -> out: message + fields -> one line on standard error.
 * Owns: nothing but its settings.  Thread: any; a line is written with one write().
 * Keeps: only pipeline/ and cli/ log; steps and libraries return errors. Secrets are never logged.
 */
#ifndef WALPOST_BASE_LOG_H
#define WALPOST_BASE_LOG_H

#include "base/error.h"
#include "base/lsn.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_JSON };

struct log {
    int fd;
    enum log_level level;
    enum log_format format; /* LOG_TEXT or LOG_JSON once log_init has run */
    bool colour;
    const char *stream; /* in every line of JSON, or NULL */
};

enum log_field_kind { FIELD_TEXT, FIELD_U64, FIELD_LSN, FIELD_SECONDS };

struct log_field {
    const char *name;
    enum log_field_kind kind;
    union {
        const char *text;
        uint64_t u64;
        double seconds;
    };
};

#define F_TEXT(key, value) ((struct log_field){.name = (key), .kind = FIELD_TEXT, .text = (value)})
#define F_U64(key, value) \
    ((struct log_field){.name = (key), .kind = FIELD_U64, .u64 = (uint64_t)(value)})
#define F_LSN(key, value) ((struct log_field){.name = (key), .kind = FIELD_LSN, .u64 = (value)})
#define F_SECONDS(key, value) \
    ((struct log_field){.name = (key), .kind = FIELD_SECONDS, .seconds = (value)})

/* Text with colours when fd is a terminal, JSON otherwise, unless format says which. */
void log_init(struct log *log, int fd, enum log_format format, enum log_level level);

/* log_write(log, LOG_INFO, "slot acquired", F_TEXT("slot", name), F_LSN("position", lsn)) */
#define log_write(log, level, message, ...)                                  \
    log_fields(log, level, message, (const struct log_field[]){__VA_ARGS__}, \
               sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

void log_fields(const struct log *log, enum log_level level, const char *message,
                const struct log_field *fields, size_t count);

/* One line with what, remedy and code of an error. */
void log_error(const struct log *log, enum log_level level, const struct error *error);

#endif
