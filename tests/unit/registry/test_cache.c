/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/cache.h"

static const char home[] = "http://registry:8081";

/* Every test has a process of its own, and so a folder of its own. */
static void in_a_new_folder(void)
{
    char folder[] = "/tmp/walpost-cache-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
    char folder[256];
    cr_assert_not_null(getcwd(folder, sizeof(folder)));
    (void)unlink("cache");
    cr_assert_eq(rmdir(folder), 0, "something else was left in %s", folder);
}

TestSuite(cache, .init = in_a_new_folder, .fini = leave_folder);

static void key_of(const char *subject, const char *text, uint8_t key[static SHA256_SIZE])
{
    struct registry_schema schema = {"PROTOBUF", text, NULL, 0};
    cache_key(subject, &schema, key);
}

static void add(struct cache *cache, const char *subject, int32_t id)
{
    uint8_t key[SHA256_SIZE];
    key_of(subject, "text", key);
    cache_add(cache, key, &(struct registry_found){id, id + 1});
}

static int32_t id_of(const struct cache *cache, const char *subject)
{
    uint8_t key[SHA256_SIZE];
    key_of(subject, "text", key);
    const struct registry_found *found = cache_find(cache, key);
    cr_expect(found == NULL || found->version == found->id + 1);
    return found == NULL ? 0 : found->id;
}

static size_t read_file(char *text, size_t size)
{
    FILE *file = fopen("cache", "re");
    cr_assert_not_null(file);
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    fclose(file);
    return len;
}

static void write_file(const char *text, size_t len)
{
    FILE *file = fopen("cache", "we");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, len, file), len);
    fclose(file);
}

static enum verdict read_again(struct cache *cache, const char *registry, struct error *error)
{
    *cache = (struct cache){0};
    return cache_read(cache, "cache", registry, error);
}

Test(cache, outlives_the_process)
{
    struct cache cache = {0};
    struct error error;
    cr_assert_eq(cache_read(&cache, "cache", home, &error), OK); /* none yet */
    add(&cache, "a", 1);
    add(&cache, "b", 2147483646);
    cr_assert_eq(cache_write(&cache, "cache", home, &error), OK, "%s", error.what);
    cache_release(&cache);
    cr_assert_eq(read_again(&cache, home, &error), OK, "%s", error.what);
    cr_expect_eq(id_of(&cache, "a"), 1);
    cr_expect_eq(id_of(&cache, "b"), 2147483646);
    cr_expect_eq(id_of(&cache, "c"), 0);
    cache_release(&cache);
}

Test(cache, keeps_what_another_process_wrote)
{
    struct cache first = {0};
    struct cache second = {0};
    struct error error;
    add(&first, "a", 1);
    add(&second, "b", 2);
    cr_assert_eq(cache_write(&first, "cache", home, &error), OK);
    cr_assert_eq(cache_write(&second, "cache", home, &error), OK);
    cache_release(&first);
    cr_assert_eq(read_again(&first, home, &error), OK);
    cr_expect_eq(id_of(&first, "a"), 1);
    cr_expect_eq(id_of(&first, "b"), 2);
    cache_release(&first);
    cache_release(&second);
}

Test(cache, any_damage_is_found)
{
    struct cache cache = {0};
    struct error error;
    static char text[4096];
    static char damaged[4096];
    add(&cache, "a", 1);
    add(&cache, "b", 2);
    cr_assert_eq(cache_write(&cache, "cache", home, &error), OK);
    cache_release(&cache);
    size_t len = read_file(text, sizeof(text));
    for (size_t i = 0; i < len; i++) {
        memcpy(damaged, text, len);
        damaged[i] ^= 1; /* one bit, anywhere */
        write_file(damaged, len);
        cr_expect_eq(read_again(&cache, home, &error), REJECT, "byte %zu", i);
        cr_expect_eq(cache.count, 0);
        write_file(text, i); /* cut, anywhere */
        cr_expect_eq(read_again(&cache, home, &error), REJECT, "cut to %zu", i);
        cr_expect_eq(cache.count, 0);
    }
    cr_expect_str_eq(error.what, "the cache cache is damaged");
    write_file(text, len);
    cr_expect_eq(read_again(&cache, home, &error), OK);
    cr_expect_eq(cache.count, 2);
    cache_release(&cache);
}

Test(cache, is_of_one_registry)
{
    struct cache cache = {0};
    struct error error;
    add(&cache, "a", 1);
    cr_assert_eq(cache_write(&cache, "cache", home, &error), OK);
    cache_release(&cache);
    cr_expect_eq(read_again(&cache, "http://registry:808", &error), REJECT);
    cr_expect_str_eq(error.what, "the cache cache is of another registry");
    cr_expect_eq(cache.count, 0);
    add(&cache, "b", 2); /* and is replaced by what that one says */
    cr_assert_eq(cache_write(&cache, "cache", "http://other", &error), OK);
    cache_release(&cache);
    cr_expect_eq(read_again(&cache, "http://other", &error), OK);
    cr_expect_eq(id_of(&cache, "a"), 0);
    cr_expect_eq(id_of(&cache, "b"), 2);
    cache_release(&cache);
}

Test(cache, a_file_that_cannot_be_written_stays_as_it_was)
{
    struct cache cache = {0};
    struct error error;
    add(&cache, "a", 1);
    cr_expect_eq(cache_write(&cache, "nowhere/cache", home, &error), RETRY);
    cr_expect_str_eq(error.what,
                     "the cache nowhere/cache cannot be written: No such file or directory");
    cr_assert_eq(mkdir("cache", 0755), 0);
    cr_expect_eq(cache_write(&cache, "cache", home, &error), RETRY);
    cr_assert_eq(rmdir("cache"), 0);
    cache_release(&cache);
}

Test(cache, the_oldest_goes_when_it_is_full)
{
    struct cache cache = {0};
    char subject[32];
    for (int32_t i = 1; i <= CACHE_ENTRIES_MAX; i++) {
        uint8_t key[SHA256_SIZE] = {0};
        memcpy(key, &i, sizeof(i));
        if (cache.count < 2 || i > CACHE_ENTRIES_MAX - 2) {
            snprintf(subject, sizeof(subject), "%d", i);
            add(&cache, subject, i);
        } else { /* adding looks for the key among all before: the middle is filled at once */
            cache.entries = realloc(cache.entries, CACHE_ENTRIES_MAX * sizeof(cache.entries[0]));
            memcpy(cache.entries[cache.count].key, key, SHA256_SIZE);
            cache.entries[cache.count++].found = (struct registry_found){i, i};
        }
    }
    cr_assert_eq(cache.count, CACHE_ENTRIES_MAX);
    add(&cache, "new", 77);
    cr_expect_eq(cache.count, CACHE_ENTRIES_MAX);
    cr_expect_eq(id_of(&cache, "1"), 0);
    cr_expect_eq(id_of(&cache, "2"), 2);
    cr_expect_eq(id_of(&cache, "new"), 77);
    add(&cache, "2", 78);
    cr_expect_eq(cache.count, CACHE_ENTRIES_MAX);
    cr_expect_eq(id_of(&cache, "2"), 78);
    struct error error;
    cr_assert_eq(cache_write(&cache, "cache", home, &error), OK);
    cache_release(&cache);
    cr_assert_eq(read_again(&cache, home, &error), OK, "%s", error.what);
    cr_expect_eq(cache.count, CACHE_ENTRIES_MAX);
    cache_release(&cache);
}

Test(cache, a_key_holds_all_that_was_asked)
{
    struct registry_reference references[] = {{"m.proto", "m.proto", 1}, {"n.proto", "s", 1}};
    struct registry_reference newer[] = {{"m.proto", "m.proto", 2}, {"n.proto", "s", 1}};
    const struct {
        const char *subject;
        struct registry_schema schema;
    } asked[] = {
        {"s", {"PROTOBUF", "text", NULL, 0}},       {"t", {"PROTOBUF", "text", NULL, 0}},
        {"s", {"AVRO", "text", NULL, 0}},           {"s", {"PROTOBUF", "text2", NULL, 0}},
        {"sP", {"ROTOBUF", "text", NULL, 0}},       {"s", {"PROTOBUF", "text", references, 1}},
        {"s", {"PROTOBUF", "text", references, 2}}, {"s", {"PROTOBUF", "text", newer, 2}},
    };
    enum { ASKED = sizeof(asked) / sizeof(asked[0]) };
    uint8_t keys[ASKED][SHA256_SIZE];
    for (size_t i = 0; i < ASKED; i++) {
        cache_key(asked[i].subject, &asked[i].schema, keys[i]);
        for (size_t j = 0; j < i; j++) {
            cr_expect_neq(memcmp(keys[i], keys[j], SHA256_SIZE), 0, "%zu %zu", i, j);
        }
    }
}
