/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/nearest.h"
#include "cli/say.h"

static const struct verb {
    const char *name;
    int (*run)(const struct invocation *invocation);
    const char *flags[4]; /* what it takes */
} verbs[] = {
    {"list", schema_list, {"--folder", "--json"}},
    {"check", schema_check, {"--folder", "--json", "--compatibility"}},
    {"register", schema_register, {"--dry-run", "--compatibility"}},
    {"sql", schema_sql, {"--folder", "--version", "--table"}},
};

static int unknown_verb(const char *word)
{
    struct error error;
    struct nearest nearest;
    nearest_init(&nearest, word == NULL ? "" : word);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        nearest_offer(&nearest, verbs[i].name);
    }
    if (word == NULL) {
        error_set(&error, INVALID, "walpost schema does not know what to do");
    } else {
        error_set(&error, INVALID, "walpost schema cannot \"%.40s\"", word);
    }
    error_remedy(&error, "Write walpost schema %s; `walpost help schema` says more.", nearest.best);
    return say_error(&error);
}

enum verdict schema_load(const struct invocation *invocation, struct schemas *schemas,
                         struct config **config, struct error *error)
{
    const char *folder = invocation_value(invocation, "--folder");
    struct config *loaded = NULL;
    struct config_sources sources = invocation->sources;
    const char **sets = must_calloc(sources.n_sets + 1, sizeof(*sets));
    char *table = must_printf("outbox.table=%s", invocation_value(invocation, "--table"));
    for (size_t i = 0; i < sources.n_sets; i++) {
        sets[i] = sources.sets[i];
    }
    if (invocation_value(invocation, "--table") != NULL) {
        sets[sources.n_sets++] = table;
    }
    sources.sets = sets;
    enum verdict verdict = config_load_offline(&sources, &loaded, error);
    free(table);
    free(sets);
    if (verdict == OK) {
        verdict =
            schemas_load(folder == NULL ? config_contracts_dir(loaded) : folder, schemas, error);
    }
    if (verdict == OK && config != NULL) {
        *config = loaded;
    } else {
        config_free(loaded);
    }
    return verdict;
}

static bool takes(const struct verb *verb, const char *flag)
{
    for (size_t i = 0; i < ARRAY_LEN(verb->flags) && verb->flags[i] != NULL; i++) {
        if (strcmp(verb->flags[i], flag) == 0) {
            return true;
        }
    }
    return false;
}

/* What would be passed over in silence. */
static enum verdict check_words(const struct verb *verb, const struct invocation *invocation,
                                struct error *error)
{
    static const char *const given[] = {"--folder", "--compatibility", "--dry-run", "--version",
                                        "--table"};
    const char *wrong = invocation->json && !takes(verb, "--json") ? "--json" : NULL;
    for (size_t i = 0; i < ARRAY_LEN(given) && wrong == NULL; i++) {
        if (invocation_value(invocation, given[i]) != NULL && !takes(verb, given[i])) {
            wrong = given[i];
        }
    }
    if (wrong != NULL) {
        error_set(error, INVALID, "%s does not go with walpost schema %s", wrong, verb->name);
        return error_remedy(error, "`walpost help schema` says what does.");
    }
    if (invocation->words[1] != NULL && verb->run != schema_sql) {
        error_set(error, INVALID, "\"%.40s\" is one word too many", invocation->words[1]);
        return error_remedy(error, "walpost schema %s takes all contracts of the folder.",
                            verb->name);
    }
    return OK;
}

static int schema(const struct invocation *invocation)
{
    struct error error;
    const char *word = invocation->words[0];
    for (size_t i = 0; i < ARRAY_LEN(verbs) && word != NULL; i++) {
        if (strcmp(word, verbs[i].name) == 0) {
            return check_words(&verbs[i], invocation, &error) == OK ? verbs[i].run(invocation)
                                                                    : say_error(&error);
        }
    }
    return unknown_verb(word);
}

static const struct flag flags[] = {
    {"--dry-run", NULL, "register: say what would be done, change nothing"},
    {"--compatibility", "LEVEL",
     "check: what versions owe each other (default: BACKWARD_TRANSITIVE); register: set this level "
     "for every subject first"},
    {"--folder", "FOLDER", "list, check, sql: where the contracts are, instead of contracts.dir"},
    {"--version", "N", "sql: the newest version that the guard knows (default: the newest)"},
    {"--table", "TABLE", "sql: the table that gets the guard, instead of outbox.table"},
    {NULL},
};

const struct command command_schema = {
    .name = "schema",
    .summary = "lists contracts, tells whether their versions go together, registers them",
    .details =
        "list shows the contracts below contracts.dir: <EventType>/v<N>.proto, .avsc (Avro) or\n"
        ".json (JSON Schema).\n"
        "\n"
        "check compiles them and holds the whole history of every type to a LEVEL: BACKWARD\n"
        "(each version reads events of the one before), FORWARD (the one before reads its\n"
        "events), FULL (both), each also _TRANSITIVE (all before), or NONE. What can be read\n"
        "but breaks JSON or generated code is a warning, and so is a type that is not named\n"
        "Domain.Entity.Action or Domain.EntityAction in the past tense (contracts.naming). Exit\n"
        "status 1: something is broken. Neither needs a server.\n"
        "\n"
        "register takes the contracts below contracts.dir, those of an event type in the order\n"
        "of their versions, to the registry of contracts.registry: what it has already stays as\n"
        "it is, what is missing is registered, after the files that it imports. The registry\n"
        "decides whether a version is compatible with those before; the first that it refuses\n"
        "ends the command with exit status 1 and the registry's own words. So does a version\n"
        "that was changed after a later one was registered. Nothing else ever registers a\n"
        "schema: a run only looks up.\n"
        "\n"
        "sql writes a trigger for the outbox table, from all contracts in Protobuf (events of\n"
        "other kinds pass) or from those of TYPE (events of other types pass). It refuses an\n"
        "event that breaks its contract in the INSERT's own transaction (SQLSTATE 23514), by\n"
        "the same rules as the stream. It needs no server; run what it writes with psql, as the\n"
        "owner of the table.\n",
    .examples = "  walpost schema list --folder contracts\n"
                "  walpost schema check --compatibility FULL_TRANSITIVE\n"
                "  walpost schema register --dry-run\n"
                "  walpost schema register --compatibility BACKWARD_TRANSITIVE\n"
                "  walpost schema sql | psql -v ON_ERROR_STOP=1 -1 shop\n"
                "  walpost schema sql Order.Placed --table shop.outbox > guard.sql\n",
    .flags = flags,
    .words = "list | check | register | sql [TYPE]",
    .json = true,
    .run = schema,
};
