/* SPDX-License-Identifier: Apache-2.0
 *
 * cache.h - what was looked up: the fingerprint of a subject and a schema -> id and version.
 * In: entries. Out: entries, of this process and of those before; a file.
 * Owns: its entries in memory.
 * Thread: one at a time; the caller sees to that.
 * Keeps: the file is replaced as a whole or not at all, and counts only when its checksum is right
 *        and it is of the same registry. At most CACHE_ENTRIES_MAX entries. */
#ifndef WALPOST_REGISTRY_CACHE_H
#define WALPOST_REGISTRY_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"
#include "registry/registry.h"

enum { CACHE_ENTRIES_MAX = 16384 };

struct cache_entry {
    uint8_t key[SHA256_SIZE];
    struct registry_found found;
};

struct cache {
    struct cache_entry *entries; /* the oldest first */
    size_t count;
};

void cache_key(const char *subject, const struct registry_schema *schema,
               uint8_t key[static SHA256_SIZE]);

void cache_release(struct cache *cache);
/* NULL: not there. */
const struct registry_found *cache_find(const struct cache *cache,
                                        const uint8_t key[static SHA256_SIZE]);
/* What was there under this key is replaced; when it is full, the oldest goes. */
void cache_add(struct cache *cache, const uint8_t key[static SHA256_SIZE],
               const struct registry_found *found);

/* Adds what the file holds and the memory has not. No file is an empty one. RETRY: it cannot be
 * read. REJECT: it is damaged, or of another registry: nothing of it counts. */
enum verdict MUST_CHECK cache_read(struct cache *cache, const char *file, const char *registry,
                                   struct error *error);
/* Replaces the file, keeping what another process added to it. RETRY: it cannot be written. */
enum verdict MUST_CHECK cache_write(struct cache *cache, const char *file, const char *registry,
                                    struct error *error);

#endif
