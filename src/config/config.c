/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "config/contracts.h"
#include "config/settings.h"

/* What an event costs beside its bytes, at the most. */
enum { EVENT_OVERHEAD = 1536, SLOT_NAME_MAX = 63, TRANSACTION_TIMEOUT_MS = 60000 };

static const char default_file[] = "walpost.yaml";

/* --- defaults --- */

static void set_defaults(struct config *config)
{
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (options[i].fallback != NULL && options[i].type != OPTION_LATER) {
            enum verdict verdict =
                option_store(&options[i], options[i].fallback, NULL, config, NULL);
            check(verdict == OK); /* the table keeps its own rules */
        }
    }
}

/* --- sources --- */

static enum verdict read_sources(const struct config_sources *sources, struct config *config,
                                 struct settings *settings, struct error *error)
{
    enum verdict verdict = OK;
    const char *file = sources->file;
    if (file == NULL && access(default_file, F_OK) == 0) {
        file = default_file;
    }
    if (file != NULL) {
        config->file = must_strdup(file);
        verdict = settings_read_file(settings, file, error);
    }
    if (verdict == OK) {
        verdict = settings_read_environment(settings, environ, error);
    }
    if (verdict == OK) {
        verdict = settings_read_sets(settings, sources->sets, sources->n_sets, error);
    }
    return verdict;
}

static enum verdict apply(const struct setting *setting, struct config *config, struct error *error)
{
    char *value = NULL;
    enum verdict verdict = OK;
    if (setting->expand) {
        verdict = settings_expand(setting, &value, error);
    } else {
        value = must_strdup(setting->value);
    }
    if (verdict == OK && setting->name != NULL) {
        verdict =
            option_store_pair(setting->option, setting->name, value, setting->where, config, error);
    } else if (verdict == OK) {
        verdict = option_store(setting->option, value, setting->where, config, error);
    }
    free(value);
    return verdict;
}

/* --- what no single option can say --- */

static enum verdict check_required(const struct settings *settings, const struct config *config,
                                   struct error *error)
{
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];
        if (!option->required || settings_where(settings, option->path) != NULL) {
            continue;
        }
        char allowed[256];
        option_describe(option, allowed, sizeof(allowed));
        if (config->file != NULL) {
            error_set(error, INVALID, "%s: %s is not set", config->file, option->path);
        } else {
            error_set(error, INVALID, "%s is not set, and there is no %s here", option->path,
                      default_file);
            return error_remedy(error, "Name your configuration with -c FILE; `walpost help "
                                       "config` prints one to begin with.");
        }
        return error_remedy(error,
                            "Set %s in the file, by --set %s=... or by the environment; "
                            "allowed is %s.",
                            option->path, option->path, allowed);
    }
    return OK;
}

/* Rows that stay PENDING after they were published cannot tell a snapshot what is new. */
static enum verdict check_snapshot(const struct settings *settings, struct config *config,
                                   struct error *error)
{
    bool keep = config->outbox.after_publish == AFTER_KEEP;
    const char *where = settings_where(settings, "outbox.snapshot");
    if (where == NULL) {
        config->outbox.snapshot = keep ? SNAPSHOT_NONE : SNAPSHOT_PENDING;
        return OK;
    }
    if (!keep || config->outbox.snapshot == SNAPSHOT_NONE) {
        return OK;
    }
    error_set(error, INVALID,
              "%s: outbox.snapshot cannot be pending where outbox.after_publish is keep", where);
    return error_remedy(error, "Rows that are kept as they are stay PENDING after they were "
                               "published, so a snapshot would publish them again: set "
                               "outbox.snapshot to none, or outbox.after_publish to mark or "
                               "delete.");
}

static enum verdict check_recover(const struct settings *settings, const struct config *config,
                                  struct error *error)
{
    if (config->recover != RECOVER_TABLE || config->outbox.after_publish != AFTER_KEEP) {
        return OK;
    }
    error_set(error, INVALID, "%s: recover cannot be table where outbox.after_publish is keep",
              settings_where(settings, "recover"));
    return error_remedy(error, "Rows that are kept as they are do not tell which of them were "
                               "published: set recover to refuse, or outbox.after_publish to mark "
                               "or delete.");
}

static enum verdict check_memory(const struct settings *settings, const struct config *config,
                                 struct error *error)
{
    const uint64_t mb = 1 << 20;
    /* A typed payload has as much room as the payload. */
    bool typed = config_checks_contracts(config) && config->value != VALUE_JSON;
    uint64_t needed = config->batch.max_bytes * (typed ? 2 : 1) +
                      (uint64_t)config->batch.max_events * EVENT_OVERHEAD;
    if (config->memory >= needed) {
        return OK;
    }
    const char *where = settings_where(settings, "memory");
    where = where != NULL ? where : settings_where(settings, "batch.max_bytes");
    where = where != NULL ? where : settings_where(settings, "batch.max_events");
    error_set(error, INVALID, "%s: memory (%" PRIu64 " MB) cannot hold one batch",
              where == NULL ? "" : where, config->memory / mb);
    return error_remedy(error,
                        "Set memory to %" PRIu64 "MB or more, or make batch.max_bytes (%" PRIu64
                        " MB) or batch.max_events (%" PRIu32 ", 1.5 kB each) smaller.",
                        (needed + mb - 1) / mb, config->batch.max_bytes / mb,
                        config->batch.max_events);
}

static enum verdict check_columns(const struct settings *settings, const struct config *config,
                                  struct error *error)
{
    size_t count;
    const struct option *options = option_table(&count);
    const char *prefix = "outbox.columns.";
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            const char *const *a = (const void *)((const char *)config + options[i].offset);
            const char *const *b = (const void *)((const char *)config + options[j].offset);
            if (strncmp(options[i].path, prefix, strlen(prefix)) != 0 ||
                strncmp(options[j].path, prefix, strlen(prefix)) != 0 || strcmp(*a, *b) != 0) {
                continue;
            }
            const char *where = settings_where(settings, options[i].path);
            where = where != NULL ? where : settings_where(settings, options[j].path);
            error_set(error, INVALID, "%s: %s and %s both name the column \"%s\"", where,
                      options[j].path, options[i].path, *a);
            return error_remedy(error, "Each has a column of its own; one that the table has not "
                                       "keeps its default name.");
        }
    }
    return OK;
}

static enum verdict check_topics(const struct settings *settings, const struct config *config,
                                 struct error *error)
{
    bool checkpoint = strcmp(config->dead_letter_topic, config->checkpoint_topic) == 0;
    if (!checkpoint && strcmp(config->dead_letter_topic, config->replay_topic) != 0) {
        return OK;
    }
    error_set(error, INVALID, "%s: dead_letter.topic cannot be the %s topic",
              settings_where(settings, "dead_letter.topic"), checkpoint ? "checkpoint" : "replay");
    return error_remedy(error, "Give it a name of its own, for example outbox.dead-letter.");
}

static enum verdict check_anchor(const struct settings *settings, const struct config *config,
                                 struct error *error)
{
    if (!config_keeps_anchor(config) || strlen(config->anchor_slot) <= SLOT_NAME_MAX) {
        return OK;
    }
    error_set(error, INVALID,
              "%s: postgres.slot is too long for an anchor slot beside it (\"%s\" has more than %d "
              "letters)",
              settings_where(settings, "postgres.slot"), config->anchor_slot, SLOT_NAME_MAX);
    return error_remedy(error, "Choose a shorter postgres.slot for a new stream, or leave "
                               "replay.keep_bytes and replay.keep_for out.");
}

/* --- derived --- */

static char *quoted(const char *name)
{
    char *text = must_malloc(2 * strlen(name) + 3);
    char *at = text;
    *at++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"') {
            *at++ = '"';
        }
        *at++ = *name;
    }
    *at++ = '"';
    *at = '\0';
    return text;
}

static char *quoted_table(const char *schema_name, const char *table_name)
{
    char *schema = quoted(schema_name);
    char *table = quoted(table_name);
    char *both = must_printf("%s.%s", schema, table);
    free(schema);
    free(table);
    return both;
}

static void derive(struct config *config)
{
    if (config->postgres.slot == NULL) {
        config->postgres.slot = must_printf("walpost_%s", config->stream);
    }
    if (config->postgres.publication == NULL) {
        config->postgres.publication = must_printf("walpost_%s", config->stream);
    }
    config->checkpoint_topic = must_printf(CHECKPOINT_TOPIC_PREFIX "%s", config->stream);
    config->replay_topic = must_printf(REPLAY_TOPIC_PREFIX "%s", config->stream);
    config->anchor_slot = must_printf("%s_anchor", config->postgres.slot);
    config->table = quoted_table(config->outbox.schema_name, config->outbox.table_name);
    char *snapshot = must_printf("snapshot_%s", config->stream);
    config->snapshot_table = quoted_table("walpost", snapshot);
    free(snapshot);
}

/* --- all of it --- */

typedef enum verdict load_fn(const struct config_sources *sources, struct settings *settings,
                             struct config *config, struct error *error);

static enum verdict load(const struct config_sources *sources, struct settings *settings,
                         struct config *config, struct error *error)
{
    enum verdict verdict = read_sources(sources, config, settings, error);
    for (size_t i = 0; i < settings->count && verdict == OK; i++) {
        verdict = apply(&settings->items[i], config, error);
    }
    if (verdict == OK) {
        verdict = check_required(settings, config, error);
    }
    if (verdict == OK) {
        derive(config);
        verdict = check_snapshot(settings, config, error);
    }
    if (verdict == OK) {
        verdict = check_recover(settings, config, error);
    }
    if (verdict == OK) {
        verdict = check_memory(settings, config, error);
    }
    if (verdict == OK) {
        verdict = check_columns(settings, config, error);
    }
    if (verdict == OK) {
        verdict = check_anchor(settings, config, error);
    }
    if (verdict == OK) {
        verdict = contracts_check(settings, config, error);
    }
    return verdict != OK ? verdict : check_topics(settings, config, error);
}

/* A command that looks at files has no use for the rest, and who runs it need not have its
 * ${VAR}s. */
static bool is_for_files(const char *path)
{
    return strncmp(path, "outbox.", strlen("outbox.")) == 0 ||
           (strncmp(path, "contracts.", strlen("contracts.")) == 0 &&
            strncmp(path, "contracts.registry.", strlen("contracts.registry.")) != 0);
}

static enum verdict load_for_files(const struct config_sources *sources, struct settings *settings,
                                   struct config *config, struct error *error)
{
    enum verdict verdict = read_sources(sources, config, settings, error);
    for (size_t i = 0; i < settings->count && verdict == OK; i++) {
        if (is_for_files(settings->items[i].path)) {
            verdict = apply(&settings->items[i], config, error);
        }
    }
    if (verdict == OK) {
        verdict = check_columns(settings, config, error);
    }
    if (verdict == OK) {
        config->table = quoted_table(config->outbox.schema_name, config->outbox.table_name);
    }
    return verdict;
}

static enum verdict load_by(load_fn *load_all, const struct config_sources *sources,
                            struct config **config, struct error *error)
{
    struct config *loaded = must_calloc(1, sizeof(*loaded));
    struct settings settings = {0};
    set_defaults(loaded);
    enum verdict verdict = load_all(sources, &settings, loaded, error);
    settings_release(&settings);
    if (verdict != OK) {
        config_free(loaded);
        return verdict;
    }
    *config = loaded;
    return OK;
}

enum verdict config_load(const struct config_sources *sources, struct config **config,
                         struct error *error)
{
    return load_by(load, sources, config, error);
}

enum verdict config_load_offline(const struct config_sources *sources, struct config **config,
                                 struct error *error)
{
    return load_by(load_for_files, sources, config, error);
}

void config_free(struct config *config)
{
    if (config == NULL) {
        return;
    }
    size_t count;
    const struct option *options = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        option_clear(&options[i], config);
    }
    free(config->file);
    free(config->checkpoint_topic);
    free(config->replay_topic);
    free(config->anchor_slot);
    free(config->snapshot_table);
    free(config->table);
    free(config);
}

/* --- kafka: --- */

const char *config_kafka(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->kafka.count; i++) {
        if (strcmp(config->kafka.items[i].name, name) == 0) {
            return config->kafka.items[i].value;
        }
    }
    return NULL;
}

int config_transaction_timeout_ms(const struct config *config)
{
    const char *text = config_kafka(config, "transaction.timeout.ms");
    return text != NULL ? atoi(text) : TRANSACTION_TIMEOUT_MS;
}
