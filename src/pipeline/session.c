/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/broken_rule.h"
#include "base/check.h"
#include "base/crash_point.h"
#include "config/config.h"
#include "encode/past_key.h"
#include "kafka/cluster.h"
#include "kafka/producer.h"
#include "kafka/reader.h"
#include "pg/stream.h"
#include "pipeline/doing.h"
#include "pipeline/found.h"
#include "pipeline/judgement.h"
#include "pipeline/lanes.h"
#include "pipeline/leader.h"
#include "pipeline/letters_left.h"
#include "pipeline/recover.h"
#include "pipeline/snapshot_copy.h"
#include "pipeline/source.h"
#include "pipeline/standby.h"

enum {
    READ_TIMEOUT_MS = 10000,
    READ_TRIES_MAX = 6, /* another stream's dead transaction may hide the end for its timeout: a
                           minute by default */
    FENCE_SLICE_MS = 2000,
    FENCE_TRIES_MAX = 30,
};

/* A walsender that hears nothing ends the session: say that we live, and confirm nothing. */
static void beat(struct session *session)
{
    struct error ignored;
    enum verdict verdict =
        stream_status(session->replication, session->slot_lsn, 0, false, &ignored);
    (void)verdict; /* the loop will see a lost link soon enough */
}

/* --- Kafka: look --- */

static enum verdict look(const struct session_options *options, struct session *session,
                         struct reader *reader, bool committed, struct checkpoint *found,
                         struct error *error)
{
    doing_set(options->doing, "Kafka: the checkpoint is read");
    for (int tries = 0;; tries++) {
        beat(session);
        enum verdict verdict = checkpoint_read(options->config, reader, committed, READ_TIMEOUT_MS,
                                               options->stop, found, error);
        if (verdict != RETRY || tries == READ_TRIES_MAX || atomic_load(options->stop)) {
            return verdict;
        }
        log_error(options->log, LOG_WARN, error);
        doing_set(options->doing, "Kafka: the checkpoint is read");
    }
}

/* How many lanes this session has. */
static enum verdict find_lanes(const struct session_options *options, struct session *session,
                               struct error *error)
{
    session->lanes = options->config->lanes;
    if (options->config->lanes != LANES_BY_PARTITION) {
        return OK;
    }
    doing_set(options->doing, "Kafka: the topics are listed");
    struct cluster *cluster = NULL;
    struct lanes lanes;
    enum verdict verdict = cluster_new(options->config, options->log, &cluster, error);
    if (verdict == OK) {
        beat(session);
        verdict = lanes_find(options->config, cluster, &lanes, error);
    }
    cluster_free(cluster);
    if (verdict == OK) {
        char text[400];
        lanes_describe(&lanes, text, sizeof(text));
        log_write(options->log, LOG_INFO, "lanes: partition", F_TEXT("means", text));
        session->lanes = lanes.count;
    }
    return verdict;
}

/* Fences one id, in slices that keep the walsender alive. Fenced meanwhile: another instance starts
 * at the same time, and the slot decides which of us may lead. */
static enum verdict fence(const struct session_options *options, struct session *session,
                          struct producer *producer, struct error *error)
{
    enum verdict verdict = RETRY;
    doing_set(options->doing, "Kafka: a transactional id is taken");
    for (int tries = 0; verdict == RETRY && tries < FENCE_TRIES_MAX; tries++) {
        if (atomic_load(options->stop)) {
            return AGAIN;
        }
        beat(session);
        verdict = kafka_producer_fence(producer, FENCE_SLICE_MS, error);
        if (verdict == RETRY) {
            doing_trouble(options->doing, error->what, error->remedy);
        }
    }
    return verdict == FENCED ? RESTART : verdict;
}

static enum verdict open_fenced(const struct session_options *options, struct session *session,
                                const char *transactional_id, struct producer **producer,
                                struct error *error)
{
    enum verdict verdict =
        kafka_producer_new(options->config, options->log, transactional_id, producer, error);
    return verdict != OK ? verdict : fence(options, session, *producer, error);
}

/* Fences both ids of a lane, whoever had them and whatever its delivery was; keeps the producers of
 * a lane that is ours. */
static enum verdict fence_lane(const struct session_options *options, struct session *session,
                               uint32_t lane, struct error *error)
{
    const struct config *config = options->config;
    bool ours = lane < session->lanes;
    bool transactional = config->delivery == DELIVERY_EXACTLY_ONCE;
    int own = rule_is_broken("fence") ? getpid() : 0; /* an id of its own fences nobody */
    for (int i = 0; i < 2; i++) {
        char *id = must_printf("walpost.%s.%u.%c%.0d", config->stream, lane, 'a' + i, own);
        struct producer *producer = NULL;
        enum verdict verdict = open_fenced(options, session, id, &producer, error);
        free(id);
        if (ours && transactional) {
            session->producers[lane][i] = producer; /* session_release closes it */
        } else if (producer != NULL) {
            producer->ops->close(producer);
        }
        if (verdict != OK) {
            return verdict;
        }
    }
    return ours && !transactional
               ? open_fenced(options, session, NULL, &session->producers[lane][0], error)
               : OK;
}

static enum verdict fence_leader(const struct session_options *options, struct session *session,
                                 struct error *error)
{
    enum verdict verdict =
        leader_open(options->config, options->log, options->stop, &session->leader, error);
    if (verdict != OK) {
        return verdict;
    }
    leader_tell(session->leader, options->doing);
    return fence(options, session, leader_producer(session->leader), error);
}

bool session_has_snapshot(const struct session *session, const struct checkpoint *checkpoint)
{
    bool unmarked =
        session->snapshot_birth != 0 && session->snapshot_birth == checkpoint->origin_lsn;
    return checkpoint->settled_lsn < checkpoint->origin_lsn || unmarked;
}

lsn session_marked_lsn(const struct session *session, const struct checkpoint *checkpoint)
{
    if (!session_has_snapshot(session, checkpoint)) {
        return session->slot_lsn;
    }
    lsn before = checkpoint->origin_lsn - 1; /* that of the snapshot's rows */
    return checkpoint->settled_lsn < before ? checkpoint->settled_lsn : before;
}

static void beat_on(void *context)
{
    beat(context);
}

static enum verdict read_letters(const struct session_options *options, struct session *session,
                                 struct reader *reader, struct error *error)
{
    const struct letters_left_options letters = {
        .config = options->config,
        .unmarked = session->checkpoint.unmarked,
        .marked_lsn = session_marked_lsn(session, &session->checkpoint),
        .stop = options->stop,
        .beat = beat_on,
        .context = session,
    };
    doing_set(options->doing, "Kafka: the dead letter topic is read");
    return letters_left_read(&letters, reader, &session->letters, error);
}

/* The generation record of this leadership, with what a gap that was accepted makes of S. */
static enum verdict commit_generation(const struct session_options *options,
                                      struct session *session, const struct checkpoint *found,
                                      uint64_t at_least, const struct judgement *judgement,
                                      struct error *error)
{
    char *columns = key_columns(options->config);
    bool accepted = judgement_is_accepted(options, judgement);
    lsn slot = session->slot_lsn;
    struct generation_options next = {
        .system_id = session->identity.system_id,
        .timeline = session->identity.timeline,
        .database_oid = session->identity.database_oid,
        .instance = options->instance,
        .slot = options->config->postgres.slot,
        .lanes = session->lanes,
        .key_template = options->config->route.key,
        .key_columns = columns,
        .forget_positions = accepted && judgement->foreign,
        .accept_lsn = accepted ? slot : 0,
        .marked_lsn = session_marked_lsn(session, found),
        .at_least = at_least,
    };
    if (judgement->recovered) { /* founded again, as by init: the snapshot's rows come first */
        next.forget_positions = true;
        next.accept_lsn = slot - 1;
        next.origin_lsn = slot;
        next.recovered_lsn = found->settled_lsn;
    } else if (accepted && session->snapshot_birth != 0) {
        /* The gap may hold rows of the snapshot: its table must not make published ones of them. No
         * slot is born at such an LSN. */
        next.origin_lsn = slot - 1;
    }
    checkpoint_next_generation(found, &next, &session->checkpoint);
    free(columns);
    if (accepted) {
        judgement_say_accepted(options, session, found, judgement);
    }
    doing_set(options->doing, "Kafka: the generation is committed");
    crash_point("before_generation");
    struct bytes value;
    char *memory =
        checkpoint_write_generation(&session->checkpoint, accepted ? slot : 0, &value.len);
    value.data = memory;
    enum verdict verdict = leader_commit(session->leader, CHECKPOINT_KEY_GENERATION, value, error);
    free(memory);
    crash_point("after_generation");
    if (verdict == OK) {
        log_write(options->log, LOG_INFO, "this instance leads the stream now",
                  F_TEXT("instance", session->checkpoint.instance),
                  F_U64("generation", session->checkpoint.generation),
                  F_TEXT("before", found->found ? found->instance : "nobody"));
    }
    return verdict;
}

/* Steps 1 and 2 of the start: look (uncommitted), fence the leader, look, fence every lane, look
 * (committed). */
static enum verdict take_leadership(const struct session_options *options, struct session *session,
                                    struct reader *reader, struct checkpoint *found,
                                    uint64_t *newest, struct error *error)
{
    struct seen seen = source_seen(options, session);
    struct checkpoint first;
    enum verdict verdict = look(options, session, reader, false, &first, error);
    if (verdict == WAIT && strcmp(error->code, "UNKNOWN_TOPIC_OR_PART") == 0) {
        if (!options->accept_gap) {
            return belongs_refuse_without_checkpoint(&seen, error);
        }
        doing_set(options->doing, "Kafka: the checkpoint topic is provided");
        verdict = checkpoint_provide(options->config, options->log, session->lanes, true, error);
        if (verdict == OK) {
            verdict = look(options, session, reader, false, &first, error);
        }
    }
    if (verdict != OK) {
        return verdict;
    }
    uint64_t generation = first.generation;
    uint32_t known_lanes = first.layout.lanes;
    uint32_t lanes = first.lanes_seen > session->lanes ? first.lanes_seen : session->lanes;
    verdict = first.found ? standby_judge_generation(options, &first, error) : OK;
    if (verdict == OK && first.found && !options->accept_gap) {
        verdict = judgement_of_stream(options, session, &first, error);
    } else if (verdict == OK && !first.found && !options->accept_gap) {
        verdict = belongs_refuse_without_checkpoint(&seen, error);
    }
    checkpoint_release(&first);
    if (verdict == OK || verdict == REFUSE) {
        verdict = source_still_ours(options, session, verdict, error);
    }
    if (verdict == OK) {
        verdict = fence_leader(options, session, error);
    }
    struct checkpoint second;
    if (verdict == OK) {
        verdict = look(options, session, reader, false, &second, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    bool overtaken = second.generation > generation;
    *newest = second.generation;
    lanes = second.lanes_seen > lanes ? second.lanes_seen : lanes;
    checkpoint_release(&second);
    if (overtaken) {
        return error_set(error, RESTART, "another instance began to lead while this one started");
    }
    if (session->lanes > known_lanes) {
        doing_set(options->doing, "Kafka: the checkpoint topic is provided");
        verdict = checkpoint_provide(options->config, options->log, session->lanes,
                                     options->accept_gap, error);
    }
    for (uint32_t lane = 0; verdict == OK && lane < lanes; lane++) {
        verdict = fence_lane(options, session, lane, error);
    }
    return verdict != OK ? verdict : look(options, session, reader, true, found, error);
}

static enum verdict lead(const struct session_options *options, struct session *session,
                         struct reader *reader, bool *renew, struct error *error)
{
    struct checkpoint found;
    checkpoint_init(&found);
    uint64_t newest = 0;
    enum verdict verdict = take_leadership(options, session, reader, &found, &newest, error);
    if (verdict != OK) {
        return verdict;
    }
    struct judgement judgement;
    verdict = snapshot_birth(session->sql, options->config, &session->snapshot_birth, error);
    if (verdict == OK) {
        verdict = judgement_make(options, session, &found, &judgement, error);
    }
    if (verdict != OK ||
        !judgement_may_lead(
            options, &judgement)) { /* another system's generation must never be written unasked */
        checkpoint_release(&found);
        if (verdict == OK) {
            *error = judgement.error;
            verdict = judgement.gap;
        }
        return verdict;
    }
    /* This commit is also the proof of leadership that an alarm needs: a sleeper that wakes up sees
     * the slot ahead because its successor moved it, and must not cry wolf. */
    verdict = commit_generation(options, session, &found, newest, &judgement, error);
    checkpoint_release(&found);
    if (verdict == OK && judgement.gap == REFUSE && !judgement_is_accepted(options, &judgement)) {
        *renew = options->config->recover == RECOVER_TABLE;
        *error = judgement.error;
        return REFUSE;
    }
    return verdict;
}

/* No slot, so no lock: Kafka is read and not touched. What the checkpoint says of the server's
 * history comes first: a server that lost transactions must not begin anew by itself. */
static enum verdict without_slot(const struct session_options *options, struct session *session,
                                 struct reader *reader, bool *renew, struct error *error)
{
    struct error gone = *error;
    struct checkpoint found;
    doing_set(options->doing, "Kafka: the checkpoint is read");
    enum verdict verdict = checkpoint_read(options->config, reader, false, READ_TIMEOUT_MS,
                                           options->stop, &found, error);
    if (verdict == WAIT && strcmp(error->code, "UNKNOWN_TOPIC_OR_PART") == 0) {
        *error = gone;
        return REFUSE;
    }
    if (verdict != OK) {
        return verdict;
    }
    if (!found.found) {
        *error = gone;
        verdict = REFUSE;
    }
    if (verdict == OK) {
        verdict = standby_judge_generation(options, &found, error);
    }
    if (verdict == OK) {
        verdict = judgement_of_stream(options, session, &found, error);
    }
    if (verdict == OK) {
        struct seen seen = source_seen(options, session);
        struct checkpoint_summary recorded = checkpoint_summarize(&found);
        *renew = options->config->recover == RECOVER_TABLE;
        verdict = belongs_refuse_without_slot(&seen, &recorded, &gone, error);
    }
    checkpoint_release(&found);
    return verdict;
}

static enum verdict open_and_lead(const struct session_options *options, struct session *session,
                                  bool *renew, struct error *error)
{
    doing_set(options->doing, "PostgreSQL: the slot is acquired");
    enum verdict verdict = source_open(options, session, error);
    if (verdict == WAIT) {
        return standby_judge(options, error);
    }
    bool gone = verdict == REFUSE && session->slot_gone;
    if ((verdict != OK && !gone) || !options->kafka) {
        return verdict;
    }
    struct error found_gone = *error;
    struct reader *reader = NULL;
    verdict = reader_new(options->config, &reader, error);
    if (verdict != OK) {
        return verdict;
    }
    if (gone) {
        *error = found_gone;
        verdict = without_slot(options, session, reader, renew, error);
    } else {
        verdict = find_lanes(options, session, error);
        if (verdict == OK) {
            verdict = lead(options, session, reader, renew, error);
        }
        if (verdict == OK) {
            verdict = read_letters(options, session, reader, error);
        }
    }
    reader_free(reader);
    return verdict;
}

enum verdict session_start(const struct session_options *options, struct session *session,
                           struct error *error)
{
    *session = (struct session){0};
    checkpoint_init(&session->checkpoint);
    bool renew = false; /* recover: table */
    enum verdict verdict = open_and_lead(options, session, &renew, error);
    if (verdict != OK) {
        session_release(session);
    }
    if (renew) {
        log_error(options->log, LOG_WARN, error);
        doing_set(options->doing, "PostgreSQL: the slot is made anew");
        verdict = recover_slot(options, error);
    }
    return verdict;
}

void session_release(struct session *session)
{
    link_close(session->replication);
    link_close(session->sql);
    leader_close(session->leader);
    for (uint32_t lane = 0; lane < LANES_MAX; lane++) {
        for (int i = 0; i < 2; i++) {
            if (session->producers[lane][i] != NULL) {
                session->producers[lane][i]->ops->close(session->producers[lane][i]);
            }
        }
    }
    letters_left_free(session->letters);
    pg_table_release(&session->table);
    checkpoint_release(&session->checkpoint);
    *session = (struct session){0};
}
