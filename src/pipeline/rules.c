/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/rules.h"

#include "config/config.h"

enum verdict rules_load(struct rules *rules, const struct config *config, enum contracts_use use,
                        const atomic_bool *stop, const struct log *log, struct error *error)
{
    *rules = (struct rules){.config = config};
    enum verdict verdict = encoder_new(config, &rules->encoder, error);
    if (verdict == OK) {
        verdict = contracts_load(config, use, stop, &rules->contracts, error);
    }
    if (verdict != OK) {
        rules_release(rules);
        return verdict;
    }
    if (rules->contracts != NULL) {
        size_t types;
        size_t versions;
        contracts_count(rules->contracts, &types, &versions);
        log_write(log, LOG_INFO, "every event is held to its contract",
                  F_TEXT("folder", config_contracts_dir(config)), F_U64("types", types),
                  F_U64("versions", versions));
    }
    return OK;
}

void rules_release(struct rules *rules)
{
    encoder_free(rules->encoder);
    contracts_free(rules->contracts);
    *rules = (struct rules){0};
}

struct gate *rules_gate(const struct rules *rules)
{
    return contracts_gate(rules->contracts, rules->encoder);
}

void rules_warn(const struct rules *rules, const struct log *log)
{
    char note[CONTRACTS_NOTE_SIZE];
    while (contracts_note(rules->contracts, note)) {
        log_write(log, LOG_WARN, "schema registry", F_TEXT("note", note));
    }
}

void rules_say(const struct rules *rules, const struct flow_totals *totals, int status,
               const struct log *log)
{
    const uint64_t *dead = totals->dead_by_reason;
    if (rules->contracts != NULL) {
        log_write(log, LOG_INFO, "contract checks", F_U64("kept", totals->kept_contract),
                  F_U64("schema_validation_failed", dead[DEAD_SCHEMA_VALIDATION_FAILED]),
                  F_U64("unmarshal_failed", dead[DEAD_UNMARSHAL_FAILED]),
                  F_U64("unknown_event_type", dead[DEAD_UNKNOWN_EVENT_TYPE]));
    }
    log_write(log, LOG_INFO, "stopped", F_U64("published", totals->published),
              F_U64("dead_lettered", totals->dead), F_U64("left_out", totals->left_out),
              F_U64("filtered", totals->filtered), F_U64("status", status));
}
