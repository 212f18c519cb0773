/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq/remake.h"

#include <stdlib.h>

#include "base/check.h"
#include "config/config.h"
#include "enforce/contracts.h"
#include "outbox/map.h"
#include "pg/link.h"

struct remaker {
    const struct config *config;
    struct mapper *mapper;
    struct encoder *encoder;
    struct contracts *contracts; /* NULL: none are checked */
    struct gate *gate;
    struct tuple tuple;
    char key[4096];
};

enum verdict remaker_new(const struct config *config, struct remaker **remaker, struct error *error)
{
    struct remaker *made = must_calloc(1, sizeof(*made));
    made->config = config;
    enum verdict verdict = encoder_new(config, &made->encoder, error);
    if (verdict != OK) {
        free(made);
        return verdict;
    }
    mapper_new(config, &made->mapper);
    *remaker = made;
    return OK;
}

enum verdict remaker_load_contracts(struct remaker *remaker, struct error *error)
{
    enum verdict verdict =
        contracts_load(remaker->config, CONTRACTS_MEND, NULL, &remaker->contracts, error);
    if (verdict == OK) {
        remaker->gate = contracts_gate(remaker->contracts, remaker->encoder);
    }
    return verdict;
}

void remaker_free(struct remaker *remaker)
{
    if (remaker != NULL) {
        if (remaker->gate != NULL) {
            remaker->gate->ops->free(remaker->gate);
        }
        contracts_free(remaker->contracts);
        mapper_free(remaker->mapper);
        encoder_free(remaker->encoder);
        free(remaker);
    }
}

struct bytes remaker_key(struct remaker *remaker, const struct letter *letter)
{
    struct named_bytes extra[RECORD_HEADERS_MAX];
    struct row row;
    struct bytes key;
    letter_row(letter, extra, &row);
    return encode_key(remaker->encoder, &row, remaker->key, sizeof(remaker->key), &key, NULL) == OK
               ? key
               : BYTES_NULL;
}

enum letter_value letter_value(const struct letter *letter)
{
    struct bytes value = letter_header(letter, "value");
    if (bytes_equal(value, BYTES_LIT(LETTER_VALUE_MESSAGE))) {
        return LETTER_MESSAGE;
    }
    return bytes_equal(value, BYTES_LIT(LETTER_VALUE_PAYLOAD)) ? LETTER_PAYLOAD : LETTER_NOTHING;
}

void remade_release(struct remade *remade)
{
    free(remade->memory);
    remade->memory = NULL;
}

/* --- the way of an event, from the row on --- */

/* Another payload would not help. */
static enum verdict without_contract(const struct letter *letter, const struct row *row,
                                     struct error *error)
{
    static const char contract[] =
        "Add the contract, or the version of it that the event names, and replay it as it is.";
    if (row->message) {
        return error_remedy(error, "%s", contract);
    }
    return error_remedy(error,
                        "%s Or mend the type in the table (UPDATE): walpost dlq replay --id %.*s "
                        "--from-table.",
                        contract, (int)letter->key.len, letter->key.data);
}

static enum verdict still_dead(const struct letter *letter, const struct row *row,
                               enum dead_reason reason, const char *detail, struct error *error)
{
    error_set(error, REJECT, "it would be a dead letter again (%s): %s", dead_reason_name(reason),
              detail);
    bool whole = letter_value(letter) == LETTER_MESSAGE;
    if (reason == DEAD_UNKNOWN_EVENT_TYPE && !whole) {
        return without_contract(letter, row, error);
    }
    return error_remedy(
        error, "Give %s: walpost dlq replay --id %.*s --payload-file FILE.%s%s",
        whole ? "the whole message, mended" : "the mended payload", (int)letter->key.len,
        letter->key.data,
        row->message
            ? ""
            : " Or mend the row in the table (UPDATE), with --from-table instead of the file.",
        reason == DEAD_SCHEMA_VALIDATION_FAILED
            ? " Or add a version of the contract that allows it, and replay it as it is."
            : "");
}

/* Puts the payload behind the room that the encoder wants. */
static void take_payload(struct remaker *remaker, struct remade *remade)
{
    struct event *event = &remade->event;
    struct bytes payload = event->row.payload;
    event->headroom_size = encode_headroom(remaker->encoder, &event->row);
    remade->memory = must_malloc(event->headroom_size + payload.len + 1);
    memcpy(remade->memory + event->headroom_size, payload.data, payload.len);
    event->headroom = remade->memory;
    event->row.payload.data = remade->memory + event->headroom_size;
}

static enum verdict hold_to_contract(struct remaker *remaker, const struct letter *letter,
                                     struct remade *remade, struct error *error)
{
    struct event *event = &remade->event;
    struct error violation;
    enum dead_reason reason;
    if (remaker->gate == NULL) {
        return OK;
    }
    enum verdict verdict = remaker->gate->ops->hold(remaker->gate, event, &reason, &violation);
    if (event->memory != NULL) { /* the payload was moved there */
        free(remade->memory);
        remade->memory = event->memory;
        event->memory = NULL;
    }
    if (verdict == REJECT) {
        return still_dead(letter, &event->row, reason, violation.what, error);
    }
    if (verdict != OK) {
        *error = violation;
    }
    return verdict;
}

static enum verdict encode(struct remaker *remaker, const struct letter *letter,
                           struct remade *remade, struct error *error)
{
    struct event *event = &remade->event;
    letter_segment(letter, &remade->segment);
    event->segment = &remade->segment;
    event->position = letter->position;
    remade->marks = !event->row.message;
    if (event->row.dead != DEAD_NOT) {
        return still_dead(letter, &event->row, event->row.dead, event->row.detail, error);
    }
    enum verdict verdict = encode_key(remaker->encoder, &event->row, remade->key,
                                      sizeof(remade->key), &event->key, error);
    if (verdict == OK) {
        take_payload(remaker, remade);
        verdict = hold_to_contract(remaker, letter, remade, error);
    }
    if (verdict == OK) {
        verdict = encode_event(remaker->encoder, event, &remade->record, error);
    }
    if (verdict != OK) {
        remade_release(remade);
    }
    return verdict;
}

/* --- from what the letter has --- */

static enum verdict not_whole(const struct letter *letter, const char *what, bool mends,
                              struct error *error)
{
    bool has_row = letter_header(letter, "source_table").data != NULL;
    error_set(error, REJECT, "%s", what);
    return error_remedy(error, "%s%s%s.", mends ? "Give the payload with --payload-file" : "",
                        mends && has_row ? ", or take"
                        : has_row        ? "Take"
                                         : "",
                        has_row ? " the row as it stands in the table now with --from-table"
                        : mends ? ""
                                : "Insert the event again, then purge this letter");
}

enum { UUID_LEN = 36 };

/* Under another id it would be another event. One that was no id at all may be mended. */
static bool is_another(const struct letter *letter, struct bytes id)
{
    struct bytes known = letter_header(letter, "event_id");
    return known.len == UUID_LEN && !bytes_equal(known, id);
}

enum verdict remake_from_value(struct remaker *remaker, const struct letter *letter,
                               struct bytes value, struct remade *remade, struct error *error)
{
    struct row *row = &remade->event.row;
    remade->memory = NULL;
    remade->event = (struct event){.next = NULL};
    if (letter_value(letter) == LETTER_MESSAGE && value.data != NULL) {
        mapper_message(remaker->mapper, value, row);
        if (row->dead == DEAD_NOT && is_another(letter, row->id)) {
            return error_set(error, REJECT, "the mended message has another id than the event");
        }
        return encode(remaker, letter, remade, error);
    }
    letter_row(letter, remade->extra, row);
    if (letter_is_cut(letter)) {
        return not_whole(letter, "the letter does not have all of the row: something was too long",
                         false, error);
    }
    if (value.data == NULL) {
        return not_whole(letter, "the letter holds no payload", true, error);
    }
    row->payload = value;
    mapper_judge(remaker->mapper, row);
    return encode(remaker, letter, remade, error);
}

/* --- from the table --- */

static enum verdict plan(struct remaker *remaker, const struct pg_result *row, struct error *error)
{
    size_t n = pg_result_columns(row);
    struct relation_column *columns = must_calloc(n, sizeof(*columns));
    for (size_t i = 0; i < n; i++) { /* no types: then nothing is trusted to be what it should */
        columns[i].name = bytes_of(pg_result_name(row, i));
    }
    enum verdict verdict = mapper_plan(remaker->mapper, columns, (uint16_t)n, error);
    free(columns);
    return verdict;
}

enum verdict remake_from_row(struct remaker *remaker, const struct letter *letter,
                             const struct pg_result *result, struct remade *remade,
                             struct error *error)
{
    struct tuple *tuple = &remaker->tuple;
    struct row *row = &remade->event.row;
    remade->memory = NULL;
    remade->event = (struct event){.next = NULL};
    enum verdict verdict = plan(remaker, result, error);
    if (verdict != OK) {
        return verdict;
    }
    tuple->n_columns = (uint16_t)pg_result_columns(result);
    for (uint16_t i = 0; i < tuple->n_columns; i++) {
        struct bytes value = pg_result_get(result, 0, i);
        tuple->columns[i] = (struct column){value.data == NULL ? COLUMN_NULL : COLUMN_TEXT, value};
    }
    verdict = mapper_row(remaker->mapper, tuple, row, error);
    if (verdict != OK) {
        return verdict;
    }
    struct bytes status = letter_header(letter, "status");
    row->status = letter_is_cut(letter) ? row->status : status; /* now it is DEAD */
    row->message = false;
    return encode(remaker, letter, remade, error);
}
