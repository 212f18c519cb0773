/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/violation.h"

#include <stdarg.h>
#include <stdio.h>

#include "contract/scan.h"
#include "contract/transcode.h"

enum { QUOTED_MAX = 48 };

const char *violation_kind_name(enum violation_kind kind)
{
    switch (kind) {
    case VIOLATION_NONE: return "none";
    case VIOLATION_JSON: return "json";
    case VIOLATION_TYPE: return "type";
    case VIOLATION_RANGE: return "range";
    case VIOLATION_FORMAT: return "format";
    case VIOLATION_ENUM: return "enum";
    case VIOLATION_UNKNOWN_FIELD: return "unknown_field";
    case VIOLATION_MISSING_FIELD: return "missing_field";
    case VIOLATION_DUPLICATE: return "duplicate";
    case VIOLATION_ONEOF: return "oneof";
    case VIOLATION_UTF8: return "utf8";
    case VIOLATION_DEPTH: return "depth";
    case VIOLATION_SIZE: return "size";
    case VIOLATION_WIRE: return "wire";
    case VIOLATION_RULE: return "rule";
    }
    return "unknown";
}

/* A piece of a payload that may stand in a log line: at most QUOTED_MAX bytes, and "..." where it
 * was cut. */
static void quote(char to[static QUOTED_MAX + 8], struct bytes text)
{
    size_t len = 0;
    const char *at = text.data;
    const char *end = text.data + text.len;
    while (at < end && len < QUOTED_MAX) {
        unsigned char byte = (unsigned char)*at;
        size_t sequence = byte < 0x80 ? 1 : utf8_sequence(at, end);
        if (sequence == 0 || byte < 0x20 || byte == 0x7F) {
            to[len++] = '?';
            at++;
            continue;
        }
        memcpy(to + len, at, sequence);
        len += sequence;
        at += sequence;
    }
    memcpy(to + len, at < end ? "..." : "", at < end ? 4 : 1);
}

enum violation_kind violation_kind_of_scan(const struct scan_failure *failure)
{
    switch (failure->trouble) {
    case SCAN_BAD_UTF8:
    case SCAN_HALF_SURROGATE: return VIOLATION_UTF8;
    case SCAN_TOO_DEEP: return VIOLATION_DEPTH;
    default: return VIOLATION_JSON;
    }
}

void violation_of_scan(struct violation *violation, size_t offset,
                       const struct scan_failure *failure)
{
    enum violation_kind kind = violation_kind_of_scan(failure);
    violation_set(violation, kind, offset,
                  kind == VIOLATION_UTF8    ? "text in UTF-8"
                  : kind == VIOLATION_DEPTH ? "at most %d levels"
                                            : "JSON",
                  NESTING_MAX);
    violation_found(violation, "%s", scan_trouble_text(failure->trouble));
}

void violation_set(struct violation *violation, enum violation_kind kind, size_t offset,
                   const char *format, ...)
{
    violation->kind = kind;
    violation->offset = offset;
    violation->path[0] = '\0';
    violation->found[0] = '\0';
    va_list args;
    va_start(args, format);
    vsnprintf(violation->expected, sizeof(violation->expected), format, args);
    va_end(args);
}

void violation_found(struct violation *violation, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(violation->found, sizeof(violation->found), format, args);
    va_end(args);
}

/* Up to where a value without brackets or quotes goes. */
static struct bytes word_at(struct bytes value)
{
    size_t len = 0;
    while (len < value.len && strchr(",]} \n\r\t", value.data[len]) == NULL) {
        len++;
    }
    return (struct bytes){value.data, len == 0 && value.len > 0 ? 1 : len};
}

/* With its quotes, as it stands; without the second where the payload ends. */
static struct bytes string_at(struct bytes value)
{
    size_t len = 1;
    while (len < value.len && value.data[len] != '"') {
        len += value.data[len] == '\\' && len + 1 < value.len ? 2 : 1;
    }
    return (struct bytes){value.data, len < value.len ? len + 1 : value.len};
}

void violation_found_json(struct violation *violation, struct bytes value)
{
    char quoted[QUOTED_MAX + 8];
    if (value.len == 0) {
        violation_found(violation, "the end of the payload");
        return;
    }
    switch (value.data[0]) {
    case '{': violation_found(violation, "an object"); return;
    case '[': violation_found(violation, "an array"); return;
    case '"':
        quote(quoted, string_at(value));
        violation_found(violation, "the string %s", quoted);
        return;
    default: break;
    }
    quote(quoted, word_at(value));
    bool number = is_digit(value.data[0]) || value.data[0] == '-';
    violation_found(violation, number ? "the number %s" : "%s", quoted);
}

void violation_found_text(struct violation *violation, const char *what, struct bytes text)
{
    char quoted[QUOTED_MAX + 8];
    quote(quoted, text);
    violation_found(violation, "%s \"%s\"", what, quoted);
}

/* --- the path -------------------------------------------------------------------------------- */

static void put_in_front(struct violation *violation, const char *part)
{
    size_t len = strlen(part);
    size_t old = strlen(violation->path);
    bool dot = old > 0 && violation->path[0] != '[';
    if (len + dot + old >= sizeof(violation->path)) {
        if (strncmp(violation->path, "...", 3) != 0) {
            size_t keep = old < sizeof(violation->path) - 4 ? old : sizeof(violation->path) - 4;
            memmove(violation->path + 3, violation->path, keep);
            violation->path[3 + keep] = '\0';
            memcpy(violation->path, "...", 3);
        }
        return;
    }
    if (strncmp(violation->path, "...", 3) == 0) {
        return; /* inner parts were left out already: what is in front would mislead */
    }
    memmove(violation->path + len + dot, violation->path, old + 1);
    memcpy(violation->path, part, len);
    if (dot) {
        violation->path[len] = '.';
    }
}

void violation_inside_field(struct violation *violation, struct bytes name)
{
    char quoted[QUOTED_MAX + 8];
    quote(quoted, name);
    put_in_front(violation, quoted);
}

void violation_inside_element(struct violation *violation, size_t index)
{
    char part[32];
    snprintf(part, sizeof(part), "[%zu]", index);
    put_in_front(violation, part);
}

void violation_inside_key(struct violation *violation, struct bytes key)
{
    char quoted[QUOTED_MAX + 8];
    char part[QUOTED_MAX + 16];
    quote(quoted, key);
    snprintf(part, sizeof(part), "[\"%s\"]", quoted);
    put_in_front(violation, part);
}

enum verdict violation_error(const struct violation *violation, struct error *error)
{
    const char *path = violation->path[0] == '\0' ? "payload" : violation->path;
    if (violation->found[0] == '\0') {
        return error_set(error, REJECT, "%s: expected %s", path, violation->expected);
    }
    return error_set(error, REJECT, "%s: expected %s, found %s", path, violation->expected,
                     violation->found);
}
