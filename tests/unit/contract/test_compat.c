/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of tests/contracts/compatibility.txt: our verdict and our names for what changed,
 * beside the verdict that Confluent's rules have. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "compatibility_cases.h"
#include "contract/compat.h"

static struct pool *load(size_t number, unsigned version)
{
    const unsigned char *bytes = cases[number].versions[version].bytes;
    unsigned len = cases[number].versions[version].len;
    struct pool *pool;
    struct error error;
    cr_assert(pool_load((struct bytes){(const char *)bytes, len}, &pool, &error) == OK);
    return pool;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

/* The names of the changes, sorted, with a space in between. */
static char *names_of(const struct differences *differences)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < differences->n; i++) {
        names[n++] = change_rule(differences->all[i].change)->name;
    }
    qsort(names, n, sizeof(names[0]), compare_names);
    char *text = must_strdup("");
    for (size_t i = 0; i < n; i++) {
        char *longer = must_printf("%s%s%s", text, i == 0 ? "" : " ", names[i]);
        free(text);
        text = longer;
    }
    return text;
}

static const char *verdict_of(enum judgment judgment)
{
    static const char *const words[] = {"compatible", "warned", "broken"};
    return words[judgment];
}

static void compare(size_t number, unsigned writer, unsigned reader, struct differences *found)
{
    struct pool *old = load(number, writer);
    struct pool *new = load(number, reader);
    compat_compare(&(struct version){old, "case.proto"}, &(struct version){new, "case.proto"},
                   found);
    pool_free(old);
    pool_free(new);
}

static void compare_reserved(size_t number, unsigned older, unsigned newer,
                             struct differences *found)
{
    struct pool *old = load(number, older);
    struct pool *new = load(number, newer);
    compat_compare_reserved(&(struct version){old, "case.proto"},
                            &(struct version){new, "case.proto"}, found);
    pool_free(old);
    pool_free(new);
}

/* All pairs of versions that the level of the case asks for, and all for what was reserved. */
static void compare_versions(size_t number, struct differences *found)
{
    enum compatibility level;
    cr_assert(compatibility_named(cases[number].level, &level));
    for (unsigned newer = 1; newer < cases[number].n_versions; newer++) {
        for (unsigned older = 0; older < newer; older++) {
            if (compatibility_asks(level, newer + 1, older + 1, true)) {
                compare(number, older, newer, found);
            }
            if (compatibility_asks(level, newer + 1, older + 1, false)) {
                compare(number, newer, older, found);
            }
            compare_reserved(number, older, newer, found);
        }
    }
}

Test(compat, every_case_of_the_table)
{
    cr_assert(ARRAY_LEN(cases) >= 90);
    size_t wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct differences found = {0};
        compare_versions(i, &found);
        char *names = names_of(&found);
        const char *verdict = verdict_of(differences_judgment(&found));
        if (strcmp(verdict, cases[i].verdict) != 0 || strcmp(names, cases[i].changes) != 0) {
            cr_log_error("%s: %s %s, not %s %s", cases[i].name, verdict, names, cases[i].verdict,
                         cases[i].changes);
            wrong++;
        }
        for (size_t j = 0; j < found.n; j++) {
            cr_expect(found.all[j].subject[0] != '\0', "%s", cases[i].name);
            cr_expect(found.all[j].line > 0 || found.all[j].change == PACKAGE_CHANGED, "%s: %s",
                      cases[i].name, found.all[j].subject);
        }
        free(names);
        differences_release(&found);
    }
    cr_assert(wrong == 0);
}

/* Where our verdict is not the registry's, or is a warning, the table says why. */
Test(compat, every_departure_has_a_reason)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool broken = strcmp(cases[i].verdict, "broken") == 0;
        bool warned = strcmp(cases[i].verdict, "warned") == 0;
        bool rejected = strcmp(cases[i].confluent, "reject") == 0;
        cr_assert(rejected || strcmp(cases[i].confluent, "accept") == 0, "%s", cases[i].name);
        cr_assert((broken == rejected && !warned) || cases[i].note[0] != '\0', "%s", cases[i].name);
        cr_assert(broken || !rejected, "%s: we may be stricter, never weaker", cases[i].name);
    }
}

/* What is added one way is removed the other way round, and a version differs from itself in
 * nothing. */
static size_t count(const struct differences *found, enum change change)
{
    size_t n = 0;
    for (size_t i = 0; i < found->n; i++) {
        n += found->all[i].change == change;
    }
    return n;
}

Test(compat, both_ways)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct differences found = {0};
        compare(i, 0, 0, &found);
        compare(i, 1, 1, &found);
        compare_reserved(i, 0, 0, &found);
        compare_reserved(i, 1, 1, &found);
        cr_assert(found.n == 0, "%s", cases[i].name);
        compare(i, 0, 1, &found);
        size_t added = count(&found, FIELD_ADDED) + count(&found, REQUIRED_FIELD_ADDED);
        size_t renumbered = count(&found, FIELD_NUMBER_CHANGED);
        found.n = 0;
        compare(i, 1, 0, &found);
        size_t removed = count(&found, FIELD_REMOVED) + count(&found, REQUIRED_FIELD_REMOVED);
        cr_assert(added == removed, "%s", cases[i].name);
        cr_assert(renumbered == count(&found, FIELD_NUMBER_CHANGED), "%s", cases[i].name);
        differences_release(&found);
    }
}

Test(compat, levels)
{
    static const struct {
        const char *name;
        const char *asks; /* of versions 1 to 3: pairs newer>older backward, newer<older forward */
    } levels[] = {
        {"NONE", ""},
        {"BACKWARD", "2>1 3>2 "},
        {"BACKWARD_TRANSITIVE", "2>1 3>1 3>2 "},
        {"FORWARD", "2<1 3<2 "},
        {"FORWARD_TRANSITIVE", "2<1 3<1 3<2 "},
        {"FULL", "2>1 2<1 3>2 3<2 "},
        {"FULL_TRANSITIVE", "2>1 2<1 3>1 3<1 3>2 3<2 "},
    };
    enum compatibility compatibility;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        cr_assert(compatibility_named(levels[i].name, &compatibility));
        cr_assert_str_eq(compatibility_name(compatibility), levels[i].name);
        char asks[64] = "";
        for (uint32_t newer = 2; newer <= 3; newer++) {
            for (uint32_t older = 1; older < newer; older++) {
                for (int backward = 1; backward >= 0; backward--) {
                    if (compatibility_asks(compatibility, newer, older, backward == 1)) {
                        snprintf(asks + strlen(asks), sizeof(asks) - strlen(asks), "%u%c%u ", newer,
                                 backward == 1 ? '>' : '<', older);
                    }
                }
            }
        }
        cr_assert_str_eq(asks, levels[i].asks, "%s: %s", levels[i].name, asks);
    }
    cr_assert(!compatibility_named("backward", &compatibility));
}
