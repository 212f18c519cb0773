/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "sample.h"

struct reading {
    const char *json;
    const char *wire; /* hexadecimal */
};

static void assert_readings(const char *message, const struct reading *readings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct violation violation = {0};
        const char *wire = sample_wire(message, readings[i].json, UNKNOWN_REJECT, &violation);
        cr_assert(wire != NULL, "%s: %s: expected %s, found %s", readings[i].json, violation.path,
                  violation.expected, violation.found);
        cr_assert_str_eq(wire, readings[i].wire, "%s: %s, not %s", readings[i].json, wire,
                         readings[i].wire);
    }
}

#define ASSERT_READINGS(message, readings) assert_readings(message, readings, ARRAY_LEN(readings))

Test(from_json, numbers)
{
    static const struct reading readings[] = {
        {"{}", ""},
        {" { } ", ""},
        {"{\"anInt32\":1}", "0801"},
        {"{\"an_int32\":1}", "0801"},
        {"{\"anInt32\":-1}", "08ffffffffffffffffff01"},
        {"{\"anInt32\":0}", ""},
        {"{\"anInt32\":null}", ""},
        {"{\"anInt32\":\"150\"}", "089601"},
        {"{\"anInt32\":\"1e2\"}", "0864"},
        {"{\"anInt32\":1e2}", "0864"},
        {"{\"anInt32\":100.00}", "0864"},
        {"{\"anInt32\":2147483647}", "08ffffffff07"},
        {"{\"anInt32\":-2147483648}", "0880808080f8ffffffff01"},
        {"{\"anInt64\":\"9223372036854775807\"}", "10ffffffffffffffff7f"},
        {"{\"anInt64\":-9223372036854775808}", "1080808080808080808001"},
        {"{\"aUint32\":4294967295}", "18ffffffff0f"},
        {"{\"aUint64\":\"18446744073709551615\"}", "20ffffffffffffffffff01"},
        {"{\"aSint32\":-2147483648}", "28ffffffff0f"},
        {"{\"aSint64\":\"-1\"}", "3001"},
        {"{\"aFixed32\":1}", "3d01000000"},
        {"{\"aFixed64\":1}", "410100000000000000"},
        {"{\"aSfixed32\":-1}", "4dffffffff"},
        {"{\"aSfixed64\":-1}", "51ffffffffffffffff"},
        {"{\"aFloat\":1.5}", "5d0000c03f"},
        {"{\"aFloat\":\"-Infinity\"}", "5d000080ff"},
        {"{\"aDouble\":-0.0}", "610000000000000080"},
        {"{\"aDouble\":\"NaN\"}", "61000000000000f87f"},
        {"{\"aBool\":true}", "6801"},
        {"{\"aBool\":false}", ""},
        {"{\"maybeInt32\":0}", "a00100"},
        {"{\"maybeBool\":false}", "b00100"},
        {"{\"maybeInt32\":null}", ""},
    };
    ASSERT_READINGS("Everything", readings);
}

Test(from_json, strings_bytes_and_enums)
{
    static const struct reading readings[] = {
        {"{\"aString\":\"\"}", ""},
        {"{\"maybeString\":\"\"}", "aa0100"},
        {"{\"aString\":\"x\\n\\u00e4\"}", "7204780ac3a4"},
        {"{\"aString\":\"\\u0000\"}", "720100"},
        {"{\"someBytes\":\"AQI=\"}", "7a020102"},
        {"{\"someBytes\":\"A\\u0051I=\"}", "7a020102"},
        {"{\"someBytes\":\"\"}", ""},
        {"{\"maybeBytes\":\"\"}", "c20100"},
        {"{\"color\":\"COLOR_CRIMSON\"}", "800101"},
        {"{\"color\":2}", "800102"},
        {"{\"color\":77}", "80014d"},
        {"{\"color\":\"2\"}", "800102"},
        {"{\"color\":-1}", "8001ffffffffffffffffff01"},
        {"{\"color\":0}", ""},
        {"{\"maybeColor\":\"COLOR_UNSPECIFIED\"}", "b80100"},
        {"{\"other\\\"name\":\"a\"}", "a2060161"},
        {"{\"renamed_in_json\":\"a\"}", "a2060161"},
        {"{\"\\u0061String\":\"a\"}", "720161"},
        {"{\"farField\":\"a\"}", "faffffff0f0161"},
    };
    ASSERT_READINGS("Everything", readings);
}

Test(from_json, messages_lists_and_maps)
{
    static const struct reading readings[] = {
        {"{\"small\":{}}", "8a0100"},
        {"{\"small\":null}", ""},
        {"{\"small\":{\"number\":1,\"text\":\"a\"}}", "8a010508011201"
                                                      "61"},
        {"{\"int32s\":[]}", ""},
        {"{\"int32s\":null}", ""},
        {"{\"int32s\":[0,1,-1]}", "f2010c0001ffffffffffffffffff01"},
        {"{\"unpacked\":[0,1]}", "c80200c80201"},
        {"{\"floats\":[1,\"NaN\"]}", "9202080000803f0000c07f"},
        {"{\"bools\":[true,false]}", "a202020100"},
        {"{\"strings\":[\"\",\"a\"]}", "aa0200aa020161"},
        {"{\"smalls\":[{},{\"number\":2}]}", "c20200c202020802"},
        {"{\"stringMap\":{}}", ""},
        {"{\"stringMap\":{\"a\":\"\"}}", "9203050a01611200"},
        {"{\"int32Map\":{\"-1\":\"1\"}}", "9a030d08ffffffffffffffffff011001"},
        {"{\"uint64Map\":{\"1\":{\"number\":1}}}", "a20306080112020801"},
        {"{\"boolMap\":{\"true\":1,\"false\":\"COLOR_BLUE\"}}", "aa030408011001aa030408001002"},
        {"{\"int32Map\":{\"\\u0031\":1}}", "9a030408011001"},
    };
    ASSERT_READINGS("Everything", readings);
}

Test(from_json, oneofs_and_null)
{
    static const struct reading readings[] = {
        {"{\"choiceInt32\":0}", "e00300"},
        {"{\"choiceInt32\":null,\"choiceString\":\"\"}", "ea0300"},
        {"{\"choiceString\":\"\",\"choiceInt32\":null}", "ea0300"},
        {"{\"choiceNull\":null}", "f80300"},
        {"{\"choiceNull\":\"NULL_VALUE\"}", "f80300"},
        {"{\"nullValue\":null}", ""},
        {"{\"value\":null}", "ca04020800"},
    };
    ASSERT_READINGS("Everything", readings);
}

Test(from_json, well_known_types)
{
    static const struct reading readings[] = {
        {"{\"timestamp\":\"1970-01-01T00:00:01.5Z\"}", "b2040808011080cab5ee01"},
        {"{\"duration\":\"-1s\"}", "ba040b08ffffffffffffffffff01"},
        {"{\"struct\":{}}", "c20400"},
        {"{\"struct\":{\"a\":null}}", "c204090a070a016112020800"},
        {"{\"value\":1}", "ca040911000000000000f03f"},
        {"{\"value\":\"a\"}", "ca04031a0161"},
        {"{\"value\":true}", "ca04022001"},
        {"{\"value\":[{}]}", "ca040632040a022a00"},
        {"{\"listValue\":[]}", "d20400"},
        {"{\"listValue\":[false]}", "d204040a022000"},
        {"{\"fieldMask\":\"a,bC.d\"}", "da040a0a01610a05625f632e64"},
        {"{\"fieldMask\":\"\"}", "da0400"},
        {"{\"empty\":{}}", "ea0400"},
        {"{\"values\":[null]}", "8205020800"},
        {"{\"any\":{}}", "e20400"},
        {"{\"any\":{\"@type\":\"t/tests.v1.Small\"}}",
         "e204120a10742f74657374732e76312e536d616c6c"},
        {"{\"any\":{\"@type\":\"t/tests.v1.Small\",\"number\":1}}",
         "e204160a10742f74657374732e76312e536d616c6c12020801"},
        {"{\"any\":{\"number\":1,\"@type\":\"t/tests.v1.Small\"}}",
         "e204160a10742f74657374732e76312e536d616c6c12020801"},
        {"{\"any\":{\"\\u0040type\":\"t/tests.v1.Small\",\"number\":1}}",
         "e204160a10742f74657374732e76312e536d616c6c12020801"},
        {"{\"int32Wrapper\":0}", "f20500"},
        {"{\"int32Wrapper\":1}", "f205020801"},
        {"{\"int32Wrapper\":null}", ""},
        {"{\"stringWrappers\":[\"a\"]}", "9a06030a0161"},
    };
    ASSERT_READINGS("Everything", readings);
}

Test(from_json, what_only_proto2_has)
{
    static const struct reading readings[] = {
        {"{\"id\":0}", "0800"},
        {"{\"id\":1,\"inner\":{\"depth\":0}}", "08013b08003c"},
        {"{\"id\":1,\"row\":[{\"cell\":\"\"}]}", "0801430a0044"},
        {"{\"id\":1,\"numbers\":[1,2]}", "080128012802"},
        {"{\"id\":1,\"packedNumbers\":[1,2]}", "080132020102"},
        {"{\"id\":1,\"[tests.v1.extra_number]\":0}", "0801a00600"},
        {"{\"id\":1,\"[tests.v1.extra_texts]\":[\"a\"]}", "0801aa060161"},
        {"{\"id\":1,\"set\":{\"[tests.v1.Member.member]\":{}}}", "08015a090b10f6ebae071a000c"},
    };
    ASSERT_READINGS("Classic", readings);
}

Test(from_json, unknown_fields_are_passed_over_when_told_so)
{
    static const struct reading readings[] = {
        {"{\"nothing\":[{\"a\":1},\"x\"],\"anInt32\":1,\"more\":null}", "0801"},
        {"{\"color\":\"COLOR_PINK\"}", ""},
        {"{\"colors\":[\"COLOR_PINK\"]}", ""},
        {"{\"colors\":[\"COLOR_PINK\",\"COLOR_RED\",\"X\"]}", "ba020101"},
        {"{\"boolMap\":{\"true\":\"X\",\"false\":1}}", "aa030408001001"},
        {"{\"small\":{\"x\":{}}}", "8a0100"},
    };
    for (size_t i = 0; i < ARRAY_LEN(readings); i++) {
        struct violation violation;
        const char *wire = sample_wire("Everything", readings[i].json, UNKNOWN_IGNORE, &violation);
        cr_assert(wire != NULL, "%s", readings[i].json);
        cr_assert_str_eq(wire, readings[i].wire, "%s: %s", readings[i].json, wire);
        cr_assert(sample_wire("Everything", readings[i].json, UNKNOWN_REJECT, &violation) == NULL);
    }
}

/* The order of fields is guessed from the payload before: whatever that was, nothing changes. */
Test(from_json, any_order_any_time)
{
    static const char *const orders[] = {
        "{\"f1\":1,\"f2\":2,\"f3\":3}", "{\"f3\":3,\"f2\":2,\"f1\":1}", "{\"f1\":1,\"f3\":3}",
        "{\"f10\":1,\"f1\":2}",         "{\"f1\":1,\"f10\":2}",         "{\"f2000\":1}",
    };
    static const char *const wires[] = {"080110021803", "180310020801", "08011803",
                                        "50010802",     "08015002",     "807d01"};
    for (size_t round = 0; round < 60; round++) {
        size_t i = round * 7 % ARRAY_LEN(orders);
        struct violation violation;
        const char *wire = sample_wire("Wide", orders[i], UNKNOWN_REJECT, &violation);
        cr_assert(wire != NULL);
        cr_assert_str_eq(wire, wires[i]);
    }
}
