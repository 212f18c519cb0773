/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages of google.protobuf that have a JSON of their own. */
#include <math.h>

#include "contract/number.h"
#include "contract/printer.h"
#include "contract/time_text.h"

/* The last of the fields with that number; NULL: there is none. */
static const struct wire_value *last_of(const struct printer *printer, struct range range,
                                        int32_t number)
{
    for (size_t i = range.to; i-- > range.from;) {
        if (printer->found[i].field->number == number) {
            return &printer->found[i].value;
        }
    }
    return NULL;
}

/* Timestamp and Duration are messages of seconds, 1, and nanoseconds, 2. */
static bool print_time(struct printer *printer, struct range range, bool timestamp)
{
    const struct wire_value *seconds = last_of(printer, range, 1);
    const struct wire_value *nanos = last_of(printer, range, 2);
    struct time_value time = {
        .seconds = seconds == NULL ? 0 : (int64_t)seconds->bits,
        .nanos = nanos == NULL ? 0 : (int32_t)nanos->bits,
    };
    if (!(timestamp ? timestamp_in_range(&time) : duration_in_range(&time))) {
        return printer_fail(printer, VIOLATION_RANGE,
                            timestamp ? "a timestamp in the years 1 to 9999"
                                      : "a duration of at most 10000 years",
                            "one out of range");
    }
    struct output *out = &printer->out;
    output_need(out, TIME_TEXT_SIZE + 2);
    output_byte(out, '"');
    out->at += timestamp ? rfc3339_format(&time, out->at) : duration_format(&time, out->at);
    output_byte(out, '"');
    return true;
}

/* snake_case becomes lowerCamelCase. False: it could not come back as it was. */
static bool print_path(struct output *out, struct bytes path)
{
    output_need(out, path.len);
    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];
        if (c == '_') {
            i++;
            if (i == path.len || path.data[i] < 'a' || path.data[i] > 'z') {
                return false;
            }
            c = (char)(path.data[i] & ~0x20);
        } else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.') {
            return false;
        }
        output_byte(out, c);
    }
    return true;
}

static bool print_field_mask(struct printer *printer, struct range range)
{
    struct output *out = &printer->out;
    output_need(out, 1);
    output_byte(out, '"');
    for (size_t i = range.from; i < range.to; i++) {
        if (i > range.from) {
            output_need(out, 1);
            output_byte(out, ',');
        }
        if (!print_path(out, printer->found[i].value.data)) {
            return printer_fail(printer, VIOLATION_FORMAT,
                                "paths in snake_case, which JSON can carry there and back",
                                "another one");
        }
    }
    output_need(out, 1);
    output_byte(out, '"');
    return true;
}

/* The one field that a Value holds. */
static bool print_value(struct printer *printer, struct range range)
{
    if (range.from == range.to) {
        return printer_fail(printer, VIOLATION_TYPE, "a Value that holds something", "none");
    }
    const struct found *found = &printer->found[range.from];
    if (found->field->type == TYPE_DOUBLE &&
        !isfinite(print_bits_double(printer->found[range.to - 1].value.bits))) {
        return printer_fail(printer, VIOLATION_RANGE, "a finite number in a Value",
                            "NaN or infinity");
    }
    return print_field(printer, range);
}

/* A Struct is its map, a ListValue its list. */
static bool print_only_field(struct printer *printer, struct range range, struct bytes empty)
{
    if (range.from == range.to) {
        print_text(printer, empty);
        return true;
    }
    return print_field(printer, range);
}

static const struct message *type_of(const struct printer *printer, struct bytes url)
{
    const char *slash = url.data == NULL ? NULL : memrchr(url.data, '/', url.len);
    if (slash == NULL || slash == url.data) {
        return NULL;
    }
    return pool_message(printer->pool,
                        (struct bytes){slash + 1, (size_t)(url.data + url.len - slash) - 1});
}

static bool print_any(struct printer *printer, struct range range)
{
    const struct wire_value *url = last_of(printer, range, 1);
    const struct wire_value *content = last_of(printer, range, 2);
    struct bytes bytes = content == NULL ? (struct bytes){"", 0} : content->data;
    if (url == NULL || url->data.len == 0) {
        if (bytes.len > 0) {
            return printer_fail(printer, VIOLATION_TYPE, "an Any with a type", "one without");
        }
        print_text(printer, BYTES_LIT("{}"));
        return true;
    }
    const struct message *message = type_of(printer, url->data);
    if (message == NULL) {
        violation_set(printer->violation, VIOLATION_TYPE, 0,
                      "a type that the contract knows, behind a slash");
        violation_found_text(printer->violation, "the type", url->data);
        return false;
    }
    print_text(printer, BYTES_LIT("{\"@type\":"));
    bool good = print_string(printer, url->data);
    if (good && message->well_known == WELL_KNOWN_NOT) {
        good = print_members(printer, bytes, message, false);
    } else if (good) {
        print_text(printer, BYTES_LIT(",\"value\":"));
        good = print_message(printer, bytes, message);
    }
    print_text(printer, BYTES_LIT("}"));
    return good;
}

static bool print_kind(struct printer *printer, struct range range, const struct message *message)
{
    switch ((enum well_known)message->well_known) {
    case WELL_KNOWN_ANY: return print_any(printer, range);
    case WELL_KNOWN_TIMESTAMP: return print_time(printer, range, true);
    case WELL_KNOWN_DURATION: return print_time(printer, range, false);
    case WELL_KNOWN_STRUCT: return print_only_field(printer, range, BYTES_LIT("{}"));
    case WELL_KNOWN_LIST_VALUE: return print_only_field(printer, range, BYTES_LIT("[]"));
    case WELL_KNOWN_VALUE: return print_value(printer, range);
    case WELL_KNOWN_FIELD_MASK: return print_field_mask(printer, range);
    case WELL_KNOWN_WRAPPER:
        return range.from == range.to ? print_zero(printer, &message->fields[0])
                                      : print_field(printer, range);
    case WELL_KNOWN_NOT: break;
    }
    return false;
}

bool print_well_known(struct printer *printer, struct bytes content, const struct message *message)
{
    struct range range;
    if (!printer_find(printer, content, message, &range)) {
        return false;
    }
    bool good = print_kind(printer, range, message);
    printer_forget(printer, range);
    return good;
}
