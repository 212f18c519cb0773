/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.h - the contracts of a descriptor set, laid out for transcoding.
 * In -> out: what `protoc --include_imports --descriptor_set_out` writes -> messages, fields and
 *            enums, with their names hashed, their tags encoded and their kinds decided.
 * Owns: everything below a pool lives in its arena and dies with it; all that is found borrows.
 * Thread: built by one thread; then read-only, so any number of threads may share it.
 * Keeps: pure. A field's place never changes: pointers and indexes into a pool stay good. */
#ifndef WALPOST_CONTRACT_POOL_H
#define WALPOST_CONTRACT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "contract/names.h"

/* The numbers are those of FieldDescriptorProto.Type. */
enum field_type {
    TYPE_DOUBLE = 1,
    TYPE_FLOAT = 2,
    TYPE_INT64 = 3,
    TYPE_UINT64 = 4,
    TYPE_INT32 = 5,
    TYPE_FIXED64 = 6,
    TYPE_FIXED32 = 7,
    TYPE_BOOL = 8,
    TYPE_STRING = 9,
    TYPE_GROUP = 10,
    TYPE_MESSAGE = 11,
    TYPE_BYTES = 12,
    TYPE_UINT32 = 13,
    TYPE_ENUM = 14,
    TYPE_SFIXED32 = 15,
    TYPE_SFIXED64 = 16,
    TYPE_SINT32 = 17,
    TYPE_SINT64 = 18,
};

enum field_shape { SHAPE_SINGULAR, SHAPE_REPEATED, SHAPE_MAP };

/* Messages that JSON writes in a way of their own. */
enum well_known {
    WELL_KNOWN_NOT,
    WELL_KNOWN_ANY,
    WELL_KNOWN_TIMESTAMP,
    WELL_KNOWN_DURATION,
    WELL_KNOWN_STRUCT,
    WELL_KNOWN_VALUE,
    WELL_KNOWN_LIST_VALUE,
    WELL_KNOWN_FIELD_MASK,
    WELL_KNOWN_WRAPPER, /* a message around one scalar, field 1 */
};

/* Numbers and names that the contract keeps from ever being used (again). */
struct reserved {
    const struct reserved_range {
        int32_t first;
        int32_t last;
        int32_t line;
    } * ranges;
    const struct reserved_name {
        struct bytes name;
        int32_t line;
    } * names;
    uint32_t n_ranges;
    uint32_t n_names;
};

struct enum_value {
    struct bytes name;
    int32_t number;
};

struct enumeration {
    struct bytes name;  /* with its package: shop.v1.Color */
    struct bytes local; /* without it */
    const struct enum_value *values;
    uint32_t n_values;
    bool closed;     /* proto2: only the numbers that it lists */
    bool null_value; /* google.protobuf.NullValue: JSON's null */
    struct name_table names;
    const struct enum_value **by_number; /* ascending, one value a number: the first that has it */
    uint32_t n_numbers;
    struct reserved reserved;
    const char *file;
    int32_t line; /* 0: unknown */
};

struct field {
    /* What reading JSON touches comes first. */
    const char *quoted;  /* the JSON name and the quote behind it; readable to a multiple of 8 */
    uint32_t quoted_len; /* with the quote */
    uint16_t index;      /* in message->fields; extensions are counted behind them */
    uint8_t type;        /* enum field_type */
    uint8_t shape;       /* enum field_shape */
    bool presence;       /* absent differs from zero */
    bool packed;
    bool required;  /* by the label of proto2 */
    bool must_come; /* required, or marked so: mark.h */
    uint8_t tag_len;
    int16_t oneof; /* in message->oneofs; -1: none, or the one of a proto3 optional */
    uint64_t tag;  /* as its bytes stand on the wire, the first in the lowest byte */
    const struct message *message;         /* of TYPE_MESSAGE, TYPE_GROUP and maps (their entry) */
    const struct enumeration *enumeration; /* of TYPE_ENUM */

    int32_t number;
    struct bytes name;
    struct bytes json_name; /* of an extension "[pkg.name]" */
    const struct message *parent;
    bool labelled; /* proto3 optional, or any label of proto2 */
    bool extension;
    uint8_t marks; /* comments that say so */
    int32_t line;
};

struct oneof {
    struct bytes name;
    int32_t line;
};

struct message {
    struct bytes name;           /* with its package: shop.v1.OrderCreated */
    struct bytes local;          /* without it: OrderCreated, or OrderCreated.Item for one inside */
    const struct message *outer; /* NULL: it stands in no other */
    const struct field *fields;
    const struct oneof *oneofs;
    const struct field **extensions; /* of this message, whoever declares them */
    uint16_t n_fields;
    uint16_t n_oneofs; /* without those of proto3 optional */
    uint16_t n_extensions;
    uint16_t n_must_come;
    uint8_t well_known; /* enum well_known */
    bool map_entry;
    bool message_set;
    uint16_t mark_words;              /* of 64 bits: one for each field, extension and oneof */
    uint32_t guess_base;              /* the first of its n_fields + 1 guesses */
    struct name_table names;          /* JSON names and names as declared */
    const struct field **by_number;   /* ascending, with extensions */
    const struct field **low_numbers; /* by number itself, below n_low_numbers */
    uint32_t n_low_numbers;
    uint32_t n_by_number;
    struct reserved reserved;
    const char *file;
    int32_t line;
};

struct pool;

/* Reads a FileDescriptorSet (proto2 and proto3). INVALID, what is wrong with it, and the
 * remedy, otherwise. */
enum verdict MUST_CHECK pool_load(struct bytes descriptor_set, struct pool **pool,
                                  struct error *error);
void pool_free(struct pool *pool);

/* By the full name, without a dot in front. NULL: there is none. */
const struct message *pool_message(const struct pool *pool, struct bytes name);
const struct enumeration *pool_enumeration(const struct pool *pool, struct bytes name);

/* All messages, in the order of their files; those inside others follow them. */
uint32_t pool_messages(const struct pool *pool);
const struct message *pool_message_at(const struct pool *pool, uint32_t i);
uint32_t pool_enumerations(const struct pool *pool);
const struct enumeration *pool_enumeration_at(const struct pool *pool, uint32_t i);

/* An upper bound for message->mark_words, and the number of all guesses. */
uint16_t pool_mark_words(const struct pool *pool);
uint32_t pool_guesses(const struct pool *pool);

/* By number, extensions too. NULL: unknown. */
const struct field *message_field(const struct message *message, uint32_t number);
/* By JSON name or declared name; "[pkg.name]" for extensions. NULL: unknown. */
const struct field *message_field_named(const struct message *message, struct bytes name);
/* NULL: the enum does not list it. */
const struct enum_value *enumeration_value(const struct enumeration *enumeration, int32_t number);
const struct enum_value *enumeration_value_named(const struct enumeration *enumeration,
                                                 struct bytes name);

#endif
