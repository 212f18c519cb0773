/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/headers.h"

#include <stdlib.h>

#include "base/check.h"
#include "encode/row_headers.h"
#include "encode/timestamp.h"

/* RFC 9996 registers application/protobuf, and the x- forms as deprecated aliases of it. It has no
 * parameter for the message's name: a reader knows it from walpost's documentation
 * (walpost.v1.OutboxEvent). */
static const struct bytes content_protobuf = BYTES_LIT("application/protobuf");
static const struct bytes content_json = BYTES_LIT("application/json");

/* The most that headers_write writes itself. */
enum { FIXED_MAX = 18 };

static const struct bytes walpost_names[] = {
    BYTES_LIT("event_id"),       BYTES_LIT("event_type"), BYTES_LIT("aggregate_id"),
    BYTES_LIT("schema_version"), BYTES_LIT("trace_id"),   BYTES_LIT("span_id"),
    BYTES_LIT("traceparent"),    BYTES_LIT("tracestate"), BYTES_LIT("position"),
    BYTES_LIT("content-type"),   BYTES_LIT("snapshot"),   BYTES_LIT("transaction_part"),
    BYTES_LIT("replay_id"),
};

/* Debezium's EventRouter writes "id" itself. The others are the names of its default table and of
 * the placement in its documentation (type:header:eventType), which its users read. */
static const struct bytes debezium_names[] = {
    BYTES_LIT("id"),
    BYTES_LIT("eventType"),
    BYTES_LIT("aggregatetype"),
    BYTES_LIT("aggregateid"),
    BYTES_LIT("schema_version"),
    BYTES_LIT("trace_id"),
    BYTES_LIT("span_id"),
    BYTES_LIT("traceparent"),
    BYTES_LIT("tracestate"),
    BYTES_LIT("position"),
    BYTES_LIT("content-type"),
    BYTES_LIT("snapshot"),
    BYTES_LIT("transaction_part"),
    BYTES_LIT("replay_id"),
};

/* CloudEvents 1.0, Kafka protocol binding, binary content mode (3.2); ce_traceparent and
 * ce_tracestate by its distributed tracing extension. The plain traceparent beside them is what
 * tracing libraries for Kafka read. */
static const struct bytes cloudevents_names[] = {
    BYTES_LIT("ce_specversion"),   BYTES_LIT("ce_id"),
    BYTES_LIT("ce_type"),          BYTES_LIT("ce_source"),
    BYTES_LIT("ce_subject"),       BYTES_LIT("ce_time"),
    BYTES_LIT("ce_traceparent"),   BYTES_LIT("ce_tracestate"),
    BYTES_LIT("schema_version"),   BYTES_LIT("trace_id"),
    BYTES_LIT("span_id"),          BYTES_LIT("traceparent"),
    BYTES_LIT("tracestate"),       BYTES_LIT("position"),
    BYTES_LIT("content-type"),     BYTES_LIT("snapshot"),
    BYTES_LIT("transaction_part"), BYTES_LIT("replay_id"),
};
_Static_assert(ARRAY_LEN(cloudevents_names) <= FIXED_MAX, "the largest set");

static struct name_list reserved_names(enum header_style style)
{
    switch (style) {
    case HEADERS_WALPOST: return (struct name_list){walpost_names, ARRAY_LEN(walpost_names)};
    case HEADERS_DEBEZIUM: return (struct name_list){debezium_names, ARRAY_LEN(debezium_names)};
    case HEADERS_CLOUDEVENTS: break;
    }
    return (struct name_list){cloudevents_names, ARRAY_LEN(cloudevents_names)};
}

bool name_list_has(struct name_list list, struct bytes name)
{
    for (size_t i = 0; i < list.count; i++) {
        if (bytes_equal(list.names[i], name)) {
            return true;
        }
    }
    return false;
}

static enum verdict compile_custom(struct header_plan *plan, const struct config *config,
                                   const struct config_pair *pair, struct error *error)
{
    struct bytes name = bytes_of(pair->name);
    if (bytes_empty(name)) {
        error_set(error, INVALID, "route.headers: a header has no name");
        return error_remedy(error, "Write it as NAME: \"{column:NAME}\".");
    }
    if (name_list_has(reserved_names(plan->style), name)) {
        error_set(error, INVALID, "route.headers.%s: walpost writes this header itself",
                  pair->name);
        return error_remedy(error, "Choose another name for it.");
    }
    char *key = must_printf("route.headers.%s", pair->name);
    struct custom_header *custom = &plan->custom[plan->n_custom];
    custom->name = name;
    enum verdict verdict = template_compile(&custom->value, config, key, pair->value, error);
    plan->n_custom += verdict == OK;
    free(key);
    return verdict;
}

enum verdict header_plan_init(struct header_plan *plan, const struct config *config,
                              struct error *error)
{
    *plan = (struct header_plan){
        .style = config->route.header_style,
        .content_type = config->value == VALUE_JSON       ? content_json
                        : config->value == VALUE_ENVELOPE ? content_protobuf
                                                          : BYTES_NULL,
        .source = must_printf("/walpost/%s", config->stream),
        .custom = must_calloc(config->route.headers.count + 1, sizeof(plan->custom[0])),
    };
    enum verdict verdict = OK;
    if (config->route.headers.count > RECORD_HEADERS_MAX - FIXED_MAX) {
        error_set(error, INVALID, "route.headers has %zu headers; there is room for %d",
                  config->route.headers.count, RECORD_HEADERS_MAX - FIXED_MAX);
        verdict = error_remedy(error, "Remove some, or put them into one.");
    }
    for (size_t i = 0; i < config->route.headers.count && verdict == OK; i++) {
        verdict = compile_custom(plan, config, &config->route.headers.items[i], error);
    }
    if (verdict != OK) {
        header_plan_release(plan);
    }
    return verdict;
}

void header_plan_release(struct header_plan *plan)
{
    for (size_t i = 0; i < plan->n_custom; i++) {
        template_release(&plan->custom[i].value);
    }
    free(plan->custom);
    free(plan->source);
    *plan = (struct header_plan){0};
}

/* A header that the event does not have is left out. */
static void put(struct record *record, struct bytes name, struct bytes value)
{
    if (value.data != NULL) {
        bool written = record_header(record, name, value);
        check(written);
    }
}

struct bytes record_number(struct record *record, uint32_t number)
{
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    char text[sizeof(digits)];
    for (size_t i = 0; i < n; i++) {
        text[i] = digits[n - 1 - i];
    }
    return record_text(record, (struct bytes){text, n});
}

struct bytes record_time(struct record *record, int64_t us)
{
    char text[TIMESTAMP_TEXT_SIZE];
    size_t len = timestamp_format(us, text);
    return len == 0 ? BYTES_NULL : record_text(record, (struct bytes){text, len});
}

struct bytes record_position(struct record *record, struct position position)
{
    char text[POSITION_TEXT_SIZE];
    size_t len = position_format(position, text);
    return record_text(record, (struct bytes){text, len});
}

/* What every style has under the same name. */
static void put_common(const struct event *event, const struct trace *trace, struct bytes version,
                       struct record *record)
{
    put(record, BYTES_LIT("schema_version"), version);
    put(record, BYTES_LIT("trace_id"), trace->trace_id);
    put(record, BYTES_LIT("span_id"), trace->span_id);
    put(record, BYTES_LIT("traceparent"), trace->traceparent);
    put(record, BYTES_LIT("tracestate"), trace->tracestate);
    put(record, BYTES_LIT("position"), record_position(record, event->position));
    if (event->segment->part != 0) {
        put(record, BYTES_LIT("transaction_part"), record_number(record, event->segment->part));
    }
    if (event->segment->snapshot) {
        put(record, BYTES_LIT("snapshot"), BYTES_LIT("true"));
    }
}

static void write_walpost(const struct event *event, const struct trace *trace,
                          struct bytes version, struct record *record)
{
    put(record, BYTES_LIT("event_id"), event->row.id);
    put(record, BYTES_LIT("event_type"), event->row.event_type);
    put(record, BYTES_LIT("aggregate_id"), event->row.aggregate_id);
    put_common(event, trace, version, record);
}

void headers_write_known(const struct event *event, const struct trace *trace,
                         struct record *record)
{
    write_walpost(event, trace, event->row.schema_version, record);
}

static void write_debezium(const struct event *event, const struct trace *trace,
                           struct record *record)
{
    put(record, BYTES_LIT("id"), event->row.id);
    put(record, BYTES_LIT("eventType"), event->row.event_type);
    put(record, BYTES_LIT("aggregatetype"), event_domain(event->row.event_type));
    put(record, BYTES_LIT("aggregateid"), event->row.aggregate_id);
    put_common(event, trace, event_version(event), record);
}

static void write_cloudevents(const struct header_plan *plan, const struct event *event,
                              const struct trace *trace, const int64_t *occurred_us,
                              struct record *record)
{
    put(record, BYTES_LIT("ce_specversion"), BYTES_LIT("1.0"));
    put(record, BYTES_LIT("ce_id"), event->row.id);
    put(record, BYTES_LIT("ce_type"), event->row.event_type);
    put(record, BYTES_LIT("ce_source"), bytes_of(plan->source));
    put(record, BYTES_LIT("ce_subject"), event->row.aggregate_id);
    if (occurred_us != NULL) {
        put(record, BYTES_LIT("ce_time"), record_time(record, *occurred_us));
    }
    put(record, BYTES_LIT("ce_traceparent"), trace->traceparent);
    put(record, BYTES_LIT("ce_tracestate"), trace->tracestate);
    put_common(event, trace, event_version(event), record);
}

static enum verdict write_configured(const struct custom_header *custom, const struct row *row,
                                     struct record *record, struct error *error)
{
    size_t room;
    char *text = record_room(record, &room);
    struct bytes value;
    switch (template_render(&custom->value, row, text, room, &value)) {
    case RENDERED_NULL: return OK;
    case RENDERED_TOO_LONG:
        return error_set(error, REJECT, "header %s: its made value is too long", custom->name.data);
    case RENDERED: break;
    }
    if (value.data == text) {
        record->scratch_used += value.len;
    }
    if (!record_header(record, custom->name, value)) {
        return error_set(error, REJECT, "more than %d headers", RECORD_HEADERS_MAX);
    }
    return OK;
}

enum verdict headers_write_custom(const struct header_plan *plan, const struct row *row,
                                  struct name_list reserved, struct record *record,
                                  struct error *error)
{
    for (size_t i = 0; i < plan->n_custom; i++) {
        if (name_list_has(reserved, plan->custom[i].name) ||
            record_has_header(record, plan->custom[i].name)) {
            continue;
        }
        enum verdict verdict = write_configured(&plan->custom[i], row, record, error);
        if (verdict != OK) {
            return verdict;
        }
    }
    return row->headers.data == NULL ? OK
                                     : row_headers_write(row->headers, reserved, record, error);
}

enum verdict headers_write(const struct header_plan *plan, const struct event *event,
                           const struct trace *trace, const int64_t *occurred_us,
                           struct record *record, struct error *error)
{
    switch (plan->style) {
    case HEADERS_WALPOST: write_walpost(event, trace, event_version(event), record); break;
    case HEADERS_DEBEZIUM: write_debezium(event, trace, record); break;
    case HEADERS_CLOUDEVENTS: write_cloudevents(plan, event, trace, occurred_us, record); break;
    }
    put(record, BYTES_LIT("replay_id"), plan->replay_id);
    put(record, BYTES_LIT("content-type"),
        plan->content_type.data != NULL ? plan->content_type : event->contract->content_type);
    return headers_write_custom(plan, &event->row, reserved_names(plan->style), record, error);
}
