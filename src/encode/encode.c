/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/encode.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "encode/encoder.h"
#include "encode/envelope.h"
#include "encode/timestamp.h"

/* How much of a hostile name a message shows: the name of a dead letter's fault has 96 bytes in
 * all. */
enum {
    SHOWN = 48,
    TOPIC_LEN_MAX = RECORD_TOPIC_SIZE - 1,
    TYPED_EXTRA = 192, /* what typed payloads have beside the payload's own size: names, slack */
};

static bool topic_characters(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

/* Kafka's Topic.validate: 1 to 249 of these characters, and neither "." nor "..". */
static bool topic_valid(struct bytes name)
{
    return name.len > 0 && name.len <= TOPIC_LEN_MAX && topic_characters(name) &&
           !bytes_equal(name, BYTES_LIT(".")) && !bytes_equal(name, BYTES_LIT(".."));
}

/* What stands there is walpost's or Kafka's own: a record between it would be taken for a position,
 * or compacted away by its key. */
static bool topic_reserved(const struct encoder *encoder, struct bytes name)
{
    static const struct {
        const char *text;
        bool prefix;
    } reserved[] = {{"walpost.checkpoint.", true},
                    {"walpost.replay.", true},
                    {"__consumer_offsets", false},
                    {"__transaction_state", false}};
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        struct bytes text = bytes_of(reserved[i].text);
        if (bytes_equal(name, text) || (reserved[i].prefix && name.len > text.len &&
                                        memcmp(name.data, text.data, text.len) == 0)) {
            return true;
        }
    }
    return bytes_equal(name, encoder->dead_letter_topic);
}

static enum verdict reserved_topic(const char *name, struct error *error)
{
    error_set(error, INVALID, "route.topic: no event may go to topic \"%.249s\"", name);
    return error_remedy(error, "It holds positions, dead letters, or what is Kafka's own: an event "
                               "there would destroy them. Name another topic.");
}

static enum verdict wrong_topic(const char *key, const char *name, struct error *error)
{
    error_set(error, INVALID, "%s: Kafka forbids the topic name \"%.300s\"", key, name);
    return error_remedy(error, "A topic name has 1 to %d of the characters a-z A-Z 0-9 . _ and -.",
                        TOPIC_LEN_MAX);
}

/* What no row can make right shows at once, not as a dead letter for every event. */
static enum verdict check_topics(const struct encoder *encoder, const struct config *config,
                                 struct error *error)
{
    size_t literal_len = 0;
    struct bytes whole = bytes_of(config->route.topic);
    for (size_t i = 0; i < encoder->topic.n_parts; i++) {
        const struct template_part *part = &encoder->topic.parts[i];
        if (part->kind == PART_LITERAL) {
            literal_len += part->text.len;
            if (!topic_characters(part->text)) {
                return wrong_topic("route.topic", config->route.topic, error);
            }
        }
    }
    if (literal_len > TOPIC_LEN_MAX ||
        (literal_len == whole.len && !topic_valid(whole))) { /* one without placeholders */
        return wrong_topic("route.topic", config->route.topic, error);
    }
    if (topic_reserved(encoder, whole)) {
        return reserved_topic(config->route.topic, error);
    }
    if (!topic_valid(encoder->dead_letter_topic)) {
        return wrong_topic("dead_letter.topic", config->dead_letter_topic, error);
    }
    return OK;
}

static enum verdict compile(struct template *template, const struct config *config, const char *key,
                            const char *text, struct error *error)
{
    if (text[0] == '\0') {
        error_set(error, INVALID, "%s is empty", key);
        return error_remedy(error, "Leave it out for the default, or write a template.");
    }
    return template_compile(template, config, key, text, error);
}

enum verdict encoder_new(const struct config *config, struct encoder **encoder, struct error *error)
{
    struct encoder *fresh = must_calloc(1, sizeof(*fresh));
    fresh->format = config->value;
    fresh->checked = config_checks_contracts(config);
    fresh->stream = bytes_of(config->stream);
    fresh->dead_letter_topic = bytes_of(config->dead_letter_topic);
    fresh->source_table =
        must_printf("%s.%s", config->outbox.schema_name, config->outbox.table_name);
    enum verdict verdict =
        compile(&fresh->topic, config, "route.topic", config->route.topic, error);
    if (verdict == OK) {
        verdict = compile(&fresh->key, config, "route.key", config->route.key, error);
    }
    if (verdict == OK) {
        verdict =
            compile(&fresh->timestamp, config, "route.timestamp", config->route.timestamp, error);
    }
    if (verdict == OK) {
        verdict = header_plan_init(&fresh->headers, config, error);
    }
    if (verdict == OK) {
        verdict = check_topics(fresh, config, error);
    }
    if (verdict != OK) {
        encoder_free(fresh);
        return verdict;
    }
    *encoder = fresh;
    return OK;
}

void encoder_free(struct encoder *encoder)
{
    if (encoder == NULL) {
        return;
    }
    template_release(&encoder->topic);
    template_release(&encoder->key);
    template_release(&encoder->timestamp);
    header_plan_release(&encoder->headers);
    free(encoder->source_table);
    free(encoder);
}

void encoder_set_replay(struct encoder *encoder, const char *id)
{
    encoder->headers.replay_id = bytes_of(id);
}

size_t encode_headroom(const struct encoder *encoder, const struct row *row)
{
    size_t front = encoder->format == VALUE_ENVELOPE ? envelope_headroom(encoder->stream, row) : 0;
    bool typed = encoder->checked && encoder->format != VALUE_JSON;
    return front + (typed ? row->payload.len + TYPED_EXTRA : 0);
}

/* What of the headroom is not for the typed payload. */
static size_t front_room(const struct encoder *encoder, const struct event *event)
{
    return encoder->format == VALUE_ENVELOPE
               ? envelope_headroom(encoder->stream, &event->row) + event->contract->message.len
               : 0;
}

size_t encode_typed_room(const struct encoder *encoder, const struct event *event)
{
    size_t front = front_room(encoder, event);
    return encoder->format == VALUE_JSON || event->headroom_size < front
               ? 0
               : event->headroom_size - front;
}

void encode_make_room(const struct encoder *encoder, struct event *event, size_t typed)
{
    struct bytes payload = event->row.payload;
    size_t room = front_room(encoder, event) + typed;
    char *memory = must_malloc(room + payload.len);
    memcpy(memory + room, payload.data, payload.len);
    free(event->memory);
    event->memory = memory;
    event->headroom = memory;
    event->headroom_size = room;
    event->row.payload.data = memory + room;
}

static enum verdict reject_null(const char *what, const struct template *template,
                                const struct row *row, struct error *error)
{
    struct bytes placeholder = template_null(template, row);
    int shown = placeholder.len < SHOWN ? (int)placeholder.len : SHOWN;
    return error_set(error, REJECT, "%s cannot be made: %.*s is NULL or empty", what, shown,
                     placeholder.data);
}

enum verdict encode_key(const struct encoder *encoder, const struct row *row, char *buffer,
                        size_t size, struct bytes *key, struct error *error)
{
    struct bytes text;
    switch (template_render(&encoder->key, row, buffer, size, &text)) {
    case RENDERED: break;
    case RENDERED_NULL: return reject_null("the record key", &encoder->key, row, error);
    case RENDERED_TOO_LONG:
        return error_set(error, REJECT, "the record key is longer than %zu bytes", size);
    }
    if (text.len == 0) {
        return error_set(error, REJECT, "the record key is empty");
    }
    *key = text;
    return OK;
}

enum verdict encode_topic(const struct encoder *encoder, const struct row *row,
                          char topic[static RECORD_TOPIC_SIZE], struct error *error)
{
    struct bytes name;
    switch (template_render(&encoder->topic, row, topic, TOPIC_LEN_MAX, &name)) {
    case RENDERED: break;
    case RENDERED_NULL: return reject_null("the topic name", &encoder->topic, row, error);
    case RENDERED_TOO_LONG:
        return error_set(error, REJECT, "the topic name is longer than %d characters",
                         TOPIC_LEN_MAX);
    }
    if (!topic_valid(name)) {
        struct bytes shown = record_cut(name, SHOWN);
        return error_set(error, REJECT, "Kafka forbids the topic name \"%.*s%s\"", (int)shown.len,
                         shown.data, shown.len < name.len ? "..." : "");
    }
    if (topic_reserved(encoder, name)) {
        struct bytes shown = record_cut(name, SHOWN);
        return error_set(error, REJECT, "no event may go to topic \"%.*s%s\"", (int)shown.len,
                         shown.data, shown.len < name.len ? "..." : "");
    }
    if (name.data != topic) {
        memcpy(topic, name.data, name.len);
    }
    topic[name.len] = '\0';
    return OK;
}

/* The Kafka client takes 0 for "now", Kafka -1 for "none" and nothing below: what is not after 1970
 * is no time here. */
static int64_t timestamp_ms(const struct encoder *encoder, const struct event *event,
                            const int64_t *occurred_us)
{
    char buffer[64];
    struct bytes text;
    int64_t us = 0;
    if (template_render(&encoder->timestamp, &event->row, buffer, sizeof(buffer), &text) ==
        RENDERED) {
        if (text.data == event->row.created_at.data) {
            us = occurred_us == NULL ? 0 : *occurred_us;
        } else if (!timestamp_parse(text, &us)) {
            us = 0;
        }
    }
    return (us >= 1000 ? us : event->segment->commit_time_us) / 1000;
}

enum verdict encode_event(const struct encoder *encoder, struct event *event, struct record *record,
                          struct error *error)
{
    const struct row *row = &event->row;
    check(row->dead == DEAD_NOT);                        /* I7 */
    check(!encoder->checked || event->contract != NULL); /* I7 */
    if (row->payload.data == NULL) {
        return error_set(error, REJECT, "the payload is NULL");
    }
    record->partition = -1;
    record->key = event->key;
    record->n_headers = 0;
    record->scratch_used = TRACEPARENT_LEN;
    enum verdict verdict = encode_topic(encoder, row, record->topic, error);
    if (verdict != OK) {
        return verdict;
    }
    struct envelope envelope = {.stream = encoder->stream};
    trace_of(row, record->scratch, &envelope.trace);
    envelope.occurred = timestamp_parse(row->created_at, &envelope.occurred_us);
    const int64_t *occurred_us = envelope.occurred ? &envelope.occurred_us : NULL;
    record->timestamp_ms = timestamp_ms(encoder, event, occurred_us);
    verdict = headers_write(&encoder->headers, event, &envelope.trace, occurred_us, record, error);
    if (verdict != OK) {
        return verdict;
    }
    switch (encoder->format) {
    case VALUE_ENVELOPE: event->value = envelope_write(&envelope, event); break;
    case VALUE_PAYLOAD: event->value = event->typed; break;
    case VALUE_JSON: event->value = row->payload; break;
    }
    record->value = event->value;
    return OK;
}
