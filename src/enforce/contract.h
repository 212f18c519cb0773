/* SPDX-License-Identifier: Apache-2.0
 *
 * contract.h - the inside of struct contracts, for the files of enforce/ alone.
 * In -> out: an event type and a version -> a contract.
 * Owns: what the headers say.  Thread: read-only once loaded; frames have a lock of their own. */
#ifndef WALPOST_ENFORCE_CONTRACT_H
#define WALPOST_ENFORCE_CONTRACT_H

#include "enforce/contracts.h"
#include "enforce/frames.h"
#include "schemas/schemas.h"

/* One version of an event type. */
struct contract {
    struct contract_name name;
    const struct schema *schema;
    size_t index;     /* in contracts->all */
    char version[12]; /* as text */
};

struct contracts {
    const struct config *config;
    bool halts;
    struct schemas schemas;
    struct contract *all;  /* in the order of schemas: by type, then by version */
    struct frames *frames; /* NULL: records carry no ids */
};

/* The version that the row names, else the newest. REJECT: no such type, or no such version. */
enum verdict MUST_CHECK contracts_find(const struct contracts *contracts, const struct row *row,
                                       const struct contract **contract, struct error *error);

#endif
