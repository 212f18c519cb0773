/* SPDX-License-Identifier: Apache-2.0
 *
 * The script as text; what it does to rows is tested on real servers. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../contract/sample.h"
#include "base/check.h"
#include "guard/guard.h"
#include "guard/sql_text.h"

/* --- names and texts ------------------------------------------------------------------------- */

static char *written(void (*write)(FILE *out, const char *text), const char *text)
{
    char *made = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);
    write(out, text);
    cr_assert(fclose(out) == 0);
    return made;
}

static void write_literal(FILE *out, const char *text)
{
    sql_literal(out, bytes_of(text));
}

Test(guard, texts_cannot_leave_their_quotes)
{
    static const char *const texts[][2] = {
        {"", "''"},
        {"plain", "'plain'"},
        {"it's", "'it''s'"},
        {"a\\b", "E'a\\x5cb'"},
        {"a\\'b", "E'a\\x5c''b'"},
        {"$walpost$", "E'\\x24walpost\\x24'"},
        {"a\nb", "E'a\\x0ab'"},
        {"\xC3\xA9", "'\xC3\xA9'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *literal = written(write_literal, texts[i][0]);
        cr_expect_str_eq(literal, texts[i][1]);
        free(literal);
    }
    char *name = written(sql_name, "out \"box\"");
    cr_expect_str_eq(name, "\"out \"\"box\"\"\"");
    free(name);
}

Test(guard, names_fit_into_postgresql_and_stay_different)
{
    static const char shared[] =
        "walpost_guard Order.SomethingQuiteLongHappenedHere v1 shop.v1.Mess";
    char name[SQL_NAME_SIZE];
    char other[SQL_NAME_SIZE];
    sql_short_name(name, "walpost_guard Order.Placed v1 shop.v1.OrderPlaced");
    cr_expect_str_eq(name, "walpost_guard Order.Placed v1 shop.v1.OrderPlaced");
    char *long_name = must_printf("%sageA", shared);
    char *long_other = must_printf("%sageB", shared);
    sql_short_name(name, long_name);
    sql_short_name(other, long_other);
    cr_expect(strlen(name) == SQL_NAME_SIZE - 1 && strlen(other) == SQL_NAME_SIZE - 1);
    cr_expect(strncmp(name, shared, 46) == 0 && strcmp(name, other) != 0);
    free(long_name);
    free(long_other);
    sql_short_name(name, "walpost_guard \xC3\x96l.Bought$walpost$");
    cr_expect(strpbrk(name, "\xC3$\"") == NULL, "%s", name);
}

/* --- the script ------------------------------------------------------------------------------ */

static char *script(const char *message, enum unknown_policy policy, const char *only)
{
    const struct message *found = pool_message(sample_pool(), bytes_of(message));
    cr_assert(found != NULL);
    const struct guard_contract contracts[] = {
        {"Test.Happened", 1, "Test.Happened/v1.proto", sample_pool(), found},
        {"Test.Happened", 2, "Test.Happened/v2.json", NULL, NULL},
    };
    const struct guard guard = {
        "shop", "outbox",  "event_type",         "payload", "schema_version",
        policy, contracts, ARRAY_LEN(contracts), only};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    guard_write(&guard, out);
    cr_assert(fclose(out) == 0);
    return text;
}

static size_t times(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        n++;
    }
    return n;
}

Test(guard, every_body_ends_and_everything_is_in_the_tables_schema)
{
    static const char *const messages[] = {"tests.v1.Everything", "tests.v1.Classic",
                                           "tests.v1.Marked", "tests.v1.Wide"};
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        char *text = script(messages[i], UNKNOWN_REJECT, NULL);
        cr_expect(times(text, "$walpost$") % 2 == 0);
        cr_expect(times(text, "CREATE OR REPLACE FUNCTION") ==
                  times(text, "CREATE OR REPLACE FUNCTION \"shop\"."));
        cr_expect(times(text, "@@") == 0 && times(text, "@LIMIT@") == 0);
        cr_expect(times(text, "CREATE OR REPLACE TRIGGER \"walpost_guard\" BEFORE INSERT ON "
                              "\"shop\".\"outbox\"") == 1);
        free(text);
    }
}

Test(guard, what_a_policy_and_a_type_change)
{
    char *strict = script("tests.v1.Wide", UNKNOWN_REJECT, NULL);
    char *lenient = script("tests.v1.Wide", UNKNOWN_IGNORE, "Test.Happened");
    cr_expect(times(strict, "a field of tests.v1.Wide") == 1);
    cr_expect(times(lenient, "a field of tests.v1.Wide") == 0);
    cr_expect(times(strict, "WHEN (NEW.") == 0);
    cr_expect(times(lenient, "WHEN (NEW.\"event_type\"::text = 'Test.Happened')") == 1);
    /* The one that is not Protobuf is known, and passes. */
    cr_expect(times(strict, "WHEN '2', 'v2' THEN") == 1);
    cr_expect(times(strict, "contract := 'Test.Happened v2';") == 1);
    free(strict);
    free(lenient);
}
