/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/json.h"
#include "cli/say.h"
#include "cli/schema.h"
#include "contract/compat.h"
#include "schemas/schemas.h"

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
        json_text(&json, "kind", schema_kind_name(newest->kind));
        json_text(&json, "message", newest->event);
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
    printf("%-32s %8s  %-11s  %s\n", "EVENT TYPE", "VERSIONS", "KIND", "MESSAGE OF THE NEWEST");
    for (size_t i = 0; i < schemas->n; i = newest_of(schemas, i) + 1) {
        const struct schema *newest = &schemas->all[newest_of(schemas, i)];
        printf("%-32s %8u  %-11s  %s, %u fields\n", newest->type, newest->version,
               schema_kind_name(newest->kind), newest->event, newest->fields);
    }
}

/* --- check -------------------------------------------------------------------------------------
 */

struct tally {
    const struct schemas *schemas;
    enum compatibility compatibility;
    enum naming naming;
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
                         const struct schema *reader, const struct difference *difference,
                         const char *verb)
{
    const struct change_rule *rule = change_rule(difference->change);
    printf("%s/%s:%d: ", tally->schemas->folder, (difference->in_writer ? writer : reader)->file,
           (int)difference->line);
    say_coloured(stdout, rule->judgment == JUDGED_BROKEN ? COLOUR_RED : COLOUR_YELLOW,
                 judgments[rule->judgment]);
    printf(": %s: %s%s%s (%s, v%u %s v%u)\n", difference->subject, difference->detail,
           difference->detail[0] == '\0' ? "" : ": ", rule->words, rule->name, reader->version,
           verb, writer->version);
}

static void show(struct tally *tally, const struct schema *writer, const struct schema *reader,
                 const struct differences *differences, const char *verb)
{
    for (size_t i = 0; i < differences->n; i++) {
        enum judgment judgment = change_rule(differences->all[i].change)->judgment;
        if (judgment == JUDGED_COMPATIBLE) {
            continue;
        }
        tally->broken += judgment == JUDGED_BROKEN;
        tally->warnings += judgment == JUDGED_WARNED;
        if (tally->as_json) {
            show_as_json(tally, writer, reader, &differences->all[i]);
        } else {
            show_as_text(tally, writer, reader, &differences->all[i], verb);
        }
    }
}

/* Can `reader` read the events of `writer`? */
static void compare(struct tally *tally, const struct schema *writer, const struct schema *reader)
{
    struct differences differences = {0};
    schema_compare(writer, reader, &differences);
    show(tally, writer, reader, &differences, "reads");
    differences_release(&differences);
}

static void compare_reserved(struct tally *tally, const struct schema *older,
                             const struct schema *newer)
{
    struct differences differences = {0};
    schema_compare_reserved(older, newer, &differences);
    show(tally, older, newer, &differences, "after");
    differences_release(&differences);
}

/* What is wrong with the name of the type whose first version this is. */
static void show_name(struct tally *tally, const struct schema *first, enum naming_fault fault)
{
    bool shape = fault == NAMING_SHAPE;
    bool broken = tally->naming == NAMING_REJECT;
    const char *judgment = judgments[broken ? JUDGED_BROKEN : JUDGED_WARNED];
    const char *rule = shape ? "EVENT_NAME_SHAPE" : "EVENT_NAME_TENSE";
    if (tally->as_json) {
        struct json *json = &tally->json;
        json_open(json, NULL, '{');
        json_text(json, "judgment", judgment);
        json_text(json, "rule", rule);
        json_text(json, "file", first->file);
        json_int(json, "line", first->line);
        json_text(json, "subject", first->type);
        json_close(json, '}');
        return;
    }
    printf("%s/%s:%d: ", tally->schemas->folder, first->file, (int)first->line);
    say_coloured(stdout, broken ? COLOUR_RED : COLOUR_YELLOW, judgment);
    printf(": %s %s (%s)\n", first->type,
           shape ? "is neither Domain.Entity.Action nor Domain.EntityAction: give its folder such "
                   "a name, like Order.PaymentProcessed"
                 : "reads like a command: name its folder for what has happened, in the past "
                   "tense, like Order.Placed",
           rule);
}

static void check_name(struct tally *tally, const struct schema *first)
{
    enum naming_fault fault = schema_name_fault(first->type);
    if (fault == NAMING_FINE || tally->naming == NAMING_OFF) {
        return;
    }
    if (tally->naming == NAMING_REJECT) {
        tally->broken++;
    } else {
        tally->warnings++;
    }
    show_name(tally, first, fault);
}

/* Its whole history: every version against those before it, as the level asks. */
static void check_type(struct tally *tally, size_t from, size_t newest)
{
    const struct schema *all = tally->schemas->all;
    tally->types++;
    check_name(tally, &all[from]);
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
            if (tally->compatibility != COMPATIBILITY_NONE) {
                compare_reserved(tally, &all[older], &all[newer]);
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
        printf("%zu event type%s, %zu version%s, %s: %zu broken, %zu warning%s\n", tally->types,
               tally->types == 1 ? "" : "s", schemas->n, schemas->n == 1 ? "" : "s",
               compatibility_name(tally->compatibility), tally->broken, tally->warnings,
               tally->warnings == 1 ? "" : "s");
    }
    return tally->broken == 0 ? 0 : 1;
}

static void say_what_next(const struct tally *tally)
{
    const char *folder = tally->schemas->folder;
    if (tally->schemas->n == 0) {
        say_next("write the first contract, %s/Order.Placed/v1.proto.", folder);
    } else if (tally->broken > 0) {
        say_next("mend what is broken before it is released. What has another meaning needs "
                 "another name and number; a version that was released stays as it is.");
    } else {
        say_next("commit them, and `walpost schema register` where there is a registry. A stream "
                 "with contracts.dir reads them at its next start.");
    }
}

/* --- the commands ---------------------------------------------------------------------------- */

int schema_list(const struct invocation *invocation)
{
    struct error error;
    struct schemas schemas = {.all = NULL};
    if (invocation_value(invocation, "--compatibility") != NULL) {
        error_set(&error, INVALID, "--compatibility does not go with walpost schema list");
        error_remedy(&error, "Only check and register know levels.");
        return say_error(&error);
    }
    if (schema_load(invocation, &schemas, NULL, &error) != OK) {
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
    struct config *config;
    if (schema_load(invocation, &schemas, &config, &error) != OK) {
        return say_error(&error);
    }
    tally.schemas = &schemas;
    tally.naming = config->contracts.naming;
    int status = check_all(&tally);
    if (!invocation->json) {
        say_what_next(&tally);
    }
    config_free(config);
    schemas_release(&schemas);
    return status;
}
