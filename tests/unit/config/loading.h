/* SPDX-License-Identifier: Apache-2.0
 *
 * loading.h - a configuration from a text, in a folder of its own. */
#ifndef WALPOST_TESTS_LOADING_H
#define WALPOST_TESTS_LOADING_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

/* Every test has a process of its own: the folder and the environment are its own, too. */
static inline void in_a_new_folder(void)
{
    char folder[] = "/tmp/walpost-config-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static inline void leave_folder(void)
{
    char folder[256];
    cr_assert_not_null(getcwd(folder, sizeof(folder)));
    (void)unlink("walpost.yaml");
    (void)unlink("other.yaml");
    cr_assert_eq(rmdir(folder), 0);
}

static inline void write_bytes(const char *file, const char *bytes, size_t size)
{
    FILE *out = fopen(file, "we");
    cr_assert_not_null(out);
    cr_assert_eq(fwrite(bytes, 1, size, out), size);
    fclose(out);
}

static inline void write_file(const char *file, const char *text)
{
    write_bytes(file, text, strlen(text));
}

static inline enum verdict load_with(const char *const *sets, size_t n_sets, struct config **config,
                                     struct error *error)
{
    *config = NULL;
    *error = (struct error){.verdict = OK};
    struct config_sources sources = {.file = NULL, .sets = sets, .n_sets = n_sets};
    return config_load(&sources, config, error);
}

/* The smallest file that loads, with more behind it. */
#define SMALLEST "stream: orders\npostgres:\n  dsn: host=db\n"

static inline struct config *load_text(const char *text)
{
    struct config *config;
    struct error error;
    write_file("walpost.yaml", text);
    enum verdict verdict = load_with(NULL, 0, &config, &error);
    cr_assert_eq(verdict, OK, "%s (%s)", error.what, error.remedy);
    return config;
}

#endif
