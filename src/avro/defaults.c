/* SPDX-License-Identifier: Apache-2.0
 *
 * Defaults are encoded when the schema is loaded. One may need others: {} for a record whose fields
 * have defaults of their own. */
#include "avro/plan.h"

struct defaults {
    struct arena *arena;
    struct error *error;
};

static enum verdict encode_field(const struct defaults *defaults, struct plan_field *field);

/* The defaults that a value of this plan may fall back to. */
static enum verdict encode_needed(const struct defaults *defaults, const struct plan *plan)
{
    enum verdict verdict = OK;
    if (plan->kind == PLAN_RECORD) {
        for (uint32_t i = 0; verdict == OK && i < plan->count; i++) {
            verdict = encode_field(defaults, &plan->fields[i]);
        }
        return verdict;
    }
    uint32_t count = plan->kind == PLAN_UNION ? 1 : plan->inner != NULL;
    for (uint32_t i = 0; verdict == OK && i < count; i++) {
        verdict = encode_needed(defaults, plan->inner[i]);
    }
    return verdict;
}

static enum verdict encode_field(const struct defaults *defaults, struct plan_field *field)
{
    struct violation violation;
    if (field->fallback == NULL || field->state != FALLBACK_NEW) {
        /* One that is open leads back to itself: encoding it will miss it, and say so. */
        return OK;
    }
    field->state = FALLBACK_OPEN;
    enum verdict verdict = encode_needed(defaults, field->plan);
    if (verdict != OK) {
        return verdict;
    }
    if (plan_encode_default(defaults->arena, field->plan, field->fallback->whole, &field->encoded,
                            &violation) != OK) {
        struct error why;
        (void)violation_error(&violation, &why);
        error_set(defaults->error, INVALID,
                  "line %u: the default of %.*s does not fit its type: %s", field->line,
                  (int)field->name.len, field->name.data, why.what);
        return error_remedy(defaults->error,
                            "Of a union, the default is a value of its first type.");
    }
    field->state = FALLBACK_DONE;
    return OK;
}

enum verdict plan_encode_defaults(struct arena *arena, struct plan *const *records,
                                  size_t n_records, struct error *error)
{
    struct defaults defaults = {arena, error};
    enum verdict verdict = OK;
    for (size_t i = 0; verdict == OK && i < n_records; i++) {
        for (uint32_t k = 0;
             verdict == OK && records[i]->kind == PLAN_RECORD && k < records[i]->count; k++) {
            verdict = encode_field(&defaults, &records[i]->fields[k]);
        }
    }
    return verdict;
}
