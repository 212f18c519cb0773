/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/wire_format.h"

/* Zigzag of what is not negative is twice the number. */
static uint8_t *put_varint(uint8_t *at, int32_t number)
{
    uint32_t rest = (uint32_t)number << 1;
    for (; rest >= 0x80; rest >>= 7) {
        *at++ = (uint8_t)(rest | 0x80);
    }
    *at++ = (uint8_t)rest;
    return at;
}

size_t wire_header(int32_t id, const int32_t *indexes, size_t n_indexes,
                   uint8_t header[static WIRE_HEADER_MAX])
{
    if (id < 0 || n_indexes > WIRE_INDEXES_MAX) {
        return 0;
    }
    for (size_t i = 0; i < n_indexes; i++) {
        if (indexes[i] < 0) {
            return 0;
        }
    }
    uint8_t *at = header;
    *at++ = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        *at++ = (uint8_t)((uint32_t)id >> shift);
    }
    if (n_indexes == 0) {
        return (size_t)(at - header);
    }
    if (n_indexes == 1 && indexes[0] == 0) {
        *at++ = 0;
        return (size_t)(at - header);
    }
    at = put_varint(at, (int32_t)n_indexes);
    for (size_t i = 0; i < n_indexes; i++) {
        at = put_varint(at, indexes[i]);
    }
    return (size_t)(at - header);
}
