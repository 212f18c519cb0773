/* SPDX-License-Identifier: Apache-2.0
 *
 * headers.h - the headers of a record: the fixed ones, then route.headers, then the row's own.
 * In: an event and its trace. Out: headers in the record.
 * Owns: the compiled templates of route.headers; borrows the configuration.
 * Thread: the plan is made in the loop thread; then read-only.
 * Keeps: nobody overrides a fixed header, not even one that is left out. At most
 *        RECORD_HEADERS_MAX. */
#ifndef WALPOST_ENCODE_HEADERS_H
#define WALPOST_ENCODE_HEADERS_H

#include "base/error.h"
#include "config/config.h"
#include "encode/record.h"
#include "encode/template.h"
#include "encode/trace.h"

struct header_plan {
    enum header_style style;
    struct bytes content_type; /* NULL: that of the event's contract */
    char *source;              /* ce_source */
    struct bytes replay_id;    /* NULL: no replay */
    struct custom_header {
        struct bytes name;
        struct template value;
    } * custom;
    size_t n_custom;
};

struct name_list {
    const struct bytes *names;
    size_t count;
};

/* INVALID: a header of route.headers without a name, with the name of a fixed one, with a broken
 * template, or too many. */
enum verdict MUST_CHECK header_plan_init(struct header_plan *plan, const struct config *config,
                                         struct error *error);
void header_plan_release(struct header_plan *plan);

/* occurred_us is NULL where the event has no time. REJECT: more headers than a record has, or a
 * headers column that is no JSON object. */
enum verdict MUST_CHECK headers_write(const struct header_plan *plan, const struct event *event,
                                      const struct trace *trace, const int64_t *occurred_us,
                                      struct record *record, struct error *error);

/* The fixed headers of header_style walpost, as the row has them: what a dead letter keeps. */
void headers_write_known(const struct event *event, const struct trace *trace,
                         struct record *record);

/* route.headers and the row's own, but none that is there already or whose name is in reserved. On
 * REJECT those that came before the fault are there. */
enum verdict MUST_CHECK headers_write_custom(const struct header_plan *plan, const struct row *row,
                                             struct name_list reserved, struct record *record,
                                             struct error *error);

bool name_list_has(struct name_list list, struct bytes name);

/* Made text in the record. NULL for a time that RFC 3339 cannot say. */
struct bytes record_number(struct record *record, uint32_t number);
struct bytes record_time(struct record *record, int64_t us);
struct bytes record_position(struct record *record, struct position position);

#endif
