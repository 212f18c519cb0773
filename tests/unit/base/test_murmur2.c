/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "base/murmur2.h"

/* Kafka's own fixtures: UtilsTest.testMurmur2. */
Test(murmur2, is_what_java_clients_compute)
{
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        cr_expect_eq((int32_t)murmur2(bytes_of(known[i].key)), known[i].hash, "%s", known[i].key);
    }
}

Test(murmur2, does_not_care_where_the_key_stands)
{
    char memory[64];
    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(memory + shift, "foobar", 6);
        cr_expect_eq((int32_t)murmur2((struct bytes){memory + shift, 6}), -790332482);
    }
}

Test(murmur2, takes_high_bytes_as_java_does)
{
    /* Every tail length, with bytes that are negative in Java. The values follow from the
     * algorithm's definition with unsigned bytes (data[i] & 0xff). */
    const char bytes[] = {(char)0xff, (char)0x80, (char)0xfe, (char)0x81, (char)0xc3};
    uint32_t seen[6];
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        char *copy = malloc(len); /* so that a byte too far is seen */
        memcpy(copy, bytes, len);
        seen[len] = murmur2((struct bytes){copy, len});
        free(copy);
        for (size_t other = 1; other < len; other++) {
            cr_expect_neq(seen[len], seen[other]);
        }
    }
}

Test(murmur2, bucket_is_the_positive_hash_modulo_n)
{
    cr_expect_eq(murmur2_bucket(BYTES_LIT("21"), 7), (uint32_t)(-973932308 & 0x7fffffff) % 7);
    cr_expect_eq(murmur2_bucket(BYTES_LIT("abc"), 12), 479470107u % 12);
    cr_expect_eq(murmur2_bucket(BYTES_LIT("foobar"), 1), 0);
    cr_expect_eq(murmur2_bucket(BYTES_LIT("foobar"), 0), 0);
}

Test(murmur2, no_key_and_an_empty_one_are_in_bucket_0)
{
    for (uint32_t n = 1; n <= 64; n++) {
        cr_expect_eq(murmur2_bucket(BYTES_NULL, n), 0);
        cr_expect_eq(murmur2_bucket(BYTES_LIT(""), n), 0);
    }
}

Test(murmur2, every_bucket_is_used)
{
    for (uint32_t n = 2; n <= 64; n++) {
        uint32_t counts[64] = {0};
        for (uint32_t i = 0; i < n * 200; i++) {
            char key[16];
            int len = snprintf(key, sizeof(key), "key-%u", i);
            uint32_t bucket = murmur2_bucket((struct bytes){key, (size_t)len}, n);
            cr_assert_lt(bucket, n);
            counts[bucket]++;
        }
        for (uint32_t i = 0; i < n; i++) {
            cr_expect_gt(counts[i], 50, "bucket %u of %u has %u", i, n, counts[i]);
        }
    }
}
