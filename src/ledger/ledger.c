/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of transactions in commit order, with two cursors that move over finished prefixes:
 *
 *      first            published             next
 *        |  settled ...     |  published ...    |  (room)
 *        v                  v                   v
 *      [ T7 ][ T8 ][ T9 ] [ T10 ][ T11 ][ T12 ]
 *
 * A transaction's name is its number since the start; its entry is ring[name % size]. */
#include "ledger/ledger.h"

#include <stdlib.h>

#include "base/check.h"

struct entry {
    lsn commit_lsn;
    lsn end_lsn; /* 0: not sealed */
    uint64_t expected;
    uint64_t published;
    uint64_t settled;
};

struct ledger {
    struct entry *ring;
    uint64_t size;        /* a power of two */
    uint64_t first;       /* the oldest that is not settled */
    uint64_t unpublished; /* the oldest that is not published */
    uint64_t next;
    lsn published_lsn;
    lsn safe_lsn;
    uint64_t pending;
};

enum { RING_SIZE_AT_START = 1024 };

struct ledger *ledger_new(lsn start)
{
    struct ledger *ledger = must_calloc(1, sizeof(*ledger));
    ledger->size = RING_SIZE_AT_START;
    ledger->ring = must_calloc(ledger->size, sizeof(ledger->ring[0]));
    ledger->published_lsn = start;
    ledger->safe_lsn = start;
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger != NULL) {
        free(ledger->ring);
        free(ledger);
    }
}

static struct entry *entry_of(const struct ledger *ledger, uint64_t transaction)
{
    check(transaction >= ledger->first && transaction < ledger->next);
    return &ledger->ring[transaction & (ledger->size - 1)];
}

static void ring_grow(struct ledger *ledger)
{
    uint64_t size = ledger->size * 2;
    struct entry *ring = must_calloc(size, sizeof(ring[0]));
    for (uint64_t i = ledger->first; i < ledger->next; i++) {
        ring[i & (size - 1)] = ledger->ring[i & (ledger->size - 1)];
    }
    free(ledger->ring);
    ledger->ring = ring;
    ledger->size = size;
}

uint64_t ledger_open(struct ledger *ledger, lsn commit_lsn)
{
    if (ledger->next > ledger->first) {
        const struct entry *last = entry_of(ledger, ledger->next - 1);
        check(last->end_lsn != 0);            /* one transaction is open at a time */
        check(commit_lsn > last->commit_lsn); /* I5: commit order */
    }
    if (ledger->next - ledger->first == ledger->size) {
        ring_grow(ledger);
    }
    ledger->ring[ledger->next & (ledger->size - 1)] = (struct entry){.commit_lsn = commit_lsn};
    return ledger->next++;
}

static bool entry_published(const struct entry *entry)
{
    return entry->end_lsn != 0 && entry->published == entry->expected;
}

static bool entry_settled(const struct entry *entry)
{
    return entry->end_lsn != 0 && entry->settled == entry->expected;
}

static void advance(struct ledger *ledger)
{
    while (ledger->unpublished < ledger->next &&
           entry_published(entry_of(ledger, ledger->unpublished))) {
        lsn end_lsn = entry_of(ledger, ledger->unpublished)->end_lsn;
        if (end_lsn > ledger->published_lsn) { /* I2 */
            ledger->published_lsn = end_lsn;
        }
        ledger->unpublished++;
    }
    while (ledger->first < ledger->unpublished && entry_settled(entry_of(ledger, ledger->first))) {
        lsn end_lsn = entry_of(ledger, ledger->first)->end_lsn;
        if (end_lsn > ledger->safe_lsn) { /* I2 */
            ledger->safe_lsn = end_lsn;
        }
        ledger->first++;
    }
    check(ledger->safe_lsn <= ledger->published_lsn); /* I1 */
}

void ledger_expect(struct ledger *ledger, uint64_t transaction, uint64_t n)
{
    struct entry *entry = entry_of(ledger, transaction);
    check(entry->end_lsn == 0);
    entry->expected += n;
    ledger->pending += n;
}

void ledger_seal(struct ledger *ledger, uint64_t transaction, lsn end_lsn)
{
    struct entry *entry = entry_of(ledger, transaction);
    check(entry->end_lsn == 0 && end_lsn > entry->commit_lsn);
    entry->end_lsn = end_lsn;
    advance(ledger);
}

void ledger_published(struct ledger *ledger, uint64_t transaction, uint64_t n)
{
    struct entry *entry = entry_of(ledger, transaction);
    entry->published += n;
    check(entry->published <= entry->expected); /* I10: counted once */
    advance(ledger);
}

void ledger_settled(struct ledger *ledger, uint64_t transaction, uint64_t n)
{
    struct entry *entry = entry_of(ledger, transaction);
    entry->settled += n;
    check(entry->settled <= entry->published); /* I1: never settled before it is in Kafka */
    ledger->pending -= n;
    advance(ledger);
}

bool ledger_idle(struct ledger *ledger, lsn wal_lsn)
{
    if (ledger->first != ledger->next) {
        return false;
    }
    if (wal_lsn > ledger->safe_lsn) {
        ledger->safe_lsn = wal_lsn;
    }
    if (wal_lsn > ledger->published_lsn) {
        ledger->published_lsn = wal_lsn;
    }
    return true;
}

lsn ledger_published_lsn(const struct ledger *ledger)
{
    return ledger->published_lsn;
}

lsn ledger_safe_lsn(const struct ledger *ledger)
{
    return ledger->safe_lsn;
}

uint64_t ledger_pending(const struct ledger *ledger)
{
    return ledger->pending;
}

uint64_t ledger_transactions(const struct ledger *ledger)
{
    return ledger->next - ledger->first;
}
