/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/json.h"

#include <inttypes.h>

#include "encode/json_line.h"

static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

static void begin(struct json *json, const char *name)
{
    if (json->more) {
        fputc(',', json->out);
    }
    json->more = true;
    if (name != NULL) {
        put_text(json->out, name);
        fputc(':', json->out);
    }
}

void json_open(struct json *json, const char *name, char brace)
{
    begin(json, name);
    fputc(brace, json->out);
    json->more = false;
}

void json_close(struct json *json, char brace)
{
    fputc(brace, json->out);
    json->more = true;
}

void json_text(struct json *json, const char *name, const char *value)
{
    if (value == NULL) {
        json_null(json, name);
        return;
    }
    begin(json, name);
    put_text(json->out, value);
}

static void put_bytes(FILE *out, struct bytes value)
{
    struct json_line line = {0};
    json_line_text(&line, value);
    fwrite(line.data, 1, line.len, out);
    json_line_release(&line);
}

void json_bytes(struct json *json, const char *name, struct bytes value)
{
    begin(json, name);
    put_bytes(json->out, value);
}

void json_pair(struct json *json, struct bytes name, struct bytes value)
{
    begin(json, NULL);
    put_bytes(json->out, name);
    fputc(':', json->out);
    put_bytes(json->out, value);
}

void json_raw(struct json *json, const char *name, struct bytes value)
{
    begin(json, name);
    fwrite(value.data, 1, value.len, json->out);
}

void json_int(struct json *json, const char *name, int64_t value)
{
    begin(json, name);
    fprintf(json->out, "%" PRId64, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
    begin(json, name);
    fputs(value ? "true" : "false", json->out);
}

void json_lsn(struct json *json, const char *name, lsn value)
{
    if (value == 0) {
        json_null(json, name);
        return;
    }
    begin(json, name);
    fprintf(json->out, "\"" LSN_FORMAT "\"", LSN_ARGS(value));
}

void json_null(struct json *json, const char *name)
{
    begin(json, name);
    fputs("null", json->out);
}
