/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger.h - which WAL position is safe to confirm.                            Step 7 of 7.
 * In: "this transaction was read", "n events of it are in Kafka", "n are settled". Out: two LSNs.
 * Owns: an entry for each transaction from its BEGIN until it and all before it are settled.
 * Thread: the loop thread only. Pure: no I/O, no clock, no logging.
 * Keeps: I1 neither LSN passes the end of a transaction of which an event is not there yet;
 *        I2 neither LSN ever moves back.
 *
 * Both LSNs are flush positions (exclusive): every event whose commit LSN is below is published, or
 * settled. They move over the continuous finished prefix only, whatever order transactions finish
 * in. */
#ifndef WALPOST_LEDGER_LEDGER_H
#define WALPOST_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lsn.h"

struct ledger;

/* start: the slot's position; nothing below it comes again. */
struct ledger *ledger_new(lsn start);
void ledger_free(struct ledger *ledger);

/* BEGIN: one transaction is open at a time, commit order. Its name, for the calls below. */
uint64_t ledger_open(struct ledger *ledger, lsn commit_lsn);
/* n more events of a transaction that is not sealed yet. */
void ledger_expect(struct ledger *ledger, uint64_t transaction, uint64_t n);
/* COMMIT: no more events; once all are done, end_lsn may be confirmed. */
void ledger_seal(struct ledger *ledger, uint64_t transaction, lsn end_lsn);

/* n events are in Kafka (committed there now, or by an older generation). */
void ledger_published(struct ledger *ledger, uint64_t transaction, uint64_t n);
/* n events that were published are settled: marked in the table where marking is on. */
void ledger_settled(struct ledger *ledger, uint64_t transaction, uint64_t n);

/* A keepalive's LSN: counts only when nothing is in flight and no transaction is open; says whether
 * it did. */
bool ledger_idle(struct ledger *ledger, lsn wal_lsn);

lsn ledger_published_lsn(const struct ledger *ledger);
lsn ledger_safe_lsn(const struct ledger *ledger);
/* Events expected but not yet settled. */
uint64_t ledger_pending(const struct ledger *ledger);
/* Transactions not yet settled, the open one included. */
uint64_t ledger_transactions(const struct ledger *ledger);

#endif
