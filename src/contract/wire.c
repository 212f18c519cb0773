/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/wire.h"

#include <endian.h>

enum { GROUPS_MAX = 100 };

static bool read_varint(const char **at, const char *end, uint64_t *value)
{
    uint64_t read = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (*at == end) {
            return false;
        }
        uint64_t byte = (unsigned char)*(*at)++;
        read |= shift < 64 ? (byte & 0x7F) << shift : 0;
        if (byte < 0x80) {
            *value = read;
            return true;
        }
    }
    return false;
}

static bool read_fixed(const char **at, const char *end, size_t size, uint64_t *value)
{
    if ((size_t)(end - *at) < size) {
        return false;
    }
    uint64_t read = 0;
    memcpy(&read, *at, size);
    *value = size == 8 ? le64toh(read) : le32toh((uint32_t)read);
    *at += size;
    return true;
}

static bool read_tag(const char **at, const char *end, uint32_t *number, uint8_t *type)
{
    uint64_t tag;
    if (!read_varint(at, end, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        return false;
    }
    *number = (uint32_t)tag >> 3;
    *type = tag & 7;
    return true;
}

static bool read_data(const char **at, const char *end, struct bytes *data)
{
    uint64_t len;
    if (!read_varint(at, end, &len) || len > (size_t)(end - *at)) {
        return false;
    }
    *data = (struct bytes){*at, (size_t)len};
    *at += len;
    return true;
}

/* Behind the tag that begins a group: passes everything up to and with the tag that ends it. */
static bool read_group(const char **at, const char *end, uint32_t number, struct bytes *data)
{
    uint32_t open[GROUPS_MAX] = {number};
    unsigned depth = 1;
    const char *from = *at;
    while (depth > 0) {
        struct wire_value value;
        const char *tag_at = *at;
        if (!read_tag(at, end, &value.number, &value.type)) {
            return false;
        }
        bool good;
        switch (value.type) {
        case WIRE_VARINT: good = read_varint(at, end, &value.bits); break;
        case WIRE_64BIT: good = read_fixed(at, end, 8, &value.bits); break;
        case WIRE_32BIT: good = read_fixed(at, end, 4, &value.bits); break;
        case WIRE_LEN: good = read_data(at, end, &value.data); break;
        case WIRE_GROUP:
            good = depth < GROUPS_MAX;
            if (good) {
                open[depth++] = value.number;
            }
            break;
        case WIRE_END_GROUP:
            good = open[--depth] == value.number;
            *data = (struct bytes){from, (size_t)(tag_at - from)};
            break;
        default: good = false; break;
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

bool wire_next(const char **at, const char *end, struct wire_value *value)
{
    *value = (struct wire_value){0};
    if (!read_tag(at, end, &value->number, &value->type)) {
        return false;
    }
    switch (value->type) {
    case WIRE_VARINT: return read_varint(at, end, &value->bits);
    case WIRE_64BIT: return read_fixed(at, end, 8, &value->bits);
    case WIRE_32BIT: return read_fixed(at, end, 4, &value->bits);
    case WIRE_LEN: return read_data(at, end, &value->data);
    case WIRE_GROUP: return read_group(at, end, value->number, &value->data);
    default: return false;
    }
}

bool wire_packed(const char **at, const char *end, enum wire_type type, uint64_t *bits)
{
    if (type == WIRE_VARINT) {
        return read_varint(at, end, bits);
    }
    return read_fixed(at, end, type == WIRE_64BIT ? 8 : 4, bits);
}
