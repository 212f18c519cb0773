/* SPDX-License-Identifier: Apache-2.0
 *
 * compat.h - can events of one version of a contract be read by another?
 * In -> out: two versions -> every difference, with its rule, its place and its judgment.
 * Owns: the list of differences.
 * Thread: any; pure.
 * Source: the rules of Confluent's registry for Protobuf: fields match by number, messages and
 * enums by name; changes.h for what walpost adds. */
#ifndef WALPOST_CONTRACT_COMPAT_H
#define WALPOST_CONTRACT_COMPAT_H

#include "contract/changes.h"
#include "contract/pool.h"

/* One version: the descriptors that its file was compiled to, with all that it imports. */
struct version {
    const struct pool *pool;
    const char *file; /* as the descriptors name it */
};

struct difference {
    enum change change;
    bool in_writer;    /* the line is of the writer's file, where the reader's has nothing */
    int32_t line;      /* 0: unknown */
    char subject[160]; /* OrderPlaced.total */
    char detail[96];   /* "int32 became string"; may be empty */
};

struct differences {
    struct difference *all;
    size_t n;
    size_t max;
};

/* Appends every difference that a reader of `reader` meets in events of `writer`. */
void compat_compare(const struct version *writer, const struct version *reader,
                    struct differences *differences);
/* Appends what the newer version uses, or does not reserve any more, of what the older one
 * reserved. Asked of every older version, whatever the level: a reserved number has no date.
 * (compat_reserved.c)
 */
void compat_compare_reserved(const struct version *older, const struct version *newer,
                             struct differences *differences);

/* Is it of the version's own file, not of an import? */
bool version_owns(const struct version *version, const char *file);
/* Of the version's own file, without the package. NULL: there is none. */
const struct message *version_message(const struct version *version, struct bytes local);
const struct enumeration *version_enumeration(const struct version *version, struct bytes local);

/* One more, in the words of whoever compares. */
void differences_add(struct differences *differences, enum change change, bool in_writer,
                     int32_t line, const char *subject, const char *format, ...) PRINTF_LIKE(6, 7);
void differences_release(struct differences *differences);

/* The worst of them. */
enum judgment differences_judgment(const struct differences *differences);

/* Which versions are held against which: 1 is the oldest. */
enum compatibility {
    COMPATIBILITY_NONE,
    COMPATIBILITY_BACKWARD, /* the newest reads the one before */
    COMPATIBILITY_BACKWARD_TRANSITIVE,
    COMPATIBILITY_FORWARD, /* the one before reads the newest */
    COMPATIBILITY_FORWARD_TRANSITIVE,
    COMPATIBILITY_FULL, /* both */
    COMPATIBILITY_FULL_TRANSITIVE,
    COMPATIBILITIES,
};

const char *compatibility_name(enum compatibility compatibility);
/* False: there is none of that name. */
bool compatibility_named(const char *name, enum compatibility *compatibility);

/* Must version `newer` read `older`; must `older` read `newer`? newer > older. Every version was
 * the newest once, so that the whole history is held to it. */
bool compatibility_asks(enum compatibility compatibility, uint32_t newer, uint32_t older,
                        bool backward);

#endif
