/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.h - contracts as a trigger of PostgreSQL, which refuses a bad event inside the INSERT's own
 * transaction.
 * In -> out: contracts and the names of a table -> SQL.
 * Owns: nothing.  Thread: any; writes to a FILE and does no other I/O.
 * Keeps: the verdict of the trigger on what the column holds is that of transcode_from_json. Every
 *        message becomes a function of its own: who inserts pays for the fields of his contract,
 * not for reading a description of them. */
#ifndef WALPOST_GUARD_GUARD_H
#define WALPOST_GUARD_GUARD_H

#include <stdio.h>

#include "contract/transcode.h"

/* One version of one type. */
struct guard_contract {
    const char *type; /* Order.Placed */
    uint32_t version;
    const char *file; /* as the user knows it */
    const struct pool *pool;
    const struct message *message; /* NULL: not written as Protobuf; its events pass */
};

struct guard {
    const char *schema; /* of the table; functions are made in it, where whoever inserts may look */
    const char *table;
    const char *event_type; /* columns; the last one need not be there */
    const char *payload;
    const char *schema_version;
    enum unknown_policy policy;
    const struct guard_contract *contracts; /* by type, then by version, ascending */
    size_t n_contracts;
    const char *only; /* events of this type are looked at, no others; NULL: of all types, and one
                         that has no contract is refused */
};

void guard_write(const struct guard *guard, FILE *out);

#endif
