/* SPDX-License-Identifier: Apache-2.0 */
#include "schemas/schema_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/macros.h"
#include "contract/scan.h"

enum { VERSIONS_MAX = 9999 };

static const struct {
    const char *name;
    const char *ending;
} kinds[] = {
    [SCHEMA_PROTOBUF] = {"Protobuf", "proto"},
    [SCHEMA_AVRO] = {"Avro", "avsc"},
    [SCHEMA_JSON] = {"JSON Schema", "json"},
};

const char *schema_kind_name(enum schema_kind kind)
{
    return kinds[kind].name;
}

const char *schema_kind_ending(enum schema_kind kind)
{
    return kinds[kind].ending;
}

/* "v17.proto": 17; anything else: 0. */
static uint32_t version_of(const char *name, enum schema_kind *kind)
{
    char *end;
    if (name[0] != 'v' || name[1] < '1' || name[1] > '9') {
        return 0;
    }
    unsigned long version = strtoul(name + 1, &end, 10);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (*end == '.' && strcmp(end + 1, kinds[i].ending) == 0 && version <= VERSIONS_MAX) {
            *kind = (enum schema_kind)i;
            return (uint32_t)version;
        }
    }
    return 0;
}

/* "V1.proto", "v01.proto", "v1.PROTO": somebody meant a version, which would be passed over. */
static bool is_misnamed(const char *name)
{
    const char *at = name + 1;
    if (tolower((unsigned char)name[0]) != 'v' || !isdigit((unsigned char)*at)) {
        return false;
    }
    while (isdigit((unsigned char)*at)) {
        at++;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (*at == '.' && strcasecmp(at + 1, kinds[i].ending) == 0) {
            return true;
        }
    }
    return false;
}

static enum verdict misnamed(const char *folder, const char *name, struct error *error)
{
    error_set(error, INVALID, "%s/%s is no version of a contract, though it is named like one",
              folder, name);
    return error_remedy(error,
                        "Name it v<N>.proto, .avsc or .json, in small letters, N from 1 to %d "
                        "without a zero in front.",
                        VERSIONS_MAX);
}

static enum verdict check_is_file(DIR *stream, const char *folder, const char *name,
                                  struct error *error)
{
    struct stat status;
    if (fstatat(dirfd(stream), name, &status, 0) != 0) {
        error_set(error, INVALID, "%s/%s cannot be read: %s", folder, name, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        error_set(error, INVALID, "%s/%s is no file", folder, name);
    } else {
        return OK;
    }
    return error_remedy(error, "Put the contract there, or take it away.");
}

/* Events name their type in UTF-8, and it stands in lines of logs, lists and guards. */
static enum verdict check_type_name(const char *dir, const char *name, struct error *error)
{
    const char *at = name;
    while (*at != '\0' && (unsigned char)*at >= ' ' && *at != 0x7F) {
        at++;
    }
    if (*at == '\0' && utf8_valid(bytes_of(name))) {
        return OK;
    }
    error_set(error, INVALID,
              "the name of a folder in %s cannot be that of an event type: it has %s", dir,
              *at == '\0' ? "bytes that are no UTF-8" : "a control character");
    return error_remedy(error, "Name it like the type of the event, for example Order.Placed.");
}

static enum verdict unreadable(const char *dir, int reason, struct error *error)
{
    error_set(error, INVALID, "%s cannot be read: %s", dir, strerror(reason));
    return error_remedy(error, "Name the directory of your contracts in contracts.dir: it holds "
                               "<EventType>/v<N>.proto, .avsc or .json.");
}

static enum verdict mixed(const char *folder, enum schema_kind one, enum schema_kind other,
                          struct error *error)
{
    error_set(error, INVALID, "%s has versions in %s and in %s", folder, schema_kind_name(one),
              schema_kind_name(other));
    return error_remedy(error, "The versions of an event type are of one kind, so that they can be "
                               "compared: another kind is another event type.");
}

static enum verdict check_gaps(const char *folder, const struct schema_type *type,
                               const bool *there, struct error *error)
{
    const char *ending = schema_kind_ending(type->kind);
    for (uint32_t version = 1; version < type->versions; version++) {
        if (!there[version]) {
            error_set(error, INVALID, "%s/v%u.%s is missing, though there is a v%u.%s", folder,
                      version, ending, type->versions, ending);
            return error_remedy(error, "Versions count from 1 without gaps: bring the file back, "
                                       "or give the later ones their right numbers.");
        }
    }
    return OK;
}

/* type->versions is 0 when there is no version in it. */
static enum verdict look_into(const char *folder, struct schema_type *type, struct error *error)
{
    DIR *stream = opendir(folder);
    if (stream == NULL && errno == ENOTDIR) {
        return OK;
    }
    if (stream == NULL) {
        error_set(error, INVALID, "%s cannot be read: %s", folder, strerror(errno));
        return error_remedy(error, "Make it readable, or take it out of the folder of contracts.");
    }
    bool there[VERSIONS_MAX + 1] = {false};
    enum verdict verdict = OK;
    const struct dirent *entry;
    while (verdict == OK && (entry = readdir(stream)) != NULL) {
        enum schema_kind kind;
        uint32_t version = version_of(entry->d_name, &kind);
        if (version == 0 && is_misnamed(entry->d_name)) {
            verdict = misnamed(folder, entry->d_name, error);
        } else if (version != 0) {
            verdict = check_is_file(stream, folder, entry->d_name, error);
        }
        if (version == 0 || verdict != OK) {
            continue;
        }
        if (type->versions > 0 && kind != type->kind) {
            verdict = mixed(folder, type->kind < kind ? type->kind : kind,
                            type->kind < kind ? kind : type->kind, error);
        }
        there[version] = true;
        type->kind = kind;
        type->versions = version > type->versions ? version : type->versions;
    }
    closedir(stream);
    return verdict == OK ? check_gaps(folder, type, there, error) : verdict;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct schema_type *)a)->event_type,
                  ((const struct schema_type *)b)->event_type);
}

enum verdict schema_list_read(const char *dir, struct schema_list *list, struct error *error)
{
    *list = (struct schema_list){0};
    DIR *stream = opendir(dir);
    if (stream == NULL) {
        return unreadable(dir, errno, error);
    }
    enum verdict verdict = OK;
    const struct dirent *entry;
    while (verdict == OK && (entry = readdir(stream)) != NULL) {
        struct schema_type type = {.versions = 0};
        if (entry->d_name[0] == '.') {
            continue;
        }
        char *folder = must_printf("%s/%s", dir, entry->d_name);
        verdict = look_into(folder, &type, error);
        free(folder);
        if (verdict == OK && type.versions > 0) {
            verdict = check_type_name(dir, entry->d_name, error);
        }
        if (verdict == OK && type.versions > 0) {
            type.event_type = must_strdup(entry->d_name);
            list->items = must_realloc(list->items, (list->count + 1) * sizeof(list->items[0]));
            list->items[list->count++] = type;
        }
    }
    closedir(stream);
    if (verdict != OK) {
        schema_list_release(list);
        return verdict;
    }
    if (list->count > 0) {
        qsort(list->items, list->count, sizeof(list->items[0]), by_name);
    }
    return OK;
}

void schema_list_release(struct schema_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].event_type);
    }
    free(list->items);
    *list = (struct schema_list){0};
}
