/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers, booleans, enums, strings and bytes. */
#include <math.h>

#include "contract/base64.h"
#include "contract/number.h"
#include "contract/printer.h"
#include "contract/scan.h"

void print_text(struct printer *printer, struct bytes text)
{
    output_need(&printer->out, text.len);
    output_copy(&printer->out, text.data, text.len);
}

/* --- strings --------------------------------------------------------------------------------- */

/* A control character, a quote, or a backslash. */
static void print_escape(struct output *out, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = c == '\0' ? NULL : strchr(plain, c);
    output_byte(out, '\\');
    if (found != NULL) {
        output_byte(out, letters[found - plain]);
        return;
    }
    output_copy(out, "u00", 3);
    output_byte(out, hex[(unsigned char)c >> 4]);
    output_byte(out, hex[c & 15]);
}

bool print_string(struct printer *printer, struct bytes text)
{
    struct output *out = &printer->out;
    const char *at = text.data;
    const char *end = text.data + text.len;
    output_need(out, 2);
    output_byte(out, '"');
    while (at < end) {
        output_need(out, 1);
        if (end - at >= 16) {
            unsigned plain = plain_of_16(at);
            memcpy(out->at, at, 16);
            out->at += plain;
            at += plain;
            if (plain == 16) {
                continue;
            }
        }
        if ((unsigned char)*at >= 0x80) {
            size_t len = utf8_sequence(at, end);
            if (len == 0) {
                return printer_fail(printer, VIOLATION_UTF8, "a string in UTF-8",
                                    "bytes that are not");
            }
            output_copy(out, at, len);
            at += len;
        } else if (is_special(*at)) {
            print_escape(out, *at++);
        } else {
            output_byte(out, *at++);
        }
    }
    output_need(out, 1);
    output_byte(out, '"');
    return true;
}

static void print_bytes(struct printer *printer, struct bytes bytes)
{
    size_t size = base64_encoded_size(bytes.len);
    output_need(&printer->out, size + 2);
    output_byte(&printer->out, '"');
    base64_encode(bytes, printer->out.at);
    printer->out.at += size;
    output_byte(&printer->out, '"');
}

/* --- numbers --------------------------------------------------------------------------------- */

static void print_signed(struct printer *printer, int64_t value)
{
    output_need(&printer->out, NUMBER_TEXT_SIZE);
    printer->out.at += number_format_signed(value, printer->out.at);
}

static void print_unsigned(struct printer *printer, uint64_t value)
{
    output_need(&printer->out, NUMBER_TEXT_SIZE);
    printer->out.at += number_format_unsigned(value, printer->out.at);
}

/* JavaScript's numbers end at 2^53: 64 bits go as strings. */
static void print_quoted(struct printer *printer, bool is_signed, uint64_t value)
{
    output_need(&printer->out, NUMBER_TEXT_SIZE + 2);
    output_byte(&printer->out, '"');
    if (is_signed) {
        print_signed(printer, (int64_t)value);
    } else {
        print_unsigned(printer, value);
    }
    output_byte(&printer->out, '"');
}

static bool print_infinite(struct printer *printer, double value)
{
    if (isnan(value)) {
        print_text(printer, BYTES_LIT("\"NaN\""));
    } else {
        print_text(printer, value > 0 ? BYTES_LIT("\"Infinity\"") : BYTES_LIT("\"-Infinity\""));
    }
    return true;
}

bool print_double(struct printer *printer, double value)
{
    if (!isfinite(value)) {
        return print_infinite(printer, value);
    }
    output_need(&printer->out, NUMBER_TEXT_SIZE);
    printer->out.at += number_format_double(value, printer->out.at);
    return true;
}

static bool print_float(struct printer *printer, float value)
{
    if (!isfinite(value)) {
        return print_infinite(printer, (double)value);
    }
    output_need(&printer->out, NUMBER_TEXT_SIZE);
    printer->out.at += number_format_float(value, printer->out.at);
    return true;
}

double print_bits_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static float bits_float(uint64_t bits)
{
    uint32_t half = (uint32_t)bits;
    float value;
    memcpy(&value, &half, sizeof(value));
    return value;
}

/* A number that has no name is written as it is: proto3 may have it from a newer contract. */
static bool print_enum(struct printer *printer, const struct enumeration *enumeration,
                       uint64_t bits)
{
    if (enumeration->null_value) {
        print_text(printer, BYTES_LIT("null"));
        return true;
    }
    const struct enum_value *value = enumeration_value(enumeration, (int32_t)bits);
    if (value != NULL) {
        return print_string(printer, value->name);
    }
    print_signed(printer, (int32_t)bits);
    return true;
}

/* --- all of them -------------------------------------------------------------------------------
 */

bool print_scalar(struct printer *printer, const struct field *field,
                  const struct wire_value *value)
{
    uint64_t bits = value->bits;
    switch ((enum field_type)field->type) {
    case TYPE_STRING: return print_string(printer, value->data);
    case TYPE_BYTES: print_bytes(printer, value->data); break;
    case TYPE_BOOL: print_text(printer, bits != 0 ? BYTES_LIT("true") : BYTES_LIT("false")); break;
    case TYPE_ENUM: return print_enum(printer, field->enumeration, bits);
    case TYPE_DOUBLE: return print_double(printer, print_bits_double(bits));
    case TYPE_FLOAT: return print_float(printer, bits_float(bits));
    case TYPE_INT32:
    case TYPE_SFIXED32: print_signed(printer, (int32_t)bits); break;
    case TYPE_SINT32: print_signed(printer, (int32_t)unzigzag((uint32_t)bits)); break;
    case TYPE_UINT32:
    case TYPE_FIXED32: print_unsigned(printer, (uint32_t)bits); break;
    case TYPE_INT64:
    case TYPE_SFIXED64: print_quoted(printer, true, bits); break;
    case TYPE_SINT64: print_quoted(printer, true, (uint64_t)unzigzag(bits)); break;
    case TYPE_UINT64:
    case TYPE_FIXED64: print_quoted(printer, false, bits); break;
    case TYPE_GROUP:
    case TYPE_MESSAGE: break;
    }
    return true;
}

bool print_zero(struct printer *printer, const struct field *field)
{
    if (field->message != NULL) {
        return print_message(printer, (struct bytes){"", 0}, field->message);
    }
    struct wire_value zero = {.data = {"", 0}};
    if (field->type == TYPE_ENUM && field->enumeration->closed) {
        zero.bits = (uint64_t)(int64_t)field->enumeration->values[0].number;
    }
    return print_scalar(printer, field, &zero);
}
