/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/trace.h"

/* version "-" trace-id "-" parent-id "-" trace-flags */
enum { TRACE_ID_AT = 3, TRACE_ID_LEN = 32, SPAN_ID_AT = 36, SPAN_ID_LEN = 16, FLAGS_AT = 53 };

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Lower case only: section 3.2.2 (HEXDIGLC). */
static bool all_hex(const char *text, size_t len)
{
    bool good = true;
    for (size_t i = 0; i < len; i++) {
        good &= is_hex(text[i]);
    }
    return good;
}

static bool all_zero(const char *text, size_t len)
{
    char bits = 0;
    for (size_t i = 0; i < len; i++) {
        bits |= (char)(text[i] ^ '0');
    }
    return bits == 0;
}

/* Version 00 has exactly these fields; a version to come may have more after them (section 3.2.4);
 * ff is none. */
static bool traceparent_valid(struct bytes text)
{
    const char *t = text.data;
    if (t == NULL || text.len < TRACEPARENT_LEN || !all_hex(t, 2)) {
        return false;
    }
    bool version_00 = t[0] == '0' && t[1] == '0';
    bool version_ff = t[0] == 'f' && t[1] == 'f';
    if (version_ff || (version_00 && text.len != TRACEPARENT_LEN) ||
        (text.len > TRACEPARENT_LEN && t[TRACEPARENT_LEN] != '-')) {
        return false;
    }
    return t[2] == '-' && t[35] == '-' && t[52] == '-' && all_hex(t + TRACE_ID_AT, TRACE_ID_LEN) &&
           !all_zero(t + TRACE_ID_AT, TRACE_ID_LEN) && all_hex(t + SPAN_ID_AT, SPAN_ID_LEN) &&
           !all_zero(t + SPAN_ID_AT, SPAN_ID_LEN) && all_hex(t + FLAGS_AT, 2);
}

enum { LEFT_OUT = 1 };

/* Digits are random: a table where a branch would be guessed wrong half of the time. */
static const char digit_of[256] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2',      ['3'] = '3',      ['4'] = '4',
    ['5'] = '5', ['6'] = '6', ['7'] = '7',      ['8'] = '8',      ['9'] = '9',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c',      ['d'] = 'd',      ['e'] = 'e',
    ['f'] = 'f', ['A'] = 'a', ['B'] = 'b',      ['C'] = 'c',      ['D'] = 'd',
    ['E'] = 'e', ['F'] = 'f', ['-'] = LEFT_OUT, ['{'] = LEFT_OUT, ['}'] = LEFT_OUT,
};

/* The 32 digits of a UUID in any form that PostgreSQL accepts: upper case, braces, hyphens left
 * out. */
static bool uuid_digits(struct bytes id, char hex[static TRACE_ID_LEN])
{
    size_t n = 0;
    for (size_t i = 0; i < id.len; i++) {
        char digit = digit_of[(unsigned char)id.data[i]];
        if (digit == LEFT_OUT) {
            continue;
        }
        if (n == TRACE_ID_LEN || digit == '\0') {
            return false;
        }
        hex[n++] = digit;
    }
    return n == TRACE_ID_LEN && !all_zero(hex, TRACE_ID_LEN);
}

/* For an id that is no UUID, or the nil UUID, which is no trace id: FNV-1a with 128 bits. */
static void hash_digits(struct bytes id, char hex[static TRACE_ID_LEN])
{
    const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13b;
    unsigned __int128 hash =
        (unsigned __int128)UINT64_C(0x6c62272e07bb0142) << 64 | UINT64_C(0x62b821756295c58d);
    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ (unsigned char)id.data[i]) * prime;
    }
    for (int i = TRACE_ID_LEN - 1; i >= 0; i--) {
        hex[i] = "0123456789abcdef"[(unsigned)hash & 15];
        hash >>= 4;
    }
}

/* The span id is the second half of the trace id; the first where that is no span id. Sampled:
 * whoever looks for this event later shall find it. */
static void make(struct bytes id, char made[static TRACEPARENT_LEN])
{
    char *trace_id = made + TRACE_ID_AT;
    if (!uuid_digits(id, trace_id)) {
        hash_digits(id, trace_id);
    }
    const char *half = trace_id + TRACE_ID_LEN - SPAN_ID_LEN;
    memcpy(made, "00-", 3);
    made[35] = '-';
    memcpy(made + SPAN_ID_AT, all_zero(half, SPAN_ID_LEN) ? trace_id : half, SPAN_ID_LEN);
    memcpy(made + 52, "-01", 3);
}

void trace_of(const struct row *row, char made[static TRACEPARENT_LEN], struct trace *trace)
{
    *trace = (struct trace){0};
    if (traceparent_valid(row->traceparent)) {
        trace->traceparent = row->traceparent;
        /* A tracestate belongs to its traceparent, and an empty one says nothing (section 3.3). */
        trace->tracestate = bytes_empty(row->tracestate) ? BYTES_NULL : row->tracestate;
    } else if (!bytes_empty(row->id)) {
        make(row->id, made);
        trace->traceparent = (struct bytes){made, TRACEPARENT_LEN};
    } else {
        return;
    }
    trace->trace_id = (struct bytes){trace->traceparent.data + TRACE_ID_AT, TRACE_ID_LEN};
    trace->span_id = (struct bytes){trace->traceparent.data + SPAN_ID_AT, SPAN_ID_LEN};
}
