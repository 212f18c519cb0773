/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/json.h"
#include "cli/say.h"
#include "cli/schema.h"
#include "contract/compat.h"
#include "schemas/schemas.h"

static const char default_folder[] = "schemas";

/* The last version of the type that begins at i. */
static size_t newest_of(const struct schemas *schemas, size_t i)
{
    while (i + 1 < schemas->n && strcmp(schemas->all[i].type, schemas->all[i + 1].type) == 0) {
        i++;
    }
    return i;
}

/* --- list --------------------------------------------------------------------------------------
 */

static void list_as_json(const struct schemas *schemas)
{
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_open(&json, "types", '[');
    for (size_t i = 0; i < schemas->n; i = newest_of(schemas, i) + 1) {
        const struct schema *newest = &schemas->all[newest_of(schemas, i)];
        json_open(&json, NULL, '{');
        json_text(&json, "type", newest->type);
        json_int(&json, "versions", newest->version);
        json_text(&json, "message", newest->message->name.data);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    printf("\n");
}

static void list_as_text(const struct schemas *schemas)
{
    if (schemas->n == 0) {
        printf("No contracts in %s/. The first one is a file %s/Order.Placed/v1.proto.\n",
               schemas->folder, schemas->folder);
        return;
    }
    printf("%-32s %8s  %s\n", "EVENT TYPE", "VERSIONS", "MESSAGE OF THE NEWEST");
    for (size_t i = 0; i < schemas->n; i = newest_of(schemas, i) + 1) {
        const struct schema *newest = &schemas->all[newest_of(schemas, i)];
        printf("%-32s %8u  %s, %u fields\n", newest->type, newest->version,
               newest->message->name.data, (unsigned)newest->message->n_fields);
    }
}

/* --- check -------------------------------------------------------------------------------------
 */

struct tally {
    const struct schemas *schemas;
    enum compatibility compatibility;
    struct json json;
    bool as_json;
    size_t types;
    size_t broken;
    size_t warnings;
};

static const char *const judgments[] = {
    [JUDGED_COMPATIBLE] = "compatible",
    [JUDGED_WARNED] = "warning",
    [JUDGED_BROKEN] = "broken",
};

static void show_as_json(struct tally *tally, const struct schema *writer,
                         const struct schema *reader, const struct difference *difference)
{
    const struct change_rule *rule = change_rule(difference->change);
    struct json *json = &tally->json;
    json_open(json, NULL, '{');
    json_text(json, "judgment", judgments[rule->judgment]);
    json_text(json, "rule", rule->name);
    json_text(json, "file", (difference->in_writer ? writer : reader)->file);
    json_int(json, "line", difference->line);
    json_text(json, "subject", difference->subject);
    json_text(json, "detail", difference->detail);
    json_int(json, "writer", writer->version);
    json_int(json, "reader", reader->version);
    json_close(json, '}');
}

static void show_as_text(const struct tally *tally, const struct schema *writer,
                         const struct schema *reader, const struct difference *difference)
{
    const struct change_rule *rule = change_rule(difference->change);
    printf("%s/%s:%d: ", tally->schemas->folder, (difference->in_writer ? writer : reader)->file,
           (int)difference->line);
    say_coloured(stdout, rule->judgment == JUDGED_BROKEN ? COLOUR_RED : COLOUR_YELLOW,
                 judgments[rule->judgment]);
    printf(": %s: %s%s%s (%s, v%u reads v%u)\n", difference->subject, difference->detail,
           difference->detail[0] == '\0' ? "" : ": ", rule->words, rule->name, reader->version,
           writer->version);
}

/* Can `reader` read the events of `writer`? */
static void compare(struct tally *tally, const struct schema *writer, const struct schema *reader)
{
    struct differences differences = {0};
    compat_compare(&(struct version){writer->pool, writer->file},
                   &(struct version){reader->pool, reader->file}, &differences);
    for (size_t i = 0; i < differences.n; i++) {
        enum judgment judgment = change_rule(differences.all[i].change)->judgment;
        if (judgment == JUDGED_COMPATIBLE) {
            continue;
        }
        tally->broken += judgment == JUDGED_BROKEN;
        tally->warnings += judgment == JUDGED_WARNED;
        if (tally->as_json) {
            show_as_json(tally, writer, reader, &differences.all[i]);
        } else {
            show_as_text(tally, writer, reader, &differences.all[i]);
        }
    }
    differences_release(&differences);
}

static void check_name(struct tally *tally, const char *type)
{
    if (schema_is_past_tense(type)) {
        return;
    }
    tally->warnings++;
    if (tally->as_json) {
        json_open(&tally->json, NULL, '{');
        json_text(&tally->json, "judgment", judgments[JUDGED_WARNED]);
        json_text(&tally->json, "rule", "EVENT_NAME");
        json_text(&tally->json, "file", type);
        json_close(&tally->json, '}');
        return;
    }
    printf("%s/%s: ", tally->schemas->folder, type);
    say_coloured(stdout, COLOUR_YELLOW, judgments[JUDGED_WARNED]);
    printf(": events are named in the past tense, like Order.Placed: this one reads like a command "
           "(EVENT_NAME)\n");
}

/* Its whole history: every version against those before it, as the level asks. */
static void check_type(struct tally *tally, size_t from, size_t newest)
{
    const struct schema *all = tally->schemas->all;
    tally->types++;
    check_name(tally, all[from].type);
    for (size_t newer = from + 1; newer <= newest; newer++) {
        for (size_t older = from; older < newer; older++) {
            uint32_t new_version = all[newer].version;
            uint32_t old_version = all[older].version;
            if (compatibility_asks(tally->compatibility, new_version, old_version, true)) {
                compare(tally, &all[older], &all[newer]);
            }
            if (compatibility_asks(tally->compatibility, new_version, old_version, false)) {
                compare(tally, &all[newer], &all[older]);
            }
        }
    }
}

static int check_all(struct tally *tally)
{
    const struct schemas *schemas = tally->schemas;
    if (tally->as_json) {
        json_open(&tally->json, NULL, '{');
        json_text(&tally->json, "compatibility", compatibility_name(tally->compatibility));
        json_open(&tally->json, "findings", '[');
    }
    for (size_t i = 0; i < schemas->n; i = newest_of(schemas, i) + 1) {
        check_type(tally, i, newest_of(schemas, i));
    }
    if (tally->as_json) {
        json_close(&tally->json, ']');
        json_int(&tally->json, "types", (int64_t)tally->types);
        json_int(&tally->json, "versions", (int64_t)schemas->n);
        json_int(&tally->json, "broken", (int64_t)tally->broken);
        json_int(&tally->json, "warnings", (int64_t)tally->warnings);
        json_close(&tally->json, '}');
        printf("\n");
    } else {
        printf("%zu event types, %zu versions, %s: %zu broken, %zu warnings\n", tally->types,
               schemas->n, compatibility_name(tally->compatibility), tally->broken,
               tally->warnings);
    }
    return tally->broken == 0 ? 0 : 1;
}

/* --- the commands ---------------------------------------------------------------------------- */

/* The folder of --folder; else contracts.dir, where there is a configuration; else its default: a
 * look at contracts must not need to know how to reach a database. */
static enum verdict load(const struct invocation *invocation, struct schemas *schemas,
                         struct error *error)
{
    const char *folder = invocation_value(invocation, "--folder");
    struct config *config = NULL;
    enum verdict verdict = OK;
    if (invocation->words[1] != NULL) {
        error_set(error, INVALID, "\"%.40s\" is one word too many", invocation->words[1]);
        return error_remedy(error, "walpost schema %s takes all contracts of the folder.",
                            invocation->words[0]);
    }
    if (folder == NULL) {
        verdict = config_load(&invocation->sources, &config, error);
        if (verdict != OK && invocation->sources.file != NULL) {
            return verdict;
        }
        folder = config != NULL ? config->contracts.dir : default_folder;
    }
    verdict = schemas_load(folder, schemas, error);
    config_free(config);
    return verdict;
}

int schema_list(const struct invocation *invocation)
{
    struct error error;
    struct schemas schemas = {.all = NULL};
    if (invocation_value(invocation, "--compatibility") != NULL) {
        error_set(&error, INVALID, "--compatibility does not go with walpost schema list");
        error_remedy(&error, "Only check and register know levels.");
        return say_error(&error);
    }
    if (load(invocation, &schemas, &error) != OK) {
        return say_error(&error);
    }
    if (invocation->json) {
        list_as_json(&schemas);
    } else {
        list_as_text(&schemas);
    }
    schemas_release(&schemas);
    return 0;
}

int schema_check(const struct invocation *invocation)
{
    struct error error;
    struct schemas schemas = {.all = NULL};
    struct tally tally = {.compatibility = COMPATIBILITY_BACKWARD_TRANSITIVE,
                          .json = {.out = stdout},
                          .as_json = invocation->json};
    const char *level = invocation_value(invocation, "--compatibility");
    if (level != NULL && !compatibility_named(level, &tally.compatibility)) {
        error_set(&error, INVALID, "--compatibility cannot be \"%.40s\"", level);
        error_remedy(&error, "Allowed is BACKWARD, BACKWARD_TRANSITIVE, FORWARD, "
                             "FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE or NONE.");
        return say_error(&error);
    }
    if (load(invocation, &schemas, &error) != OK) {
        return say_error(&error);
    }
    tally.schemas = &schemas;
    int status = check_all(&tally);
    schemas_release(&schemas);
    return status;
}
