/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "sample.h"

struct writing {
    const char *wire; /* hexadecimal */
    const char *json;
};

static void assert_writings(const char *message, const struct writing *writings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct violation violation = {0};
        const char *json = sample_json(message, writings[i].wire, &violation);
        cr_assert(json != NULL, "%s: %s: expected %s, found %s", writings[i].wire, violation.path,
                  violation.expected, violation.found);
        cr_assert_str_eq(json, writings[i].json, "%s: %s", writings[i].wire, json);
    }
}

#define ASSERT_WRITINGS(message, writings) assert_writings(message, writings, ARRAY_LEN(writings))

Test(to_json, scalars)
{
    static const struct writing writings[] = {
        {"", "{}"},
        {"0801", "{\"anInt32\":1}"},
        {"08ffffffff0f", "{\"anInt32\":-1}"},
        {"08ffffffffffffffffff01", "{\"anInt32\":-1}"},
        {"0800", "{}"},
        {"a00100", "{\"maybeInt32\":0}"},
        {"1001", "{\"anInt64\":\"1\"}"},
        {"20ffffffffffffffffff01", "{\"aUint64\":\"18446744073709551615\"}"},
        {"28ffffffff0f", "{\"aSint32\":-2147483648}"},
        {"3001", "{\"aSint64\":\"-1\"}"},
        {"3dffffffff", "{\"aFixed32\":4294967295}"},
        {"4dffffffff", "{\"aSfixed32\":-1}"},
        {"5dcdcccc3d", "{\"aFloat\":0.1}"},
        {"619a9999999999b93f", "{\"aDouble\":0.1}"},
        {"61000000000000f87f", "{\"aDouble\":\"NaN\"}"},
        {"61000000000000f0ff", "{\"aDouble\":\"-Infinity\"}"},
        {"610000000000000080", "{\"aDouble\":-0.0}"},
        {"6802", "{\"aBool\":true}"},
        {"7204780ac3a4", "{\"aString\":\"x\\n\xC3\xA4\"}"},
        {"7203225c01", "{\"aString\":\"\\\"\\\\\\u0001\"}"},
        {"7a020102", "{\"someBytes\":\"AQI=\"}"},
        {"800101", "{\"color\":\"COLOR_RED\"}"},
        {"80014d", "{\"color\":77}"},
        {"a2060161", "{\"other\\\"name\":\"a\"}"},
    };
    ASSERT_WRITINGS("Everything", writings);
}

/* The last one counts, pieces of a message and of a list belong together, whatever is in between.
 */
Test(to_json, fields_in_any_order_and_number)
{
    static const struct writing writings[] = {
        {"1001 0801", "{\"anInt32\":1,\"anInt64\":\"1\"}"},
        {"0801 0802", "{\"anInt32\":2}"},
        {"0801 0800", "{}"},
        {"8a01020801 0801 8a0103120161", "{\"anInt32\":1,\"small\":{\"number\":1,\"text\":\"a\"}}"},
        {"f2010101 0801 f00102", "{\"anInt32\":1,\"int32s\":[1,2]}"},
        {"f00101 f00102", "{\"int32s\":[1,2]}"},
        {"c802 01 ca02020203", "{\"unpacked\":[1,2,3]}"},
        {"e00301 ea030161", "{\"choiceString\":\"a\"}"},
        {"ea030161 e00301", "{\"choiceInt32\":1}"},
        {"f203020801 e00301 f203 0161 ", NULL},
        {"9203060a0161120162 9203060a0161120163", "{\"stringMap\":{\"a\":\"c\"}}"},
        {"9203060a0162120162 9203060a0161120163 9203060a0162120164",
         "{\"stringMap\":{\"a\":\"c\",\"b\":\"d\"}}"},
        {"920300", "{\"stringMap\":{\"\":\"\"}}"},
        {"9a0300", "{\"int32Map\":{\"0\":\"0\"}}"},
        {"a20300", "{\"uint64Map\":{\"0\":{}}}"},
        {"980101 0801 9a010161", "{\"anInt32\":1}"},
        {"0a0161 0801", "{\"anInt32\":1}"},
        {"9b010801 9c01 0801", "{\"anInt32\":1}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(writings); i++) {
        if (writings[i].json != NULL) {
            assert_writings("Everything", &writings[i], 1);
        }
    }
}

Test(to_json, well_known_types)
{
    static const struct writing writings[] = {
        {"b20400", "{\"timestamp\":\"1970-01-01T00:00:00Z\"}"},
        {"ba0408080110 80cab5ee01", "{\"duration\":\"1.500s\"}"},
        {"c20400", "{\"struct\":{}}"},
        {"c204090a070a016112020800", "{\"struct\":{\"a\":null}}"},
        {"ca04020800", "{\"value\":null}"},
        {"ca040632040a022a00", "{\"value\":[{}]}"},
        {"d20400", "{\"listValue\":[]}"},
        {"da040a0a01610a05625f632e64", "{\"fieldMask\":\"a,bC.d\"}"},
        {"e20400", "{\"any\":{}}"},
        {"e204160a10742f74657374732e76312e536d616c6c12020801",
         "{\"any\":{\"@type\":\"t/tests.v1.Small\",\"number\":1}}"},
        {"f20500", "{\"int32Wrapper\":0}"},
        {"f80300", "{\"choiceNull\":null}"},
        {"ea0400", "{\"empty\":{}}"},
    };
    ASSERT_WRITINGS("Everything", writings);
}

Test(to_json, what_only_proto2_has)
{
    static const struct writing writings[] = {
        {"08013b08003c", "{\"id\":1,\"inner\":{\"depth\":0}}"},
        {"0801 430a00 44", "{\"id\":1,\"row\":[{\"cell\":\"\"}]}"},
        {"0801a00600", "{\"id\":1,\"[tests.v1.extra_number]\":0}"},
        {"0801 5a090b10f6ebae071a000c", "{\"id\":1,\"set\":{\"[tests.v1.Member.member]\":{}}}"},
        {"0801 1803", "{\"id\":1}"},
        {"0801 2001 2003 2002", "{\"id\":1,\"sizes\":[\"SIZE_SMALL\",\"SIZE_LARGE\"]}"},
        {"0801 4a050a01611003", "{\"id\":1}"},
    };
    ASSERT_WRITINGS("Classic", writings);
}

Test(to_json, what_json_cannot_say)
{
    static const struct {
        const char *message;
        const char *wire;
        enum violation_kind kind;
        const char *path;
    } cases[] = {
        {"Everything", "08", VIOLATION_WIRE, ""},
        {"Everything", "0f", VIOLATION_WIRE, ""},
        {"Everything", "00", VIOLATION_WIRE, ""},
        {"Everything", "7205", VIOLATION_WIRE, ""},
        {"Everything", "3d010203", VIOLATION_WIRE, ""},
        {"Everything", "9b01", VIOLATION_WIRE, ""},
        {"Everything", "9c01", VIOLATION_WIRE, ""},
        {"Everything", "9b019401", VIOLATION_WIRE, ""},
        {"Everything", "f20101ff", VIOLATION_WIRE, ""},
        {"Everything", "8a010108", VIOLATION_WIRE, "small"},
        {"Everything", "7201ff", VIOLATION_UTF8, "aString"},
        {"Everything", "b2040410ffffff", VIOLATION_WIRE, "timestamp"},
        {"Everything", "b2040b10ffffffffffffffffff01", VIOLATION_RANGE, "timestamp"},
        {"Everything", "ba040d080110ffffffffffffffffff01", VIOLATION_RANGE, "duration"},
        {"Everything", "da04050a03615f31", VIOLATION_FORMAT, "fieldMask"},
        {"Everything", "ca0400", VIOLATION_TYPE, "value"},
        {"Everything", "ca040911000000000000f87f", VIOLATION_RANGE, "value"},
        {"Everything", "e204050a03742f78", VIOLATION_TYPE, "any"},
        {"Everything", "920205 0a016112 ", VIOLATION_WIRE, ""},
        {"Classic", "", VIOLATION_MISSING_FIELD, "id"},
        {"Classic", "080152020801", VIOLATION_NONE, ""},
        {"Classic", "08015200", VIOLATION_MISSING_FIELD, "child.id"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct violation violation = {0};
        const char *json = sample_json(cases[i].message, cases[i].wire, &violation);
        cr_assert((json == NULL) == (cases[i].kind != VIOLATION_NONE), "%s", cases[i].wire);
        cr_assert(violation.kind == cases[i].kind, "%s: %s", cases[i].wire,
                  violation_kind_name(violation.kind));
        cr_assert_str_eq(violation.path, cases[i].path, "%s: %s", cases[i].wire, violation.path);
    }
}
