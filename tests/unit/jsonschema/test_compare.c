/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of a schema, with the rule that each one breaks, in both directions. */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "jsonschema/json_schema.h"

#define F(of)      "{\"properties\":{\"f\":" of "}}"
#define CLOSED(of) "{\"properties\":{" of "},\"additionalProperties\":false}"

/* What the reader says about the writer's events; NULL: it reads all. */
static const struct {
    const char *older;
    const char *newer;
    const char *backward; /* the newer reads the older */
    const char *forward;
} cases[] = {
    {F("{\"type\":\"integer\"}"), F("{ \"type\" : \"integer\" }"), NULL, NULL},
    {F("{\"type\":\"integer\"}"), F("{\"type\":\"number\"}"), NULL, "TYPE_NARROWED"},
    {F("{\"type\":\"integer\"}"), F("{\"type\":\"string\"}"), "TYPE_NARROWED", "TYPE_NARROWED"},
    {F("{\"type\":\"string\"}"), F("{\"type\":[\"string\",\"null\"]}"), NULL, "TYPE_NARROWED"},
    {F("{\"type\":\"string\"}"), F("{}"), NULL, "TYPE_NARROWED"},
    {F("{\"type\":\"string\"}"), F("false"), "TYPE_NARROWED", NULL},
    {F("{\"enum\":[\"a\",\"b\"]}"), F("{\"enum\":[\"b\",\"a\",\"c\"]}"), NULL,
     "ENUM_ARRAY_NARROWED"},
    {F("{\"const\":\"a\"}"), F("{\"enum\":[\"b\",\"a\"]}"), NULL, "ENUM_ARRAY_NARROWED"},
    {F("{\"type\":\"string\"}"), F("{\"type\":\"string\",\"enum\":[\"a\"]}"), "ENUM_ARRAY_ADDED",
     NULL},
    {F("{\"minimum\":1}"), F("{\"minimum\":0}"), NULL, "MINIMUM_INCREASED"},
    {F("{\"minimum\":1}"), F("{\"exclusiveMinimum\":1}"), "MINIMUM_INCREASED", NULL},
    {F("{\"minimum\":1}"), F("{\"exclusiveMinimum\":0}"), NULL, "MINIMUM_INCREASED"},
    {F("{}"), F("{\"maximum\":1}"), "MAXIMUM_ADDED", NULL},
    {F("{\"maximum\":2}"), F("{\"maximum\":1.5}"), "MAXIMUM_DECREASED", NULL},
    {F("{\"minLength\":0}"), F("{}"), NULL, NULL},
    {F("{\"minLength\":1}"), F("{\"minLength\":2}"), "MIN_LENGTH_INCREASED", NULL},
    {F("{\"maxLength\":10}"), F("{}"), NULL, "MAX_LENGTH_ADDED"},
    {F("{\"pattern\":\"^a\"}"), F("{\"pattern\":\"^b\"}"), "PATTERN_CHANGED", "PATTERN_CHANGED"},
    {F("{\"format\":\"date\"}"), F("{}"), NULL, "FORMAT_CHANGED"},
    {F("{\"multipleOf\":10}"), F("{\"multipleOf\":5}"), NULL, "MULTIPLE_OF_CHANGED"},
    {F("{\"uniqueItems\":true}"), F("{}"), NULL, "UNIQUE_ITEMS_ADDED"},
    {F("{\"items\":{\"type\":\"integer\"}}"), F("{\"items\":{\"type\":\"number\"}}"), NULL,
     "TYPE_NARROWED"},
    {F("{\"maxItems\":1}"), F("{\"maxItems\":2}"), NULL, "MAX_ITEMS_DECREASED"},
    {"{\"required\":[\"a\"]}", "{\"required\":[\"a\",\"b\"]}", "REQUIRED_PROPERTY_ADDED", NULL},
    {"{}", F("{\"type\":\"string\"}"), "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", NULL},
    {"{}", F("{}"), NULL, NULL},
    {CLOSED(""), CLOSED("\"f\":{\"type\":\"string\"}"), NULL,
     "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"},
    {F("{}"), CLOSED("\"f\":{}"), "ADDITIONAL_PROPERTIES_REMOVED", NULL},
    {"{\"additionalProperties\":{\"type\":\"integer\"}}",
     "{\"additionalProperties\":{\"type\":\"number\"}}", NULL, "TYPE_NARROWED"},
    {"{\"additionalProperties\":{\"type\":\"integer\"}}",
     "{\"additionalProperties\":{\"type\":\"integer\"},\"properties\":{\"f\":{\"type\":\"string\"}}"
     "}",
     "TYPE_NARROWED", "TYPE_NARROWED"},
    {F("{\"type\":\"string\"}"), F("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}"), NULL,
     "TYPE_NARROWED"},
    {F("{\"oneOf\":[{\"type\":\"string\"}]}"),
     F("{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}"), NULL,
     "COMBINED_TYPE_SUBSCHEMAS_CHANGED"},
    {F("{\"type\":\"integer\"}"), F("{\"anyOf\":[{\"type\":\"string\"}]}"), "COMBINED_TYPE_CHANGED",
     "TYPE_NARROWED"},
    {F("{\"type\":\"string\"}"), F("{\"allOf\":[{\"type\":\"string\"},{\"maxLength\":3}]}"),
     "MAX_LENGTH_ADDED", NULL},
    {F("{\"not\":{\"type\":\"string\"}}"), F("{}"), NULL, "NOT_JUDGED"},
    {"{\"definitions\":{\"t\":{\"type\":\"integer\"}},\"properties\":{\"f\":{\"$ref\":\"#/"
     "definitions/t\"}}}",
     F("{\"type\":\"integer\"}"), NULL, NULL},
    {"{\"properties\":{\"n\":{\"$ref\":\"#\"},\"v\":{\"type\":\"integer\"}}}",
     "{\"properties\":{\"n\":{\"$ref\":\"#\"},\"v\":{\"type\":\"number\"}}}", NULL,
     "TYPE_NARROWED"},
};

static struct json_schema *load(const char *text)
{
    struct json_schema *schema;
    struct error error = {0};
    cr_assert(json_schema_load(bytes_of(text), &schema, &error) == OK, "%s: %s", text, error.what);
    return schema;
}

static void expect(const char *writer_text, const char *reader_text, const char *rule)
{
    struct json_schema *writer = load(writer_text);
    struct json_schema *reader = load(reader_text);
    struct differences differences = {0};
    json_schema_compare(writer, reader, &differences);
    const char *found = differences.n == 0 ? "none" : change_rule(differences.all[0].change)->name;
    cr_expect_str_eq(found, rule == NULL ? "none" : rule, "%s -> %s: %s", writer_text, reader_text,
                     found);
    differences_release(&differences);
    json_schema_free(writer);
    json_schema_free(reader);
}

Test(compare, every_change_in_both_directions)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        expect(cases[i].older, cases[i].newer, cases[i].backward);
        expect(cases[i].newer, cases[i].older, cases[i].forward);
    }
}

Test(compare, says_where)
{
    struct json_schema *writer =
        load("{\n\"properties\":{\"a\":{\"items\":\n{\"type\":\"integer\"}}}}");
    struct json_schema *reader =
        load("{\n\"properties\":{\"a\":{\"items\":\n{\"type\":\"null\"}}}}");
    struct differences differences = {0};
    json_schema_compare(writer, reader, &differences);
    cr_assert(differences.n == 1);
    cr_expect_str_eq(differences.all[0].subject, "a[]");
    cr_expect(differences.all[0].line == 3);
    cr_expect_str_eq(differences.all[0].detail, "integer");
    differences_release(&differences);
    json_schema_free(writer);
    json_schema_free(reader);
}
