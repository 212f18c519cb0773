/* SPDX-License-Identifier: Apache-2.0
 *
 * libavro reads the schema and resolves its names. What it does not keep, defaults, aliases and
 * lines, is taken from the text beside it. */
#include <avro.h>
#include <stdlib.h>

#include "avro/plan.h"
#include "base/check.h"

struct load {
    struct arena *arena;
    struct error *error;
    struct plan **named; /* with the library's schema of each, for references to them */
    avro_schema_t *schemas;
    size_t n_named;
};

static const enum plan_kind kinds[] = {
    [AVRO_STRING] = PLAN_STRING,   [AVRO_BYTES] = PLAN_BYTES, [AVRO_INT32] = PLAN_INT,
    [AVRO_INT64] = PLAN_LONG,      [AVRO_FLOAT] = PLAN_FLOAT, [AVRO_DOUBLE] = PLAN_DOUBLE,
    [AVRO_BOOLEAN] = PLAN_BOOLEAN, [AVRO_NULL] = PLAN_NULL,   [AVRO_RECORD] = PLAN_RECORD,
    [AVRO_ENUM] = PLAN_ENUM,       [AVRO_FIXED] = PLAN_FIXED, [AVRO_MAP] = PLAN_MAP,
    [AVRO_ARRAY] = PLAN_ARRAY,     [AVRO_UNION] = PLAN_UNION,
};

static struct plan *load_plan(struct load *load, avro_schema_t schema, const struct tree *tree);

static struct plan *refuse(struct load *load, const struct tree *tree, const char *why)
{
    error_set(load->error, INVALID, "line %u: %s", tree->line, why);
    return NULL;
}

static const char *copy_name(struct load *load, const char *name)
{
    return arena_copy(load->arena, bytes_of(name)).data;
}

static const struct tree *list_of(const struct tree *tree, const char *name)
{
    const struct tree *list = tree_get(tree, name);
    return tree_is_kind(list, TREE_ARRAY) ? list : NULL;
}

static bool is_named(enum plan_kind kind)
{
    return kind == PLAN_RECORD || kind == PLAN_ENUM || kind == PLAN_FIXED;
}

static void remember(struct load *load, avro_schema_t schema, struct plan *plan)
{
    size_t n = load->n_named + 1;
    load->named = must_realloc(load->named, n * sizeof(struct plan *));
    load->schemas = must_realloc(load->schemas, n * sizeof(avro_schema_t));
    load->named[load->n_named] = plan;
    load->schemas[load->n_named++] = schema;
}

static void name_plan(struct load *load, struct plan *plan, avro_schema_t schema,
                      const struct tree *tree)
{
    const char *space = avro_schema_namespace(schema);
    plan->local = copy_name(load, avro_schema_name(schema));
    plan->name = plan->local;
    if (space != NULL && space[0] != '\0') {
        char *full = must_printf("%s.%s", space, plan->local);
        plan->name = copy_name(load, full);
        free(full);
    }
    plan->aliases = list_of(tree, "aliases");
    remember(load, schema, plan);
}

/* False: a name stands twice. */
static bool index_name(struct plan *plan, struct bytes name, uint32_t number)
{
    if (name_table_find(&plan->names, name) != NAME_NOT_FOUND) {
        return false;
    }
    name_table_add(&plan->names, name, number);
    return true;
}

static void init_names(struct load *load, struct plan *plan)
{
    uint32_t slots = name_table_slots(plan->count);
    name_table_init(&plan->names, arena_alloc(load->arena, slots * sizeof(struct name_slot)),
                    slots);
}

static struct plan *load_record(struct load *load, struct plan *plan, avro_schema_t schema,
                                const struct tree *tree)
{
    const struct tree *fields = list_of(tree, "fields");
    plan->count = (uint32_t)avro_schema_record_size(schema);
    if (fields == NULL || fields->count != plan->count) {
        return refuse(load, tree, "a record has a list of fields");
    }
    plan->fields = arena_alloc(load->arena, plan->count * sizeof(*plan->fields));
    init_names(load, plan);
    const struct tree *member = fields->first;
    for (uint32_t i = 0; i < plan->count; i++, member = member->next) {
        struct plan_field *field = &plan->fields[i];
        const struct tree *type = tree_get(member, "type");
        field->name = bytes_of(copy_name(load, avro_schema_record_field_name(schema, (int)i)));
        field->line = member->line;
        field->aliases = list_of(member, "aliases");
        field->fallback = tree_get(member, "default");
        if (type == NULL) {
            return refuse(load, member, "a field has a type");
        }
        if (!index_name(plan, field->name, i)) {
            return refuse(load, member, "a field of this name is there already");
        }
        field->plan = load_plan(load, avro_schema_record_field_get_by_index(schema, (int)i), type);
        if (field->plan == NULL) {
            return NULL;
        }
    }
    return plan;
}

static struct plan *load_enum(struct load *load, struct plan *plan, avro_schema_t schema,
                              const struct tree *tree)
{
    plan->count = (uint32_t)avro_schema_enum_number_of_symbols(schema);
    plan->symbols = arena_alloc(load->arena, plan->count * sizeof(*plan->symbols));
    init_names(load, plan);
    for (uint32_t i = 0; i < plan->count; i++) {
        plan->symbols[i] = bytes_of(copy_name(load, avro_schema_enum_get(schema, (int)i)));
        if (!index_name(plan, plan->symbols[i], i)) {
            return refuse(load, tree, "a symbol of the enum stands twice");
        }
    }
    plan->fallback = tree_get(tree, "default");
    if (plan->fallback != NULL &&
        (plan->fallback->kind != TREE_STRING ||
         name_table_find(&plan->names, plan->fallback->text) == NAME_NOT_FOUND)) {
        return refuse(load, plan->fallback, "the default is no symbol of the enum");
    }
    return plan;
}

static bool branch_is_there(const struct plan *plan, uint32_t n, const struct plan *branch)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(plan->inner[i]->name, branch->name) == 0) {
            return true;
        }
    }
    return false;
}

static struct plan *load_union(struct load *load, struct plan *plan, avro_schema_t schema,
                               const struct tree *tree)
{
    plan->count = (uint32_t)avro_schema_union_size(schema);
    if (!tree_is_kind(tree, TREE_ARRAY) || plan->count == 0 || tree->count != plan->count) {
        return refuse(load, tree, "a union is a list of types, and has at least one");
    }
    plan->inner = arena_alloc(load->arena, plan->count * sizeof(struct plan *));
    const struct tree *member = tree->first;
    for (uint32_t i = 0; i < plan->count; i++, member = member->next) {
        const struct plan *branch =
            load_plan(load, avro_schema_union_branch(schema, (int)i), member);
        if (branch == NULL) {
            return NULL;
        }
        if (branch->kind == PLAN_UNION) {
            return refuse(load, member, "a union holds no unions");
        }
        if (branch_is_there(plan, i, branch)) {
            return refuse(load, member, "the union has this type already");
        }
        plan->inner[i] = branch;
    }
    return plan;
}

static struct plan *load_inner(struct load *load, struct plan *plan, avro_schema_t inner,
                               const struct tree *tree, const char *member)
{
    const struct tree *type = tree_get(tree, member);
    plan->inner = arena_alloc(load->arena, sizeof(struct plan *));
    plan->inner[0] = type == NULL ? refuse(load, tree, "an array has items, a map has values")
                                  : load_plan(load, inner, type);
    return plan->inner[0] == NULL ? NULL : plan;
}

static struct plan *linked(const struct load *load, avro_schema_t schema)
{
    for (size_t i = 0; i < load->n_named; i++) {
        if (load->schemas[i] == schema) {
            return load->named[i];
        }
    }
    return NULL;
}

static struct plan *load_plan(struct load *load, avro_schema_t schema, const struct tree *tree)
{
    if (schema != NULL && is_avro_link(schema)) {
        schema = avro_schema_link_target(schema);
    }
    check(schema != NULL);
    struct plan *known = linked(load, schema);
    if (known != NULL) {
        return known;
    }
    struct plan *plan = arena_alloc(load->arena, sizeof(*plan));
    plan->kind = kinds[avro_typeof(schema)];
    plan->name = plan->local = copy_name(load, avro_schema_type_name(schema));
    plan->line = tree->line;
    if (is_named(plan->kind)) {
        name_plan(load, plan, schema, tree);
    }
    switch (plan->kind) {
    case PLAN_RECORD: return load_record(load, plan, schema, tree);
    case PLAN_ENUM: return load_enum(load, plan, schema, tree);
    case PLAN_UNION: return load_union(load, plan, schema, tree);
    case PLAN_ARRAY: return load_inner(load, plan, avro_schema_array_items(schema), tree, "items");
    case PLAN_MAP: return load_inner(load, plan, avro_schema_map_values(schema), tree, "values");
    case PLAN_FIXED: plan->size = (uint64_t)avro_schema_fixed_size(schema); return plan;
    default: return plan;
    }
}

static enum verdict load_all(struct avro_contract *contract, struct bytes text, struct error *error)
{
    const struct tree *root;
    avro_schema_t schema;
    enum verdict verdict = tree_parse(&contract->arena, text, &root, error);
    if (verdict != OK) {
        return verdict;
    }
    /* The library wants an object or a list. */
    char *wrapped = root->kind == TREE_STRING
                        ? must_printf("{\"type\":%.*s}", (int)root->whole.len, root->whole.data)
                        : must_printf("%.*s", (int)text.len, text.data);
    int refused = avro_schema_from_json_length(wrapped, strlen(wrapped), &schema);
    free(wrapped);
    if (refused != 0) {
        error_set(error, INVALID, "it is no Avro schema: %.300s", avro_strerror());
        return error_remedy(error,
                            "Names must be declared before they are used, in this very file.");
    }
    struct load load = {.arena = &contract->arena, .error = error};
    contract->root = load_plan(&load, schema, root);
    verdict = contract->root == NULL
                  ? INVALID
                  : plan_encode_defaults(&contract->arena, load.named, load.n_named, error);
    avro_schema_decref(schema);
    free(load.named);
    free(load.schemas);
    return verdict;
}

enum verdict avro_contract_load(struct bytes text, struct avro_contract **loaded,
                                struct error *error)
{
    struct avro_contract *contract = must_calloc(1, sizeof(*contract));
    /* What is read from the text is looked at for as long as the contract lives. */
    enum verdict verdict = load_all(contract, arena_copy(&contract->arena, text), error);
    if (verdict != OK) {
        avro_contract_free(contract);
        return verdict;
    }
    *loaded = contract;
    return OK;
}

void avro_contract_free(struct avro_contract *contract)
{
    if (contract != NULL) {
        arena_release(&contract->arena);
        free(contract);
    }
}

const char *avro_contract_name(const struct avro_contract *contract)
{
    return contract->root->name;
}

unsigned avro_contract_fields(const struct avro_contract *contract)
{
    return contract->root->kind == PLAN_RECORD ? contract->root->count : 0;
}
