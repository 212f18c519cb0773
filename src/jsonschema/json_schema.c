/* SPDX-License-Identifier: Apache-2.0 */
#include "jsonschema/json_schema.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/check.h"
#include "contract/scan.h"
#include "contract/transcode.h"
#include "jsonschema/seam.h"

struct json_schema {
    struct seam *seam;
    struct arena arena;
    const struct tree *root;
    char *title;
};

/* A name that other programs can use: letters, digits, dots and their like. */
static char *plain_title(const struct tree *root)
{
    const struct tree *title = tree_get(root, "title");
    if (!tree_is_kind(title, TREE_STRING) || title->text.len == 0) {
        return NULL;
    }
    for (size_t i = 0; i < title->text.len; i++) {
        char at = title->text.data[i];
        if (!isalnum((unsigned char)at) && strchr("._-", at) == NULL) {
            return NULL;
        }
    }
    return must_printf("%.*s", (int)title->text.len, title->text.data);
}

static enum verdict load(struct json_schema *schema, struct bytes text, struct error *error)
{
    char complaint[SEAM_COMPLAINT_SIZE];
    text = arena_copy(&schema->arena, text);
    enum verdict verdict = tree_parse(&schema->arena, text, &schema->root, error);
    if (verdict == OK) {
        verdict = json_schema_vet(schema->root, error);
    }
    if (verdict == OK && !seam_compile(text.data, text.len, &schema->seam, complaint)) {
        verdict = error_set(error, INVALID, "it is no JSON Schema: %s", complaint);
    }
    if (verdict == OK) {
        schema->title = plain_title(schema->root);
    }
    return verdict;
}

enum verdict json_schema_load(struct bytes text, struct json_schema **loaded, struct error *error)
{
    struct json_schema *schema = must_calloc(1, sizeof(*schema));
    enum verdict verdict = load(schema, text, error);
    if (verdict != OK) {
        json_schema_free(schema);
        return verdict;
    }
    *loaded = schema;
    return OK;
}

void json_schema_free(struct json_schema *schema)
{
    if (schema != NULL) {
        seam_free(schema->seam);
        arena_release(&schema->arena);
        free(schema->title);
        free(schema);
    }
}

const char *json_schema_title(const struct json_schema *schema)
{
    return schema->title;
}

unsigned json_schema_properties(const struct json_schema *schema)
{
    const struct tree *properties = tree_get(schema->root, "properties");
    return properties == NULL ? 0 : properties->count;
}

const struct tree *json_schema_root(const struct json_schema *schema)
{
    return schema->root;
}

/* --- what does not hold ----------------------------------------------------------------------- */

static enum verdict reject_scan(struct violation *violation, struct bytes payload,
                                const struct scan_failure *failure)
{
    violation_of_scan(violation, (size_t)(failure->at - payload.data), failure);
    return REJECT;
}

static const enum violation_kind kinds[] = {
    [SEAM_TYPE] = VIOLATION_TYPE,
    [SEAM_RANGE] = VIOLATION_RANGE,
    [SEAM_FORMAT] = VIOLATION_FORMAT,
    [SEAM_ENUM] = VIOLATION_ENUM,
    [SEAM_UNKNOWN_FIELD] = VIOLATION_UNKNOWN_FIELD,
    [SEAM_MISSING_FIELD] = VIOLATION_MISSING_FIELD,
    [SEAM_DUPLICATE] = VIOLATION_DUPLICATE,
    [SEAM_RULE] = VIOLATION_RULE,
    [SEAM_NAME_TWICE] = VIOLATION_DUPLICATE,
    [SEAM_NAME_TOO_LONG] = VIOLATION_SIZE,
    [SEAM_NUMBER_TOO_LARGE] = VIOLATION_RANGE,
    [SEAM_UNREADABLE] = VIOLATION_JSON,
    [SEAM_FAILED] = VIOLATION_RULE,
};

static const char *const expectations[] = {
    [SEAM_NAME_TWICE] = "every name once",
    [SEAM_NAME_TOO_LONG] = "names of at most 512 bytes, where the contract has patternProperties",
    [SEAM_NUMBER_TOO_LARGE] = "a number that a double can hold",
    [SEAM_UNREADABLE] = "JSON",
    [SEAM_FAILED] = "a payload that the library can judge",
};

/* A step of a path: a name, or an index. */
struct step {
    struct bytes name;
    size_t index;
    bool is_index;
};

enum { STEPS_MAX = SEAM_PATH_SIZE };

/* The element or member that a part of the path names; NULL: it is not there. The payload is known
 * to be JSON. */
static const char *step_into(const char *at, const char *end, const char *part, struct step *step)
{
    struct output scratch;
    struct scan_failure failure;
    step->is_index = *at == '[';
    step->index = step->is_index ? strtoul(part, NULL, 10) : 0;
    step->name = bytes_of(part);
    if (*at != '{' && *at != '[') {
        return NULL;
    }
    char close = *at == '{' ? '}' : ']';
    const char *found = NULL;
    output_init(&scratch);
    at = skip_space(at + 1, end);
    for (size_t i = 0; *at != close && found == NULL; i++) {
        struct bytes name = BYTES_NULL;
        if (close == '}') {
            at = scan_text(at + 1, end, &scratch, &name, &failure);
            at = skip_space(skip_space(at, end) + 1, end);
        }
        if (step->is_index ? i == step->index : bytes_equal(name, step->name)) {
            found = at;
        }
        at = skip_space(scan_value(at, end, NESTING_MAX, &failure), end);
        at = *at == ',' ? skip_space(at + 1, end) : at;
    }
    output_release(&scratch);
    return found;
}

static void reject_found(struct violation *violation, struct bytes payload,
                         enum seam_outcome outcome, const struct seam_finding *finding)
{
    const char *end = payload.data + payload.len;
    const char *at = skip_space(payload.data, end);
    const char *part = finding->path;
    struct step *steps = must_calloc(finding->n_parts + 1, sizeof(*steps));
    size_t n = 0;
    for (; n < finding->n_parts && at != NULL; n++, part += strlen(part) + 1) {
        at = step_into(at, end, part, &steps[n]);
    }
    const char *expected = finding->expected[0] == '\0' ? expectations[outcome] : finding->expected;
    violation_set(violation, kinds[outcome], at == NULL ? 0 : (size_t)(at - payload.data), "%s",
                  expected);
    if (outcome == SEAM_MISSING_FIELD || at == NULL) {
        violation_found(violation, "none");
    } else if (outcome == SEAM_NAME_TWICE) {
        violation_found(violation, "it twice");
    } else {
        violation_found_json(violation, (struct bytes){at, (size_t)(end - at)});
    }
    while (n-- > 0) {
        if (steps[n].is_index) {
            violation_inside_element(violation, steps[n].index);
        } else {
            violation_inside_field(violation, steps[n].name);
        }
    }
    free(steps);
}

enum verdict json_schema_check(const struct json_schema *schema, struct bytes payload,
                               struct violation *violation)
{
    const char *end = payload.data + payload.len;
    struct scan_failure failure;
    const char *at = scan_value(payload.data, end, NESTING_MAX, &failure);
    if (at == NULL) {
        return reject_scan(violation, payload, &failure);
    }
    at = skip_space(at, end);
    if (at != end) {
        violation_set(violation, VIOLATION_JSON, (size_t)(at - payload.data),
                      "the end of the payload");
        violation_found_json(violation, (struct bytes){at, (size_t)(end - at)});
        return REJECT;
    }
    struct seam_finding finding;
    enum seam_outcome outcome = seam_check(schema->seam, payload.data, payload.len, &finding);
    if (outcome == SEAM_VALID) {
        return OK;
    }
    reject_found(violation, payload, outcome, &finding);
    return REJECT;
}
