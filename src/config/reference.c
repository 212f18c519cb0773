/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/option_table.h"

/* How deep the sections of two keys are the same: outbox.columns.id and outbox.table: 1. */
static int common_depth(const char *a, const char *b)
{
    int depth = 0;
    for (size_t i = 0; a[i] == b[i] && a[i] != '\0'; i++) {
        depth += a[i] == '.' ? 1 : 0;
    }
    return depth;
}

/* Opens the sections of path that are not open yet; the key's own name and depth. */
static const char *print_sections(const char *path, int open, int *depth)
{
    *depth = 0;
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL) {
        if (*depth >= open) {
            printf("%*s%.*s:\n", *depth * 2, "", (int)(dot - path), path);
        }
        path = dot + 1;
        ++*depth;
    }
    return path;
}

static void print_option(const struct option *option, const char *name, int depth)
{
    char allowed[256];
    option_describe(option, allowed, sizeof(allowed));
    printf("%*s# %s", depth * 2, "", option->summary);
    if (option->type == OPTION_CHOICE || option->type == OPTION_BYTES ||
        option->type == OPTION_DURATION || option->type == OPTION_SPAN ||
        option->type == OPTION_INTEGER) {
        printf(" (%s)", allowed);
    }
    printf("\n");
    if (option->type == OPTION_PAIRS && strcmp(option->path, "kafka") == 0) {
        printf("%s:\n  bootstrap.servers: localhost:9092\n", name);
    } else if (option->type == OPTION_PAIRS) {
        printf("%*s%s: {}\n", depth * 2, "", name);
    } else if (option->required) {
        printf("%*s%s: %s\n", depth * 2, "", name,
               strcmp(name, "dsn") == 0 ? "postgresql://walpost@localhost/shop" : "orders");
    } else if (option->fallback == NULL) {
        printf("%*s# %s: %s\n", depth * 2, "", name, option->computed);
    } else if (strchr(option->fallback, '{') != NULL || option->fallback[0] == '\0') {
        printf("%*s%s: \"%s\"\n", depth * 2, "", name, option->fallback);
    } else {
        printf("%*s%s: %s\n", depth * 2, "", name, option->fallback);
    }
}

void config_print_reference(void)
{
    printf("# Every option with its default. Texts may hold ${VAR} and ${VAR:-default}; every key\n"
           "# can be set by --set batch.max_events=1000 and WALPOST_BATCH__MAX_EVENTS=1000 too.\n");
    size_t count;
    const struct option *options = option_table(&count);
    const char *before = "";
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];
        if (option->type == OPTION_LATER) {
            continue;
        }
        if (strchr(option->path, '.') == NULL || common_depth(before, option->path) == 0) {
            printf("\n");
        }
        int depth;
        const char *name = print_sections(option->path, common_depth(before, option->path), &depth);
        print_option(option, name, depth);
        before = option->path;
    }
}
