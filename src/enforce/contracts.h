/* SPDX-License-Identifier: Apache-2.0
 *
 * contracts.h - every event is held to its contract before it becomes a record.
 * In: the folder of contracts, compiled once; then events. Out: for each event the contract that it
 *     keeps and its typed payload, or why it is a dead letter.
 * Owns: the contracts, and the registry where records carry ids of schemas; a gate owns what its
 *       thread needs.
 * Thread: contracts_load waits for protoc; afterwards contracts are shared by all threads, and each
 *         gate belongs to one.
 * Keeps: I7: what a gate lets pass is what its contract says, in the version that the record names.
 */
#ifndef WALPOST_ENFORCE_CONTRACTS_H
#define WALPOST_ENFORCE_CONTRACTS_H

#include <stdatomic.h>

#include "encode/encode.h"
#include "lane/gate.h"

struct config;
struct contracts;

enum { CONTRACTS_NOTE_SIZE = 512 };

enum contracts_use {
    CONTRACTS_LOOK,    /* records that go to no Kafka: they need no ids of a registry */
    CONTRACTS_PUBLISH, /* contracts.on_violation: halt counts */
    CONTRACTS_MEND, /* a dead letter that still breaks its contract stays one, and halts nothing */
};

/* OK, and *contracts is NULL where the configuration checks none. INVALID: they cannot be read, do
 * not compile, or there is none at all. Borrows config, and stop (may be NULL), which ends a wait
 * for the registry. */
enum verdict MUST_CHECK contracts_load(const struct config *config, enum contracts_use use,
                                       const atomic_bool *stop, struct contracts **contracts,
                                       struct error *error);
void contracts_free(struct contracts *contracts); /* takes NULL; every gate must be gone */

/* How many versions of how many types. */
void contracts_count(const struct contracts *contracts, size_t *types, size_t *versions);

/* Do records carry ids of a registry? */
bool contracts_have_ids(const struct contracts *contracts);
/* Does the registry have version i, of all versions? Its words begin with the version's name. WAIT:
 * no, or it does not answer. AGAIN: no topic, and so no subject, follows from its type alone. */
enum verdict MUST_CHECK contracts_look_up(const struct contracts *contracts,
                                          const struct encoder *encoder, size_t i,
                                          struct error *error);

/* For one thread. NULL without contracts: then there is nothing to pass. */
struct gate *contracts_gate(struct contracts *contracts, const struct encoder *encoder);

/* Something to warn of that stops nothing; each once. False: nothing new. Takes NULL. */
bool contracts_note(struct contracts *contracts, char note[static CONTRACTS_NOTE_SIZE]);

#endif
