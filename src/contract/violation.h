/* SPDX-License-Identifier: Apache-2.0
 *
 * violation.h - how a payload breaks its contract.
 * In -> out: where, what was expected and what was found -> a sentence.
 * Owns: its own text; no pointers.  Thread: any; one belongs to one thread at a time.
 * Keeps: what is quoted from a payload is cut to a size and is valid UTF-8 without control
 *        characters. */
#ifndef WALPOST_CONTRACT_VIOLATION_H
#define WALPOST_CONTRACT_VIOLATION_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

enum violation_kind {
    VIOLATION_NONE = 0,
    VIOLATION_JSON,          /* it is not JSON */
    VIOLATION_TYPE,          /* another kind of value */
    VIOLATION_RANGE,         /* a number that its type cannot hold */
    VIOLATION_FORMAT,        /* a text that is no time, no Base64, no field mask, ... */
    VIOLATION_ENUM,          /* no value of the enum */
    VIOLATION_UNKNOWN_FIELD, /* the contract has no such field */
    VIOLATION_MISSING_FIELD, /* a required field is not there */
    VIOLATION_DUPLICATE,     /* a field or a key of a map twice */
    VIOLATION_ONEOF,         /* two fields of a oneof */
    VIOLATION_UTF8,          /* text that is not */
    VIOLATION_DEPTH,         /* nested too deep */
    VIOLATION_SIZE,          /* too large for Protobuf: 2 GiB */
    VIOLATION_WIRE,          /* it is not Protobuf */
    VIOLATION_RULE,          /* another rule of the contract: anyOf, contains, ... */
};

struct scan_failure;

struct violation {
    enum violation_kind kind;
    size_t offset;      /* of what was found, in the payload */
    char path[256];     /* items[3].price; empty: the payload itself */
    char expected[160]; /* an int32 */
    char found[160];    /* the string "abc" */
};

/* Of a payload that is no JSON, no UTF-8, or nested too deep (scan.h). */
enum violation_kind violation_kind_of_scan(const struct scan_failure *failure);

/* The same as a violation, with what was expected and found. */
void violation_of_scan(struct violation *violation, size_t offset,
                       const struct scan_failure *failure);

/* A name for logs, metrics and headers: "type". */
const char *violation_kind_name(enum violation_kind kind);

/* Sets everything but the path, which is empty then. */
void violation_set(struct violation *violation, enum violation_kind kind, size_t offset,
                   const char *format, ...) PRINTF_LIKE(4, 5);

/* What was found, in words of JSON: the string "abc", the number 12, an object, the end of the
 * payload. `value` is the payload from there on. */
void violation_found_json(struct violation *violation, struct bytes value);
void violation_found(struct violation *violation, const char *format, ...) PRINTF_LIKE(2, 3);

/* what, and a text of the payload behind it. */
void violation_found_text(struct violation *violation, const char *what, struct bytes text);

/* Puts a part in front of the path, on the way out: a name, or an index or key in brackets. What
 * does not fit is replaced by three points. */
void violation_inside_field(struct violation *violation, struct bytes name);
void violation_inside_element(struct violation *violation, size_t index);
void violation_inside_key(struct violation *violation, struct bytes key);

/* "items[3].price: expected an int32, found the string "abc"", as a REJECT. */
enum verdict violation_error(const struct violation *violation, struct error *error);

#endif
