/* SPDX-License-Identifier: Apache-2.0
 *
 * Which schemas are taken, and which versions read each other's events. */
#include <criterion/criterion.h>

#include "avro/avro_contract.h"
#include "base/macros.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"shop.Placed\",\"fields\":[" fields "]}"
#define FIELD(type)    RECORD("{\"name\":\"f\",\"type\":" type "}")

static struct avro_contract *load(const char *schema)
{
    struct avro_contract *contract;
    struct error error = {0};
    cr_assert(avro_contract_load(bytes_of(schema), &contract, &error) == OK, "%s: %s", schema,
              error.what);
    return contract;
}

static const struct {
    const char *schema;
    const char *words;
} refused[] = {
    {"", "line 1 is not JSON"},
    {"{\"type\":\"record\"", "line 1 is not JSON"},
    {"{\"type\":\"reccord\",\"name\":\"A\"}", "it is no Avro schema"},
    {FIELD("\"Unknown\""), "it is no Avro schema"},
    {RECORD("{\"name\":\"f\",\"type\":\"int\"},\n{\"name\":\"f\",\"type\":\"int\"}"), "line "},
    {FIELD("[\"int\",\"int\"]"), "line 1: the union has this type already"},
    {FIELD("[\"int\",[\"null\"]]"), "line 1: a union holds no unions"},
    {RECORD("{\"name\":\"f\",\"type\":\"int\",\"default\":\"x\"}"),
     "line 1: the default of f does not fit its type: payload: expected an int"},
    {RECORD("{\"name\":\"f\",\"type\":[\"int\",\"null\"],\"default\":null}"),
     "line 1: the default of f does not fit its type: payload: expected an int"},
    {FIELD("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}"),
     "line 1: the default is no symbol"},
    {"{\"type\":\"record\",\"name\":\"A\",\"name\":\"B\",\"fields\":[]}",
     "line 1 is not JSON: the name stands twice"},
};

Test(contracts, what_is_no_schema_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct avro_contract *contract;
        struct error error = {0};
        enum verdict verdict = avro_contract_load(bytes_of(refused[i].schema), &contract, &error);
        cr_expect(verdict == INVALID, "%s was taken", refused[i].schema);
        if (verdict == INVALID) {
            cr_expect(strncmp(error.what, refused[i].words, strlen(refused[i].words)) == 0,
                      "%s: %s", refused[i].schema, error.what);
        } else {
            avro_contract_free(contract);
        }
    }
}

Test(contracts, have_a_name)
{
    struct avro_contract *contract = load(FIELD("\"int\""));
    cr_expect_str_eq(avro_contract_name(contract), "shop.Placed");
    cr_expect(avro_contract_fields(contract) == 1);
    avro_contract_free(contract);
}

#define E(symbols, more) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]" more "}"
#define LIST(name, more)                                                                  \
    "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[{\"name\":\"next\",\"type\":" \
    "[\"null\",\"" name "\"]}" more "]}"

/* Can the reader read what the writer wrote? */
static const struct {
    const char *writer;
    const char *reader;
    const char *rule; /* NULL: yes */
} cases[] = {
    {FIELD("\"int\""), FIELD("\"int\""), NULL},
    {FIELD("\"int\""), FIELD("\"long\""), NULL},
    {FIELD("\"int\""), FIELD("\"double\""), NULL},
    {FIELD("\"long\""), FIELD("\"int\""), "TYPE_MISMATCH"},
    {FIELD("\"float\""), FIELD("\"double\""), NULL},
    {FIELD("\"double\""), FIELD("\"float\""), "TYPE_MISMATCH"},
    {FIELD("\"string\""), FIELD("\"bytes\""), NULL},
    {FIELD("\"bytes\""), FIELD("\"string\""), NULL},
    {FIELD("\"string\""), FIELD("\"int\""), "TYPE_MISMATCH"},
    {RECORD(""), FIELD("\"int\""), "READER_FIELD_MISSING_DEFAULT_VALUE"},
    {RECORD(""), RECORD("{\"name\":\"f\",\"type\":\"int\",\"default\":0}"), NULL},
    {FIELD("\"int\""), RECORD(""), NULL},
    {FIELD("\"int\""), RECORD("{\"name\":\"g\",\"type\":\"int\",\"aliases\":[\"f\"]}"), NULL},
    {FIELD("\"int\""), RECORD("{\"name\":\"g\",\"type\":\"int\"}"),
     "READER_FIELD_MISSING_DEFAULT_VALUE"},
    {RECORD(""), "{\"type\":\"record\",\"name\":\"other.Placed\",\"fields\":[]}", NULL},
    {RECORD(""), "{\"type\":\"record\",\"name\":\"shop.Created\",\"fields\":[]}", "NAME_MISMATCH"},
    {RECORD(""),
     "{\"type\":\"record\",\"name\":\"shop.Created\",\"aliases\":[\"shop.Placed\"],\"fields\":[]}",
     NULL},
    {FIELD(E("\"A\"", "")), FIELD(E("\"A\",\"B\"", "")), NULL},
    {FIELD(E("\"A\",\"B\"", "")), FIELD(E("\"A\"", "")), "MISSING_ENUM_SYMBOLS"},
    {FIELD(E("\"A\",\"B\"", "")), FIELD(E("\"A\"", ",\"default\":\"A\"")),
     "ENUM_SYMBOLS_DEFAULTED"},
    {FIELD("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}"),
     FIELD("{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}"), "FIXED_SIZE_MISMATCH"},
    {FIELD("{\"type\":\"array\",\"items\":\"int\"}"),
     FIELD("{\"type\":\"array\",\"items\":\"long\"}"), NULL},
    {FIELD("{\"type\":\"map\",\"values\":\"long\"}"),
     FIELD("{\"type\":\"map\",\"values\":\"int\"}"), "TYPE_MISMATCH"},
    {FIELD("\"int\""), FIELD("[\"null\",\"int\"]"), NULL},
    {FIELD("[\"null\",\"int\"]"), FIELD("\"int\""), "TYPE_MISMATCH"},
    {FIELD("[\"null\",\"int\"]"), FIELD("[\"null\",\"long\"]"), NULL},
    {FIELD("[\"null\",\"int\"]"), FIELD("[\"null\",\"int\",\"string\"]"), NULL},
    {FIELD("[\"null\",\"int\",\"string\"]"), FIELD("[\"null\",\"int\"]"), "MISSING_UNION_BRANCH"},
    {LIST("L", ""), LIST("L", ""), NULL},
    {LIST("L", ""), LIST("L", ",{\"name\":\"x\",\"type\":\"int\"}"),
     "READER_FIELD_MISSING_DEFAULT_VALUE"},
};

Test(contracts, are_compared_by_the_rules_of_the_specification)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct avro_contract *writer = load(cases[i].writer);
        struct avro_contract *reader = load(cases[i].reader);
        struct differences differences = {0};
        avro_compare(writer, reader, &differences);
        const char *found =
            differences.n == 0 ? "none" : change_rule(differences.all[0].change)->name;
        cr_expect_str_eq(found, cases[i].rule == NULL ? "none" : cases[i].rule, "%s -> %s: %s",
                         cases[i].writer, cases[i].reader, found);
        differences_release(&differences);
        avro_contract_free(writer);
        avro_contract_free(reader);
    }
}
