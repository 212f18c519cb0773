/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/check.h"
#include "config/config.h"
#include "enforce/contract.h"
#include "enforce/contracts.h"
#include "enforce/judge.h"
#include "outbox/json.h"

enum {
    FRAMES_MAX = 1024,         /* then all are looked up again */
    JUDGE_LARGE = 1024 * 1024, /* a judge that had to hold so much is made anew: I8 */
};

/* A frame that was found: they never change. */
struct known_frame {
    size_t contract;
    char topic[RECORD_TOPIC_SIZE];
    struct frame frame;
};

struct contract_gate {
    struct gate base;
    struct contracts *contracts;
    const struct encoder *encoder;
    enum unknown_policy policy;
    struct judge **judges; /* for each contract, once it is needed */
    struct known_frame *frames;
    size_t n_frames;
};

/* --- frames --- */

static const struct frame *known(const struct contract_gate *gate, size_t contract,
                                 const char *topic)
{
    for (size_t i = 0; i < gate->n_frames; i++) {
        const struct known_frame *known = &gate->frames[i];
        if (known->contract == contract && strcmp(known->topic, topic) == 0) {
            return &known->frame;
        }
    }
    return NULL;
}

static enum verdict find_frame(struct contract_gate *gate, const struct event *event,
                               const struct contract *contract, const struct frame **frame,
                               struct error *error)
{
    char topic[RECORD_TOPIC_SIZE] = "";
    enum verdict verdict = OK;
    if (frames_need_topic(gate->contracts->frames)) {
        verdict = encode_topic(gate->encoder, &event->row, topic, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    *frame = known(gate, contract->index, topic);
    if (*frame != NULL) {
        return OK;
    }
    struct known_frame found = {.contract = contract->index};
    memcpy(found.topic, topic, sizeof(topic));
    verdict = frames_find(gate->contracts->frames, contract->index, topic, &found.frame, error);
    if (verdict == OK) {
        gate->n_frames = gate->n_frames == FRAMES_MAX ? 0 : gate->n_frames;
        gate->frames = must_realloc(gate->frames, (gate->n_frames + 1) * sizeof(gate->frames[0]));
        gate->frames[gate->n_frames] = found;
        *frame = &gate->frames[gate->n_frames++].frame;
    }
    return verdict;
}

/* --- the typed payload: where it stays until the record is written --- */

/* The lead in front of it is for a frame. */
static struct room room_of(const struct contract_gate *gate, const struct event *event, size_t lead)
{
    size_t size = encode_typed_room(gate->encoder, event);
    return size > lead ? (struct room){event->headroom + lead, size - lead} : (struct room){0};
}

static bool stands_in(struct bytes typed, struct room room)
{
    return room.data != NULL && typed.data >= room.data && typed.data < room.data + room.size;
}

static void keep(struct contract_gate *gate, struct event *event, size_t lead, struct bytes typed)
{
    struct room room = room_of(gate, event, lead);
    if (!stands_in(typed, room)) {
        if (room.size < typed.len) {
            encode_make_room(gate->encoder, event, lead + typed.len);
            room = room_of(gate, event, lead);
        }
        check(room.data != NULL);
        memcpy(room.data, typed.data, typed.len);
    }
    event->typed = (struct bytes){room.data, typed.len};
}

static enum verdict put_frame(struct contract_gate *gate, struct event *event,
                              const struct contract *contract, struct error *error)
{
    const struct frame *frame;
    enum verdict verdict = find_frame(gate, event, contract, &frame, error);
    if (verdict == OK) {
        size_t from = (size_t)(event->typed.data - event->headroom) - frame->len;
        memcpy(event->headroom + from, frame->data, frame->len);
        event->typed = (struct bytes){event->headroom + from, event->typed.len + frame->len};
    }
    return verdict;
}

/* typed BYTES_NULL: the payload is in its contract's format as it stands. */
static enum verdict take(struct contract_gate *gate, struct event *event,
                         const struct contract *contract, size_t lead, struct bytes typed,
                         struct error *error)
{
    enum value_format format = gate->contracts->config->value;
    if (format == VALUE_JSON || (format == VALUE_ENVELOPE && typed.data == NULL)) {
        return OK;
    }
    if (typed.data == NULL) {
        event->typed = event->row.payload;
    } else {
        keep(gate, event, lead, typed);
    }
    return lead > 0 ? put_frame(gate, event, contract, error) : OK;
}

/* --- an event --- */

static struct judge *judge_of(struct contract_gate *gate, const struct contract *contract)
{
    struct judge **judge = &gate->judges[contract->index];
    if (*judge == NULL) {
        *judge = judge_new(contract->schema, gate->policy);
    }
    return *judge;
}

static void forget_large(struct contract_gate *gate, const struct contract *contract, size_t len)
{
    if (len > JUDGE_LARGE) {
        struct judge **judge = &gate->judges[contract->index];
        (*judge)->ops->free(*judge);
        *judge = NULL;
    }
}

static enum verdict broken(const struct event *event, const struct contract *contract,
                           const struct violation *violation, enum dead_reason *reason,
                           struct error *error)
{
    enum json_trouble trouble = json_check(event->row.payload);
    if (trouble != JSON_FINE) {
        *reason = DEAD_UNMARSHAL_FAILED;
        return error_set(error, REJECT, "the payload is not JSON: %s", json_trouble_text(trouble));
    }
    *reason = DEAD_SCHEMA_VALIDATION_FAILED;
    enum verdict verdict = violation_error(violation, error);
    error_prefix(error, "%.100s v%u: ", contract->schema->type, contract->schema->version);
    return verdict;
}

static enum verdict hold(struct contract_gate *gate, struct event *event,
                         const struct contract *contract, enum dead_reason *reason,
                         struct error *error)
{
    struct violation violation;
    struct bytes typed = BYTES_NULL;
    struct judge *judge = judge_of(gate, contract);
    size_t lead = gate->contracts->frames == NULL ? 0 : WIRE_HEADER_MAX;
    event->contract = &contract->name;
    enum verdict verdict =
        judge->ops->hold(judge, event->row.payload, room_of(gate, event, lead), &typed, &violation);
    if (verdict != OK) {
        verdict = broken(event, contract, &violation, reason, error);
    } else {
        verdict = take(gate, event, contract, lead, typed, error);
        *reason =
            DEAD_INVALID_EVENT; /* of a topic that cannot be: the encoder would say the same */
    }
    forget_large(gate, contract, event->row.payload.len);
    if (verdict != OK) {
        event->contract = NULL;
        event->typed = BYTES_NULL;
    }
    return verdict;
}

static enum verdict halt(const struct contract_gate *gate, const struct event *event,
                         enum dead_reason reason, struct error *error)
{
    char position[POSITION_TEXT_SIZE];
    position_format(event->position, position);
    struct bytes id = record_cut(event->row.id, 64);
    error_prefix(error, "event %.*s at %s (%s): ", (int)id.len, id.data, position,
                 dead_reason_name(reason));
    error->verdict = FATAL;
    error_remedy(error,
                 "Nothing of this event or behind it has left. Mend the contract in %.200s and "
                 "start again, or make it a dead letter: contracts.on_violation: dead_letter.",
                 gate->contracts->schemas.folder);
    return FATAL;
}

static enum verdict check_event(struct gate *base, struct event *event, enum dead_reason *reason,
                                struct error *error)
{
    struct contract_gate *gate = (struct contract_gate *)base;
    const struct contract *contract;
    enum verdict verdict = contracts_find(gate->contracts, &event->row, &contract, error);
    *reason = DEAD_UNKNOWN_EVENT_TYPE;
    if (verdict == OK) {
        verdict = hold(gate, event, contract, reason, error);
    }
    bool violation = verdict == REJECT && *reason != DEAD_INVALID_EVENT;
    return violation && gate->contracts->halts ? halt(gate, event, *reason, error) : verdict;
}

/* --- lifecycle --- */

static void gate_free(struct gate *base)
{
    struct contract_gate *gate = (struct contract_gate *)base;
    for (size_t i = 0; i < gate->contracts->schemas.n; i++) {
        if (gate->judges[i] != NULL) {
            gate->judges[i]->ops->free(gate->judges[i]);
        }
    }
    free(gate->judges);
    free(gate->frames);
    free(gate);
}

struct gate *contracts_gate(struct contracts *contracts, const struct encoder *encoder)
{
    static const struct gate_ops ops = {check_event, gate_free};
    if (contracts == NULL) {
        return NULL;
    }
    struct contract_gate *gate = must_calloc(1, sizeof(*gate));
    bool ignore = contracts->config->contracts.unknown_fields == UNKNOWN_FIELDS_IGNORE;
    gate->base.ops = &ops;
    gate->contracts = contracts;
    gate->encoder = encoder;
    gate->policy = ignore ? UNKNOWN_IGNORE : UNKNOWN_REJECT;
    gate->judges = must_calloc(contracts->schemas.n, sizeof(gate->judges[0]));
    return &gate->base;
}
