/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.h - a schema registry with Confluent's REST API.
 * In: schemas, subjects. Out: ids and versions; or a verdict with the user's words.
 * Owns: its connections, and what it has looked up: in memory, and in the file
 *       contracts.registry.cache.
 * Thread: any that may wait: a call takes up to contracts.registry.timeout for each address of
 *         contracts.registry.url, or until *stop. Calls of several threads queue, for as long.
 *         registry_known never waits for a call.
 * Keeps: nothing is registered but by registry_register, which only `walpost schema register`
 *        calls. An id is returned only for the very schema that was asked about.
 *
 * For a stream that must have an id before a record leaves (I7):
 *   - Ids of a schema under a subject never change, so what was found once may be kept by the
 *     caller for as long as it runs.
 *   - registry_await once for each contract, in a thread that may wait, before the first event that
 *     needs it is taken: that event and those behind it wait where they are, so memory stays
 *     bounded (I8) and nothing leaves unchecked. With a cache on disk it answers at once though the
 *     registry is away. */
#ifndef WALPOST_REGISTRY_REGISTRY_H
#define WALPOST_REGISTRY_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

enum { REGISTRY_LEVEL_SIZE = 32, REGISTRY_NOTE_SIZE = 512 };

struct registry;

/* A file that the schema imports, and where the registry has it. */
struct registry_reference {
    const char *name; /* as the import says it: "common/money.proto" */
    const char *subject;
    int32_t version;
};

struct registry_schema {
    const char *type; /* "PROTOBUF", "AVRO", "JSON" */
    const char *text;
    const struct registry_reference *references;
    size_t n_references;
};

struct registry_found {
    int32_t id;
    int32_t version; /* of the subject */
};

struct registry_text {
    char *type;
    char *text;
};

/* config->contracts.registry.url is not empty. INVALID: a file of its tls section cannot be read.
 * Asks nothing yet. Borrows config, and stop (may be NULL): while it is true every call ends with
 * AGAIN. */
enum verdict MUST_CHECK registry_new(const struct config *config, const atomic_bool *stop,
                                     struct registry **registry, struct error *error);
void registry_free(struct registry *registry);

/* Something to warn of that stops nothing: the cache file was damaged, or cannot be written. Each
 * once; false: nothing new. */
bool registry_note(struct registry *registry, char note[static REGISTRY_NOTE_SIZE]);

/* --- an id for a schema --- */

/* From memory and the file alone. */
bool registry_known(struct registry *registry, const char *subject,
                    const struct registry_schema *schema, struct registry_found *found);

/* Known, or asked for: one try. RETRY: the registry is in trouble. After such a one, calls within
 * the next moments (0.1 to 10 s, growing) get the same answer without a request, whatever thread
 * they come from. WAIT: somebody must act: register the schema, mend a right. AGAIN: *stop. */
enum verdict MUST_CHECK registry_resolve(struct registry *registry, const char *subject,
                                         const struct registry_schema *schema,
                                         struct registry_found *found, struct error *error);

/* Tries until it is there: with OK, or AGAIN when *stop became true (then stop must be there).
 * say is called after each try that failed, with the number of tries and what the registry said;
 * it decides what is worth a line. */
typedef void registry_say_fn(void *context, uint32_t tries, const struct error *error);
enum verdict MUST_CHECK registry_await(struct registry *registry, const char *subject,
                                       const struct registry_schema *schema, registry_say_fn *say,
                                       void *context, struct registry_found *found,
                                       struct error *error);

/* --- one request each; RETRY, WAIT, AGAIN as above --- */

/* The schema under this subject, by its content; what is found is cached. WAIT with code 40401 or
 * 40403: it is not there. */
enum verdict MUST_CHECK registry_lookup(struct registry *registry, const char *subject,
                                        const struct registry_schema *schema,
                                        struct registry_found *found, struct error *error);

/* Was that WAIT "not registered"? */
bool registry_is_missing(const struct error *error);

/* The newest version of a subject. text may be NULL; else registry_text_release it. */
enum verdict MUST_CHECK registry_latest(struct registry *registry, const char *subject,
                                        struct registry_found *found, struct registry_text *text,
                                        struct error *error);

/* The schema with this id, from whatever subject. */
enum verdict MUST_CHECK registry_schema_of(struct registry *registry, int32_t id,
                                           struct registry_text *text, struct error *error);
void registry_text_release(struct registry_text *text);

/* The compatibility level: of a subject, "" when it has none of its own; with subject NULL the
 * global one. */
enum verdict MUST_CHECK registry_level(struct registry *registry, const char *subject,
                                       char level[static REGISTRY_LEVEL_SIZE], struct error *error);
/* INVALID: the registry does not know the level. */
enum verdict MUST_CHECK registry_set_level(struct registry *registry, const char *subject,
                                           const char *level, struct error *error);

/* Would the schema be taken as the next version? *words (malloc'd, or NULL) say why not. A subject
 * that is not there takes any. FATAL: no schema at all to the registry. */
enum verdict MUST_CHECK registry_test(struct registry *registry, const char *subject,
                                      const struct registry_schema *schema, bool *compatible,
                                      char **words, struct error *error);

/* Registers it; the same one again changes nothing. FATAL: incompatible, or no valid schema. */
enum verdict MUST_CHECK registry_register(struct registry *registry, const char *subject,
                                          const struct registry_schema *schema,
                                          struct registry_found *found, struct error *error);

#endif
