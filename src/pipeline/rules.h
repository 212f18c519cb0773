/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h - what makes a record of an event: the encoder's templates and the contracts; and what
 * became of the events.
 * In: a configuration. Out: an encoder, a gate for each thread; lines of the log.
 * Owns: encoder and contracts, for a whole run.
 * Thread: rules_load before there are others; then read-only.
 * Keeps: I7: they are the same for every session and lane of a run. */
#ifndef WALPOST_PIPELINE_RULES_H
#define WALPOST_PIPELINE_RULES_H

#include "base/log.h"
#include "enforce/contracts.h"

struct rules {
    const struct config *config;
    struct encoder *encoder;
    struct contracts *contracts; /* NULL: none are checked */
};

/* Over all sessions of a run. */
struct flow_totals {
    uint64_t published, dead, left_out, filtered;
    uint64_t dead_by_reason[DEAD_REASONS];
    uint64_t kept_contract; /* events that were held to a contract, and keep it */
};

/* Needs no server, so that a wrong template or contract shows before anything is touched. INVALID:
 * one is. use, stop: as contracts_load has them. */
enum verdict MUST_CHECK rules_load(struct rules *rules, const struct config *config,
                                   enum contracts_use use, const atomic_bool *stop,
                                   const struct log *log, struct error *error);
void rules_release(struct rules *rules);

/* For one thread; NULL: there are no contracts. */
struct gate *rules_gate(const struct rules *rules);

/* What the registry's client has to say, each once. */
void rules_warn(const struct rules *rules, const struct log *log);

/* What became of the events of a run that ends with this exit status. */
void rules_say(const struct rules *rules, const struct flow_totals *totals, int status,
               const struct log *log);

#endif
