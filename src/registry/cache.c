/* SPDX-License-Identifier: Apache-2.0
 *
 * The file is text, a line each:
 *     walpost registry cache 1
 *     registry http://registry:8081
 *     <key in hexadecimal> <id> <version>
 *     ...
 *     sha256 <checksum of all the lines above> */
#include "registry/cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

static const char first_line[] = "walpost registry cache 1\n";

/* Of a key or checksum, in hexadecimal. */
static const size_t DIGITS = SHA256_TEXT_SIZE - 1;

/* A line with an entry: key, two numbers, two spaces, newline. */
enum {
    LINE_MAX_SIZE = SHA256_TEXT_SIZE - 1 + 2 * 11 + 4,
    FILE_MAX = 8192 + CACHE_ENTRIES_MAX * 100
};

/* --- in memory --- */

static void add_text(struct sha256 *sha, const char *text)
{
    sha256_add(sha, text, strlen(text) + 1); /* the NUL keeps texts apart */
}

void cache_key(const char *subject, const struct registry_schema *schema,
               uint8_t key[static SHA256_SIZE])
{
    struct sha256 sha;
    sha256_init(&sha);
    add_text(&sha, subject);
    add_text(&sha, schema->type);
    add_text(&sha, schema->text);
    for (size_t i = 0; i < schema->n_references; i++) {
        char version[16];
        snprintf(version, sizeof(version), "%" PRId32, schema->references[i].version);
        add_text(&sha, schema->references[i].name);
        add_text(&sha, schema->references[i].subject);
        add_text(&sha, version);
    }
    sha256_end(&sha, key);
}

void cache_release(struct cache *cache)
{
    free(cache->entries);
    *cache = (struct cache){0};
}

const struct registry_found *cache_find(const struct cache *cache,
                                        const uint8_t key[static SHA256_SIZE])
{
    for (size_t i = 0; i < cache->count; i++) {
        if (memcmp(cache->entries[i].key, key, SHA256_SIZE) == 0) {
            return &cache->entries[i].found;
        }
    }
    return NULL;
}

static void drop(struct cache *cache, size_t i)
{
    memmove(cache->entries + i, cache->entries + i + 1,
            (cache->count - i - 1) * sizeof(cache->entries[0]));
    cache->count--;
}

void cache_add(struct cache *cache, const uint8_t key[static SHA256_SIZE],
               const struct registry_found *found)
{
    for (size_t i = 0; i < cache->count; i++) {
        if (memcmp(cache->entries[i].key, key, SHA256_SIZE) == 0) {
            drop(cache, i);
            break;
        }
    }
    if (cache->count == CACHE_ENTRIES_MAX) {
        drop(cache, 0);
    }
    cache->entries = must_realloc(cache->entries, (cache->count + 1) * sizeof(cache->entries[0]));
    struct cache_entry *entry = &cache->entries[cache->count++];
    memcpy(entry->key, key, SHA256_SIZE);
    entry->found = *found;
}

/* --- reading --- */

static bool read_key(const char *text, uint8_t key[static SHA256_SIZE])
{
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        unsigned value = 0;
        for (size_t j = 2 * i; j < 2 * i + 2; j++) {
            const char *digits = "0123456789abcdef";
            const char *digit = text[j] == '\0' ? NULL : strchr(digits, text[j]);
            if (digit == NULL) {
                return false;
            }
            value = value << 4 | (unsigned)(digit - digits);
        }
        key[i] = (uint8_t)value;
    }
    return true;
}

/* " 17\n": a number from 1 on, and what ends it. The rest, or NULL. */
static const char *read_number(const char *text, char end, int32_t *number)
{
    char *rest;
    if (*text < '1' || *text > '9') {
        return NULL;
    }
    errno = 0;
    long value = strtol(text, &rest, 10);
    if (errno != 0 || value > INT32_MAX || *rest != end) {
        return NULL;
    }
    *number = (int32_t)value;
    return rest + 1;
}

/* One entry; the next line, or NULL. */
static const char *read_entry(const char *line, struct cache_entry *entry)
{
    if (!read_key(line, entry->key) || line[DIGITS] != ' ') {
        return NULL;
    }
    const char *rest = read_number(line + DIGITS + 1, ' ', &entry->found.id);
    return rest == NULL ? NULL : read_number(rest, '\n', &entry->found.version);
}

static const char *behind(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* Is the last line the checksum of what is above? It becomes the end of the text. */
static bool checksum_is_right(char *text, size_t len)
{
    static const char name[] = "sha256 ";
    const size_t line_len = strlen(name) + DIGITS + 1;
    if (len < line_len || strlen(text) != len) {
        return false;
    }
    char *line = text + len - line_len;
    uint8_t digest[SHA256_SIZE];
    char expected[SHA256_TEXT_SIZE];
    struct sha256 sha;
    sha256_init(&sha);
    sha256_add(&sha, text, len - line_len);
    sha256_end(&sha, digest);
    sha256_text(digest, expected);
    const char *found = behind(line, name);
    if (found == NULL || strncmp(found, expected, DIGITS) != 0 || found[DIGITS] != '\n') {
        return false;
    }
    *line = '\0';
    return true;
}

/* The first entry, or NULL; *other: the file is of another registry. */
static const char *read_head(const char *text, const char *registry, bool *other)
{
    const char *rest = behind(text, first_line);
    rest = rest == NULL ? NULL : behind(rest, "registry ");
    if (rest == NULL) {
        return NULL;
    }
    const char *end = strchr(rest, '\n');
    *other = end == NULL || strlen(registry) != (size_t)(end - rest) ||
             strncmp(registry, rest, strlen(registry)) != 0;
    return *other ? NULL : end + 1;
}

static enum verdict take(struct cache *cache, char *text, size_t len, const char *file,
                         const char *registry, struct error *error)
{
    bool other = false;
    const char *line = checksum_is_right(text, len) ? read_head(text, registry, &other) : NULL;
    struct cache taken = {0};
    while (line != NULL && *line != '\0' && taken.count < CACHE_ENTRIES_MAX) {
        struct cache_entry entry;
        line = read_entry(line, &entry);
        if (line != NULL) {
            cache_add(&taken, entry.key, &entry.found);
        }
    }
    enum verdict verdict = OK;
    if (line == NULL) {
        verdict = other ? error_set(error, REJECT, "the cache %s is of another registry", file)
                        : error_set(error, REJECT, "the cache %s is damaged", file);
        error_remedy(error, "It is left out and written anew; what is in it is asked for "
                            "again.");
    }
    for (size_t i = 0; i < taken.count && verdict == OK; i++) {
        if (cache_find(cache, taken.entries[i].key) == NULL) {
            cache_add(cache, taken.entries[i].key, &taken.entries[i].found);
        }
    }
    cache_release(&taken);
    return verdict;
}

enum verdict cache_read(struct cache *cache, const char *file, const char *registry,
                        struct error *error)
{
    FILE *stream = fopen(file, "re");
    if (stream == NULL && errno == ENOENT) {
        return OK;
    }
    char *text = must_malloc(FILE_MAX + 1);
    size_t len = stream == NULL ? 0 : fread(text, 1, FILE_MAX, stream);
    int reason = errno;
    bool failed = stream == NULL || ferror(stream) != 0;
    enum verdict verdict = OK;
    if (failed) {
        error_set(error, RETRY, "the cache %s cannot be read: %s", file, strerror(reason));
        verdict = error_remedy(error, "contracts.registry.cache names a file that walpost may read "
                                      "and write.");
    } else {
        text[len] = '\0';
        verdict = take(cache, text, len, file, registry, error);
    }
    if (stream != NULL) {
        fclose(stream);
    }
    free(text);
    return verdict;
}

/* --- writing --- */

static void write_text(FILE *stream, struct sha256 *sha, const char *text)
{
    sha256_add(sha, text, strlen(text));
    fputs(text, stream);
}

static void write_all(FILE *stream, const struct cache *cache, const char *registry)
{
    struct sha256 sha;
    uint8_t digest[SHA256_SIZE];
    char text[SHA256_TEXT_SIZE];
    sha256_init(&sha);
    write_text(stream, &sha, first_line);
    write_text(stream, &sha, "registry ");
    write_text(stream, &sha, registry);
    write_text(stream, &sha, "\n");
    for (size_t i = 0; i < cache->count; i++) {
        char line[LINE_MAX_SIZE];
        sha256_text(cache->entries[i].key, text);
        snprintf(line, sizeof(line), "%s %" PRId32 " %" PRId32 "\n", text,
                 cache->entries[i].found.id, cache->entries[i].found.version);
        write_text(stream, &sha, line);
    }
    sha256_end(&sha, digest);
    sha256_text(digest, text);
    fprintf(stream, "sha256 %s\n", text);
}

/* A file of this process beside the other, then in its place. */
static bool replace(const struct cache *cache, const char *file, const char *registry)
{
    char *beside = must_printf("%s.%d", file, (int)getpid());
    unlink(beside); /* of a process that was killed */
    FILE *stream = fopen(beside, "wxe");
    bool good = stream != NULL;
    if (good) {
        write_all(stream, cache, registry);
        good = fflush(stream) == 0 && ferror(stream) == 0 && fsync(fileno(stream)) == 0;
        good = fclose(stream) == 0 && good;
        good = good && rename(beside, file) == 0;
    }
    int reason = errno;
    if (!good) {
        unlink(beside);
    }
    free(beside);
    errno = reason;
    return good;
}

enum verdict cache_write(struct cache *cache, const char *file, const char *registry,
                         struct error *error)
{
    enum verdict verdict = cache_read(cache, file, registry, error);
    if (verdict != OK && verdict != REJECT) { /* one that is damaged is replaced */
        return verdict;
    }
    if (replace(cache, file, registry)) {
        return OK;
    }
    error_set(error, RETRY, "the cache %s cannot be written: %m", file);
    return error_remedy(error, "Name a file in contracts.registry.cache whose folder walpost may "
                               "write; until then, what was looked up is asked for again after a "
                               "restart.");
}
