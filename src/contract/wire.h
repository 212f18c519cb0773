/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h - the fields of a message as they stand on the wire.
 * In -> out: bytes -> one field after the other.
 * Owns: nothing; data are views into the bytes.
 * Thread: any; pure.
 * Source: protobuf.dev/programming-guides/encoding. */
#ifndef WALPOST_CONTRACT_WIRE_H
#define WALPOST_CONTRACT_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64BIT = 1,
    WIRE_LEN = 2,
    WIRE_GROUP = 3,
    WIRE_END_GROUP = 4,
    WIRE_32BIT = 5,
};

struct wire_value {
    uint32_t number;
    uint8_t type;      /* enum wire_type; WIRE_END_GROUP never comes out */
    uint64_t bits;     /* of a varint or a fixed number */
    struct bytes data; /* of WIRE_LEN; of a group what is between its tags */
};

/* The next field at *at, which moves behind it. False: these bytes are no field. */
bool wire_next(const char **at, const char *end, struct wire_value *value);

/* The next number of a packed list of that wire type. */
bool wire_packed(const char **at, const char *end, enum wire_type type, uint64_t *bits);

#endif
