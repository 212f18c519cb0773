/* SPDX-License-Identifier: Apache-2.0
 *
 * plan.h - the inside of a contract in Avro, for the files of this folder.
 * In -> out: nothing; what avro_contract_load makes.
 * Owns: everything lives in the arena of the contract.
 * Thread: read-only once it is loaded. */
#ifndef WALPOST_AVRO_PLAN_H
#define WALPOST_AVRO_PLAN_H

#include "avro/avro_contract.h"
#include "contract/names.h"
#include "contract/tree.h"

enum plan_kind {
    PLAN_NULL,
    PLAN_BOOLEAN,
    PLAN_INT,
    PLAN_LONG,
    PLAN_FLOAT,
    PLAN_DOUBLE,
    PLAN_BYTES,
    PLAN_STRING,
    PLAN_RECORD,
    PLAN_ENUM,
    PLAN_FIXED,
    PLAN_ARRAY,
    PLAN_MAP,
    PLAN_UNION,
};

struct plan_field {
    struct bytes name;
    const struct plan *plan;
    const struct tree *aliases;  /* a list of names; NULL: none */
    const struct tree *fallback; /* the default, as the schema says it; NULL: none */
    struct bytes encoded;        /* the default, encoded */
    enum { FALLBACK_NEW, FALLBACK_OPEN, FALLBACK_DONE } state;
    uint32_t line;
};

struct plan {
    enum plan_kind kind;
    const char *name;           /* of a record, enum or fixed with its namespace; else the kind's */
    const char *local;          /* without the namespace */
    const struct tree *aliases; /* NULL: none */
    const struct tree *fallback; /* the default of an enum; NULL: none */
    struct plan_field *fields;   /* of a record */
    struct bytes *symbols;       /* of an enum */
    const struct plan **inner;   /* the branches of a union; what an array or a map holds */
    uint32_t count;              /* of fields, symbols or branches */
    struct name_table names;     /* of fields or symbols */
    uint64_t size;               /* of a fixed */
    uint32_t line;
};

struct avro_contract {
    struct arena arena;
    const struct plan *root;
};

/* One value of the schema's own JSON, as a default: of a union the first branch. (encode.c) */
enum verdict MUST_CHECK plan_encode_default(struct arena *arena, const struct plan *plan,
                                            struct bytes json, struct bytes *encoded,
                                            struct violation *violation);

/* Every default in the plan, encoded; INVALID: one does not fit. (defaults.c) */
enum verdict MUST_CHECK plan_encode_defaults(struct arena *arena, struct plan *const *records,
                                             size_t n_records, struct error *error);

#endif
