/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages made by hand, for what a well-behaved server never sends. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "pgoutput/change.h"

static struct decoder decoder;
static struct change change;
static struct error error;

#define DECODE(text) pgoutput_decode(&decoder, BYTES_LIT(text), &change, &error)

#define ASSERT_DAMAGED(text, expected)                                     \
    do {                                                                   \
        change.kind = 0;                                                   \
        cr_assert(DECODE(text) == FATAL);                                  \
        cr_assert(change.kind == 0, "the change was written");             \
        cr_assert(strstr(error.what, expected) != NULL, "%s", error.what); \
    } while (0)

#define LSN_1  "\0\0\0\0\0\0\0\1"
#define TIME_0 "\0\0\0\0\0\0\0\0"
#define OID_7  "\0\0\0\7"

Test(decoder, begin)
{
    cr_assert(DECODE("B\0\0\0\x16\xB3\x74\xD8\x48" TIME_0 "\xFF\xFF\xFF\xFE") == OK);
    cr_assert(change.kind == CHANGE_BEGIN);
    cr_assert(change.begin.final_lsn == 0x16B374D848);
    cr_assert(change.begin.commit_time_us == PG_EPOCH_US);
    cr_assert(change.begin.xid == 0xFFFFFFFE);
}

Test(decoder, times_before_2000_are_negative)
{
    cr_assert(DECODE("B" LSN_1 "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" OID_7) == OK);
    cr_assert(change.begin.commit_time_us == PG_EPOCH_US - 1);
    cr_assert(DECODE("B" LSN_1 "\x80\0\0\0\0\0\0\0" OID_7) == OK);
    cr_assert(change.begin.commit_time_us == INT64_MIN + PG_EPOCH_US);
}

Test(decoder, a_time_that_overflows_is_an_error)
{
    ASSERT_DAMAGED("B" LSN_1 "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF" OID_7,
                   "at byte 9, expected a time");
    ASSERT_DAMAGED("C\0" LSN_1 LSN_1 "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                   "at byte 18, expected a time");
}

Test(decoder, kinds_of_other_protocol_versions_are_errors)
{
    static const char kinds[] = "SEcAbPKrpi\0\1\xFF zNnXW";
    for (size_t i = 0; i < sizeof(kinds) - 1; i++) {
        char message[32] = {kinds[i]};
        for (size_t len = 1; len <= sizeof(message); len++) {
            cr_assert(pgoutput_decode(&decoder, (struct bytes){message, len}, &change, &error) ==
                      FATAL);
        }
    }
    ASSERT_DAMAGED("S\0\0\0\1\1", "(kind 'S' 0x53, 6 bytes): at byte 0, expected one of the kinds");
}

Test(decoder, nothing_at_all_is_an_error)
{
    ASSERT_DAMAGED("", "0 bytes): at byte 0, expected a message");
    cr_assert(pgoutput_decode(&decoder, BYTES_NULL, &change, &error) == FATAL);
}

Test(decoder, commit_flags_are_an_error)
{
    cr_assert(DECODE("C\0" LSN_1 LSN_1 TIME_0) == OK);
    ASSERT_DAMAGED("C\1" LSN_1 LSN_1 TIME_0, "at byte 1, expected no flags");
}

Test(decoder, strings_end_inside_the_message)
{
    cr_assert(DECODE("O" LSN_1 "name\0") == OK);
    cr_assert(bytes_equal(change.origin.name, BYTES_LIT("name")));
    ASSERT_DAMAGED("O" LSN_1 "name", "at byte 9, expected the name of an origin and a NUL");
    ASSERT_DAMAGED("O" LSN_1 "na\0me\0", "at byte 12, expected the end of the message");
    ASSERT_DAMAGED("O" LSN_1, "at byte 9");
    ASSERT_DAMAGED("M\1" LSN_1 "prefix", "at byte 10, expected a prefix");
}

Test(decoder, the_empty_schema_is_pg_catalog)
{
    cr_assert(DECODE("Y" OID_7 "\0json\0") == OK);
    cr_assert(bytes_equal(change.type.schema_name, BYTES_LIT("pg_catalog")));
    cr_assert(bytes_equal(change.type.type_name, BYTES_LIT("json")));
    cr_assert(DECODE("R" OID_7 "\0pg_class\0n\0\0") == OK);
    cr_assert(bytes_equal(change.relation.schema_name, BYTES_LIT("pg_catalog")));
    cr_assert(change.relation.n_columns == 0);
}

Test(decoder, relation_columns)
{
    cr_assert(DECODE("R" OID_7 "s\0t\0f\0\2"
                     "\1a\0\0\0\0\x17\xFF\xFF\xFF\xFF"
                     "\0\0\0\0\0\x19\0\0\0\x0C") == OK);
    cr_assert(change.relation.replica_identity == 'f' && change.relation.n_columns == 2);
    cr_assert(decoder.relation_columns[0].key);
    cr_assert(bytes_equal(decoder.relation_columns[0].name, BYTES_LIT("a")));
    cr_assert(decoder.relation_columns[0].type_oid == 23);
    cr_assert(decoder.relation_columns[0].type_modifier == -1);
    cr_assert(!decoder.relation_columns[1].key);
    cr_assert(bytes_equal(decoder.relation_columns[1].name, BYTES_LIT("")));
    cr_assert(decoder.relation_columns[1].type_modifier == 12);
}

Test(decoder, wrong_relations_are_errors)
{
    ASSERT_DAMAGED("R" OID_7 "s\0t\0x\0\0", "at byte 9, expected a replica identity");
    ASSERT_DAMAGED("R" OID_7 "s\0t\0d\x06\x41", "at byte 10, expected at most 1600 columns");
    ASSERT_DAMAGED("R" OID_7 "s\0t\0d\xFF\xFF", "at byte 10, expected at most 1600 columns");
    ASSERT_DAMAGED("R" OID_7 "s\0t\0d\0\1\2a\0\0\0\0\x17\0\0\0\0", "at byte 12, expected no flag");
    ASSERT_DAMAGED("R" OID_7 "s\0t\0d\0\2\0a\0\0\0\0\x17\0\0\0\0", "at byte 23, expected flags");
}

Test(decoder, the_kinds_of_column)
{
    cr_assert(DECODE("I" OID_7 "N\0\5n"
                     "u"
                     "t\0\0\0\0"
                     "t\0\0\0\3abc"
                     "b\0\0\0\2\0\xFF") == OK);
    cr_assert(change.row.oid == 7 && decoder.tuple.n_columns == 5);
    const struct column *columns = decoder.tuple.columns;
    cr_assert(columns[0].kind == COLUMN_NULL && columns[0].value.data == NULL);
    cr_assert(columns[1].kind == COLUMN_UNCHANGED && columns[1].value.data == NULL);
    cr_assert(columns[2].kind == COLUMN_TEXT && columns[2].value.data != NULL);
    cr_assert(columns[2].value.len == 0, "an empty text is not NULL");
    cr_assert(bytes_equal(columns[3].value, BYTES_LIT("abc")));
    cr_assert(columns[4].kind == COLUMN_BINARY);
    cr_assert(bytes_equal(columns[4].value, BYTES_LIT("\0\xFF")));
}

Test(decoder, wrong_columns_are_errors)
{
    ASSERT_DAMAGED("I" OID_7 "N\0\1x", "at byte 8, expected a column of kind");
    ASSERT_DAMAGED("I" OID_7 "N\0\1t\0\0\0\4abc", "at byte 13, expected a column value");
    ASSERT_DAMAGED("I" OID_7 "N\0\1t\xFF\xFF\xFF\xFF", "at byte 9, expected a column value");
    ASSERT_DAMAGED("I" OID_7 "N\0\1t\x80\0\0\0", "at byte 9, expected a column value");
    ASSERT_DAMAGED("I" OID_7 "N\0\1t\x7F\xFF\xFF\xFF", "at byte 13, expected a column value");
    ASSERT_DAMAGED("I" OID_7 "N\0\2n", "at byte 9, expected a column");
    ASSERT_DAMAGED("I" OID_7 "N\0\1nn", "at byte 9, expected the end");
    ASSERT_DAMAGED("I" OID_7 "N\x06\x41n", "at byte 6, expected at most 1600 columns");
}

Test(decoder, a_tuple_may_have_1600_columns)
{
    char message[8 + TUPLE_COLUMNS_MAX] = "I" OID_7 "N\x06\x40";
    memset(message + 8, 'n', TUPLE_COLUMNS_MAX);
    cr_assert(
        pgoutput_decode(&decoder, (struct bytes){message, sizeof(message)}, &change, &error) == OK);
    cr_assert(decoder.tuple.n_columns == TUPLE_COLUMNS_MAX);
}

#define TUPLE_1     \
    "\0\1t\0\0\0\1" \
    "1"
#define TUPLE_2     \
    "\0\1t\0\0\0\1" \
    "2"

Test(decoder, an_insert_has_a_new_tuple_only)
{
    ASSERT_DAMAGED("I" OID_7 "K" TUPLE_1, "at byte 5, expected a new tuple");
    ASSERT_DAMAGED("I" OID_7 "O" TUPLE_1, "at byte 5, expected a new tuple");
    ASSERT_DAMAGED("I" OID_7 "K" TUPLE_1 "N" TUPLE_2, "at byte 5, expected a new tuple");
}

Test(decoder, an_update_may_have_an_old_tuple_first)
{
    cr_assert(DECODE("U" OID_7 "N" TUPLE_2) == OK);
    cr_assert(DECODE("U" OID_7 "K" TUPLE_1 "N" TUPLE_2) == OK);
    cr_assert(bytes_equal(decoder.tuple.columns[0].value, BYTES_LIT("2")));
    cr_assert(DECODE("U" OID_7 "O" TUPLE_1 "N" TUPLE_2) == OK);
    cr_assert(bytes_equal(decoder.tuple.columns[0].value, BYTES_LIT("2")));
    ASSERT_DAMAGED("U" OID_7 "K" TUPLE_1, "at byte 14, expected a new tuple");
    ASSERT_DAMAGED("U" OID_7 "K" TUPLE_1 "O" TUPLE_1 "N" TUPLE_2, "at byte 14, expected a tuple");
    ASSERT_DAMAGED("U" OID_7 "N" TUPLE_1 "N" TUPLE_2, "at byte 14, expected the end");
    ASSERT_DAMAGED("U" OID_7 "X" TUPLE_1, "at byte 5, expected a tuple");
    ASSERT_DAMAGED("U" OID_7 "O\0\1x"
                   "N" TUPLE_2,
                   "at byte 8, expected a column of kind");
}

Test(decoder, a_delete_has_an_old_tuple_only)
{
    cr_assert(DECODE("D" OID_7 "K" TUPLE_1) == OK);
    cr_assert(DECODE("D" OID_7 "O" TUPLE_1) == OK && change.row.oid == 7);
    ASSERT_DAMAGED("D" OID_7 "N" TUPLE_1, "at byte 5, expected an old tuple");
    ASSERT_DAMAGED("D" OID_7 "K" TUPLE_1 "N" TUPLE_2, "at byte 14, expected the end");
}

Test(decoder, truncate)
{
    cr_assert(DECODE("T\0\0\0\2\3" OID_7 OID_7) == OK);
    cr_assert(change.truncate.n_relations == 2 && change.truncate.options == 3);
    ASSERT_DAMAGED("T\0\0\0\2\3" OID_7, "at byte 6, expected an OID for every table");
    ASSERT_DAMAGED("T\0\0\0\1\3" OID_7 OID_7, "at byte 10, expected the end");
    ASSERT_DAMAGED("T\0\0\0\1\4" OID_7, "at byte 5, expected no option");
    ASSERT_DAMAGED("T\0\0\0\0\0", "expected at least one table");
    ASSERT_DAMAGED("T\xFF\xFF\xFF\xFF\0" OID_7, "at byte 6, expected an OID for every table");
    ASSERT_DAMAGED("T\x40\0\0\1\0" OID_7, "at byte 6, expected an OID for every table");
}

Test(decoder, message)
{
    cr_assert(DECODE("M\1" LSN_1 "p\0\0\0\0\3a\0b") == OK);
    cr_assert(change.message.transactional && change.message.message_lsn == 1);
    cr_assert(bytes_equal(change.message.prefix, BYTES_LIT("p")));
    cr_assert(bytes_equal(change.message.content, BYTES_LIT("a\0b")));
    cr_assert(DECODE("M\0" LSN_1 "\0\0\0\0\0") == OK);
    cr_assert(!change.message.transactional && change.message.content.data != NULL);
    ASSERT_DAMAGED("M\2" LSN_1 "p\0\0\0\0\0", "at byte 1, expected no flag");
    ASSERT_DAMAGED("M\1" LSN_1 "p\0\0\0\0\4abc", "at byte 16, expected a content");
    ASSERT_DAMAGED("M\1" LSN_1 "p\0\xFF\xFF\xFF\xFF", "at byte 12, expected a content");
    ASSERT_DAMAGED("M\1" LSN_1 "p\0\0\0\0\2abc", "at byte 18, expected the end");
}
