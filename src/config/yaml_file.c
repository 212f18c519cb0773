/* SPDX-License-Identifier: Apache-2.0
 *
 * The YAML file becomes settings. The only home of libyaml. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/check.h"
#include "config/settings.h"

enum { FILE_SIZE_MAX = 1024 * 1024 };

/* And NUL, which ends it. */
static const char control_characters[] =
    "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17"
    "\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f";

struct text {
    char *data;
    size_t size;
};

struct reading {
    struct settings *settings;
    const char *file;
    yaml_document_t *document;
    struct error *error;
};

static enum verdict read_whole(const char *file, struct text *text, struct error *error)
{
    FILE *stream = fopen(file, "re");
    if (stream == NULL) {
        error_set(error, INVALID, "%s cannot be read: %s", file, strerror(errno));
        return error_remedy(error, "Name a file with -c FILE that you may read.");
    }
    text->data = must_malloc(FILE_SIZE_MAX + 1);
    text->size = fread(text->data, 1, FILE_SIZE_MAX + 1, stream);
    bool failed = ferror(stream) != 0;
    int reason = errno;
    fclose(stream);
    if (failed) {
        error_set(error, INVALID, "%s cannot be read: %s", file, strerror(reason));
        return error_remedy(error, "Name a file with -c FILE, not a directory.");
    }
    if (text->size > FILE_SIZE_MAX) {
        error_set(error, INVALID, "%s is larger than 1 MB, so it is no configuration", file);
        return error_remedy(error, "Name walpost's own YAML file with -c FILE.");
    }
    return OK;
}

static size_t line_of(const struct text *text, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset && i < text->size; i++) {
        line += text->data[i] == '\n' ? 1 : 0;
    }
    return line;
}

static enum verdict bad_byte(const char *file, const struct text *text, size_t offset,
                             const char *what, struct error *error)
{
    error_set(error, INVALID, "%s:%zu: %s", file, line_of(text, offset), what);
    return error_remedy(error, "Save the file as plain UTF-8 text.");
}

/* What libyaml says, with the place. */
static enum verdict bad_yaml(const char *file, const struct text *text, const yaml_parser_t *parser,
                             struct error *error)
{
    if (parser->error == YAML_READER_ERROR) {
        return bad_byte(file, text, parser->problem_offset,
                        "a byte that is no UTF-8 text stands here", error);
    }
    const yaml_mark_t *mark = &parser->problem_mark;
    error_set(error, INVALID, "%s:%zu:%zu: this is no YAML: %s", file, mark->line + 1,
              mark->column + 1, parser->problem == NULL ? "out of memory" : parser->problem);
    if (mark->index < text->size && text->data[mark->index] == '\t') {
        return error_remedy(error, "A tab stands there; YAML is indented with spaces.");
    }
    return error_remedy(error,
                        "Look at this line and the one above: indentation, a missing \": \", "
                        "quotes that are not closed, a value that begins with { [ * & %% @ "
                        "and needs quotes.");
}

static enum verdict walk_map(struct reading *reading, const yaml_node_t *map, const char *path);

static bool is_scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE;
}

/* "key:" with nothing behind it, or a plain ~ or null. */
static bool is_nothing(const yaml_node_t *node)
{
    const char *value = (const char *)node->data.scalar.value;
    return is_scalar(node) && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (value[0] == '\0' || strcmp(value, "~") == 0 || strcmp(value, "null") == 0);
}

static enum verdict nul_inside(struct reading *reading, const char *where)
{
    error_set(reading->error, INVALID, "%s: a NUL character stands here", where);
    return error_remedy(reading->error, "Remove the \\0 from the text.");
}

/* A map or list where one value belongs. {aggregate_id} without quotes is such a map. */
static enum verdict not_a_value(struct reading *reading, const struct option *option,
                                const yaml_node_t *node, const char *path, const char *where)
{
    bool map = node->type == YAML_MAPPING_NODE;
    error_set(reading->error, INVALID, "%s: %s is a %s here, where one value belongs", where, path,
              map ? "map" : "list");
    if (!map) {
        return error_remedy(reading->error, "Write one text; several parts are separated by "
                                            "commas in it: \"a,b\".");
    }
    if (node->data.mapping.style == YAML_FLOW_MAPPING_STYLE &&
        node->data.mapping.pairs.top - node->data.mapping.pairs.start == 1) {
        const yaml_node_t *key =
            yaml_document_get_node(reading->document, node->data.mapping.pairs.start->key);
        const yaml_node_t *value =
            yaml_document_get_node(reading->document, node->data.mapping.pairs.start->value);
        if (is_scalar(key) && is_nothing(value)) {
            return error_remedy(reading->error,
                                "A value that begins with { needs quotes: \"{%s}\".",
                                (const char *)key->data.scalar.value);
        }
    }
    if (option->type == OPTION_PAIRS) {
        return error_remedy(reading->error,
                            "Names keep their dots: write %s.NAME as one key, "
                            "without a map in the map.",
                            path + strlen(option->path) + 1);
    }
    char allowed[256];
    option_describe(option, allowed, sizeof(allowed));
    return error_remedy(reading->error, "Allowed is %s.", allowed);
}

static enum verdict read_value(struct reading *reading, const struct option *option,
                               const yaml_node_t *node, const char *path, const char *where)
{
    if (!is_scalar(node)) {
        return not_a_value(reading, option, node, path, where);
    }
    const char *value = (const char *)node->data.scalar.value;
    if (strlen(value) != node->data.scalar.length) {
        return nul_inside(reading, where);
    }
    if (is_nothing(node)) {
        error_set(reading->error, INVALID, "%s: %s has no value", where, path);
        return option->fallback == NULL
                   ? error_remedy(reading->error, "Write a value behind the colon.")
                   : error_remedy(reading->error,
                                  "Write a value, or remove the key: then it is %s.",
                                  option->fallback);
    }
    return settings_add(reading->settings, path, value, where, true, reading->error);
}

static enum verdict read_section(struct reading *reading, const yaml_node_t *node, const char *path,
                                 const char *where)
{
    if (node->type == YAML_MAPPING_NODE) {
        return walk_map(reading, node, path);
    }
    if (is_nothing(node)) {
        return OK; /* every key below it is commented out */
    }
    char shown[64];
    if (is_scalar(node)) {
        error_set(reading->error, INVALID, "%s: %s is \"%s\" here, where a map of keys belongs",
                  where, path, option_shown((const char *)node->data.scalar.value, shown));
    } else {
        error_set(reading->error, INVALID, "%s: %s is a list here, where a map of keys belongs",
                  where, path);
    }
    return error_remedy(reading->error,
                        "Write its keys below it, indented; `walpost help config` shows them.");
}

static enum verdict read_pair(struct reading *reading, const yaml_node_t *node, const char *path,
                              const char *where)
{
    const char *name;
    const struct option *option = option_find(path, &name);
    if (option != NULL && option->type == OPTION_LATER) {
        return setting_later(path, where, reading->error);
    }
    if (option_in_section(path) != NULL ||
        (option != NULL && option->type == OPTION_PAIRS && !name)) {
        return read_section(reading, node, path, where);
    }
    if (option == NULL) {
        return setting_unknown(path, where, reading->error);
    }
    return read_value(reading, option, node, path, where);
}

/* The line where this map has the key already, or 0. */
static size_t seen_above(const struct reading *reading, const yaml_node_t *map,
                         const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
    for (const yaml_node_pair_t *above = map->data.mapping.pairs.start; above < pair; above++) {
        const yaml_node_t *other = yaml_document_get_node(reading->document, above->key);
        if (strcmp((const char *)other->data.scalar.value, (const char *)key->data.scalar.value) ==
            0) {
            return other->start_mark.line + 1;
        }
    }
    return 0;
}

static enum verdict walk_pair(struct reading *reading, const yaml_node_t *map,
                              const yaml_node_pair_t *pair, const char *path)
{
    const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
    char *where = must_printf("%s:%zu", reading->file, key->start_mark.line + 1);
    char *full = NULL;
    enum verdict verdict;
    const char *text = is_scalar(key) ? (const char *)key->data.scalar.value : "";
    if (!is_scalar(key) || text[0] == '\0') {
        error_set(reading->error, INVALID, "%s: a key is missing here", where);
        verdict = error_remedy(reading->error, "Write \"key: value\".");
    } else if (strcspn(text, control_characters) != key->data.scalar.length) {
        error_set(reading->error, INVALID, "%s: a key has a control character in it", where);
        verdict = error_remedy(reading->error, "Write keys as plain text.");
    } else {
        full = must_printf("%s%s%s", path, path[0] == '\0' ? "" : ".", text);
        size_t line = seen_above(reading, map, pair);
        if (line != 0) {
            error_set(reading->error, INVALID, "%s: %s is there twice, first at %s:%zu", where,
                      full, reading->file, line);
            verdict = error_remedy(reading->error, "Remove one of the two.");
        } else {
            verdict = read_pair(reading, yaml_document_get_node(reading->document, pair->value),
                                full, where);
        }
    }
    free(full);
    free(where);
    return verdict;
}

/* The table bounds the depth: below a key that it has not, nothing is walked. */
static enum verdict walk_map(struct reading *reading, const yaml_node_t *map, const char *path)
{
    enum verdict verdict = OK;
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top && verdict == OK; pair++) {
        verdict = walk_pair(reading, map, pair, path);
    }
    return verdict;
}

static enum verdict walk_document(struct reading *reading)
{
    const yaml_node_t *root = yaml_document_get_root_node(reading->document);
    if (root == NULL || is_nothing(root)) {
        return OK; /* an empty file */
    }
    if (root->type != YAML_MAPPING_NODE) {
        error_set(reading->error, INVALID, "%s:%zu: the file is no map of keys", reading->file,
                  root->start_mark.line + 1);
        return error_remedy(reading->error, "Begin with a line such as \"stream: orders\".");
    }
    return walk_map(reading, root, "");
}

static enum verdict parse(struct settings *settings, const char *file, const struct text *text,
                          struct error *error)
{
    yaml_parser_t parser;
    check(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text->data, text->size);
    yaml_document_t document;
    if (yaml_parser_load(&parser, &document) != 1) {
        enum verdict verdict = bad_yaml(file, text, &parser, error);
        yaml_parser_delete(&parser);
        return verdict;
    }
    struct reading reading = {settings, file, &document, error};
    enum verdict verdict = walk_document(&reading);
    yaml_document_delete(&document);
    if (verdict == OK && yaml_parser_load(&parser, &document) != 1) {
        verdict = bad_yaml(file, text, &parser, error);
    } else if (verdict == OK) {
        const yaml_node_t *second = yaml_document_get_root_node(&document);
        if (second != NULL) {
            error_set(error, INVALID, "%s:%zu: a second document begins here", file,
                      second->start_mark.line + 1);
            verdict = error_remedy(error, "Remove the \"---\": one file configures one stream.");
        }
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return verdict;
}

enum verdict settings_read_file(struct settings *settings, const char *file, struct error *error)
{
    struct text text = {NULL, 0};
    enum verdict verdict = read_whole(file, &text, error);
    if (verdict == OK) {
        check(text.data != NULL);
        const char *nul = memchr(text.data, '\0', text.size);
        verdict = nul != NULL ? bad_byte(file, &text, (size_t)(nul - text.data),
                                         "a NUL byte stands here", error)
                              : parse(settings, file, &text, error);
    }
    free(text.data);
    return verdict;
}
