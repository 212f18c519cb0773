/* SPDX-License-Identifier: Apache-2.0
 *
 * points.h - what `walpost check` has to say, point by point.
 * In: findings, one at a time. Out: lines for a person, or one JSON document.
 * Owns: nothing.  Thread: main's. */
#ifndef WALPOST_CLI_POINTS_H
#define WALPOST_CLI_POINTS_H

#include <stdio.h>

#include "base/error.h"
#include "cli/json.h"

struct points {
    bool as_json;
    struct json json;
    unsigned wrong;
    unsigned warnings;
    unsigned skipped;
};

void points_begin(struct points *points, bool as_json, const char *stream);
/* Returns the exit status: 1 when something is wrong or could not be looked at. */
int points_end(struct points *points);

void point_ok(struct points *points, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
void point_warn(struct points *points, const char *name, const char *remedy, const char *format,
                ...) PRINTF_LIKE(4, 5);
void point_wrong(struct points *points, const char *name, const char *remedy, const char *format,
                 ...) PRINTF_LIKE(4, 5);
/* What a failed call said. */
void point_error(struct points *points, const char *name, const struct error *error);
void point_skip(struct points *points, const char *name, const char *because);

#endif
