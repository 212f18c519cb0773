/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts become values: one function for each type of option. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/nearest.h"
#include "config/option_table.h"

enum { PG_NAME_MAX = 63 };

/* A number's units, the largest first, so that a value is shown in the largest that divides it. */
struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit byte_units[] = {{"GB", INT64_C(1) << 30}, {"MB", 1 << 20}, {"kB", 1 << 10},
                                         {"KB", 1 << 10},          {"B", 1},        {NULL, 0}};
static const struct unit time_units[] = {{"d", INT64_C(86400) * 1000000},
                                         {"h", INT64_C(3600) * 1000000},
                                         {"min", INT64_C(60) * 1000000},
                                         {"s", 1000000},
                                         {"ms", 1000},
                                         {"us", 1},
                                         {NULL, 0}};

static const char allowed_template[] =
    "a text with the placeholders {domain}, {event_type}, {aggregate_id} and {column:NAME}";

/* --- what is allowed, in words --- */

static void show_number(int64_t value, const struct unit *units, char text[static 32])
{
    for (const struct unit *unit = units; unit->name != NULL; unit++) {
        if (value != 0 && value % unit->factor == 0) {
            snprintf(text, 32, "%" PRId64 "%s", value / unit->factor, unit->name);
            return;
        }
    }
    snprintf(text, 32, "%" PRId64 "%s", value, units == time_units ? "ms" : "");
}

static void describe_choices(const struct option *option, char *text, size_t size)
{
    size_t count = 0;
    for (const struct option_choice *choice = option->choices; choice->name != NULL; choice++) {
        count++;
    }
    size_t used = 0;
    size_t i = 0;
    for (const struct option_choice *choice = option->choices; choice->name != NULL; choice++) {
        if (used < size) {
            const char *before = i == 0 ? "" : i + 1 == count ? " or " : ", ";
            used += (size_t)snprintf(text + used, size - used, "%s%s", before, choice->name);
            i++;
        }
    }
}

static void describe_range(const struct option *option, const char *noun, const struct unit *units,
                           char *text, size_t size)
{
    char least[32];
    char most[32];
    show_number(option->min, units, least);
    show_number(option->max, units, most);
    snprintf(text, size, "%s from %s to %s, for example %s", noun, least, most,
             units == time_units ? "10ms" : option->fallback);
}

void option_describe(const struct option *option, char *text, size_t size)
{
    if (option->allowed != NULL) {
        snprintf(text, size, "%s", option->allowed);
        return;
    }
    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_LATER: snprintf(text, size, "a text"); break;
    case OPTION_IDENTIFIER:
        snprintf(text, size, "a name of 1 to %" PRId64 " bytes", option->max);
        break;
    case OPTION_TABLE:
        snprintf(text, size,
                 "schema.table or table, names with capitals, dots or spaces in double quotes: "
                 "'\"My Schema\".events'");
        break;
    case OPTION_TEMPLATE: snprintf(text, size, "%s", allowed_template); break;
    case OPTION_BYTES: describe_range(option, "a size", byte_units, text, size); break;
    case OPTION_SPAN:
    case OPTION_DURATION:
        describe_range(option, "a time with its unit,", time_units, text, size);
        break;
    case OPTION_INTEGER:
        snprintf(text, size, "a whole number from %" PRId64 " to %" PRId64, option->min,
                 option->max);
        break;
    case OPTION_BOOLEAN: snprintf(text, size, "true or false"); break;
    case OPTION_CHOICE: describe_choices(option, text, size); break;
    case OPTION_PAIRS: snprintf(text, size, "a map of text"); break;
    }
}

const char *option_shown(const char *value, char shown[static 64])
{
    size_t i = 0;
    for (; value[i] != '\0' && i < 60; i++) {
        shown[i] = (unsigned char)value[i] < 0x20 || value[i] == 0x7f ? '?' : value[i];
    }
    snprintf(shown + i, 64 - i, "%s", value[i] == '\0' ? "" : "...");
    return shown;
}

/* --- parsing --- */

static bool parse_number(const char *text, const struct unit *units, int64_t *number)
{
    char *end;
    errno = 0;
    int64_t value = strtoll(text, &end, 10);
    if (end == text || errno != 0 || isspace((unsigned char)*text) || *text == '+') {
        return false;
    }
    while (units != NULL && *end == ' ') {
        end++;
    }
    int64_t factor = *end == '\0' && (units != time_units || value == 0) ? 1 : 0;
    for (const struct unit *unit = units; factor == 0 && unit != NULL && unit->name != NULL;
         unit++) {
        if (strcasecmp(end, unit->name) == 0) {
            factor = unit->factor;
        }
    }
    return factor != 0 && !__builtin_mul_overflow(value, factor, number);
}

static bool in_range(const struct option *option, int64_t number)
{
    return number >= option->min && number <= option->max && !(option->not_zero && number == 0);
}

static bool identifier_valid(const struct option *option, const char *text)
{
    size_t length = strlen(text);
    if ((int64_t)length < option->min || (int64_t)length > option->max) {
        return false;
    }
    if (option->letters != NULL) {
        return strspn(text, option->letters) == length;
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool placeholder_valid(const char *name, size_t length)
{
    static const char *const names[] = {"domain", "event_type", "aggregate_id"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            return true;
        }
    }
    return length > strlen("column:") && memcmp(name, "column:", strlen("column:")) == 0;
}

static bool template_valid(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((text[0] == '{' || text[0] == '}') && text[1] == text[0]) {
            text++; /* a brace that is meant */
            continue;
        }
        if (*text == '}') {
            return false;
        }
        if (*text == '{') {
            const char *end = strchr(text, '}');
            if (end == NULL || !placeholder_valid(text + 1, (size_t)(end - text - 1))) {
                return false;
            }
            text = end;
        }
    }
    return true;
}

/* One identifier as SQL reads it: folded to lower case unless quoted. The rest of the text, or
 * NULL.
 */
static const char *parse_identifier(const char *text, char name[static PG_NAME_MAX + 1])
{
    size_t length = 0;
    bool quoted = *text == '"';
    text += quoted ? 1 : 0;
    while (*text != '\0' && length < PG_NAME_MAX) {
        unsigned char c = (unsigned char)*text;
        if (quoted && *text == '"') {
            if (text[1] != '"') {
                break;
            }
            text++;
        } else if (!quoted && *text == '.') {
            break;
        } else if (quoted ? c < 0x20 : c < 0x80 && !isalnum(c) && c != '_' && c != '$') {
            return NULL;
        }
        name[length++] = quoted ? *text : (char)tolower((unsigned char)*text);
        text++;
    }
    name[length] = '\0';
    if (length == 0 || (quoted && *text != '"') || (!quoted && isdigit((unsigned char)name[0]))) {
        return NULL;
    }
    return text + (quoted ? 1 : 0);
}

static bool store_table(struct config *config, const char *text)
{
    char first[PG_NAME_MAX + 1];
    char second[PG_NAME_MAX + 1];
    const char *rest = parse_identifier(text, first);
    if (rest == NULL) {
        return false;
    }
    bool qualified = *rest == '.';
    if (qualified) {
        rest = parse_identifier(rest + 1, second);
    }
    if (rest == NULL || *rest != '\0') {
        return false;
    }
    free(config->outbox.schema_name);
    free(config->outbox.table_name);
    config->outbox.schema_name = must_strdup(qualified ? first : "public");
    config->outbox.table_name = must_strdup(qualified ? second : first);
    config->outbox.schema_written = qualified;
    return true;
}

static void store_text(char **field, const char *text)
{
    free(*field);
    *field = must_strdup(text);
}

static const struct option_choice *find_choice(const struct option *option, const char *text)
{
    const struct option_choice *choice = option->choices;
    while (choice != NULL && choice->name != NULL && strcmp(choice->name, text) != 0) {
        choice++;
    }
    return choice == NULL || choice->name == NULL ? NULL : choice;
}

/* False: not a value of this option. */
static bool store(const struct option *option, const char *text, struct config *config)
{
    void *field = (char *)config + option->offset;
    int64_t number = 0;
    switch (option->type) {
    case OPTION_TEXT:
        if ((int64_t)strlen(text) < option->min || (int64_t)strlen(text) > option->max) {
            return false;
        }
        store_text(field, text);
        return true;
    case OPTION_IDENTIFIER:
        if (!identifier_valid(option, text)) {
            return false;
        }
        store_text(field, text);
        return true;
    case OPTION_TEMPLATE:
        if (text[0] == '\0' || (int64_t)strlen(text) > option->max || !template_valid(text)) {
            return false;
        }
        store_text(field, text);
        return true;
    case OPTION_TABLE: return store_table(config, text);
    case OPTION_BYTES:
        if (!parse_number(text, byte_units, &number) || !in_range(option, number)) {
            return false;
        }
        *(uint64_t *)field = (uint64_t)number;
        return true;
    case OPTION_SPAN:
        if (!parse_number(text, time_units, &number) || !in_range(option, number)) {
            return false;
        }
        *(uint64_t *)field = (uint64_t)number;
        return true;
    case OPTION_DURATION:
    case OPTION_INTEGER:
        if (find_choice(option, text) != NULL) {
            *(uint32_t *)field = (uint32_t)find_choice(option, text)->value;
            return true;
        }
        if (!parse_number(text, option->type == OPTION_INTEGER ? NULL : time_units, &number) ||
            !in_range(option, number)) {
            return false;
        }
        *(uint32_t *)field = (uint32_t)number; /* an int32_t has the same bits */
        return true;
    case OPTION_BOOLEAN:
        *(bool *)field = strcmp(text, "true") == 0;
        return *(bool *)field || strcmp(text, "false") == 0;
    case OPTION_CHOICE: {
        const struct option_choice *choice = find_choice(option, text);
        if (choice == NULL) {
            return false;
        }
        _Static_assert(sizeof(enum after_publish) == sizeof(int), "a choice is kept as an int");
        memcpy(field, &choice->value, sizeof(choice->value));
        return true;
    }
    case OPTION_PAIRS:
    case OPTION_LATER: break;
    }
    return false;
}

static const char *nearest_choice(const struct option *option, const char *text)
{
    struct nearest nearest;
    nearest_init(&nearest, text);
    for (const struct option_choice *choice = option->choices;
         choice != NULL && choice->name != NULL; choice++) {
        nearest_offer(&nearest, choice->name);
    }
    return nearest.best != NULL && nearest.edits <= 3 && nearest.edits < strlen(text) ? nearest.best
                                                                                      : NULL;
}

enum verdict option_store(const struct option *option, const char *text, const char *where,
                          struct config *config, struct error *error)
{
    char shown[64];
    const char *before = where == NULL ? "" : where;
    const char *colon = where == NULL ? "" : ": ";
    if (store(option, text, config)) {
        return OK;
    }
    char allowed[256];
    option_describe(option, allowed, sizeof(allowed));
    if (text[0] == '\0') {
        error_set(error, INVALID, "%s%s%s has no value", before, colon, option->path);
    } else if (option->secret) {
        error_set(error, INVALID, "%s%s%s has a value that is not possible", before, colon,
                  option->path);
    } else {
        error_set(error, INVALID, "%s%s%s cannot be \"%s\"", before, colon, option->path,
                  option_shown(text, shown));
    }
    const char *nearest = option->type == OPTION_CHOICE ? nearest_choice(option, text) : NULL;
    if (nearest != NULL) {
        return error_remedy(error, "Allowed is %s; the nearest is %s.", allowed, nearest);
    }
    return error_remedy(error, "Allowed is %s.", allowed);
}

enum verdict option_store_pair(const struct option *option, const char *name, const char *value,
                               const char *where, struct config *config, struct error *error)
{
    if (option->templates && !template_valid(value)) {
        char shown[64];
        error_set(error, INVALID, "%s: %s.%s cannot be \"%s\"", where, option->path, name,
                  option_shown(value, shown));
        return error_remedy(error, "Allowed is %s.", allowed_template);
    }
    struct config_pairs *pairs = (void *)((char *)config + option->offset);
    pairs->items = must_realloc(pairs->items, (pairs->count + 1) * sizeof(pairs->items[0]));
    pairs->items[pairs->count++] = (struct config_pair){
        .name = must_strdup(name), .value = must_strdup(value), .where = must_strdup(where)};
    return OK;
}

void option_clear(const struct option *option, struct config *config)
{
    void *field = (char *)config + option->offset;
    switch (option->type) {
    case OPTION_TEXT:
    case OPTION_IDENTIFIER:
    case OPTION_TEMPLATE:
        free(*(char **)field);
        *(char **)field = NULL;
        break;
    case OPTION_TABLE:
        free(config->outbox.schema_name);
        free(config->outbox.table_name);
        config->outbox.schema_name = NULL;
        config->outbox.table_name = NULL;
        break;
    case OPTION_PAIRS: {
        struct config_pairs *pairs = field;
        for (size_t i = 0; i < pairs->count; i++) {
            free(pairs->items[i].name);
            free(pairs->items[i].value);
            free(pairs->items[i].where);
        }
        free(pairs->items);
        *pairs = (struct config_pairs){0};
        break;
    }
    default: break;
    }
}
