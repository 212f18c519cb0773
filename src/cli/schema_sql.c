/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/nearest.h"
#include "cli/say.h"
#include "cli/schema.h"
#include "guard/guard.h"

/* The contracts of one type, or of all. */
static enum verdict choose(const struct schemas *schemas, const char *type, struct guard *guard,
                           struct error *error)
{
    struct guard_contract *chosen = must_calloc(schemas->n + 1, sizeof(*chosen));
    struct nearest nearest;
    nearest_init(&nearest, type == NULL ? "" : type);
    guard->contracts = chosen;
    for (size_t i = 0; i < schemas->n; i++) {
        const struct schema *schema = &schemas->all[i];
        nearest_offer(&nearest, schema->type);
        if (type == NULL || strcmp(type, schema->type) == 0) {
            bool is_protobuf = schema->kind == SCHEMA_PROTOBUF;
            chosen[guard->n_contracts++] =
                (struct guard_contract){schema->type, schema->version, schema->file, schema->pool,
                                        is_protobuf ? schema->message : NULL};
        }
    }
    if (guard->n_contracts > 0) {
        return OK;
    }
    if (type == NULL || schemas->n == 0) {
        error_set(error, INVALID, "there are no contracts in %s/", schemas->folder);
        return error_remedy(error, "Write %s/Order.Placed/v1.proto, or set contracts.dir.",
                            schemas->folder);
    }
    error_set(error, INVALID, "%s/ has no contract for %.80s", schemas->folder, type);
    return error_remedy(error, "The nearest type is %s; `walpost schema list` shows all.",
                        nearest.best);
}

/* Versions behind `text` are left out, as if they were not there yet. */
static enum verdict cut(struct guard *guard, const char *text, struct error *error)
{
    uint32_t newest = guard->contracts[guard->n_contracts - 1].version;
    char *end = NULL;
    unsigned long version = text == NULL ? newest : strtoul(text, &end, 10);
    if (version < 1 || version > newest || (end != NULL && *end != '\0')) {
        error_set(error, INVALID, "--version cannot be \"%.20s\"", text);
        return error_remedy(error, "%s has the versions 1 to %u.", guard->only, newest);
    }
    guard->n_contracts -= newest - version;
    return OK;
}

static void warn_of_others(const struct guard *guard)
{
    for (size_t i = 0; i < guard->n_contracts; i++) {
        if (guard->contracts[i].message == NULL) {
            say_coloured(stderr, COLOUR_YELLOW, "warning: ");
            fprintf(stderr, "%s is no .proto: the guard lets the events of %s v%u pass\n",
                    guard->contracts[i].file, guard->contracts[i].type,
                    guard->contracts[i].version);
        }
    }
}

int schema_sql(const struct invocation *invocation)
{
    struct error error;
    struct schemas schemas = {.all = NULL};
    struct config *config;
    const char *type = invocation->words[1];
    const char *version = invocation_value(invocation, "--version");
    if (version != NULL && type == NULL) {
        error_set(&error, INVALID, "--version is given without a type");
        error_remedy(&error, "Write walpost schema sql TYPE --version N.");
        return say_error(&error);
    }
    if (schema_load(invocation, &schemas, &config, &error) != OK) {
        return say_error(&error);
    }
    struct guard guard = {
        .schema = config->outbox.schema_name,
        .table = config->outbox.table_name,
        .event_type = config->outbox.columns.event_type,
        .payload = config->outbox.columns.payload,
        .schema_version = config->outbox.columns.schema_version,
        .policy = config->contracts.unknown_fields == UNKNOWN_FIELDS_IGNORE ? UNKNOWN_IGNORE
                                                                            : UNKNOWN_REJECT,
        .only = type,
    };
    enum verdict verdict = choose(&schemas, type, &guard, &error);
    if (verdict == OK) {
        verdict = cut(&guard, version, &error);
    }
    if (verdict == OK) {
        warn_of_others(&guard);
        guard_write(&guard, stdout);
    }
    free((struct guard_contract *)guard.contracts);
    schemas_release(&schemas);
    config_free(config);
    return verdict == OK ? 0 : say_error(&error);
}
