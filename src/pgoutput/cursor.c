/* SPDX-License-Identifier: Apache-2.0 */
#include "pgoutput/cursor.h"

void cursor_fail(struct cursor *cursor, const char *expected)
{
    if (cursor->expected == NULL) {
        cursor->expected = expected;
        cursor->end = cursor->last; /* last stays where it is from now on */
    }
    cursor->at = cursor->end;
}

struct bytes cursor_string(struct cursor *cursor, const char *expected)
{
    cursor->last = cursor->at;
    size_t left = cursor_left(cursor);
    const char *nul = left == 0 ? NULL : memchr(cursor->at, '\0', left);
    if (nul == NULL) {
        cursor_fail(cursor, expected);
        return BYTES_NULL;
    }
    struct bytes string = {cursor->at, (size_t)(nul - cursor->at)};
    cursor->at = nul + 1;
    return string;
}

void cursor_finish(struct cursor *cursor)
{
    cursor->last = cursor->at;
    if (cursor->at != cursor->end) {
        cursor_fail(cursor, "the end of the message");
    }
}
