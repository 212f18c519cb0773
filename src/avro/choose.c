/* SPDX-License-Identifier: Apache-2.0
 *
 * Which branch of a union a value is for. Only the outermost shape is looked at: trying branch
 * after branch to their ends would take time without bound where unions are nested. */
#include "avro/encode.h"

/* {"shop.Card": {...}}: Avro's own way to name the branch. */
static uint32_t named_branch(struct avro_encoder *encoder, const struct plan *plan,
                             const char **value, const char **behind)
{
    struct members members;
    struct bytes name;
    members_begin(&members, encoder, *value);
    if (!members_next(&members, &name)) {
        return UINT32_MAX;
    }
    uint32_t found = UINT32_MAX;
    for (uint32_t i = 0; i < plan->count; i++) {
        if (bytes_equal(name, bytes_of(plan->inner[i]->name)) &&
            plan->inner[i]->kind != PLAN_NULL) {
            found = i;
        }
    }
    const char *inner = members.value;
    if (members_next(&members, NULL)) {
        return UINT32_MAX;
    }
    if (found != UINT32_MAX) {
        *value = inner;
        *behind = members.behind;
    }
    return found;
}

/* Has the record every name, and are all that it must have there? */
static bool record_fits(struct avro_encoder *encoder, const struct plan *plan, const char *at)
{
    struct members members;
    struct bytes name;
    uint32_t needed = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        needed += plan->fields[i].fallback == NULL;
    }
    for (members_begin(&members, encoder, at); members_next(&members, &name);) {
        uint32_t i = name_table_find(&plan->names, name);
        if (i == NAME_NOT_FOUND) {
            if (encoder->policy == UNKNOWN_REJECT) {
                return false;
            }
            continue;
        }
        if (plan->fields[i].fallback == NULL && needed > 0) {
            needed--;
        }
    }
    return needed == 0;
}

static bool number_fits(const struct avro_encoder *encoder, enum plan_kind kind, const char *at)
{
    enum number_trouble trouble;
    struct integer integer;
    if (kind == PLAN_FLOAT || kind == PLAN_DOUBLE) {
        return true;
    }
    if ((kind != PLAN_INT && kind != PLAN_LONG) ||
        number_integer(at, encoder->end, &integer, &trouble) == NULL) {
        return false;
    }
    uint64_t largest = kind == PLAN_INT ? INT32_MAX : INT64_MAX;
    return integer.magnitude <= largest + integer.negative;
}

static bool text_fits(struct avro_encoder *encoder, const struct plan *plan, const char *at)
{
    struct bytes text;
    if (plan->kind == PLAN_STRING || plan->kind == PLAN_BYTES) {
        return true;
    }
    if (plan->kind == PLAN_FIXED) {
        struct avro_encoder *probe = encoder;
        size_t letters = 0;
        (void)encode_text(probe, at, "", &text);
        for (size_t i = 0; i < text.len; i++) {
            letters += ((unsigned char)text.data[i] & 0xC0) != 0x80;
        }
        return letters == plan->size;
    }
    if (plan->kind != PLAN_ENUM) {
        return false;
    }
    (void)encode_text(encoder, at, "", &text);
    return name_table_find(&plan->names, text) != NAME_NOT_FOUND;
}

static bool fits(struct avro_encoder *encoder, const struct plan *plan, const char *at)
{
    switch (*at) {
    case 'n': return plan->kind == PLAN_NULL;
    case 't':
    case 'f': return plan->kind == PLAN_BOOLEAN;
    case '"': return text_fits(encoder, plan, at);
    case '[': return plan->kind == PLAN_ARRAY;
    case '{':
        return plan->kind == PLAN_MAP ||
               (plan->kind == PLAN_RECORD && record_fits(encoder, plan, at));
    default: return number_fits(encoder, plan->kind, at);
    }
}

/* The only branch that is not null, or that is an object: what is wrong inside of it says more than
 * that nothing fits. */
static uint32_t only_candidate(const struct plan *plan, bool object)
{
    uint32_t only = UINT32_MAX;
    for (uint32_t i = 0; i < plan->count; i++) {
        bool candidate =
            object ? plan->inner[i]->kind == PLAN_RECORD : plan->inner[i]->kind != PLAN_NULL;
        if (candidate && only != UINT32_MAX) {
            return UINT32_MAX;
        }
        only = candidate ? i : only;
    }
    return only;
}

static void say_branches(struct avro_encoder *encoder, const struct plan *plan, const char *at)
{
    struct violation *violation = encoder->violation;
    size_t len = 0;
    violation_set(violation, VIOLATION_TYPE, (size_t)(at - encoder->begin), " ");
    for (uint32_t i = 0; i < plan->count && len < sizeof(violation->expected); i++) {
        len += (size_t)snprintf(violation->expected + len, sizeof(violation->expected) - len,
                                "%s%s", i == 0 ? "one of " : ", ", plan->inner[i]->name);
    }
    violation_found_json(violation, (struct bytes){at, (size_t)(encoder->end - at)});
}

uint32_t encode_choose(struct avro_encoder *encoder, const struct plan *plan, const char **value,
                       const char **behind)
{
    const char *at = *value;
    if (*at == '{') {
        uint32_t named = named_branch(encoder, plan, value, behind);
        if (named != UINT32_MAX) {
            return named;
        }
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        if (fits(encoder, plan->inner[i], at)) {
            return i;
        }
    }
    uint32_t only = only_candidate(plan, *at == '{');
    if (only == UINT32_MAX) {
        only = only_candidate(plan, false);
    }
    if (only == UINT32_MAX) {
        say_branches(encoder, plan, at);
    }
    return only;
}
