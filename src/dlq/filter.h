/* SPDX-License-Identifier: Apache-2.0
 *
 * filter.h - which dead letters are meant.
 * In: the texts of a command line. Out: does a letter match?
 * Owns: nothing; borrows the texts.  Thread: any; pure. */
#ifndef WALPOST_DLQ_FILTER_H
#define WALPOST_DLQ_FILTER_H

#include "dlq/letter.h"

/* As given; NULL: not given. */
struct filter_texts {
    const char *ids; /* one id, or several with commas between */
    const char *reason;
    const char *type;
    const char *key;
    const char *since;
    const char *until;
};

struct filter {
    struct bytes ids, reason, type, key; /* BYTES_NULL: any */
    bool has_since, has_until;
    int64_t since_us, until_us; /* of the commit: since is inside, until is not */
};

/* INVALID: no such reason, no time, or an end before the beginning. */
enum verdict MUST_CHECK filter_parse(const struct filter_texts *texts, struct filter *filter,
                                     struct error *error);
/* Is anything at all asked for? */
bool filter_is_empty(const struct filter *filter);

/* key: of the record that the event would become, NULL where none can be made: then its aggregate
 * id counts. */
bool filter_wants(const struct filter *filter, const struct letter *letter, struct bytes key);

#endif
