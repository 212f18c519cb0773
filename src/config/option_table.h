/* SPDX-License-Identifier: Apache-2.0
 *
 * option_table.h - every option once: its key, type, default, range, words, and where it is kept.
 * In -> out: a key -> the row of the table; a row and a text -> the field of struct config.
 * Owns: nothing; the table is constant.  Thread: any.
 * Keeps: parsing, defaults, ranges, the reference and the nearest key all come from this table. */
#ifndef WALPOST_CONFIG_OPTION_TABLE_H
#define WALPOST_CONFIG_OPTION_TABLE_H

#include "config/config.h"

enum option_type {
    OPTION_TEXT,
    OPTION_IDENTIFIER, /* min to max of the letters in `letters` (NULL: any) */
    OPTION_TABLE,      /* schema.table, as SQL reads it */
    OPTION_TEMPLATE,   /* text with {placeholders} */
    OPTION_BYTES,      /* uint64_t */
    OPTION_DURATION,   /* uint32_t, microseconds */
    OPTION_SPAN,       /* uint64_t, microseconds */
    OPTION_INTEGER,    /* uint32_t or int32_t */
    OPTION_BOOLEAN,
    OPTION_CHOICE, /* an enum */
    OPTION_PAIRS,  /* a map of text */
    OPTION_LATER,  /* named by the design, no part of this version: refused */
};

struct option_choice {
    const char *name; /* NULL ends the list */
    int value;
};

struct option {
    const char *path; /* "batch.max_events" */
    enum option_type type;
    bool required;
    bool secret;          /* its value is never shown */
    bool templates;       /* a map of text: its values are templates */
    const char *fallback; /* as it would stand in the file; NULL: required, or computed */
    const char *computed; /* how it is computed, for the reference */
    const char *summary;
    size_t offset; /* in struct config */
    int64_t min, max;
    bool not_zero;
    const char *letters;                 /* of an identifier */
    const char *allowed;                 /* in words, where the type and range do not say it */
    const struct option_choice *choices; /* of a choice; the words beside the numbers elsewhere */
};

/* In the order of the reference; *count rows. */
const struct option *option_table(size_t *count);

/* The option with this key. For an entry of a map of text ("kafka.linger.ms") the map's row, and
 * *name its own name ("linger.ms"); else *name is NULL. NULL: no such option. */
const struct option *option_find(const char *path, const char **name);

/* The first option below this key ("batch"), or NULL: it is no section. */
const struct option *option_in_section(const char *path);

/* The valid key that is nearest to a wrong one. */
const char *option_nearest(const char *path);

/* "a size from 16 MB to 64 GB, for example 64MB" */
void option_describe(const struct option *option, char *text, size_t size);

/* Parses text and stores it in config (whatever was there is freed). INVALID with the key, the
 * value and what is allowed; `where` (may be NULL) goes in front. */
enum verdict MUST_CHECK option_store(const struct option *option, const char *text,
                                     const char *where, struct config *config, struct error *error);

/* The same for one entry of a map of text. */
enum verdict MUST_CHECK option_store_pair(const struct option *option, const char *name,
                                          const char *value, const char *where,
                                          struct config *config, struct error *error);

/* Frees what option_store left there. */
void option_clear(const struct option *option, struct config *config);

/* Copies a value for a message: one line, not too long. */
const char *option_shown(const char *value, char shown[static 64]);

#endif
