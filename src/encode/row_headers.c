/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/row_headers.h"

#include "outbox/json.h"

/* The text of a string: a view where it has no escapes, else made in the record's scratch. */
static enum verdict string_text(const struct json_value *string, struct record *record,
                                struct bytes *text, struct error *error)
{
    if (!string->escaped) {
        *text = json_inside(string);
        return OK;
    }
    size_t room;
    char *copy = record_room(record, &room);
    if (string->text.len > room) {
        return error_set(error, REJECT,
                         "the headers column has more than %d bytes of text with escapes",
                         RECORD_SCRATCH_SIZE);
    }
    size_t len;
    enum json_trouble trouble = json_unescape(string, copy, &len);
    if (trouble != JSON_FINE) {
        return error_set(error, REJECT, "the headers column: %s", json_trouble_text(trouble));
    }
    record->scratch_used += len;
    *text = (struct bytes){copy, len};
    return OK;
}

static enum verdict write_member(const struct json_value *name, const struct json_value *value,
                                 struct name_list reserved, struct record *record,
                                 struct error *error)
{
    if (value->kind == JSON_NULL) {
        return OK;
    }
    size_t scratch_used = record->scratch_used;
    struct record_header header = {0};
    enum verdict verdict = string_text(name, record, &header.name, error);
    if (verdict != OK) {
        return verdict;
    }
    if (name_list_has(reserved, header.name) || record_has_header(record, header.name)) {
        record->scratch_used = scratch_used;
        return OK;
    }
    header.value = value->text;
    if (value->kind == JSON_STRING) {
        verdict = string_text(value, record, &header.value, error);
    }
    if (verdict == OK && !record_header(record, header.name, header.value)) {
        verdict = error_set(error, REJECT, "more than %d headers", RECORD_HEADERS_MAX);
    }
    return verdict;
}

enum verdict row_headers_write(struct bytes json, struct name_list reserved, struct record *record,
                               struct error *error)
{
    struct json_scan scan;
    struct json_value name;
    struct json_value value;
    enum json_trouble trouble = json_begin(&scan, json);
    if (trouble == JSON_FINE) {
        while (json_next(&scan, &name, &value)) {
            enum verdict verdict = write_member(&name, &value, reserved, record, error);
            if (verdict != OK) {
                return verdict;
            }
        }
        trouble = scan.trouble;
    }
    if (trouble != JSON_FINE) {
        return error_set(error, REJECT, "the headers column is no JSON object: %s",
                         json_trouble_text(trouble));
    }
    return OK;
}
