/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h - one JSON document on a stream, member by member.
 * In: names and values, in order. Out: JSON in one line.
 * Owns: nothing but its place.  Thread: main's.
 * Keeps: commas and escapes; the caller keeps the braces in pairs. */
#ifndef WALPOST_CLI_JSON_H
#define WALPOST_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/lsn.h"

struct json {
    FILE *out;
    bool more; /* something stands before: a comma is due */
};

/* name NULL: an element of an array, or the document itself. */
void json_open(struct json *json, const char *name, char brace);
void json_close(struct json *json, char brace);
void json_text(struct json *json, const char *name, const char *value); /* NULL: null */
void json_int(struct json *json, const char *name, int64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_lsn(struct json *json, const char *name, lsn value); /* 0: null */
/* Any bytes as a text; BYTES_NULL: null. */
void json_bytes(struct json *json, const char *name, struct bytes value);
/* A header: its name may be any bytes, too. */
void json_pair(struct json *json, struct bytes name, struct bytes value);
/* What is JSON already. */
void json_raw(struct json *json, const char *name, struct bytes value);
void json_null(struct json *json, const char *name);

#endif
