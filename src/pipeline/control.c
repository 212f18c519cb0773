/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/control.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "anchor/keeper.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "base/said.h"
#include "config/config.h"
#include "pipeline/doing.h"
#include "pipeline/found.h"
#include "pipeline/leader.h"
#include "pipeline/standby.h"
#include "pipeline/waiting.h"

enum {
    STANDBY_ASK_MS = 1000,
    RETRY_BASE_MS = 100,
    RETRY_MAX_MS = 10000,
    SAY_AGAIN_MS = 30000, /* the same trouble is said again after this time */
    /* A step that fails by itself within ten seconds says so by itself. */
    STEP_LONG_US = WAITING_SAY_US + 2 * 1000 * 1000,
};

enum order { ORDER_NONE, ORDER_BEGIN, ORDER_SETTLED, ORDER_END };

struct control {
    struct control_options options;
    pthread_t thread;
    atomic_bool stop;    /* the thread ends */
    atomic_bool give_up; /* whatever waits comes back */

    pthread_mutex_t mutex; /* guards all below, up to the line */
    pthread_cond_t wake;
    enum order order;
    lsn wanted_lsn;
    uint32_t pause_ms; /* before a session is begun */
    struct lane **lanes;
    uint32_t n_lanes;
    struct control_news news;
    struct session started;

    struct doing doing;     /* has its own mutex */
    struct waiting waiting; /* the loop's own */

    /* --- the control thread's own --- */
    struct keeper *keeper; /* of the anchor slot; NULL: none is kept */
    struct leader *leader;
    struct checkpoint generation; /* a shallow copy: what settled records name */
    uint64_t last_generation;
    char instance[128];
    bool accept_gap;
    bool take_over;
    struct said said;
};

/* --- news --- */

static void publish_news(struct control *control, const struct control_news *news)
{
    pthread_mutex_lock(&control->mutex);
    struct control_news *all = &control->news;
    all->started |= news->started;
    all->ended |= news->ended;
    if (news->ended) {
        all->left = news->left;
    }
    if (news->settled) {
        all->settled = true;
        all->settled_lsn = news->settled_lsn;
    }
    if (news->verdict != OK) {
        all->verdict = news->verdict;
        all->error = news->error;
    }
    pthread_mutex_unlock(&control->mutex);
    control->options.notify(control->options.context);
}

static void pause_ms(struct control *control, uint32_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&control->mutex);
    while (!atomic_load(&control->give_up) &&
           pthread_cond_timedwait(&control->wake, &control->mutex, &until) == 0) {
    }
    pthread_mutex_unlock(&control->mutex);
}

/* Says what a start waits for: at once when it is new, then every half minute. */
static bool say(struct control *control, const struct error *error)
{
    if (!said_anew(&control->said, error->what, SAY_AGAIN_MS * INT64_C(1000), clock_us())) {
        return false;
    }
    log_error(control->options.log, LOG_WARN, error);
    return true;
}

/* --- orders --- */

static void begin_session(struct control *control, uint32_t first_pause_ms)
{
    struct control_news news = {.verdict = OK};
    if (first_pause_ms > 0) {
        pause_ms(control, first_pause_ms);
    }
    for (uint32_t tries = 0; !atomic_load(&control->give_up); tries++) {
        struct session session;
        struct error error = {.verdict = OK};
        const struct session_options options = {
            .config = control->options.config,
            .log = control->options.log,
            .stop = &control->give_up,
            .doing = &control->doing,
            .kafka = control->options.run->target == TO_KAFKA,
            .accept_gap = control->accept_gap,
            .take_over = control->take_over,
            .last_generation = control->last_generation,
            .instance = control->instance,
        };
        enum verdict verdict = session_start(&options, &session, &error);
        doing_set(&control->doing, NULL);
        if (verdict == OK) {
            control->accept_gap = false;
            control->take_over = false;
            control->said = (struct said){.at_us = 0};
            control->leader = session.leader;
            session.leader = NULL;
            control->generation = session.checkpoint;
            control->last_generation = session.checkpoint.generation;
            keeper_lead(control->keeper, session.identity.system_id);
            pthread_mutex_lock(&control->mutex);
            control->started = session;
            pthread_mutex_unlock(&control->mutex);
            news.started = true;
            break;
        }
        if (verdict == AGAIN) {
            return;
        }
        if (verdict != RETRY && verdict != RESTART && verdict != WAIT && verdict != ABORT) {
            news.verdict = verdict;
            news.error = error;
            break;
        }
        error.verdict = verdict;
        if (say(control, &error) && strcmp(error.code, "55006") == 0) {
            standby_say_leader(&options);
        }
        pause_ms(control,
                 verdict == WAIT ? STANDBY_ASK_MS : backoff_ms(tries, RETRY_BASE_MS, RETRY_MAX_MS));
    }
    if (news.started || news.verdict != OK) {
        publish_news(control, &news);
    }
}

static void commit_settled(struct control *control, lsn settled_lsn)
{
    char value[CHECKPOINT_RECORD_MAX];
    struct control_news news = {.settled = true, .settled_lsn = settled_lsn};
    size_t size = checkpoint_write_settled(&control->generation, settled_lsn, value);
    enum verdict verdict = RETRY;
    for (uint32_t tries = 0; verdict == RETRY && !atomic_load(&control->give_up); tries++) {
        verdict = leader_commit(control->leader, CHECKPOINT_KEY_SETTLED,
                                (struct bytes){value, size}, &news.error);
        if (verdict == RETRY) {
            say(control, &news.error);
            pause_ms(control, backoff_ms(tries, RETRY_BASE_MS, RETRY_MAX_MS));
        }
    }
    crash_point("after_leader_commit");
    news.settled = verdict == OK;
    news.verdict = verdict == RETRY ? RESTART : verdict;
    publish_news(control, &news);
}

static void end_session(struct control *control)
{
    struct control_news news = {.ended = true};
    struct segment **tail = &news.left;
    keeper_lead(control->keeper, 0);
    /* Asked to stop first, all of them: one that waits for Kafka must not delay the others. */
    for (uint32_t i = 0; i < control->n_lanes; i++) {
        lane_ask_stop(control->lanes[i]);
    }
    for (uint32_t i = 0; i < control->n_lanes; i++) {
        lane_stop(control->lanes[i]);
    }
    for (uint32_t i = 0; i < control->n_lanes; i++) {
        *tail = lane_free(control->lanes[i]);
        while (*tail != NULL) {
            tail = &(*tail)->next;
        }
    }
    free(control->lanes);
    control->lanes = NULL;
    control->n_lanes = 0;
    leader_close(control->leader);
    control->leader = NULL;
    atomic_store(&control->give_up, atomic_load(&control->stop));
    publish_news(control, &news);
}

static void *control_main(void *argument)
{
    struct control *control = argument;
    for (;;) {
        pthread_mutex_lock(&control->mutex);
        while (control->order == ORDER_NONE && !atomic_load(&control->stop)) {
            pthread_cond_wait(&control->wake, &control->mutex);
        }
        enum order order = control->order;
        control->order = ORDER_NONE;
        lsn wanted_lsn = control->wanted_lsn;
        uint32_t first_pause_ms = control->pause_ms;
        pthread_mutex_unlock(&control->mutex);
        switch (order) {
        case ORDER_BEGIN: begin_session(control, first_pause_ms); break;
        case ORDER_SETTLED:
            doing_set(&control->doing, "Kafka: a record of the leader is committed");
            commit_settled(control, wanted_lsn);
            break;
        case ORDER_END:
            doing_set(&control->doing, "Kafka: its connections are closed");
            end_session(control);
            break;
        case ORDER_NONE: return NULL;
        }
        doing_set(&control->doing, NULL);
    }
}

/* --- the loop thread's side --- */

struct control *control_start(const struct control_options *options)
{
    struct control *control = must_calloc(1, sizeof(*control));
    control->options = *options;
    instance_name(control->instance, sizeof(control->instance));
    control->accept_gap = options->run->accept_gap;
    control->take_over = options->run->take_over;
    if (options->run->target == TO_KAFKA && config_keeps_anchor(options->config)) {
        control->keeper = keeper_start(options->config, options->log);
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&control->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&control->mutex, NULL);
    doing_init(&control->doing);
    check(pthread_create(&control->thread, NULL, control_main, control) == 0);
    pthread_setname_np(control->thread, "control");
    return control;
}

static void give_order(struct control *control, enum order order)
{
    control->order = order;
    pthread_cond_signal(&control->wake);
    pthread_mutex_unlock(&control->mutex);
}

void control_begin_session(struct control *control, uint32_t pause_ms)
{
    pthread_mutex_lock(&control->mutex);
    control->pause_ms = pause_ms;
    give_order(control, ORDER_BEGIN);
}

void control_commit_settled(struct control *control, lsn settled_lsn)
{
    pthread_mutex_lock(&control->mutex);
    check(control->order == ORDER_NONE);
    control->wanted_lsn = settled_lsn;
    give_order(control, ORDER_SETTLED);
}

void control_end_session(struct control *control, struct lane **lanes, uint32_t n_lanes)
{
    atomic_store(&control->give_up, true);
    pthread_mutex_lock(&control->mutex);
    control->lanes = lanes;
    control->n_lanes = n_lanes;
    give_order(control, ORDER_END);
}

void control_collect(struct control *control, struct control_news *news, struct session *session)
{
    pthread_mutex_lock(&control->mutex);
    *news = control->news;
    control->news = (struct control_news){.verdict = OK};
    if (news->started) {
        *session = control->started;
    }
    pthread_mutex_unlock(&control->mutex);
}

void control_watch(struct control *control, int64_t now_us)
{
    struct doing_look look;
    doing_look(&control->doing, &look);
    int64_t lasts_us = look.what == NULL ? 0 : now_us - look.since_us;
    char message[160];
    snprintf(message, sizeof(message), "waiting for %s", look.what == NULL ? "" : look.what);
    if (waiting_look(&control->waiting, lasts_us > STEP_LONG_US, message, now_us) == WAITING_SAY) {
        log_write(control->options.log, LOG_WARN, message,
                  F_SECONDS("seconds", (double)lasts_us / 1e6), F_TEXT("trouble", look.trouble),
                  F_TEXT("remedy", look.remedy));
    }
}

void control_stop(struct control *control)
{
    atomic_store(&control->give_up, true);
    atomic_store(&control->stop, true);
    pthread_mutex_lock(&control->mutex);
    pthread_cond_signal(&control->wake);
    pthread_mutex_unlock(&control->mutex);
    pthread_join(control->thread, NULL);
    keeper_stop(control->keeper);
    pthread_cond_destroy(&control->wake);
    pthread_mutex_destroy(&control->mutex);
    doing_release(&control->doing);
    free(control);
}
