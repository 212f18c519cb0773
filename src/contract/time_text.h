/* SPDX-License-Identifier: Apache-2.0
 *
 * time_text.h - Timestamp and Duration as JSON writes them.
 * In -> out: "1972-01-01T10:00:20.021Z" or "1.000340012s" -> seconds and nanoseconds, and back.
 * Owns: nothing.  Thread: any; pure.
 * Source: RFC 3339; google/protobuf/timestamp.proto and duration.proto for the ranges. */
#ifndef WALPOST_CONTRACT_TIME_TEXT_H
#define WALPOST_CONTRACT_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Nanoseconds of a timestamp count forward; those of a duration have its sign. */
struct time_value {
    int64_t seconds;
    int32_t nanos;
};

enum { TIME_TEXT_SIZE = 40 };

/* False: not written like that, or out of range. */
bool rfc3339_parse(struct bytes text, struct time_value *time);
bool duration_parse(struct bytes text, struct time_value *time);

bool timestamp_in_range(const struct time_value *time);
bool duration_in_range(const struct time_value *time);

/* What is in range only; 0, 3, 6 or 9 digits behind the point. Returns the length. */
size_t rfc3339_format(const struct time_value *time, char text[static TIME_TEXT_SIZE]);
size_t duration_format(const struct time_value *time, char text[static TIME_TEXT_SIZE]);

#endif
