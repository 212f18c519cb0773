/* SPDX-License-Identifier: Apache-2.0
 *
 * output.h - bytes that grow at one end, and the numbers of the Protobuf wire.
 * In -> out: nothing; what writers write to.
 * Owns: its memory, which moves when it grows: keep offsets, not pointers, across a write.
 * Thread: one at a time.
 * Keeps: behind `end` there is room for OUTPUT_SLACK bytes, so that what is short is stored in
 *        blocks and the end is looked at once. */
#ifndef WALPOST_CONTRACT_OUTPUT_H
#define WALPOST_CONTRACT_OUTPUT_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { OUTPUT_SLACK = 64, VARINT_SIZE_MAX = 10 };

struct output {
    char *begin;
    char *at;
    char *end;
    bool borrowed; /* the memory is somebody else's: what outgrows it moves out */
};

void output_init(struct output *output);
void output_release(struct output *output);
void output_grow(struct output *output, size_t size);

/* Makes room for size bytes and OUTPUT_SLACK more. */
static inline void output_need(struct output *output, size_t size)
{
    /* Signed: what was stored in the slack stands behind the end. */
    if (__builtin_expect(output->end - output->at < (ptrdiff_t)size, 0)) {
        output_grow(output, size);
    }
}

static inline size_t output_len(const struct output *output)
{
    return (size_t)(output->at - output->begin);
}

static inline struct bytes output_bytes(const struct output *output)
{
    return (struct bytes){output->begin, output_len(output)};
}

/* The functions below write into room that output_need has made. */

static inline void output_byte(struct output *output, char byte)
{
    *output->at++ = byte;
}

static inline void output_fixed32(struct output *output, uint32_t value)
{
    value = htole32(value);
    memcpy(output->at, &value, sizeof(value));
    output->at += sizeof(value);
}

static inline void output_fixed64(struct output *output, uint64_t value)
{
    value = htole64(value);
    memcpy(output->at, &value, sizeof(value));
    output->at += sizeof(value);
}

static inline size_t varint_size(uint64_t value)
{
    return (size_t)(63 - __builtin_clzll(value | 1)) / 7 + 1;
}

static inline char *varint_put(char *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)value;
    return at;
}

static inline void output_varint(struct output *output, uint64_t value)
{
    output->at = varint_put(output->at, value);
}

static inline void output_tag(struct output *output, uint64_t tag, size_t len)
{
    tag = htole64(tag);
    memcpy(output->at, &tag, sizeof(tag)); /* more than len: into the slack */
    output->at += len;
}

static inline void output_copy(struct output *output, const void *data, size_t len)
{
    memcpy(output->at, data, len);
    output->at += len;
}

static inline uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif
