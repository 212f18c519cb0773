/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - everything that a user can set, in one struct that is read-only after config_load.
 * In -> out: walpost.yaml, ${VAR}, WALPOST_A__B and --set a.b=c -> struct config, or an error that
 *     names file, line, key and the nearest valid key.
 * Owns: all its strings; config_free frees them.  Thread: filled by main; read by every thread.
 * Keeps: one table (option_table.c) from which parsing, defaults, ranges, --help and the docs come.
 */
#ifndef WALPOST_CONFIG_CONFIG_H
#define WALPOST_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum after_publish { AFTER_MARK, AFTER_DELETE, AFTER_KEEP };
enum snapshot_mode { SNAPSHOT_PENDING, SNAPSHOT_NONE };
enum header_style { HEADERS_WALPOST, HEADERS_DEBEZIUM, HEADERS_CLOUDEVENTS };
enum missing_topic { MISSING_WAIT, MISSING_CREATE, MISSING_DEAD_LETTER };
enum value_format { VALUE_ENVELOPE, VALUE_PAYLOAD, VALUE_JSON };
enum recover { RECOVER_REFUSE, RECOVER_TABLE };
enum delivery { DELIVERY_EXACTLY_ONCE, DELIVERY_AT_LEAST_ONCE };
/* Instead of a number of lanes: pipeline/lanes.h asks the cluster. */
enum { LANES_BY_PARTITION = 0 };
enum on_violation { ON_VIOLATION_DEAD_LETTER, ON_VIOLATION_HALT };
enum unknown_fields { UNKNOWN_FIELDS_REJECT, UNKNOWN_FIELDS_IGNORE };
enum subject_strategy { SUBJECT_TOPIC, SUBJECT_RECORD, SUBJECT_TOPIC_RECORD };
enum naming { NAMING_OFF, NAMING_WARN, NAMING_REJECT };
enum log_choice { LOG_CHOICE_AUTO, LOG_CHOICE_TEXT, LOG_CHOICE_JSON };

/* The stream's name follows. */
#define CHECKPOINT_TOPIC_PREFIX "walpost.checkpoint."
#define REPLAY_TOPIC_PREFIX     "walpost.replay."

struct config_pair {
    char *name;
    char *value;
    char *where; /* who set it, for messages: "walpost.yaml:12", "WALPOST_KAFKA__ACKS", "--set
                    kafka.acks" */
};

struct config_pairs {
    struct config_pair *items;
    size_t count;
};

struct config {
    char *file;   /* that was read; NULL when there is none */
    char *stream; /* [a-z0-9_]{1,40}: it is in slot, publication, topic and table names */
    struct {
        char *dsn;
        char *slot;        /* default walpost_<stream> */
        char *publication; /* default walpost_<stream> */
    } postgres;
    struct {
        char *schema_name; /* outbox.table, split; default public.outbox_events */
        char *table_name;
        bool schema_written; /* else it is public because outbox.table names none */
        struct {
            char *id, *aggregate_id, *event_type, *payload, *status, *created_at, *traceparent,
                *tracestate, *schema_version, *headers;
        } columns;            /* names; the default is the field's own name */
        char *message_prefix; /* default walpost */
        enum after_publish after_publish;
        enum snapshot_mode snapshot; /* not set: none where after_publish is keep, else pending */
    } outbox;
    struct {
        char *topic; /* template, default outbox.event.{domain} */
        char *key;   /* default {aggregate_id} */
        struct config_pairs headers;
        enum header_style header_style;
        char *timestamp; /* default {column:created_at} */
        enum missing_topic on_missing_topic;
    } route;
    enum value_format value; /* encode.value */
    struct {
        char *dir; /* "": see config_checks_contracts */
        enum on_violation on_violation;
        enum unknown_fields unknown_fields;
        enum naming naming; /* of event types, in `walpost schema check` */
        struct {            /* texts that are not set are empty */
            char *url;      /* several, with commas; "": no registry */
            struct {
                char *username, *password, *token; /* basic, or bearer; or neither */
            } auth;
            struct {
                char *ca, *certificate, *key, *key_password; /* files, PEM */
            } tls;
            enum subject_strategy subject;
            char *cache;         /* a file; "": in memory only */
            uint32_t timeout_us; /* of one request to one address */
        } registry;
    } contracts;
    enum delivery delivery;
    enum recover recover; /* what a run does when its slot is gone */
    uint32_t lanes;       /* 1 .. 64, or LANES_BY_PARTITION */
    struct {
        uint32_t max_events; /* 1 .. 1000000 */
        uint64_t max_bytes;
        uint32_t linger_us; /* linger: 0ms .. 10s */
    } batch;
    uint64_t memory; /* bytes; 16MB .. 64GB */
    char *dead_letter_topic;
    struct {
        uint64_t keep_bytes;               /* of WAL, for replays; 0: no bound by bytes */
        uint64_t keep_for_us;              /* 0: no bound by age */
    } replay;                              /* both 0: no anchor slot is kept */
    int32_t checkpoint_replication_factor; /* -1: the broker's default */
    struct {
        bool create;
        uint32_t partitions;
        int32_t replication_factor;
    } topics;
    struct config_pairs
        kafka; /* librdkafka properties, passed through; without those that carry a promise */
    struct {
        enum log_choice log;
        enum {
            LEVEL_DEBUG,
            LEVEL_INFO,
            LEVEL_WARN,
            LEVEL_ERROR
        } log_level; /* telemetry.log_level */
    } telemetry;

    /* derived */
    char *checkpoint_topic; /* walpost.checkpoint.<stream> */
    char *replay_topic;     /* walpost.replay.<stream> */
    char *anchor_slot;      /* <slot>_anchor */
    char *snapshot_table;   /* walpost.snapshot_<stream>, quoted */
    char *table;            /* "public"."outbox_events", quoted for SQL */
};

/* One --set key=value; sets are applied last. */
struct config_sources {
    const char *file; /* -c; NULL: walpost.yaml if it is there, else none */
    const char *const *sets;
    size_t n_sets;
};

/* INVALID with file, line, key and remedy on anything that is wrong. *config is written only on OK.
 */
enum verdict MUST_CHECK config_load(const struct config_sources *sources, struct config **config,
                                    struct error *error);
/* For commands that look at files and at no server: only outbox: and contracts: without the
 * registry are filled in, whatever else is missing. */
enum verdict MUST_CHECK config_load_offline(const struct config_sources *sources,
                                            struct config **config, struct error *error);
void config_free(struct config *config);
/* A property of the kafka: section. NULL: it is not set. */
const char *config_kafka(const struct config *config, const char *name);
/* kafka.transaction.timeout.ms, or what it is unless set. */
int config_transaction_timeout_ms(const struct config *config);
/* Is WAL kept for replays? */
static inline bool config_keeps_anchor(const struct config *config)
{
    return config->replay.keep_bytes > 0 || config->replay.keep_for_us > 0;
}

/* Is every event held to a contract? */
static inline bool config_checks_contracts(const struct config *config)
{
    const char *dir = config->contracts.dir;
    return (dir != NULL && dir[0] != '\0') || config->value == VALUE_PAYLOAD;
}

/* Where contracts are, whether the stream checks them or not. */
static inline const char *config_contracts_dir(const struct config *config)
{
    const char *dir = config->contracts.dir;
    return dir != NULL && dir[0] != '\0' ? dir : "schemas";
}

/* The documented YAML of all options with their defaults (for --help and docs), to standard output.
 * It loads as it stands. */
void config_print_reference(void);

#endif
