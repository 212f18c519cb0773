/* SPDX-License-Identifier: Apache-2.0
 *
 * sink.h - the Kafka half of a replay: fenced producers, its progress so far, its lanes.
 * In: a job. Out: lanes that go on where the replay was.
 * Owns: the producers until the lanes take them over; keys and the progress.
 * Thread: main's; these calls wait.
 * Keeps: I3: what is left out is what committed records say, read after the fence, as at every
 * start of the stream. */
#ifndef WALPOST_REPLAY_SINK_H
#define WALPOST_REPLAY_SINK_H

#include "base/log.h"
#include "checkpoint/journal.h"
#include "enforce/contracts.h"
#include "lane/lane.h"

struct config;

struct replay_sink {
    struct lane *lanes[LANES_MAX];
    uint32_t n_lanes;
    struct producer *producers[LANES_MAX][2];
    char keys[LANES_MAX][JOURNAL_KEY_MAX];
    struct checkpoint progress; /* its settled_lsn: where to read from */
};

/* Writes down what is to be done, so that it can be resumed. */
enum verdict MUST_CHECK replay_sink_note(const struct config *config, const struct log *log,
                                         const struct replay_job *job, struct error *error);
/* Fences whoever worked on this replay before, and reads how far it came. */
enum verdict MUST_CHECK replay_sink_open(const struct config *config, const struct log *log,
                                         const struct replay_job *job, struct replay_sink *sink,
                                         struct error *error);

struct replay_lanes {
    const struct config *config;
    const struct replay_job *job;
    const struct encoder *encoder;
    struct contracts *contracts; /* NULL: none are checked */
    const _Atomic lsn *published_lsn;
    void (*notify)(void *context);
    void *context;
};
void replay_sink_start(struct replay_sink *sink, const struct replay_lanes *options);
/* Stops the lanes and closes what is open; the segments that were not collected. */
struct segment *replay_sink_close(struct replay_sink *sink);

#endif
