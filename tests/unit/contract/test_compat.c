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

static struct pool *load(const unsigned char *bytes, unsigned len)
{
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

Test(compat, every_case_of_the_table)
{
    cr_assert(ARRAY_LEN(cases) >= 60);
    size_t wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pool *old = load(cases[i].old, cases[i].old_len);
        struct pool *new = load(cases[i].new, cases[i].new_len);
        struct differences found = {0};
        compat_compare(&(struct version){old, "case.proto"}, &(struct version){new, "case.proto"},
                       &found);
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
        pool_free(old);
        pool_free(new);
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
Test(compat, both_ways)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pool *old = load(cases[i].old, cases[i].old_len);
        struct pool *new = load(cases[i].new, cases[i].new_len);
        struct differences found = {0};
        struct version sides[] = {{old, "case.proto"}, {new, "case.proto"}};
        compat_compare(&sides[0], &sides[0], &found);
        compat_compare(&sides[1], &sides[1], &found);
        cr_assert(found.n == 0, "%s", cases[i].name);
        size_t added = 0;
        size_t removed = 0;
        compat_compare(&sides[0], &sides[1], &found);
        for (size_t j = 0; j < found.n; j++) {
            enum change change = found.all[j].change;
            added += change == FIELD_ADDED || change == REQUIRED_FIELD_ADDED;
        }
        found.n = 0;
        compat_compare(&sides[1], &sides[0], &found);
        for (size_t j = 0; j < found.n; j++) {
            enum change change = found.all[j].change;
            removed += change == FIELD_REMOVED || change == REQUIRED_FIELD_REMOVED;
        }
        cr_assert(added == removed, "%s", cases[i].name);
        differences_release(&found);
        pool_free(old);
        pool_free(new);
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
