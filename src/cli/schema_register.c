/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/macros.h"
#include "base/nearest.h"
#include "cli/say.h"
#include "cli/schema.h"
#include "encode/template.h"
#include "registry/proto_file.h"
#include "registry/subject.h"
#include "schemas/schemas.h"

static const char *const levels[] = {
    "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE",
    "FULL",     "FULL_TRANSITIVE",     "NONE"};

enum { TOPIC_SIZE = 512 };

/* One version of a contract, and where it belongs. */
struct task {
    const char *event_type;
    uint32_t version;
    struct proto_file *file;
    char subject[SUBJECT_SIZE];
    struct registry_found found; /* once it is in the registry */
};

struct work {
    const struct config *config;
    const char *level; /* to set; NULL: leave it */
    bool dry_run;
    struct registry *registry;
    struct schemas schemas;
    struct proto_files files;
    struct task *tasks; /* by event type and version */
    size_t n_tasks;
    unsigned registered;
    unsigned there;
    unsigned refused; /* dry run */
};

/* --- what there is to do; nothing is asked yet --- */

/* The topic of every event of this type, by the template of the route. */
static enum verdict topic_of(const struct template *template, const char *event_type,
                             char topic[static TOPIC_SIZE], struct error *error)
{
    struct row row = {.event_type = bytes_of(event_type)};
    char buffer[TOPIC_SIZE];
    struct bytes text;
    enum rendered rendered = template_render(template, &row, buffer, sizeof(buffer), &text);
    if (rendered == RENDERED && text.len > 0 && text.len < TOPIC_SIZE) {
        memcpy(topic, text.data, text.len);
        topic[text.len] = '\0';
        return OK;
    }
    struct bytes missing =
        rendered == RENDERED_NULL ? template_null(template, &row) : bytes_of("route.topic");
    error_set(error, INVALID,
              "the topic of %.100s, and so its subject, cannot be known from its type: route.topic "
              "has %.*s",
              event_type, (int)missing.len, missing.data);
    return error_remedy(error, "Set contracts.registry.subject to record: the subject is then the "
                               "name of the message.");
}

static enum verdict find_subject(const struct work *work, const struct template *template,
                                 const struct schema *schema, struct task *task,
                                 struct error *error)
{
    enum subject_strategy strategy = work->config->contracts.registry.subject;
    char topic[TOPIC_SIZE] = "";
    enum verdict verdict = OK;
    if (subject_needs_topic(strategy)) {
        verdict = topic_of(template, task->event_type, topic, error);
    }
    if (verdict == OK && !subject_name(strategy, topic, schema->event, task->subject)) {
        error_set(error, INVALID, "the subject of %.100s is too long", task->event_type);
        verdict = error_remedy(error, "Set contracts.registry.subject to topic or record, or "
                                      "shorten the names that it is made of.");
    }
    return verdict;
}

/* Two event types under one subject would be versions of each other. */
static enum verdict check_shared(const struct work *work, const struct task *task,
                                 struct error *error)
{
    for (size_t i = 0; i < work->n_tasks; i++) {
        const struct task *other = &work->tasks[i];
        if (strcmp(other->event_type, task->event_type) != 0 &&
            strcmp(other->subject, task->subject) == 0) {
            error_set(error, INVALID, "%.100s and %.100s have the same subject, %.200s",
                      other->event_type, task->event_type, task->subject);
            return error_remedy(error, "Set contracts.registry.subject to topic_record or record: "
                                       "each message then has a subject of its own. Or give each "
                                       "event type its own topic: route.topic.");
        }
    }
    return OK;
}

static enum verdict add_task(struct work *work, const struct template *template,
                             const struct schema *schema, struct error *error)
{
    struct task task = {.event_type = schema->type, .version = schema->version};
    enum verdict verdict = proto_files_load(&work->files, schema->file, &task.file, error);
    if (verdict == OK) {
        verdict = find_subject(work, template, schema, &task, error);
    }
    if (verdict == OK) {
        verdict = check_shared(work, &task, error);
    }
    if (verdict == OK) {
        work->tasks = must_realloc(work->tasks, (work->n_tasks + 1) * sizeof(work->tasks[0]));
        work->tasks[work->n_tasks++] = task;
    }
    return verdict;
}

static enum verdict plan(struct work *work, struct error *error)
{
    struct template template;
    const char *dir = config_contracts_dir(work->config);
    enum verdict verdict = schemas_load(dir, &work->schemas, error);
    if (verdict != OK) {
        return verdict;
    }
    if (work->schemas.n == 0) {
        error_set(error, INVALID, "there is no contract in %s", dir);
        return error_remedy(
            error, "Write %s/<EventType>/v1.proto (.avsc, .json), or set contracts.dir.", dir);
    }
    verdict =
        template_compile(&template, work->config, "route.topic", work->config->route.topic, error);
    if (verdict != OK) {
        return verdict;
    }
    for (size_t i = 0; i < work->schemas.n && verdict == OK; i++) {
        verdict = add_task(work, &template, &work->schemas.all[i], error);
    }
    template_release(&template);
    return verdict;
}

/* --- one schema --- */

static void say_there(const char *name, const char *subject, const struct registry_found *found)
{
    printf("%-32s is there: subject %s, version %d, id %d\n", name, subject, found->version,
           found->id);
}

static void say_refused(struct work *work, const char *name, const char *subject, const char *words)
{
    printf("%-32s would be refused: subject %s: %s\n", name, subject, words);
    work->refused++;
}

/* What would happen? A schema whose imports are not there yet cannot be asked about. */
static enum verdict rehearse(struct work *work, const char *name, const char *subject,
                             const struct registry_schema *schema, struct error *error)
{
    bool compatible = true;
    char *words = NULL;
    enum verdict verdict =
        schema == NULL ? OK
                       : registry_test(work->registry, subject, schema, &compatible, &words, error);
    if (verdict != OK) {
        return verdict;
    }
    if (compatible) {
        printf("%-32s would be registered: subject %s\n", name, subject);
        work->registered++;
    } else {
        say_refused(work, name, subject, words == NULL ? "it is not compatible" : words);
    }
    free(words);
    return OK;
}

static bool imports_are_there(const struct proto_file *file)
{
    for (size_t i = 0; i < file->n_imports; i++) {
        if (!file->imports[i]->settled) {
            return false;
        }
    }
    return true;
}

/* Is a version there that comes behind this one, which is not? *later 0: none is known to be. */
static enum verdict find_later(struct work *work, const struct task *task, uint32_t *later,
                               struct error *error)
{
    struct registry_reference references[PROTO_IMPORTS_MAX];
    const struct task *end = work->tasks + work->n_tasks;
    *later = 0;
    for (const struct task *next = task + 1;
         next < end && strcmp(next->event_type, task->event_type) == 0; next++) {
        if (!imports_are_there(next->file)) {
            continue;
        }
        struct registry_found found;
        struct registry_schema schema = proto_file_schema(next->file, references);
        enum verdict verdict =
            registry_lookup(work->registry, next->subject, &schema, &found, error);
        if (verdict == OK) {
            *later = next->version;
            return OK;
        }
        if (!registry_is_missing(error)) {
            return verdict;
        }
    }
    return OK;
}

/* Registered now, it would be the newest of its subject. A dry run says so and goes on. */
static enum verdict check_released(struct work *work, const struct task *task, const char *name,
                                   bool *refused, struct error *error)
{
    uint32_t later;
    enum verdict verdict = find_later(work, task, &later, error);
    *refused = verdict == OK && later != 0;
    if (!*refused) {
        return verdict;
    }
    error_set(error, FATAL,
              "v%u is registered, but v%u not as it stands in %s: it was changed after it was "
              "released, or deleted in the registry",
              later, task->version, task->file->name);
    error_remedy(error, "Bring %s back as it was registered; a change is the next version.",
                 task->file->name);
    if (!work->dry_run) {
        return FATAL;
    }
    say_refused(work, name, task->subject, error->what);
    return OK;
}

static enum verdict settle(struct work *work, const char *name, struct proto_file *file,
                           const char *subject, struct registry_found *found, bool *is_there,
                           const struct task *task, struct error *error);

/* A dry run leaves *all_there false when one is missing. */
static enum verdict settle_imports(struct work *work, struct proto_file *file, bool *all_there,
                                   struct error *error)
{
    *all_there = true;
    for (size_t i = 0; i < file->n_imports; i++) {
        struct proto_file *import = file->imports[i];
        if (!import->settled && !import->said) {
            import->said = true;
            enum verdict verdict = settle(work, import->name, import, import->name, &import->found,
                                          &import->settled, NULL, error);
            if (verdict != OK) {
                return verdict;
            }
        }
        *all_there = *all_there && import->settled;
    }
    return OK;
}

/* After this the registry has it; in a dry run *is_there says whether. task: NULL for what is only
 * imported. */
static enum verdict settle(struct work *work, const char *name, struct proto_file *file,
                           const char *subject, struct registry_found *found, bool *is_there,
                           const struct task *task, struct error *error)
{
    struct registry_reference references[PROTO_IMPORTS_MAX];
    bool imports_there;
    *is_there = false;
    enum verdict verdict = settle_imports(work, file, &imports_there, error);
    if (verdict != OK) {
        return verdict;
    }
    if (!imports_there) {
        return rehearse(work, name, subject, NULL, error);
    }
    struct registry_schema schema = proto_file_schema(file, references);
    verdict = registry_lookup(work->registry, subject, &schema, found, error);
    if (verdict == OK) {
        say_there(name, subject, found);
        work->there++;
        *is_there = true;
        return OK;
    }
    if (!registry_is_missing(error)) {
        return verdict;
    }
    bool refused = false;
    verdict = task == NULL ? OK : check_released(work, task, name, &refused, error);
    if (verdict != OK || refused) {
        return verdict;
    }
    if (work->dry_run) {
        return rehearse(work, name, subject, &schema, error);
    }
    verdict = registry_register(work->registry, subject, &schema, found, error);
    if (verdict == OK) {
        printf("%-32s registered: subject %s, version %d, id %d\n", name, subject, found->version,
               found->id);
        work->registered++;
        *is_there = true;
    }
    return verdict;
}

/* --- all of them --- */

static enum verdict set_level(struct work *work, const char *subject, struct error *error)
{
    char level[REGISTRY_LEVEL_SIZE];
    enum verdict verdict = registry_level(work->registry, subject, level, error);
    if (verdict != OK || strcmp(level, work->level) == 0) {
        return verdict;
    }
    if (!work->dry_run) {
        verdict = registry_set_level(work->registry, subject, work->level, error);
    }
    if (verdict == OK) {
        printf("subject %s: compatibility %s %s, was %s\n", subject,
               work->dry_run ? "would be" : "is now", work->level,
               level[0] == '\0' ? "not set" : level);
    }
    return verdict;
}

static enum verdict work_off(struct work *work, struct error *error)
{
    for (size_t i = 0; i < work->n_tasks; i++) {
        struct task *task = &work->tasks[i];
        bool first = i == 0 || strcmp(work->tasks[i - 1].subject, task->subject) != 0;
        enum verdict verdict = OK;
        if (work->level != NULL && first) {
            verdict = set_level(work, task->subject, error);
        }
        char *name = must_printf("%s v%u", task->event_type, task->version);
        bool is_there;
        if (verdict == OK) {
            verdict =
                settle(work, name, task->file, task->subject, &task->found, &is_there, task, error);
        }
        if (verdict != OK) {
            error_prefix(error, "%s: ", name);
        }
        free(name);
        if (verdict != OK) {
            return verdict;
        }
    }
    return OK;
}

static void sum_up(const struct work *work)
{
    const char *would = work->dry_run ? " would be" : "";
    printf("%u%s registered, %u already there", work->registered, would, work->there);
    if (work->refused > 0) {
        printf(", %u would be refused", work->refused);
    }
    printf("\n");
    if (work->refused > 0) {
        say_next("mend what would be refused; `walpost schema check` says file and line.");
    } else if (work->dry_run) {
        say_next("the same without --dry-run.");
    } else {
        say_next("walpost run. A stream that runs already reads its contracts at its next start.");
    }
}

static void warn_of_cache(struct registry *registry)
{
    char note[REGISTRY_NOTE_SIZE];
    while (registry_note(registry, note)) {
        fflush(stdout);
        say_coloured(stderr, COLOUR_YELLOW, "warning: ");
        fprintf(stderr, "%s\n", note);
    }
}

static enum verdict check_level(const char *level, struct error *error)
{
    struct nearest nearest;
    nearest_init(&nearest, level == NULL ? "" : level);
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (level == NULL || strcmp(level, levels[i]) == 0) {
            return OK;
        }
        nearest_offer(&nearest, levels[i]);
    }
    error_set(error, INVALID, "--compatibility cannot be \"%.40s\"", level);
    return error_remedy(error,
                        "Allowed is BACKWARD, BACKWARD_TRANSITIVE, FORWARD, "
                        "FORWARD_TRANSITIVE, FULL, FULL_TRANSITIVE or NONE; the nearest is "
                        "%s.",
                        nearest.best);
}

static enum verdict run(struct work *work, struct error *error)
{
    if (work->config->contracts.registry.url[0] == '\0') {
        error_set(error, INVALID, "contracts.registry.url is not set");
        return error_remedy(error, "Set the address of a schema registry with Confluent's REST "
                                   "API: http://HOST:PORT.");
    }
    enum verdict verdict = plan(work, error);
    if (verdict == OK) {
        verdict = registry_new(work->config, NULL, &work->registry, error);
    }
    if (verdict == OK) {
        verdict = work_off(work, error);
        warn_of_cache(work->registry);
    }
    if (verdict == OK) {
        sum_up(work);
    }
    return verdict;
}

int schema_register(const struct invocation *invocation)
{
    struct error error;
    struct config *config = NULL;
    struct work work = {
        .level = invocation_value(invocation, "--compatibility"),
        .dry_run = invocation_value(invocation, "--dry-run") != NULL,
    };
    if (invocation->words[1] != NULL) {
        error_set(&error, INVALID, "\"%.40s\" is one word too many", invocation->words[1]);
        error_remedy(&error, "walpost schema register takes all contracts of contracts.dir.");
        return say_error(&error);
    }
    if (check_level(work.level, &error) != OK ||
        config_load(&invocation->sources, &config, &error) != OK) {
        return say_error(&error);
    }
    work.config = config;
    proto_files_init(&work.files, config_contracts_dir(config));
    enum verdict verdict = run(&work, &error);
    bool refused = work.refused > 0;
    registry_free(work.registry);
    proto_files_release(&work.files);
    schemas_release(&work.schemas);
    free(work.tasks);
    config_free(config);
    return verdict != OK ? say_error(&error) : refused ? 1 : 0;
}
