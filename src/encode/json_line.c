/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/json_line.h"

#include <stdlib.h>

#include "base/check.h"
#include "outbox/json.h"

void json_line_release(struct json_line *line)
{
    free(line->data);
    *line = (struct json_line){0};
}

static char *grow(struct json_line *line, size_t more)
{
    if (line->capacity - line->len < more) {
        line->capacity = 2 * line->capacity + more;
        line->data = must_realloc(line->data, line->capacity);
    }
    return line->data + line->len;
}

static void put(struct json_line *line, struct bytes text)
{
    memcpy(grow(line, text.len), text.data, text.len);
    line->len += text.len;
}

/* The length of the UTF-8 character at the start of text, or 0 where there is none (RFC 3629: no
 * surrogates, nothing written longer than needed, nothing beyond U+10FFFF). */
static size_t character_len(struct bytes text)
{
    const unsigned char *c = (const unsigned char *)text.data;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len;
    if (c[0] < 0x80) {
        return 1;
    } else if (c[0] >= 0xc2 && c[0] <= 0xdf) {
        len = 2;
    } else if (c[0] >= 0xe0 && c[0] <= 0xef) {
        len = 3;
        low = c[0] == 0xe0 ? 0xa0 : low;
        high = c[0] == 0xed ? 0x9f : high;
    } else if (c[0] >= 0xf0 && c[0] <= 0xf4) {
        len = 4;
        low = c[0] == 0xf0 ? 0x90 : low;
        high = c[0] == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (len > text.len || c[1] < low || c[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((c[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

static void put_escaped(struct json_line *line, unsigned char c)
{
    static const char short_form[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                      ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    if (c < sizeof(short_form) && short_form[c] != '\0') {
        escape[1] = short_form[c];
        put(line, (struct bytes){escape, 2});
    } else {
        put(line, (struct bytes){escape, sizeof(escape)});
    }
}

void json_line_text(struct json_line *line, struct bytes text)
{
    if (text.data == NULL) {
        put(line, BYTES_LIT("null"));
        return;
    }
    put(line, BYTES_LIT("\""));
    while (text.len > 0) {
        unsigned char c = (unsigned char)text.data[0];
        size_t len = character_len(text);
        if (len == 0) {
            put(line, BYTES_LIT("\\ufffd"));
            len = 1;
        } else if (c < ' ' || c == '"' || c == '\\' || c == 0x7f) {
            put_escaped(line, c);
        } else {
            put(line, (struct bytes){text.data, len});
        }
        text.data += len;
        text.len -= len;
    }
    put(line, BYTES_LIT("\""));
}

static void put_member(struct json_line *line, const char *name, struct bytes text)
{
    put(line, BYTES_LIT(",\""));
    put(line, bytes_of(name));
    put(line, BYTES_LIT("\":"));
    json_line_text(line, text);
}

/* JSON as it stands; a line feed can only be between its parts (a column of type json keeps them),
 * where a space says the same. */
static void put_payload(struct json_line *line, struct bytes payload)
{
    put(line, BYTES_LIT(",\"payload\":"));
    if (payload.data == NULL || json_check(payload) != JSON_FINE) {
        json_line_text(line, payload);
        return;
    }
    char *copy = grow(line, payload.len);
    put(line, payload);
    for (size_t i = 0; i < payload.len; i++) {
        copy[i] = copy[i] == '\n' || copy[i] == '\r' ? ' ' : copy[i];
    }
}

static void put_headers(struct json_line *line, const struct record *record)
{
    put(line, BYTES_LIT(",\"headers\":{"));
    for (size_t i = 0; i < record->n_headers; i++) {
        if (i > 0) {
            put(line, BYTES_LIT(","));
        }
        json_line_text(line, record->headers[i].name);
        put(line, BYTES_LIT(":"));
        json_line_text(line, record->headers[i].value);
    }
    put(line, BYTES_LIT("}"));
}

void json_line_append(struct json_line *line, const struct event *event,
                      const struct record *record, enum dead_reason reason, const char *detail)
{
    char position[POSITION_TEXT_SIZE];
    size_t len = position_format(event->position, position);
    put(line, BYTES_LIT("{\"position\":"));
    json_line_text(line, (struct bytes){position, len});
    put_member(line, "topic", bytes_of(record->topic));
    put_member(line, "key", record->key);
    put_member(line, "id", event->row.id);
    put_member(line, "aggregate_id", event->row.aggregate_id);
    put_member(line, "event_type", event->row.event_type);
    if (reason != DEAD_NOT) {
        put(line, BYTES_LIT(",\"dead_letter\":{\"reason\":"));
        json_line_text(line, bytes_of(dead_reason_name(reason)));
        put_member(line, "detail", bytes_of(detail));
        put(line, BYTES_LIT("}"));
    }
    put_headers(line, record);
    put_payload(line, event->row.payload);
    put(line, BYTES_LIT("}\n"));
}
