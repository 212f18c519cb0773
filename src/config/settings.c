/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/nearest.h"

#define ENVIRONMENT_PREFIX "WALPOST_"

static void setting_release(struct setting *setting)
{
    free(setting->path);
    free(setting->name);
    free(setting->value);
    free(setting->where);
}

void settings_release(struct settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        setting_release(&settings->items[i]);
    }
    free(settings->items);
    *settings = (struct settings){0};
}

enum verdict setting_unknown(const char *path, const char *where, struct error *error)
{
    char shown[64];
    error_set(error, INVALID, "%s: there is no key \"%s\"", where, option_shown(path, shown));
    return error_remedy(error, "The nearest valid key is %s; `walpost help config` lists all.",
                        option_nearest(path));
}

enum verdict setting_later(const char *path, const char *where, struct error *error)
{
    error_set(error, INVALID, "%s: %s is not in this version yet", where, path);
    return error_remedy(error, "Remove the key: this version has no part that would read it.");
}

enum verdict settings_add(struct settings *settings, const char *path, const char *value,
                          const char *where, bool expand, struct error *error)
{
    const char *name;
    const struct option *option = option_find(path, &name);
    if (option == NULL && option_in_section(path) != NULL) {
        error_set(error, INVALID, "%s: %s is a section, not a value", where, path);
        return error_remedy(error, "Set the keys in it one by one, for example %s.",
                            option_in_section(path)->path);
    }
    if (option == NULL) {
        return setting_unknown(path, where, error);
    }
    if (option->type == OPTION_LATER) {
        return setting_later(path, where, error);
    }
    if (option->type == OPTION_PAIRS && name == NULL) {
        error_set(error, INVALID, "%s: %s is a map, not a value", where, path);
        return error_remedy(error, "Set its entries one by one: %s.NAME.", path);
    }
    struct setting setting = {.option = option,
                              .path = must_strdup(path),
                              .name = name == NULL ? NULL : must_strdup(name),
                              .value = must_strdup(value),
                              .where = must_strdup(where),
                              .expand = expand};
    for (size_t i = 0; i < settings->count; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is released below is replaced at once */
        if (strcmp(settings->items[i].path, path) == 0) {
            if (expand && settings->items[i].expand) {
                error_set(error, INVALID, "%s: %s is there twice, first at %s", where, path,
                          settings->items[i].where);
                setting_release(&setting);
                return error_remedy(error, "Remove one of the two.");
            }
            setting_release(&settings->items[i]);
            settings->items[i] = setting;
            return OK;
        }
    }
    settings->items =
        must_realloc(settings->items, (settings->count + 1) * sizeof(settings->items[0]));
    settings->items[settings->count++] = setting;
    return OK;
}

/* --- the environment --- */

/* "BATCH__MAX_EVENTS" to "batch.max_events". */
static char *path_of_variable(const char *name, size_t length)
{
    char *path = must_malloc(length + 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '_' && i + 1 < length && name[i + 1] == '_') {
            path[used++] = '.';
            i++;
        } else {
            path[used++] = (char)tolower((unsigned char)name[i]);
        }
    }
    path[used] = '\0';
    return path;
}

/* Variables without "__" may be somebody else's: those that ${VAR} names, or what an orchestrator
 * sets for a service called walpost. Only what looks like a slip of the pen is taken for one. */
static bool variable_is_foreign(const char *path)
{
    const char *name;
    if (strchr(path, '.') != NULL || option_find(path, &name) != NULL) {
        return false;
    }
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strchr(options[i].path, '.') == NULL && edit_distance(path, options[i].path) <= 1) {
            return false;
        }
    }
    return true;
}

enum verdict settings_read_environment(struct settings *settings, char *const *environment,
                                       struct error *error)
{
    size_t prefix = strlen(ENVIRONMENT_PREFIX);
    for (; *environment != NULL; environment++) {
        const char *variable = *environment;
        const char *equals = strchr(variable, '=');
        if (equals == NULL || strncmp(variable, ENVIRONMENT_PREFIX, prefix) != 0) {
            continue;
        }
        char *path = path_of_variable(variable + prefix, (size_t)(equals - variable) - prefix);
        if (variable_is_foreign(path)) {
            free(path);
            continue;
        }
        char *where = must_printf("%.*s in the environment", (int)(equals - variable), variable);
        enum verdict verdict = settings_add(settings, path, equals + 1, where, false, error);
        free(where);
        free(path);
        if (verdict != OK) {
            return verdict;
        }
    }
    return OK;
}

/* --- the command line --- */

enum verdict settings_read_sets(struct settings *settings, const char *const *sets, size_t n_sets,
                                struct error *error)
{
    for (size_t i = 0; i < n_sets; i++) {
        const char *equals = strchr(sets[i], '=');
        if (equals == NULL || equals == sets[i]) {
            char shown[64];
            error_set(error, INVALID, "--set %s: this is no key=value",
                      option_shown(sets[i], shown));
            return error_remedy(error, "Write for example --set batch.max_events=1000.");
        }
        char *path = must_printf("%.*s", (int)(equals - sets[i]), sets[i]);
        char *where = must_printf("--set %s", path);
        enum verdict verdict = settings_add(settings, path, equals + 1, where, false, error);
        free(where);
        free(path);
        if (verdict != OK) {
            return verdict;
        }
    }
    return OK;
}

/* --- ${VAR} --- */

static enum verdict bad_reference(const struct setting *setting, struct error *error)
{
    error_set(error, INVALID, "%s: %s has a \"${\" that is no ${VARIABLE}", setting->where,
              setting->path);
    return error_remedy(error, "Write ${NAME} or ${NAME:-default}, and $${ for a plain ${.");
}

/* Appends the value of the reference that starts at text ("${"); *rest is what follows it. */
static enum verdict expand_one(const struct setting *setting, const char *text, FILE *out,
                               const char **rest, struct error *error)
{
    const char *name = text + 2;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    const char *end = strchr(name, '}');
    const char *fallback = strncmp(name + length, ":-", 2) == 0 ? name + length + 2 : NULL;
    if (length == 0 || isdigit((unsigned char)name[0]) || end == NULL ||
        (fallback == NULL && name + length != end)) {
        return bad_reference(setting, error);
    }
    char *variable = must_printf("%.*s", (int)length, name);
    const char *value = getenv(variable);
    enum verdict verdict = OK;
    if (value != NULL && (value[0] != '\0' || fallback == NULL)) {
        fputs(value, out);
    } else if (fallback != NULL) {
        fwrite(fallback, 1, (size_t)(end - fallback), out);
    } else {
        error_set(error, INVALID, "%s: %s needs the environment variable %s, which is not set",
                  setting->where, setting->path, variable);
        verdict =
            error_remedy(error, "Set %s, or write a default: ${%s:-default}.", variable, variable);
    }
    free(variable);
    *rest = end + 1;
    return verdict;
}

enum verdict settings_expand(const struct setting *setting, char **expanded, struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    enum verdict verdict = OK;
    const char *at = setting->value;
    while (*at != '\0' && verdict == OK) {
        if (strncmp(at, "$${", 3) == 0) {
            fputs("${", out);
            at += 3;
        } else if (strncmp(at, "${", 2) == 0) {
            verdict = expand_one(setting, at, out, &at, error);
        } else {
            fputc(*at++, out);
        }
    }
    fclose(out);
    if (verdict != OK) {
        free(text);
        return verdict;
    }
    *expanded = text;
    return OK;
}

const char *settings_where(const struct settings *settings, const char *path)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->items[i].path, path) == 0) {
            return settings->items[i].where;
        }
    }
    return NULL;
}
