/* SPDX-License-Identifier: Apache-2.0
 *
 * replay.h - events once more: from the anchor's WAL, through the steps of the stream, to Kafka.
 * In: a configuration, what is wanted, the journal. Out: a verdict, and what was done.
 * Owns: two links, a temporary slot, lanes and their producers, for the time of replay_run.
 * Thread: main's; it waits for sockets, lanes and signals. Lanes have their own.
 * Keeps: I3, I5, I6 for a replay as for the stream, by its own watermarks; I11: nothing of the live
 *     stream is touched, neither its slot nor its ids, nor its checkpoint.
 *
 * A replay is exactly once by itself: its records and its progress are committed together, under
 * transactional ids of its own (walpost.<stream>.replay.<id>.<lane>.<a|b>), so a replay that was
 * killed goes on where it was. */
#ifndef WALPOST_REPLAY_REPLAY_H
#define WALPOST_REPLAY_REPLAY_H

#include "base/log.h"
#include "replay/bounds.h"
#include "replay/tally.h"

struct config;

struct replay_progress {
    lsn from_lsn, read_lsn, to_lsn;
    uint64_t events; /* published, or counted by a dry run */
    int64_t us;      /* since it began to read */
};

struct replay_options {
    const struct config *config; /* with the topic of the replay in it */
    const struct log *log;
    const struct journal *journal;
    struct bound from, to; /* of a new replay */
    bool resume;           /* the job is complete, and has begun before */
    bool dry_run;
    /* Called now and then, by this thread. began: bounds and id are known, nothing is read yet. */
    void (*began)(void *context, const struct replay_job *job, const struct window *window);
    void (*progress)(void *context, const struct replay_progress *progress);
    void *context;
};

struct replay_result {
    struct window window;
    uint64_t events;       /* published by this run, or what a dry run counted */
    uint64_t dead_letters; /* written to the dead letter topic by this run */
    uint64_t
        unfit; /* rows that are no events: in the dead letter topic since the stream read them */
    uint64_t left_out;  /* published by an earlier run of the same replay */
    uint64_t unwanted;  /* by key, type or time */
    int64_t us;         /* of reading and publishing */
    struct tally tally; /* of a dry run */
};

/* job: id, topic, key and type are set; for a new one the rest is filled in here. OK: done. REFUSE:
 * outside of the window, or there is none. AGAIN: told to stop; what is published stays, and the
 * replay can be resumed, as after RETRY, RESTART and FATAL. */
enum verdict MUST_CHECK replay_run(const struct replay_options *options, struct replay_job *job,
                                   struct replay_result *result, struct error *error);

#endif
