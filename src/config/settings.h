/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h - what was set, by whom, before it has a type.
 * In -> out: the YAML file, the environment, --set -> a list of keys and texts, later ones winning.
 * Owns: its strings (settings_release).  Thread: main.
 * Keeps: every key in the list is one of the option table. */
#ifndef WALPOST_CONFIG_SETTINGS_H
#define WALPOST_CONFIG_SETTINGS_H

#include "config/option_table.h"

struct setting {
    const struct option *option;
    char *path; /* the option's own; an entry of a map of text has its name behind it */
    char *name; /* of such an entry, else NULL */
    char *value;
    char *where; /* "walpost.yaml:12", "WALPOST_LANES", "--set lanes" */
    bool expand; /* ${VAR}: in files only */
};

struct settings {
    struct setting *items;
    size_t count;
};

void settings_release(struct settings *settings);

/* Adds one, replacing what an earlier source said. INVALID: no such key, a map of text set as a
 * whole, or a key that this version has not. */
enum verdict MUST_CHECK settings_add(struct settings *settings, const char *path, const char *value,
                                     const char *where, bool expand, struct error *error);

enum verdict MUST_CHECK settings_read_file(struct settings *settings, const char *file,
                                           struct error *error);
/* environment: "NAME=value" strings, NULL at the end. */
enum verdict MUST_CHECK settings_read_environment(struct settings *settings,
                                                  char *const *environment, struct error *error);
enum verdict MUST_CHECK settings_read_sets(struct settings *settings, const char *const *sets,
                                           size_t n_sets, struct error *error);

/* Who set an option: "walpost.yaml:12"; NULL: nobody. */
const char *settings_where(const struct settings *settings, const char *path);

/* Errors about a key, for those who find keys: always INVALID. */
enum verdict setting_unknown(const char *path, const char *where, struct error *error);
enum verdict setting_later(const char *path, const char *where, struct error *error);

/* Replaces ${VAR} and ${VAR:-default}; $${ is a plain ${. *expanded is malloc'd, written on OK
 * only. */
enum verdict MUST_CHECK settings_expand(const struct setting *setting, char **expanded,
                                        struct error *error);

#endif
