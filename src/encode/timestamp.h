/* SPDX-License-Identifier: Apache-2.0
 *
 * timestamp.h - the time of an event, between PostgreSQL's text, a number and RFC 3339.
 * In -> out: text -> microseconds since 1970 UTC -> text.
 * Owns: nothing.
 * Thread: any; pure.
 * Keeps: the years 0001 to 9999, as google.protobuf.Timestamp and RFC 3339; all else is no time. */
#ifndef WALPOST_ENCODE_TIMESTAMP_H
#define WALPOST_ENCODE_TIMESTAMP_H

#include <stdint.h>

#include "base/bytes.h"

enum { TIMESTAMP_TEXT_SIZE = 28 }; /* "2026-11-23T10:11:12.345678Z" and the NUL */

/* Parses timestamptz, timestamp (taken as UTC) and date as PostgreSQL prints them with datestyle
 * ISO, and the form with T and Z that JSON has. False, and *us untouched, on anything else:
 * infinity, BC, years beyond 9999, numbers. */
bool timestamp_parse(struct bytes text, int64_t *us);

/* RFC 3339 with microseconds, UTC. Returns the length without the NUL; 0 and an empty text for a
 * year that it cannot say. */
size_t timestamp_format(int64_t us, char text[static TIMESTAMP_TEXT_SIZE]);

#endif
