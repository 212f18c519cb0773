/* SPDX-License-Identifier: Apache-2.0
 *
 * publish.h - events and the tombstones of their dead letters, together in Kafka transactions.
 * In: records. Out: committed, or why not.
 * Owns: a producer under the id walpost.<stream>.dlq, from publisher_open to publisher_close.
 * Thread: main's; calls wait.
 * Keeps: I3: an event and its tombstone are committed together or not at all; whoever opens has
 *        ended what an older one left open, so what is read after that is the truth. I11: the id is
 *        none of the stream's. */
#ifndef WALPOST_DLQ_PUBLISH_H
#define WALPOST_DLQ_PUBLISH_H

#include "base/log.h"
#include "dlq/letter.h"

struct config;
struct publisher;

/* Fences older ones. RETRY, WAIT, FATAL: Kafka cannot be reached, or a right is missing. */
enum verdict MUST_CHECK publisher_open(const struct config *config, const struct log *log,
                                       struct publisher **publisher, struct error *error);
void publisher_close(struct publisher *publisher); /* takes NULL */

/* One letter on its way out. */
struct parcel {
    const struct letter *letter;
    const char *outcome; /* TOMBSTONE_...: why it goes */
    bool done;
    bool failed; /* it stays; error says why */
    struct error error;
    void *context; /* the caller's */
};

/* Writes the event of a parcel; called again for every attempt. The record is borrowed until the
 * next call, its value until publisher_send returns. REJECT: there is none, the letter stays.
 * NULL: only tombstones are written. */
typedef enum verdict parcel_record_fn(struct parcel *parcel, const struct record **record,
                                      struct error *error);

/* In one Kafka transaction where all are accepted; where one is refused, in halves. OK: every
 * parcel is done or has failed. RESTART: what became of the open ones is not known; reading again
 * tells. RETRY, WAIT, FATAL: those that are not done stay. */
enum verdict MUST_CHECK publisher_send(struct publisher *publisher, struct parcel *parcels,
                                       size_t n_parcels, parcel_record_fn *make_record,
                                       struct error *error);

#endif
