/* SPDX-License-Identifier: Apache-2.0
 *
 * pool_build.h - the inside of struct pool, for the files that build it.
 * In -> out: messages and enums that say what the descriptors say -> compiled for transcoding.
 * Owns: the arena of the pool.
 * Thread: the one that builds. */
#ifndef WALPOST_CONTRACT_POOL_BUILD_H
#define WALPOST_CONTRACT_POOL_BUILD_H

#include "contract/arena.h"
#include "contract/pool.h"

struct pool {
    struct arena arena;
    struct message *messages;
    struct enumeration *enumerations;
    uint32_t n_messages;
    uint32_t n_enumerations;
    struct name_table message_names;
    struct name_table enumeration_names;
    uint16_t mark_words; /* the largest of all messages */
    uint32_t guesses;
};

enum { FIELD_NUMBER_MAX = (1 << 29) - 1, FIELDS_MAX = 16384 };

/* Puts the names of messages and enums into tables. INVALID: one appears twice. */
enum verdict MUST_CHECK pool_index(struct pool *pool, struct error *error);

/* Which messages JSON writes in a way of their own, and whether map entries are such. INVALID: a
 * message only has the name. */
enum verdict MUST_CHECK message_find_kind(struct message *message, struct error *error);

/* Tags, quoted names and the kinds of fields; needs their types. */
void field_compile(struct pool *pool, struct field *field);

/* Tables by name and number; needs compiled fields and extensions. INVALID: a number twice. */
enum verdict MUST_CHECK message_compile(struct pool *pool, struct message *message,
                                        struct error *error);
void enumeration_compile(struct pool *pool, struct enumeration *enumeration);

#endif
