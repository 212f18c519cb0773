/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/intake.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/chunk.h"
#include "base/clock.h"
#include "base/murmur2.h"
#include "config/config.h"
#include "encode/past_key.h"
#include "pipeline/event_copy.h"

enum {
    KEY_MAX = 4096,
    /* What librdkafka holds for a record beside its value: message, key, headers. Measured by
       bench/. */
    CLIENT_OVERHEAD = 1024,
    LATER_PARTS = 4, /* the parts of a cut transaction after the first: a quarter of a batch */
};

struct open_segment {
    struct segment *segment;
    uint32_t parts; /* handed over already */
};

struct segments {
    struct segment *first;
    struct segment *last;
};

struct intake {
    struct intake_options options;
    struct mapper *mapper;
    size_t n_past;
    struct past_key **past; /* for each layout of the history; NULL: keys as today, or unreadable */
    struct decoder decoder;
    struct chunk_pool pool;
    lsn until_lsn;       /* 0: no end */
    uint32_t outbox_oid; /* 0: no RELATION message of the table yet */
    uint64_t held;       /* events not given back */
    struct intake_counts counts;

    bool in_transaction;
    bool snapshot;
    uint64_t transaction; /* the ledger's name */
    lsn commit_lsn;       /* of the open transaction, or else of the last one */
    int64_t commit_time_us;
    uint32_t xid;
    uint32_t ordinal;
    struct open_segment open[LANES_MAX];
    struct segments ready[LANES_MAX];
};

/* Events in flight at the last stop may have been published under keys that are no longer made. */
static void compile_past_keys(struct intake *intake)
{
    const struct checkpoint *checkpoint = intake->options.checkpoint;
    intake->n_past = checkpoint == NULL ? 0 : checkpoint->n_history;
    intake->past = must_calloc(intake->n_past, sizeof(struct past_key *));
    for (size_t i = 0; i < intake->n_past; i++) {
        const struct layout *layout = &checkpoint->history[i];
        struct error ignored; /* matters only where an event asks for it: template_cannot_tell */
        if (!layout_same_keys(layout, &checkpoint->layout) &&
            past_key_new(intake->options.config, layout->key_template, layout->key_columns,
                         &intake->past[i], &ignored) != OK) {
            intake->past[i] = NULL;
        }
    }
}

struct intake *intake_new(const struct intake_options *options)
{
    struct intake *intake = must_calloc(1, sizeof(*intake));
    intake->options = *options;
    mapper_new(options->config, &intake->mapper);
    compile_past_keys(intake);
    chunk_pool_init(&intake->pool);
    return intake;
}

/* --- segments --- */

static struct segment *segment_new(struct intake *intake, uint32_t lane)
{
    struct chunk *chunk;
    struct segment *segment = chunk_alloc(&intake->pool, sizeof(*segment), &chunk);
    *segment = (struct segment){
        .chunk = chunk,
        .commit_lsn = intake->commit_lsn,
        .commit_time_us = intake->commit_time_us,
        .xid = intake->xid,
        .lane = lane,
        .snapshot = intake->snapshot,
        .transaction = intake->transaction,
    };
    segment->last = &segment->first;
    return segment;
}

/* The lane's open segment goes to the lane; end_lsn 0: a part of a transaction that goes on. */
static void hand_over(struct intake *intake, uint32_t lane, lsn end_lsn)
{
    struct open_segment *open = &intake->open[lane];
    struct segment *segment = open->segment;
    if (segment == NULL) {
        return;
    }
    open->segment = NULL;
    if (!intake->snapshot && (end_lsn == 0 || open->parts > 0)) {
        segment->part = ++open->parts;
    }
    segment->end_lsn = end_lsn;
    struct segments *ready = &intake->ready[lane];
    if (ready->first == NULL) {
        ready->first = segment;
    } else {
        ready->last->next = segment;
    }
    ready->last = segment;
}

/* The segment that takes an event of this size; cuts the transaction where it outgrows a batch
 * (I12). */
static struct segment *segment_for(struct intake *intake, uint32_t lane, size_t bytes)
{
    const struct config *config = intake->options.config;
    struct open_segment *open = &intake->open[lane];
    if (open->segment != NULL) {
        uint32_t share = open->parts == 0 ? 1 : LATER_PARTS;
        uint32_t events_max = config->batch.max_events / share;
        uint64_t bytes_max = config->batch.max_bytes / share;
        if (open->segment->n_events >= (events_max == 0 ? 1 : events_max) ||
            open->segment->bytes + bytes > bytes_max) {
            hand_over(intake, lane, 0);
        }
    }
    if (open->segment == NULL) {
        open->segment = segment_new(intake, lane);
    }
    return open->segment;
}

/* --- one row --- */

static void leave_out(struct intake *intake, const struct row *row, struct position position)
{
    intake->counts.left_out++;
    ledger_expect(intake->options.ledger, intake->transaction, 1);
    ledger_published(intake->options.ledger, intake->transaction, 1);
    intake->options.left_out(intake->options.context, row, position, intake->transaction,
                             intake->xid);
}

static enum verdict template_cannot_tell(struct position position, struct error *error)
{
    char text[POSITION_TEXT_SIZE];
    position_format(position, text);
    error_set(error, REFUSE,
              "route.key was changed while events were in flight, by another version of walpost: "
              "whether the event at %s was published cannot be told, for this version does not "
              "understand the key template of that time",
              text);
    return error_remedy(error, "Run that version once with its configuration until it is drained "
                               "(walpost run --once), then this one.");
}

struct row_in_question {
    struct intake *intake;
    const struct row *row;
    char buffer[KEY_MAX];
};

static bool past_key(void *context, size_t index, struct bytes *key)
{
    struct row_in_question *question = context;
    struct past_key *past = question->intake->past[index];
    if (past == NULL) {
        return false;
    }
    *key = past_key_of(past, question->row, question->buffer, sizeof(question->buffer));
    return true;
}

static enum leaving compare(struct intake *intake, const struct row *row, struct position position,
                            struct bytes key)
{
    if (intake->options.checkpoint == NULL) {
        return EVENT_IS_NEW;
    }
    struct row_in_question question;
    question.intake = intake;
    question.row = row;
    return checkpoint_compare(intake->options.checkpoint, position, key,
                              &(struct past_keys){past_key, &question});
}

/* message may be NULL (snapshot). */
static enum verdict take_row(struct intake *intake, struct row *row, uint32_t ordinal,
                             struct stream_message *message, struct error *error)
{
    struct position position = {intake->commit_lsn, ordinal};
    char buffer[KEY_MAX];
    struct bytes key = BYTES_NULL;
    struct error key_error;
    if (encode_key(intake->options.encoder, row, buffer, sizeof(buffer), &key, &key_error) != OK) {
        key = BYTES_NULL;
        if (row->dead == DEAD_NOT) {
            row->dead = DEAD_INVALID_EVENT;
            row->detail = "no record key can be made of this row by route.key";
        }
    }
    if (intake->options.wants != NULL &&
        !intake->options.wants(intake->options.context, row, key, intake->commit_time_us)) {
        intake->counts.filtered++;
        return OK;
    }
    switch (compare(intake, row, position, key)) {
    case EVENT_IS_COMMITTED: leave_out(intake, row, position); return OK;
    case EVENT_IS_UNKNOWN: return template_cannot_tell(position, error);
    case EVENT_IS_NEW: break;
    }
    uint32_t lane = murmur2_bucket(key, intake->options.lanes);
    size_t bytes = event_row_size(row) + row->payload.len + key.len;
    struct segment *segment = segment_for(intake, lane, bytes);
    struct event *event = event_copy(&intake->pool, intake->options.encoder, row, key, message);
    event->segment = segment;
    event->position = position;
    *segment->last = event;
    segment->last = &event->next;
    segment->n_events++;
    segment->bytes += bytes;
    intake->held++;
    intake->counts.events++;
    ledger_expect(intake->options.ledger, intake->transaction, 1);
    return OK;
}

/* --- messages --- */

static void begin(struct intake *intake, lsn commit_lsn, int64_t commit_time_us, uint32_t xid)
{
    intake->in_transaction = true;
    intake->commit_lsn = commit_lsn;
    intake->commit_time_us = commit_time_us;
    intake->xid = xid;
    intake->ordinal = 0;
    intake->transaction = ledger_open(intake->options.ledger, commit_lsn);
    intake->counts.transactions++;
}

static void commit(struct intake *intake, lsn end_lsn)
{
    for (uint32_t lane = 0; lane < intake->options.lanes; lane++) {
        hand_over(intake, lane, end_lsn);
        intake->open[lane].parts = 0;
    }
    intake->in_transaction = false;
    ledger_seal(intake->options.ledger, intake->transaction, end_lsn);
}

static bool is_outbox(const struct intake *intake, const struct change *change)
{
    const struct config *config = intake->options.config;
    return bytes_equal(change->relation.schema_name, bytes_of(config->outbox.schema_name)) &&
           bytes_equal(change->relation.table_name, bytes_of(config->outbox.table_name));
}

static enum verdict broken_protocol(struct error *error)
{
    return error_remedy(
        error, "Start walpost again: nothing is lost, it goes on where it stopped. If it comes "
               "back, the server or something between it and walpost breaks the protocol.");
}

static enum verdict out_of_place(char kind, struct error *error)
{
    error_set(error, FATAL, "the server sent a '%c' message where none may be", kind);
    return broken_protocol(error);
}

/* Commits come in the order of the WAL: one that steps back would be taken for published. */
static enum verdict take_begin(struct intake *intake, const struct change *change,
                               struct error *error)
{
    lsn commit_lsn = change->begin.final_lsn;
    if (intake->in_transaction) {
        return out_of_place(CHANGE_BEGIN, error);
    }
    if (commit_lsn <= intake->commit_lsn) {
        error_set(error, FATAL,
                  "the server sent the transaction that was committed at " LSN_FORMAT
                  " after the one of " LSN_FORMAT,
                  LSN_ARGS(commit_lsn), LSN_ARGS(intake->commit_lsn));
        return broken_protocol(error);
    }
    if (intake->until_lsn != 0 && commit_lsn >= intake->until_lsn) {
        return AGAIN;
    }
    begin(intake, commit_lsn, change->begin.commit_time_us, change->begin.xid);
    return OK;
}

static enum verdict take_commit(struct intake *intake, const struct change *change,
                                struct error *error)
{
    if (change->commit.commit_lsn != intake->commit_lsn ||
        change->commit.end_lsn <= intake->commit_lsn) {
        return out_of_place(CHANGE_COMMIT, error);
    }
    commit(intake, change->commit.end_lsn);
    return OK;
}

static enum verdict take_relation(struct intake *intake, const struct change *change,
                                  struct error *error)
{
    if (!is_outbox(intake, change)) {
        if (change->relation.oid == intake->outbox_oid) {
            intake->outbox_oid = 0; /* renamed away */
        }
        return OK;
    }
    intake->outbox_oid = change->relation.oid;
    return mapper_plan(intake->mapper, intake->decoder.relation_columns, change->relation.n_columns,
                       error);
}

static enum verdict take_insert(struct intake *intake, const struct change *change,
                                struct stream_message *message, struct error *error)
{
    uint32_t ordinal = intake->ordinal++;
    if (intake->outbox_oid == 0 || change->row.oid != intake->outbox_oid) {
        intake->counts.filtered++;
        return OK;
    }
    struct row row;
    enum verdict verdict = mapper_row(intake->mapper, &intake->decoder.tuple, &row, error);
    return verdict != OK ? verdict : take_row(intake, &row, ordinal, message, error);
}

static enum verdict take_logical_message(struct intake *intake, const struct change *change,
                                         struct stream_message *message, struct error *error)
{
    if (!change->message.transactional) { /* it survives a rollback: I4 */
        intake->counts.filtered++;
        return OK;
    }
    if (!intake->in_transaction) {
        return out_of_place(CHANGE_MESSAGE, error);
    }
    uint32_t ordinal = intake->ordinal++;
    if (!mapper_wants_message(intake->mapper, change->message.prefix)) {
        intake->counts.filtered++;
        return OK;
    }
    struct row row;
    mapper_message(intake->mapper, change->message.content, &row);
    return take_row(intake, &row, ordinal, message, error);
}

enum verdict intake_message(struct intake *intake, struct stream_message *message,
                            struct error *error)
{
    struct change change;
    enum verdict verdict = pgoutput_decode(&intake->decoder, message->data, &change, error);
    if (verdict != OK) {
        return verdict;
    }
    bool inside = change.kind == CHANGE_COMMIT || change.kind == CHANGE_INSERT ||
                  change.kind == CHANGE_UPDATE || change.kind == CHANGE_DELETE ||
                  change.kind == CHANGE_TRUNCATE;
    if (inside && !intake->in_transaction) {
        return out_of_place((char)change.kind, error);
    }
    switch (change.kind) {
    case CHANGE_BEGIN: return take_begin(intake, &change, error);
    case CHANGE_COMMIT: return take_commit(intake, &change, error);
    case CHANGE_RELATION: return take_relation(intake, &change, error);
    case CHANGE_INSERT: return take_insert(intake, &change, message, error);
    case CHANGE_MESSAGE: return take_logical_message(intake, &change, message, error);
    case CHANGE_UPDATE:
    case CHANGE_DELETE:
    case CHANGE_TRUNCATE: intake->counts.filtered++; return OK;
    case CHANGE_ORIGIN:
    case CHANGE_TYPE: return OK;
    }
    return out_of_place((char)change.kind, error);
}

/* --- the snapshot --- */

void intake_begin_snapshot(struct intake *intake, lsn commit_lsn)
{
    intake->snapshot = true;
    begin(intake, commit_lsn, clock_wall_us(), 0); /* xid 0: long visible */
}

enum verdict intake_plan(struct intake *intake, const struct relation_column *columns,
                         uint16_t n_columns, struct error *error)
{
    return mapper_plan(intake->mapper, columns, n_columns, error);
}

enum verdict intake_snapshot_row(struct intake *intake, const struct tuple *tuple, uint32_t number,
                                 struct error *error)
{
    struct row row;
    enum verdict verdict = mapper_row(intake->mapper, tuple, &row, error);
    return verdict != OK ? verdict : take_row(intake, &row, number, NULL, error);
}

void intake_end_snapshot(struct intake *intake, lsn end_lsn)
{
    commit(intake, end_lsn);
    intake->snapshot = false;
}

/* --- out --- */

void intake_flush(struct intake *intake)
{
    for (uint32_t lane = 0; lane < intake->options.lanes; lane++) {
        struct segments ready = intake->ready[lane];
        if (ready.first != NULL) {
            intake->ready[lane] = (struct segments){0};
            intake->options.submit(intake->options.context, lane, ready.first, ready.last);
        }
    }
}

void intake_cut(struct intake *intake)
{
    for (uint32_t lane = 0; lane < intake->options.lanes; lane++) {
        hand_over(intake, lane, 0);
    }
    intake_flush(intake);
}

void intake_give_back(struct intake *intake, struct segment *segment)
{
    struct event *event = segment->first;
    while (event != NULL) {
        struct event *next = event->next;
        if (event->payload_chunk != NULL) {
            chunk_free(&intake->pool, event->payload_chunk);
        }
        free(event->memory);
        chunk_free(&intake->pool, event->chunk);
        intake->held--;
        event = next;
    }
    chunk_free(&intake->pool, segment->chunk);
}

void intake_free(struct intake *intake)
{
    if (intake == NULL) {
        return;
    }
    for (uint32_t lane = 0; lane < LANES_MAX; lane++) {
        if (intake->open[lane].segment != NULL) {
            intake_give_back(intake, intake->open[lane].segment);
        }
        for (struct segment *next, *s = intake->ready[lane].first; s != NULL; s = next) {
            next = s->next;
            intake_give_back(intake, s);
        }
    }
    check(intake->held == 0);
    for (size_t i = 0; i < intake->n_past; i++) {
        past_key_free(intake->past[i]);
    }
    free(intake->past);
    mapper_free(intake->mapper);
    chunk_pool_release(&intake->pool);
    free(intake);
}

void intake_set_end(struct intake *intake, lsn until_lsn)
{
    intake->until_lsn = until_lsn;
}

bool intake_in_transaction(const struct intake *intake)
{
    return intake->in_transaction;
}

size_t intake_memory(const struct intake *intake)
{
    return intake->pool.used + intake->held * CLIENT_OVERHEAD;
}

struct intake_counts intake_counts(const struct intake *intake)
{
    return intake->counts;
}
