/* SPDX-License-Identifier: Apache-2.0 */
#include "config/option_table.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/nearest.h"

#define KB INT64_C(1024)
#define MB (1024 * KB)
#define GB (1024 * MB)

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define AT(field) .offset = offsetof(struct config, field)

enum { PG_NAME_MAX = 63, TOPIC_NAME_MAX = 249 };

static const struct option_choice after_publish[] = {
    {"mark", AFTER_MARK}, {"delete", AFTER_DELETE}, {"keep", AFTER_KEEP}, {NULL}};
static const struct option_choice snapshots[] = {
    {"pending", SNAPSHOT_PENDING}, {"none", SNAPSHOT_NONE}, {NULL}};
static const struct option_choice header_styles[] = {{"walpost", HEADERS_WALPOST},
                                                     {"debezium", HEADERS_DEBEZIUM},
                                                     {"cloudevents", HEADERS_CLOUDEVENTS},
                                                     {NULL}};
static const struct option_choice missing_topics[] = {{"wait", MISSING_WAIT},
                                                      {"create", MISSING_CREATE},
                                                      {"dead_letter", MISSING_DEAD_LETTER},
                                                      {NULL}};
static const struct option_choice values[] = {
    {"envelope", VALUE_ENVELOPE}, {"payload", VALUE_PAYLOAD}, {"json", VALUE_JSON}, {NULL}};
static const struct option_choice on_violations[] = {
    {"dead_letter", ON_VIOLATION_DEAD_LETTER}, {"halt", ON_VIOLATION_HALT}, {NULL}};
static const struct option_choice unknown_fields[] = {
    {"reject", UNKNOWN_FIELDS_REJECT}, {"ignore", UNKNOWN_FIELDS_IGNORE}, {NULL}};
static const struct option_choice subjects[] = {{"topic", SUBJECT_TOPIC},
                                                {"record", SUBJECT_RECORD},
                                                {"topic_record", SUBJECT_TOPIC_RECORD},
                                                {NULL}};
static const struct option_choice namings[] = {
    {"off", NAMING_OFF}, {"warn", NAMING_WARN}, {"reject", NAMING_REJECT}, {NULL}};
static const struct option_choice deliveries[] = {
    {"exactly_once", DELIVERY_EXACTLY_ONCE}, {"at_least_once", DELIVERY_AT_LEAST_ONCE}, {NULL}};
static const struct option_choice recoveries[] = {
    {"refuse", RECOVER_REFUSE}, {"table", RECOVER_TABLE}, {NULL}};
static const struct option_choice lane_words[] = {{"partition", LANES_BY_PARTITION}, {NULL}};
static const struct option_choice logs[] = {
    {"auto", LOG_CHOICE_AUTO}, {"text", LOG_CHOICE_TEXT}, {"json", LOG_CHOICE_JSON}, {NULL}};
static const struct option_choice log_levels[] = {{"debug", LEVEL_DEBUG},
                                                  {"info", LEVEL_INFO},
                                                  {"warn", LEVEL_WARN},
                                                  {"error", LEVEL_ERROR},
                                                  {NULL}};

#define COLUMN(role, words)                                                   \
    {                                                                         \
        "outbox.columns." #role, OPTION_IDENTIFIER, AT(outbox.columns.role),  \
            .fallback = #role, .min = 1, .max = PG_NAME_MAX, .summary = words \
    }
#define LATER(key, words)                             \
    {                                                 \
        key, OPTION_LATER, .summary = words, AT(file) \
    }

static const struct option options[] = {
    {"stream", OPTION_IDENTIFIER, .required = true, AT(stream), .min = 1, .max = 40,
     .letters = LOWER DIGITS "_", .allowed = "1 to 40 letters of a-z, 0-9 and _",
     .summary = "name of the stream; it is in the names of its slot, publication and topics"},

    {"postgres.dsn", OPTION_TEXT, .required = true, .secret = true, AT(postgres.dsn), .min = 1,
     .max = 8192, .allowed = "a libpq connection string",
     .summary = "any libpq connection string, several hosts too; the password better by ~/.pgpass "
                "or ${VAR}"},
    {"postgres.slot", OPTION_IDENTIFIER, AT(postgres.slot), .min = 1, .max = PG_NAME_MAX,
     .letters = LOWER DIGITS "_", .allowed = "1 to 63 letters of a-z, 0-9 and _",
     .computed = "walpost_<stream>", .summary = "the logical replication slot"},
    {"postgres.publication", OPTION_IDENTIFIER, AT(postgres.publication), .min = 1,
     .max = PG_NAME_MAX, .computed = "walpost_<stream>", .summary = "the publication"},

    {"outbox.table", OPTION_TABLE, AT(outbox.table_name), .fallback = "public.outbox_events",
     .summary = "the outbox table, as SQL reads it: names with capitals in double quotes"},
    COLUMN(id, "column of the event's id; columns are named exactly as the table has them"),
    COLUMN(aggregate_id, "column of the aggregate's id"),
    COLUMN(event_type, "column of the event's type, Domain.EntityAction"),
    COLUMN(payload, "column of the payload, JSON"),
    COLUMN(status, "column of the status; may be absent unless rows are marked"),
    COLUMN(created_at, "column of the time of the event; may be absent"),
    COLUMN(traceparent, "column of the W3C trace parent; may be absent"),
    COLUMN(tracestate, "column of the W3C trace state; may be absent"),
    COLUMN(schema_version, "column of the version of the contract; may be absent"),
    COLUMN(headers, "column of further headers, a JSON object of text; may be absent"),
    {"outbox.message_prefix", OPTION_IDENTIFIER, AT(outbox.message_prefix), .fallback = "walpost",
     .min = 1, .max = PG_NAME_MAX,
     .summary = "prefix of events by pg_logical_emit_message(true, 'walpost', json)"},
    {"outbox.after_publish", OPTION_CHOICE, AT(outbox.after_publish), .fallback = "mark",
     .choices = after_publish,
     .summary = "a published row: mark it (status = COMMITTED, a dead letter DEAD), delete it, or "
                "keep it as it is"},
    {"outbox.snapshot", OPTION_CHOICE, AT(outbox.snapshot), .choices = snapshots,
     .computed = "pending; none where after_publish is keep",
     .summary = "rows that were there before the slot: publish those with status PENDING, or none"},

    {"route.topic", OPTION_TEMPLATE, AT(route.topic), .fallback = "outbox.event.{domain}", .min = 1,
     .max = 1024, .summary = "topic: {domain} {event_type} {aggregate_id} {column:NAME}"},
    {"route.key", OPTION_TEMPLATE, AT(route.key), .fallback = "{aggregate_id}", .min = 1,
     .max = 1024, .summary = "key of the record; events of one key stay in order"},
    {"route.headers", OPTION_PAIRS, .templates = true, AT(route.headers),
     .summary = "headers to add, each a template: {region: \"{column:region}\"}"},
    {"route.header_style", OPTION_CHOICE, AT(route.header_style), .fallback = "walpost",
     .choices = header_styles, .summary = "names of the headers"},
    {"route.timestamp", OPTION_TEMPLATE, AT(route.timestamp), .fallback = "{column:created_at}",
     .min = 1, .max = 1024, .summary = "time of the record"},
    {"route.on_missing_topic", OPTION_CHOICE, AT(route.on_missing_topic), .fallback = "wait",
     .choices = missing_topics,
     .summary = "a topic that is not there: wait for it, create it, or make the event a dead "
                "letter (a late topic then reorders a key)"},

    {"encode.value", OPTION_CHOICE, AT(value), .fallback = "envelope", .choices = values,
     .summary = "value of the record: walpost.v1.OutboxEvent, the payload as the message of its "
                "contract, or the payload as it stands in the table"},

    {"contracts.dir", OPTION_TEXT, AT(contracts.dir), .fallback = "", .min = 0, .max = 4096,
     .allowed = "a directory",
     .summary = "directory of the contracts that every event is held to; none: \"\", unless "
                "encode.value is payload (then schemas)"},
    {"contracts.on_violation", OPTION_CHOICE, AT(contracts.on_violation), .fallback = "dead_letter",
     .choices = on_violations,
     .summary = "an event that breaks its contract becomes a dead letter, or halts the stream"},
    {"contracts.unknown_fields", OPTION_CHOICE, AT(contracts.unknown_fields), .fallback = "reject",
     .choices = unknown_fields,
     .summary = "fields of a payload that its contract does not have break it, or are left out of "
                "the typed payload"},
    {"contracts.naming", OPTION_CHOICE, AT(contracts.naming), .fallback = "warn",
     .choices = namings,
     .summary = "an event type that is not named Domain.Entity.Action or Domain.EntityAction, in "
                "the past tense: what `walpost schema check` makes of it"},
    {"contracts.registry.url", OPTION_TEXT, AT(contracts.registry.url), .fallback = "", .min = 0,
     .max = 4096, .allowed = "http://HOST:PORT or https://HOST:PORT, several with commas",
     .summary = "address of a schema registry with Confluent's REST API; several, with commas, are "
                "tried in turn; none: \"\""},
    {"contracts.registry.auth.username", OPTION_TEXT, AT(contracts.registry.auth.username),
     .fallback = "", .min = 0, .max = 4096, .summary = "user, where it asks for one"},
    {"contracts.registry.auth.password", OPTION_TEXT, .secret = true,
     AT(contracts.registry.auth.password), .fallback = "", .min = 0, .max = 4096,
     .summary = "password of that user, better by ${VAR}"},
    {"contracts.registry.auth.token", OPTION_TEXT, .secret = true,
     AT(contracts.registry.auth.token), .fallback = "", .min = 0, .max = 16384,
     .summary = "bearer token instead of user and password, better by ${VAR}"},
    {"contracts.registry.tls.ca", OPTION_TEXT, AT(contracts.registry.tls.ca), .fallback = "",
     .min = 0, .max = 4096,
     .summary = "file with the certificates to trust (PEM); else those of the system"},
    {"contracts.registry.tls.certificate", OPTION_TEXT, AT(contracts.registry.tls.certificate),
     .fallback = "", .min = 0, .max = 4096, .summary = "file with walpost's own certificate (PEM)"},
    {"contracts.registry.tls.key", OPTION_TEXT, AT(contracts.registry.tls.key), .fallback = "",
     .min = 0, .max = 4096, .summary = "file with its private key (PEM)"},
    {"contracts.registry.tls.key_password", OPTION_TEXT, .secret = true,
     AT(contracts.registry.tls.key_password), .fallback = "", .min = 0, .max = 4096,
     .summary = "password of that key, better by ${VAR}"},
    {"contracts.registry.subject", OPTION_CHOICE, AT(contracts.registry.subject),
     .fallback = "topic_record", .choices = subjects,
     .summary = "name of a schema's subject: <topic>-value, the message's full name, or both: "
                "<topic>-<name>"},
    {"contracts.registry.cache", OPTION_TEXT, AT(contracts.registry.cache), .fallback = "",
     .min = 0, .max = 4096,
     .summary = "file that keeps across restarts what was looked up; none: \"\""},
    {"contracts.registry.timeout", OPTION_DURATION, AT(contracts.registry.timeout_us),
     .fallback = "5s", .min = INT64_C(100) * 1000, .max = INT64_C(60) * 1000 * 1000,
     .summary = "how long one address has for one answer"},

    {"delivery", OPTION_CHOICE, AT(delivery), .fallback = "exactly_once", .choices = deliveries,
     .summary = "the promise: exactly_once, or at_least_once without Kafka transactions"},
    {"recover", OPTION_CHOICE, AT(recover), .fallback = "refuse", .choices = recoveries,
     .summary =
         "a slot that is gone, lost or ahead: refuse, or make it anew and read the rows that "
         "are still PENDING again, at least once"},
    {"lanes", OPTION_INTEGER, AT(lanes), .fallback = "1", .min = 1, .max = 64,
     .choices = lane_words, .allowed = "a whole number from 1 to 64, or partition",
     .summary = "threads that publish, each with its own set of keys; partition: one for each "
                "partition of the widest topic"},
    {"batch.max_events", OPTION_INTEGER, AT(batch.max_events), .fallback = "20000", .min = 1,
     .max = 1000000, .summary = "most events in one Kafka transaction"},
    {"batch.max_bytes", OPTION_BYTES, AT(batch.max_bytes), .fallback = "16MB", .min = 64 * KB,
     .max = 4 * GB, .summary = "most bytes in one Kafka transaction"},
    {"batch.linger", OPTION_DURATION, AT(batch.linger_us), .fallback = "0ms", .min = 0,
     .max = INT64_C(10) * 1000 * 1000,
     .summary = "how long a batch that is not full waits for more: latency against CPU"},
    {"memory", OPTION_BYTES, AT(memory), .fallback = "64MB", .min = 16 * MB, .max = 64 * GB,
     .summary = "memory for events in flight; the process stays below it + 40 MB + twice the "
                "largest row (more with contracts)"},

    {"dead_letter.topic", OPTION_IDENTIFIER, AT(dead_letter_topic),
     .fallback = "outbox.dead-letter", .min = 1, .max = TOPIC_NAME_MAX,
     .letters = LOWER UPPER DIGITS "._-",
     .allowed = "1 to 249 letters of a-z, A-Z, 0-9, ., _ and -",
     .summary = "topic of the events that cannot be published"},
    {"replay.keep_bytes", OPTION_BYTES, AT(replay.keep_bytes), .fallback = "0", .min = 0,
     .max = INT64_C(1024) * 1024 * GB,
     .allowed = "a size up to 1048576GB, for example 10GB; 0: no bound",
     .summary = "WAL that the anchor slot keeps for `walpost replay`, at the most"},
    {"replay.keep_for", OPTION_SPAN, AT(replay.keep_for_us), .fallback = "0", .min = 0,
     .max = INT64_C(366) * 86400 * 1000 * 1000,
     .allowed = "a time with its unit up to 366d, for example 12h; 0: no bound",
     .summary = "how long it keeps WAL, at the most; no anchor slot where both are 0"},
    {"checkpoint.replication_factor", OPTION_INTEGER, AT(checkpoint_replication_factor),
     .fallback = "-1", .min = -1, .max = 32767, .not_zero = true,
     .allowed = "-1 (the broker's default), or 1 to 32767",
     .summary = "replicas of the topic walpost.checkpoint.<stream>"},
    {"topics.create", OPTION_BOOLEAN, AT(topics.create), .fallback = "false",
     .summary = "let init create the topic of the route, when its name is known"},
    {"topics.partitions", OPTION_INTEGER, AT(topics.partitions), .fallback = "6", .min = 1,
     .max = 10000, .summary = "partitions of a topic that walpost creates"},
    {"topics.replication_factor", OPTION_INTEGER, AT(topics.replication_factor), .fallback = "-1",
     .min = -1, .max = 32767, .not_zero = true,
     .allowed = "-1 (the broker's default), or 1 to 32767",
     .summary = "replicas of a topic that walpost creates"},
    {"kafka", OPTION_PAIRS, .secret = true, AT(kafka),
     .summary = "properties of librdkafka, at least bootstrap.servers; those that carry a promise "
                "are refused"},
    LATER("telemetry.listen", "address of the metrics"),
    LATER("telemetry.otlp", "address of an OpenTelemetry collector"),
    {"telemetry.log", OPTION_CHOICE, AT(telemetry.log), .fallback = "auto", .choices = logs,
     .summary =
         "form of the log on standard error; auto: text on a terminal, JSON lines elsewhere"},
    {"telemetry.log_level", OPTION_CHOICE, AT(telemetry.log_level), .fallback = "info",
     .choices = log_levels, .summary = "the least level that is logged"},
};

const struct option *option_table(size_t *count)
{
    *count = ARRAY_LEN(options);
    return options;
}

const struct option *option_find(const char *path, const char **name)
{
    *name = NULL;
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct option *option = &options[i];
        size_t length = strlen(option->path);
        if (strcmp(path, option->path) == 0) {
            return option;
        }
        if (option->type == OPTION_PAIRS && strncmp(path, option->path, length) == 0 &&
            path[length] == '.' && path[length + 1] != '\0') {
            *name = path + length + 1;
            return option;
        }
    }
    return NULL;
}

const struct option *option_in_section(const char *path)
{
    size_t length = strlen(path);
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (strncmp(options[i].path, path, length) == 0 && options[i].path[length] == '.') {
            return &options[i];
        }
    }
    return NULL;
}

const char *option_nearest(const char *path)
{
    struct nearest nearest;
    nearest_init(&nearest, path);
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (options[i].type != OPTION_LATER) {
            nearest_offer(&nearest, options[i].path);
        }
    }
    return nearest.best;
}
