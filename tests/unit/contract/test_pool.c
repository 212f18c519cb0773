/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "sample.h"
#include "tests_contracts.h"

static const struct message *everything(void)
{
    return pool_message(sample_pool(), BYTES_LIT("tests.v1.Everything"));
}

static const struct field *field_named(const char *name)
{
    return message_field_named(everything(), bytes_of(name));
}

Test(pool, messages_and_enums_are_found_by_their_full_names)
{
    cr_assert(everything() != NULL);
    cr_assert(pool_message(sample_pool(), BYTES_LIT("tests.v1.Classic.Inner")) != NULL);
    cr_assert(pool_message(sample_pool(), BYTES_LIT("Everything")) == NULL);
    cr_assert(pool_message(sample_pool(), BYTES_LIT(".tests.v1.Everything")) == NULL);
    cr_assert(pool_message(sample_pool(), BYTES_LIT("")) == NULL);
    cr_assert(pool_enumeration(sample_pool(), BYTES_LIT("tests.v1.Color")) != NULL);
    cr_assert(pool_enumeration(sample_pool(), BYTES_LIT("tests.v1.Everything")) == NULL);
}

Test(pool, every_field_is_found_by_number_and_both_names)
{
    const struct message *message = everything();
    cr_assert(message->n_fields > 70);
    for (uint32_t i = 0; i < message->n_fields; i++) {
        const struct field *field = &message->fields[i];
        cr_assert(field->index == i && field->parent == message);
        cr_assert(message_field(message, (uint32_t)field->number) == field, "%s", field->name.data);
        cr_assert(message_field_named(message, field->name) == field, "%s", field->name.data);
        cr_assert(message_field_named(message, field->json_name) == field, "%s",
                  field->json_name.data);
    }
    cr_assert(message_field(message, 19) == NULL);
    cr_assert(message_field(message, 0) == NULL);
    cr_assert(message_field(message, 5000) == NULL);
    cr_assert(message_field(message, UINT32_MAX) == NULL);
    cr_assert(field_named("an_int3") == NULL);
    cr_assert(field_named("AnInt32") == NULL);
    cr_assert(field_named("") == NULL);
}

Test(pool, shapes_presence_and_packing)
{
    cr_assert(field_named("strings")->shape == SHAPE_REPEATED);
    cr_assert(field_named("stringMap")->shape == SHAPE_MAP);
    cr_assert(field_named("small")->shape == SHAPE_SINGULAR);
    cr_assert(field_named("small")->presence && !field_named("anInt32")->presence);
    cr_assert(field_named("maybeInt32")->presence && field_named("maybeInt32")->oneof == -1);
    cr_assert(field_named("choiceInt32")->presence && field_named("choiceInt32")->oneof == 0);
    cr_assert(everything()->n_oneofs == 1);
    cr_assert(field_named("int32s")->packed && !field_named("unpacked")->packed);
    cr_assert(!field_named("strings")->packed);
    const struct message *classic = pool_message(sample_pool(), BYTES_LIT("tests.v1.Classic"));
    cr_assert(!message_field_named(classic, BYTES_LIT("numbers"))->packed);
    cr_assert(message_field_named(classic, BYTES_LIT("packed_numbers"))->packed);
    cr_assert(message_field_named(classic, BYTES_LIT("id"))->required);
    cr_assert(classic->n_must_come == 1);
    cr_assert(pool_enumeration(sample_pool(), BYTES_LIT("tests.v1.Size"))->closed);
    cr_assert(!pool_enumeration(sample_pool(), BYTES_LIT("tests.v1.Color"))->closed);
}

Test(pool, tags_are_as_they_stand_on_the_wire)
{
    cr_assert(field_named("anInt32")->tag == 0x08 && field_named("anInt32")->tag_len == 1);
    cr_assert(field_named("aDouble")->tag == 0x61);
    cr_assert(field_named("int32s")->tag == 0x01F2 && field_named("int32s")->tag_len == 2);
    cr_assert(field_named("farField")->tag == UINT64_C(0x0FFFFFFFFA));
    cr_assert(field_named("farField")->tag_len == 5);
}

Test(pool, extensions_belong_to_what_they_extend)
{
    const struct message *classic = pool_message(sample_pool(), BYTES_LIT("tests.v1.Classic"));
    const struct field *field = message_field_named(classic, BYTES_LIT("[tests.v1.extra_number]"));
    cr_assert(field != NULL && field->extension && field == message_field(classic, 100));
    cr_assert(field->index >= classic->n_fields);
    const struct message *set = pool_message(sample_pool(), BYTES_LIT("tests.v1.Set"));
    cr_assert(set->message_set);
    cr_assert(message_field_named(set, BYTES_LIT("[tests.v1.Member.member]")) != NULL);
}

Test(pool, aliases_and_numbers_of_enums)
{
    const struct enumeration *color = pool_enumeration(sample_pool(), BYTES_LIT("tests.v1.Color"));
    cr_assert_str_eq(enumeration_value(color, 1)->name.data, "COLOR_RED");
    cr_assert(enumeration_value_named(color, BYTES_LIT("COLOR_CRIMSON"))->number == 1);
    cr_assert(enumeration_value(color, -1)->number == -1);
    cr_assert(enumeration_value(color, INT32_MAX)->number == INT32_MAX);
    cr_assert(enumeration_value(color, 3) == NULL);
    cr_assert(enumeration_value_named(color, BYTES_LIT("RED")) == NULL);
}

Test(pool, lines_of_the_source)
{
    cr_assert_str_eq(everything()->file, "everything.proto");
    cr_assert(everything()->line > 20);
    cr_assert(field_named("anInt32")->line == everything()->line + 1);
    cr_assert(pool_enumeration(sample_pool(), BYTES_LIT("tests.v1.Color"))->line > 10);
}

/* Any one byte changed, and any length: an error in words, or a pool. */
Test(pool, damaged_descriptors)
{
    static const struct bytes good = {(const char *)tests_contracts, sizeof(tests_contracts)};
    size_t refused = 0;
    for (size_t i = 0; i < good.len; i += 11) {
        struct pool *pool = NULL;
        struct error error = {0};
        char *bytes = must_malloc(good.len);
        memcpy(bytes, good.data, good.len);
        bytes[i] = (char)(bytes[i] + 1);
        if (pool_load((struct bytes){bytes, good.len}, &pool, &error) != OK) {
            cr_assert(error.verdict == INVALID && error.what[0] != '\0');
            cr_assert(error.remedy[0] != '\0', "%s", error.what);
            cr_assert(pool == NULL);
            refused++;
        }
        pool_free(pool);
        free(bytes);
    }
    cr_assert(refused > 100, "%zu", refused);
}
