/* SPDX-License-Identifier: Apache-2.0
 *
 * lsn.h - positions in the write-ahead log, and the identity of an event.
 * In -> out: text <-> number.
 * Owns: nothing.  Thread: any.
 * Keeps: the identity and order of an event is (commit LSN of its transaction, ordinal in it); the
 *     WAL position of a single change is neither unique nor monotonic.
 * Source: PostgreSQL documentation, "pg_lsn type". */
#ifndef WALPOST_BASE_LSN_H
#define WALPOST_BASE_LSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t lsn; /* 0 is no position (InvalidXLogRecPtr) */

enum { LSN_TEXT_SIZE = 18, POSITION_TEXT_SIZE = 26 }; /* with the NUL */

/* printf as PostgreSQL writes it: "16/B374D848". */
#define LSN_FORMAT         "%X/%X"
#define LSN_ARGS(position) (unsigned)((position) >> 32), (unsigned)(position)

struct position {
    lsn commit_lsn;
    uint32_t ordinal; /* from 0: every INSERT and transactional message received counts */
};

static inline int position_compare(struct position a, struct position b)
{
    if (a.commit_lsn != b.commit_lsn) {
        return a.commit_lsn < b.commit_lsn ? -1 : 1;
    }
    return a.ordinal == b.ordinal ? 0 : a.ordinal < b.ordinal ? -1 : 1;
}

/* Parses "16/B374D848". False, and *result untouched, on anything else. */
bool lsn_parse(const char *text, lsn *result);

/* Fixed width, sorts as text: "00000000016B3748.00000003". Returns the length without the NUL. */
size_t position_format(struct position position, char text[static POSITION_TEXT_SIZE]);

/* Parses that form, upper case. False, and *result untouched, on anything else. */
bool position_parse(const char *text, size_t len, struct position *result);

#endif
