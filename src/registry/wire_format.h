/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_format.h - what stands in front of a typed payload so that consumers find its schema.
 * In -> out: the id of a schema, and where the message stands in its file -> bytes.
 * Owns: nothing.  Thread: any; pure.
 * Keeps: the Confluent wire format: a zero byte; the id in 4 bytes, big endian; the message
 *        indexes. These are the way to the message: its index among the top-level messages of the
 *        file, then among those nested in that one, and so on; their number first, each number a
 *        zigzag varint. The first message of the file, [0], is the single byte 0.
 * Source: Confluent Platform documentation, "Wire format" of Schema Registry. */
#ifndef WALPOST_REGISTRY_WIRE_FORMAT_H
#define WALPOST_REGISTRY_WIRE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* Messages nested deeper than this have no header. */
enum { WIRE_INDEXES_MAX = 16, WIRE_HEADER_MAX = 5 + 5 * (WIRE_INDEXES_MAX + 1) };

/* Avro and JSON Schema have no message indexes: n_indexes is 0, and indexes may be NULL.
 * Returns the number of bytes written; 0 when the id or an index is negative, or n_indexes is too
 * large. */
size_t wire_header(int32_t id, const int32_t *indexes, size_t n_indexes,
                   uint8_t header[static WIRE_HEADER_MAX]);

#endif
