/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/contracts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "config/config.h"
#include "enforce/contract.h"
#include "enforce/judge.h"

enum { SHOWN = 100, VERSION_DIGITS_MAX = 9 };

_Static_assert((int)CONTRACTS_NOTE_SIZE == (int)REGISTRY_NOTE_SIZE, "notes are the registry's");

/* --- loading --- */

static void name_contract(struct contracts *contracts, size_t i)
{
    const struct schema *schema = &contracts->schemas.all[i];
    struct contract *contract = &contracts->all[i];
    snprintf(contract->version, sizeof(contract->version), "%u", schema->version);
    contract->schema = schema;
    contract->index = i;
    contract->name.version = bytes_of(contract->version);
    contract->name.message = bytes_of(schema->event);
    contract->name.content_type =
        bytes_of(judge_content_type(schema->kind, contracts->frames != NULL));
}

static enum verdict load(struct contracts *contracts, enum contracts_use use,
                         const atomic_bool *stop, struct error *error)
{
    const struct config *config = contracts->config;
    const char *dir = config_contracts_dir(config);
    enum verdict verdict = schemas_load(dir, &contracts->schemas, error);
    if (verdict != OK) {
        return verdict;
    }
    if (contracts->schemas.n == 0) {
        error_set(error, INVALID, "there is no contract in %s: every event would break it", dir);
        return error_remedy(error, "Write %s/<EventType>/v1.proto, or set contracts.dir.", dir);
    }
    bool framed = config->value == VALUE_PAYLOAD && config->contracts.registry.url[0] != '\0';
    if (framed && use != CONTRACTS_LOOK) {
        verdict = frames_new(config, &contracts->schemas, stop, &contracts->frames, error);
    }
    contracts->all = must_calloc(contracts->schemas.n, sizeof(contracts->all[0]));
    for (size_t i = 0; i < contracts->schemas.n && verdict == OK; i++) {
        name_contract(contracts, i);
    }
    return verdict;
}

enum verdict contracts_load(const struct config *config, enum contracts_use use,
                            const atomic_bool *stop, struct contracts **contracts,
                            struct error *error)
{
    *contracts = NULL;
    if (!config_checks_contracts(config)) {
        return OK;
    }
    struct contracts *made = must_calloc(1, sizeof(*made));
    made->config = config;
    made->halts = config->contracts.on_violation == ON_VIOLATION_HALT && use != CONTRACTS_MEND;
    enum verdict verdict = load(made, use, stop, error);
    if (verdict != OK) {
        contracts_free(made);
        return verdict;
    }
    *contracts = made;
    return OK;
}

void contracts_free(struct contracts *contracts)
{
    if (contracts != NULL) {
        frames_free(contracts->frames);
        free(contracts->all);
        schemas_release(&contracts->schemas);
        free(contracts);
    }
}

void contracts_count(const struct contracts *contracts, size_t *types, size_t *versions)
{
    *versions = contracts->schemas.n;
    *types = 0;
    for (size_t i = 0; i < contracts->schemas.n; i++) {
        *types += contracts->schemas.all[i].version == 1;
    }
}

bool contracts_note(struct contracts *contracts, char note[static CONTRACTS_NOTE_SIZE])
{
    return contracts != NULL && contracts->frames != NULL && frames_note(contracts->frames, note);
}

/* --- the registry, from outside of a stream --- */

bool contracts_have_ids(const struct contracts *contracts)
{
    return contracts->frames != NULL;
}

enum verdict contracts_look_up(const struct contracts *contracts, const struct encoder *encoder,
                               size_t i, struct error *error)
{
    const struct schema *schema = contracts->all[i].schema;
    struct row row = {.event_type = bytes_of(schema->type)};
    char topic[RECORD_TOPIC_SIZE] = "";
    struct frame frame;
    if (frames_need_topic(contracts->frames) && encode_topic(encoder, &row, topic, error) != OK) {
        return AGAIN;
    }
    enum verdict verdict = frames_find(contracts->frames, i, topic, &frame, error);
    if (verdict != OK) {
        error_prefix(error, "%.100s v%u: ", schema->type, schema->version);
    }
    return verdict;
}

/* --- finding --- */

static int compare(struct bytes type, const char *other)
{
    size_t len = strlen(other);
    int order = memcmp(type.data, other, type.len < len ? type.len : len);
    return order != 0 ? order : (type.len > len) - (type.len < len);
}

/* The first of the type's versions, behind which the others stand. NULL: no such type. */
static const struct contract *find_type(const struct contracts *contracts, struct bytes type)
{
    size_t from = 0;
    size_t to = contracts->schemas.n;
    while (from < to) { /* the first that is not below */
        size_t middle = from + (to - from) / 2;
        if (compare(type, contracts->all[middle].schema->type) > 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    bool there =
        from < contracts->schemas.n && compare(type, contracts->all[from].schema->type) == 0;
    return there ? &contracts->all[from] : NULL;
}

/* "2", or "v2". 0: it is no number of a version. */
static uint32_t version_of(struct bytes text)
{
    uint32_t version = 0;
    if (text.len > 1 && text.data[0] == 'v') {
        text = (struct bytes){text.data + 1, text.len - 1};
    }
    if (text.len > VERSION_DIGITS_MAX || text.data[0] == '0') {
        return 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }
        version = version * 10 + (uint32_t)(text.data[i] - '0');
    }
    return version;
}

enum verdict contracts_find(const struct contracts *contracts, const struct row *row,
                            const struct contract **contract, struct error *error)
{
    const struct contract *first = find_type(contracts, row->event_type);
    struct bytes type = record_cut(row->event_type, SHOWN);
    if (first == NULL) {
        return error_set(error, REJECT, "there is no contract for event type \"%.*s\" in %s",
                         (int)type.len, type.data, contracts->schemas.folder);
    }
    uint32_t versions = 1;
    for (const struct contract *next = first + 1;
         next < contracts->all + contracts->schemas.n && next->schema->version == versions + 1;
         next++) {
        versions++;
    }
    struct bytes claimed = row->schema_version;
    if (claimed.len == 0) {
        *contract = first + versions - 1;
        return OK;
    }
    uint32_t version = version_of(claimed);
    if (version == 0 || version > versions) {
        struct bytes shown = record_cut(claimed, SHOWN);
        return error_set(error, REJECT, "%.*s has no version \"%.*s\": the newest in %s is %u",
                         (int)type.len, type.data, (int)shown.len, shown.data,
                         contracts->schemas.folder, versions);
    }
    *contract = first + version - 1;
    return OK;
}
