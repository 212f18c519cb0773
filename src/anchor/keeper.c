/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread and a connection of its own, not a turn on the live stream's SQL link: the server reads
 * all WAL between two positions of the anchor, and marks would have to wait for that. */
#include "anchor/keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "anchor/anchor.h"
#include "anchor/journal_topic.h"
#include "anchor/window.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/said.h"
#include "config/config.h"

enum {
    TURN_MS = 1000,
    TROUBLE_MS = 10000, /* between tries, while something is wrong */
    ADVANCES_MAX = 8,
    CONNECT_TIMEOUT_MS = 15000,
    READ_TIMEOUT_MS = 10000,
};

#define SAY_AGAIN_US (INT64_C(5) * 60 * 1000 * 1000)

struct keeper {
    const struct config *config;
    const struct log *log;
    pthread_t thread;
    pthread_mutex_t mutex; /* of wake */
    pthread_cond_t wake;
    atomic_bool stop;
    _Atomic uint64_t leads; /* the system identifier; 0: another one leads, or nobody */

    /* --- the thread's own --- */
    struct link *link;
    int64_t limit_bytes;
    bool clock_known;
    struct wal_clock clock;
    int64_t noted_us; /* monotonic; when the last moment was noted */
    struct said said;
    struct said said_of_clock;
};

/* --- one turn --- */

static enum verdict connect(struct keeper *keeper, struct error *error)
{
    if (keeper->link != NULL && link_alive(keeper->link)) {
        return OK;
    }
    link_close(keeper->link);
    keeper->link = NULL;
    char *name = must_printf("walpost %s anchor", keeper->config->stream);
    enum verdict verdict =
        link_open(&(struct link_options){.dsn = keeper->config->postgres.dsn,
                                         .application_name = name,
                                         .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                         .stop = &keeper->stop},
                  &keeper->link, error);
    free(name);
    return verdict;
}

static enum verdict look_at_server(struct keeper *keeper, struct error *error)
{
    struct pg_server server;
    enum verdict verdict = catalog_server(keeper->link, &server, error);
    if (verdict == OK) {
        int64_t mb = server.max_slot_wal_keep_mb;
        keeper->limit_bytes = mb < 0 ? -1 : mb << 20;
    }
    return verdict;
}

/* What an earlier run noted. Without Kafka the anchor still follows by bytes. */
static void recall_clock(struct keeper *keeper, uint64_t system_id)
{
    if (keeper->clock_known && keeper->clock.system_id == system_id) {
        return;
    }
    struct journal journal;
    journal_init(&journal);
    struct error error;
    enum verdict verdict =
        journal_read(keeper->config, false, READ_TIMEOUT_MS, &keeper->stop, &journal, &error);
    if (verdict == OK) {
        keeper->clock_known = true;
        keeper->clock = journal.clock.system_id == system_id
                            ? journal.clock
                            : (struct wal_clock){.system_id = system_id};
        keeper->said_of_clock = (struct said){.at_us = 0};
    } else if (verdict != AGAIN &&
               said_anew(&keeper->said_of_clock, error.what, SAY_AGAIN_US, clock_us())) {
        error_prefix(&error, "the anchor slot follows by bytes alone, the live stream goes on: ");
        log_error(keeper->log, LOG_WARN, &error);
    }
    journal_release(&journal);
}

static enum verdict write_clock(struct keeper *keeper, struct error *error)
{
    enum verdict verdict =
        journal_write_wal_clock(keeper->config, keeper->log, &keeper->clock, &keeper->stop, error);
    if (verdict == WAIT) { /* the stream is older than its anchor */
        verdict = journal_provide(keeper->config, error);
        if (verdict == OK) {
            verdict = journal_write_wal_clock(keeper->config, keeper->log, &keeper->clock,
                                              &keeper->stop, error);
        }
    }
    return verdict;
}

static enum verdict note_moment(struct keeper *keeper, lsn anchor_lsn, int64_t *now_us,
                                struct error *error)
{
    struct moment moment;
    enum verdict verdict = catalog_clock(keeper->link, &moment.wal_lsn, &moment.time_us, error);
    if (verdict != OK) {
        return verdict;
    }
    *now_us = moment.time_us;
    int64_t since_us = clock_us() - keeper->noted_us;
    if (!keeper->clock_known ||
        (keeper->noted_us != 0 &&
         since_us < wal_clock_interval_us(keeper->config->replay.keep_for_us))) {
        return OK;
    }
    keeper->noted_us = clock_us();
    if (keeper->clock.count == 0 && moment.wal_lsn > anchor_lsn) {
        /* Whatever is committed from now on stands behind the anchor, too. */
        struct moment first = {anchor_lsn, moment.time_us - 1};
        (void)wal_clock_note(&keeper->clock, first, anchor_lsn);
    }
    return wal_clock_note(&keeper->clock, moment, anchor_lsn) ? write_clock(keeper, error) : OK;
}

static enum verdict make_anchor(struct keeper *keeper, const struct pg_slot *anchor,
                                const struct pg_slot *live, struct error *error)
{
    const struct config *config = keeper->config;
    if (anchor->exists) {
        struct error lost;
        error_set(&lost, WAIT,
                  "anchor slot \"%s\" is lost (%s): what was committed before " LSN_FORMAT
                  " cannot be replayed any more; the live stream is not concerned",
                  config->anchor_slot,
                  anchor->invalidation[0] != '\0' ? anchor->invalidation
                                                  : "max_slot_wal_keep_size was reached",
                  LSN_ARGS(live->confirmed_lsn));
        error_remedy(&lost, "Nothing: it is made again. Raise max_slot_wal_keep_size, or set "
                            "replay.keep_bytes to less than half of it.");
        log_error(keeper->log, LOG_WARN, &lost);
    }
    enum verdict verdict = anchor_make(config, keeper->link, anchor, error);
    if (verdict == OK) {
        keeper->noted_us = 0; /* its first moment is noted at the next turn */
        log_write(keeper->log, LOG_INFO, "anchor slot made: replays are possible from here on",
                  F_TEXT("slot", config->anchor_slot), F_LSN("from", live->confirmed_lsn));
    }
    return verdict;
}

/* PostgreSQL frees WAL behind a slot that was moved only up to the first place, after where the
 * slot stood before, from which it could begin to decode. Moved to the same position once more, it
 * goes on from there: in danger that must not wait for the next turn. */
static enum verdict advance(struct keeper *keeper, const struct pg_slot *anchor, lsn target,
                            struct error *error)
{
    const char *name = keeper->config->anchor_slot;
    enum verdict verdict = catalog_advance_slot(keeper->link, name, target, error);
    struct pg_slot now = *anchor;
    bool frees = anchor_is_in_danger(keeper->limit_bytes, anchor->safe_bytes);
    for (int i = 0; verdict == OK && frees && i < ADVANCES_MAX; i++) {
        lsn restart_lsn = now.restart_lsn;
        verdict = catalog_slot(keeper->link, name, &now, error);
        frees = verdict == OK && now.restart_lsn > restart_lsn && !atomic_load(&keeper->stop);
        if (frees) {
            verdict = catalog_advance_slot(keeper->link, name, target, error);
        }
    }
    return verdict;
}

static enum verdict follow(struct keeper *keeper, const struct pg_slot *anchor,
                           const struct pg_slot *live, int64_t now_us, struct error *error)
{
    const struct config *config = keeper->config;
    lsn target = anchor_target(&(struct anchor_facts){
        .anchor_lsn = anchor->confirmed_lsn,
        .live_lsn = live->confirmed_lsn,
        .wal_lsn = anchor->confirmed_lsn + (lsn)anchor->lag_bytes,
        .keep_bytes = config->replay.keep_bytes,
        .keep_for_us = config->replay.keep_for_us,
        .limit_bytes = keeper->limit_bytes,
        .safe_bytes = anchor->safe_bytes,
        .now_us = now_us,
        .clock = &keeper->clock,
    });
    if (target == 0) {
        return OK;
    }
    enum verdict verdict = advance(keeper, anchor, target, error);
    if (verdict == OK) {
        log_write(keeper->log, LOG_DEBUG, "the anchor follows",
                  F_LSN("from", anchor->confirmed_lsn), F_LSN("to", target));
    }
    return verdict;
}

static enum verdict turn(struct keeper *keeper, uint64_t system_id, struct error *error)
{
    const struct config *config = keeper->config;
    bool connected = keeper->link != NULL && link_alive(keeper->link);
    enum verdict verdict = connect(keeper, error);
    if (verdict == OK && !connected) {
        verdict = look_at_server(keeper, error);
    }
    struct pg_slot anchor, live;
    if (verdict == OK) {
        verdict = catalog_slot(keeper->link, config->postgres.slot, &live, error);
    }
    if (verdict == OK) {
        verdict = catalog_slot(keeper->link, config->anchor_slot, &anchor, error);
    }
    if (verdict != OK || !live.exists || anchor_is_lost(&live)) {
        return verdict; /* of the live slot its own session has the word */
    }
    if (!anchor.exists || anchor_is_lost(&anchor)) {
        return make_anchor(keeper, &anchor, &live, error);
    }
    recall_clock(keeper, system_id);
    int64_t now_us = 0;
    struct error noting;
    enum verdict noted = note_moment(keeper, anchor.confirmed_lsn, &now_us, &noting);
    verdict = follow(keeper, &anchor, &live, now_us, error);
    if (verdict == OK && noted != OK) {
        *error = noting;
        verdict = noted;
    }
    return verdict;
}

/* --- the thread --- */

static void say(struct keeper *keeper, enum verdict verdict, struct error *error)
{
    if (!said_anew(&keeper->said, error->what, SAY_AGAIN_US, clock_us())) {
        return;
    }
    error->verdict = verdict;
    error_prefix(error, "the anchor slot is not kept up, the live stream goes on: ");
    log_error(keeper->log, LOG_WARN, error);
}

static void pause_ms(struct keeper *keeper, uint32_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&keeper->mutex);
    while (!atomic_load(&keeper->stop) &&
           pthread_cond_timedwait(&keeper->wake, &keeper->mutex, &until) == 0) {
    }
    pthread_mutex_unlock(&keeper->mutex);
}

static void *keeper_main(void *argument)
{
    struct keeper *keeper = argument;
    int64_t interval_ms = wal_clock_interval_us(keeper->config->replay.keep_for_us) / 1000;
    uint32_t turn_ms = interval_ms < TURN_MS ? (uint32_t)interval_ms : TURN_MS;
    while (!atomic_load(&keeper->stop)) {
        uint32_t ms = turn_ms;
        uint64_t system_id = atomic_load(&keeper->leads);
        if (system_id != 0) {
            struct error error = {.verdict = OK};
            enum verdict verdict = turn(keeper, system_id, &error);
            if (verdict != OK && verdict != AGAIN) {
                say(keeper, verdict, &error);
                ms = TROUBLE_MS;
            }
        } else {
            link_close(keeper->link);
            keeper->link = NULL;
        }
        pause_ms(keeper, ms);
    }
    link_close(keeper->link);
    return NULL;
}

struct keeper *keeper_start(const struct config *config, const struct log *log)
{
    struct keeper *keeper = must_calloc(1, sizeof(*keeper));
    keeper->config = config;
    keeper->log = log;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&keeper->mutex, NULL);
    check(pthread_create(&keeper->thread, NULL, keeper_main, keeper) == 0);
    pthread_setname_np(keeper->thread, "anchor");
    return keeper;
}

void keeper_lead(struct keeper *keeper, uint64_t system_id)
{
    if (keeper != NULL) {
        atomic_store(&keeper->leads, system_id);
    }
}

void keeper_stop(struct keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    atomic_store(&keeper->stop, true);
    pthread_mutex_lock(&keeper->mutex);
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->mutex);
    pthread_join(keeper->thread, NULL);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->mutex);
    free(keeper);
}
