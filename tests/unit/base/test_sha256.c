/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/macros.h"
#include "base/sha256.h"

static void expect(struct sha256 *sha, const char *expected)
{
    uint8_t digest[SHA256_SIZE];
    char text[SHA256_TEXT_SIZE];
    sha256_end(sha, digest);
    sha256_text(digest, text);
    cr_expect_str_eq(text, expected);
}

/* The examples of FIPS 180-4's companion, and the empty text. */
Test(sha256, known_answers)
{
    static const struct {
        const char *text;
        const char *digest;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct sha256 sha;
        sha256_init(&sha);
        sha256_add(&sha, known[i].text, strlen(known[i].text));
        expect(&sha, known[i].digest);
    }
}

Test(sha256, a_million_times_a_in_pieces_of_any_length)
{
    char a[199];
    memset(a, 'a', sizeof(a));
    struct sha256 sha;
    sha256_init(&sha);
    size_t left = 1000000;
    for (size_t piece = 1; left > 0; piece = piece % sizeof(a) + 1) {
        size_t len = piece < left ? piece : left;
        sha256_add(&sha, a, len);
        left -= len;
    }
    expect(&sha, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
