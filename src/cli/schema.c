/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/schema.h"

#include <string.h>

#include "base/macros.h"
#include "base/nearest.h"
#include "cli/say.h"

static const struct verb {
    const char *name;
    int (*run)(const struct invocation *invocation);
} verbs[] = {
    {"register", schema_register},
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

static int schema(const struct invocation *invocation)
{
    const char *word = invocation->words[0];
    for (size_t i = 0; i < ARRAY_LEN(verbs) && word != NULL; i++) {
        if (strcmp(word, verbs[i].name) == 0) {
            return verbs[i].run(invocation);
        }
    }
    return unknown_verb(word);
}

static const struct flag flags[] = {
    {"--dry-run", NULL, "register: say what would be done, change nothing"},
    {"--compatibility", "LEVEL", "register: set this level for every subject first"},
    {NULL},
};

const struct command command_schema = {
    .name = "schema",
    .summary = "registers contracts in the schema registry",
    .details =
        "register takes the contracts below contracts.dir, <EventType>/v<N>.proto in the order of\n"
        "their versions, to the registry of contracts.registry: what it has already stays as it "
        "is,\n"
        "what is missing is registered, after the files that it imports. The registry decides\n"
        "whether a version is compatible with those before; the first that it refuses ends the\n"
        "command with exit status 1 and the registry's own words.\n"
        "\n"
        "Nothing else ever registers a schema: a run only looks up.\n"
        "\n"
        "LEVEL is one of BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL,\n"
        "FULL_TRANSITIVE, NONE.\n",
    .examples = "  walpost schema register --dry-run\n"
                "  walpost schema register --compatibility BACKWARD_TRANSITIVE\n",
    .flags = flags,
    .words = "register",
    .run = schema,
};
