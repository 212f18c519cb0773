/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* --- requests --- */

static json_t *references_of(const struct registry_schema *schema)
{
    json_t *list = json_array();
    check(list != NULL);
    for (size_t i = 0; i < schema->n_references; i++) {
        const struct registry_reference *each = &schema->references[i];
        json_t *one = json_pack("{s:s, s:s, s:i}", "name", each->name, "subject", each->subject,
                                "version", (int)each->version);
        if (one == NULL || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

char *answer_write_schema(const struct registry_schema *schema)
{
    json_t *references = references_of(schema);
    if (references == NULL) {
        return NULL;
    }
    json_t *body = json_pack("{s:s, s:s, s:o}", "schemaType", schema->type, "schema", schema->text,
                             "references", references);
    if (body == NULL) {
        return NULL; /* json_pack has taken the references even so */
    }
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    check(text != NULL);
    return text;
}

char *answer_write_level(const char *level)
{
    json_t *body = json_pack("{s:s}", "compatibility", level);
    if (body == NULL) {
        return NULL;
    }
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    check(text != NULL);
    return text;
}

/* --- answers --- */

/* An object, or NULL. */
static json_t *object_of(const char *body)
{
    json_t *root = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

static bool number_of(const json_t *root, const char *name, int64_t least, int32_t *number)
{
    const json_t *member = json_object_get(root, name);
    json_int_t value = json_integer_value(member);
    if (!json_is_integer(member) || value < least || value > INT32_MAX) {
        return false;
    }
    *number = (int32_t)value;
    return true;
}

void answer_read_refusal(const char *body, long *error_code, char **message)
{
    *error_code = 0;
    *message = NULL;
    json_t *root = object_of(body);
    if (root == NULL) {
        return;
    }
    int32_t code;
    if (number_of(root, "error_code", 0, &code)) {
        *error_code = code;
    }
    const char *text = json_string_value(json_object_get(root, "message"));
    if (text != NULL) {
        *message = must_strdup(text);
    }
    json_decref(root);
}

bool answer_read_found(const char *body, int32_t *id, int32_t *version)
{
    json_t *root = object_of(body);
    int32_t found_id;
    int32_t found_version = 0;
    bool good = root != NULL && number_of(root, "id", 1, &found_id) &&
                (version == NULL || number_of(root, "version", 1, &found_version));
    json_decref(root);
    if (!good) {
        return false;
    }
    *id = found_id;
    if (version != NULL) {
        *version = found_version;
    }
    return true;
}

bool answer_read_text(const char *body, struct registry_text *text)
{
    json_t *root = object_of(body);
    const char *schema = json_string_value(json_object_get(root, "schema"));
    const json_t *type = json_object_get(root, "schemaType");
    bool good = schema != NULL && (type == NULL || json_is_string(type));
    if (good) {
        text->text = must_strdup(schema);
        text->type = must_strdup(type == NULL ? "AVRO" : json_string_value(type));
    }
    json_decref(root);
    return good;
}

bool answer_read_level(const char *body, char level[static REGISTRY_LEVEL_SIZE])
{
    json_t *root = object_of(body);
    const char *text = json_string_value(json_object_get(root, "compatibilityLevel"));
    if (text == NULL) {
        text = json_string_value(json_object_get(root, "compatibility"));
    }
    bool good = text != NULL && text[0] != '\0' && strlen(text) < REGISTRY_LEVEL_SIZE &&
                strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(text);
    if (good) {
        snprintf(level, REGISTRY_LEVEL_SIZE, "%s", text);
    }
    json_decref(root);
    return good;
}

/* Confluent lists messages, Apicurio has one reason. */
static char *words_of(const json_t *root)
{
    const char *reason = json_string_value(json_object_get(root, "reason"));
    if (reason != NULL) {
        return must_strdup(reason);
    }
    const json_t *messages = json_object_get(root, "messages");
    char *words = NULL;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const char *message = json_string_value(json_array_get(messages, i));
        if (message != NULL) {
            char *longer = must_printf("%s%s%s", words == NULL ? "" : words,
                                       words == NULL ? "" : "; ", message);
            free(words);
            words = longer;
        }
    }
    return words;
}

bool answer_read_compatible(const char *body, bool *compatible, char **words)
{
    json_t *root = object_of(body);
    const json_t *verdict = json_object_get(root, "is_compatible");
    bool good = json_is_boolean(verdict);
    if (good) {
        *compatible = json_is_true(verdict);
        *words = *compatible ? NULL : words_of(root);
    }
    json_decref(root);
    return good;
}
