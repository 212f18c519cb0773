/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/macros.h"
#include "contract/scan.h"

/* In an allocation of its exact size. */
static char *copy(struct bytes text)
{
    char *made = must_malloc(text.len);
    memcpy(made, text.data, text.len);
    return made;
}

/* text: behind the opening quote, the closing one included. */
static enum scan_trouble scan(struct bytes text, struct output *output, size_t *passed)
{
    struct scan_failure failure = {0};
    char *exact = copy(text);
    const char *at = scan_string(exact, exact + text.len, output, &failure);
    *passed = at == NULL ? 0 : (size_t)(at - exact);
    free(exact);
    return at == NULL ? failure.trouble : SCAN_FINE;
}

Test(scan, a_special_character_is_found_at_every_place)
{
    for (unsigned place = 0; place < 70; place++) {
        char text[72];
        memset(text, 'x', sizeof(text));
        text[place] = '"';
        struct output output;
        size_t passed;
        output_init(&output);
        cr_assert(scan((struct bytes){text, sizeof(text)}, &output, &passed) == SCAN_FINE);
        cr_assert(passed == place + 1 && output_len(&output) == place, "%u", place);
        text[place] = '\x1F';
        cr_assert(scan((struct bytes){text, sizeof(text)}, NULL, &passed) ==
                  SCAN_CONTROL_CHARACTER);
        text[place] = '\xFF';
        cr_assert(scan((struct bytes){text, sizeof(text)}, NULL, &passed) == SCAN_BAD_UTF8);
        output_release(&output);
    }
}

Test(scan, every_byte_is_special_or_not)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char block[16];
        memset(block, 'a', sizeof(block));
        block[5] = (char)byte;
        cr_assert(plain_of_16(block) == (is_special((char)byte) ? 5U : 16U), "%u", byte);
        /* Neighbours that are nearly special do not spoil it. */
        memset(block, ' ', sizeof(block));
        block[0] = '#';
        block[1] = ']';
        block[9] = (char)byte;
        cr_assert(plain_of_16(block) == (is_special((char)byte) ? 9U : 16U), "%u", byte);
    }
}

Test(scan, strings_mean_what_they_say)
{
    static const struct {
        const char *text;
        const char *meaning;
    } cases[] = {
        {"\"", ""},
        {"abc\"", "abc"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\\u0041\\u00e4\\u20AC\"", "A\xC3\xA4\xE2\x82\xAC"},
        {"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80"},
        {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"a string of more than thirty-two \\n characters in one piece\"",
         "a string of more than thirty-two \n characters in one piece"},
        {"\x7F\"", "\x7F"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct output output;
        size_t passed;
        output_init(&output);
        cr_assert(scan(bytes_of(cases[i].text), &output, &passed) == SCAN_FINE, "%s",
                  cases[i].text);
        cr_assert(bytes_equal(output_bytes(&output), bytes_of(cases[i].meaning)), "%s",
                  cases[i].text);
        output_release(&output);
    }
}

Test(scan, strings_that_are_none)
{
    static const struct {
        const char *text;
        enum scan_trouble trouble;
    } cases[] = {
        {"", SCAN_TRUNCATED},
        {"abc", SCAN_TRUNCATED},
        {"abc\\", SCAN_TRUNCATED},
        {"\\u12", SCAN_TRUNCATED},
        {"\\x\"", SCAN_BAD_ESCAPE},
        {"\\u12g4\"", SCAN_BAD_ESCAPE},
        {"\\U0041\"", SCAN_BAD_ESCAPE},
        {"\n\"", SCAN_CONTROL_CHARACTER},
        {"\\ud83d\"", SCAN_HALF_SURROGATE},
        {"\\ude00\"", SCAN_HALF_SURROGATE},
        {"\\ud83d\\u0041\"", SCAN_HALF_SURROGATE},
        {"\\ud83d\\ud83d\"", SCAN_HALF_SURROGATE},
        {"\\ude00\\ud83d\"", SCAN_HALF_SURROGATE},
        {"\xC0\x80\"", SCAN_BAD_UTF8},
        {"\xC1\xBF\"", SCAN_BAD_UTF8},
        {"\xE0\x9F\xBF\"", SCAN_BAD_UTF8},
        {"\xED\xA0\x80\"", SCAN_BAD_UTF8},
        {"\xED\xBF\xBF\"", SCAN_BAD_UTF8},
        {"\xF0\x8F\xBF\xBF\"", SCAN_BAD_UTF8},
        {"\xF4\x90\x80\x80\"", SCAN_BAD_UTF8},
        {"\xF8\x88\x80\x80\x80\"", SCAN_BAD_UTF8},
        {"\x80\"", SCAN_BAD_UTF8},
        {"\xC3\"", SCAN_BAD_UTF8},
        {"\xE2\x82\"", SCAN_BAD_UTF8},
        {"\xF0\x9F\x98\"", SCAN_BAD_UTF8},
        {"\xC3", SCAN_BAD_UTF8},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t passed;
        cr_assert(scan(bytes_of(cases[i].text), NULL, &passed) == cases[i].trouble, "%zu", i);
    }
}

/* All code points there are, and the sequences next to them. */
Test(scan, utf8_is_what_rfc_3629_says)
{
    for (unsigned point = 0x80; point < 0x110000; point++) {
        char text[4];
        size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        for (size_t i = len - 1; i > 0; i--) {
            text[i] = (char)(0x80 | (point >> (6 * (len - 1 - i)) & 0x3F));
        }
        text[0] = (char)((len == 2 ? 0xC0 : len == 3 ? 0xE0 : 0xF0) | point >> (6 * (len - 1)));
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        cr_assert(utf8_sequence(text, text + len) == (surrogate ? 0 : len), "U+%04X", point);
        cr_assert(utf8_sequence(text, text + len - 1) == 0, "U+%04X cut", point);
    }
    cr_assert(utf8_valid(BYTES_LIT("plain text of more than eight letters")));
    cr_assert(utf8_valid(BYTES_LIT("twelve plain\xC3\xA4")));
    cr_assert(!utf8_valid(BYTES_LIT("twelve plain\xC3")));
}

Test(scan, long_strings_of_other_scripts)
{
    struct output output;
    output_init(&output);
    char text[3001];
    for (size_t i = 0; i < 3000; i += 3) {
        memcpy(text + i, "\xE6\xBC\xA2", 3);
    }
    text[3000] = '"';
    size_t passed;
    cr_assert(scan((struct bytes){text, sizeof(text)}, &output, &passed) == SCAN_FINE);
    cr_assert(passed == sizeof(text));
    cr_assert(bytes_equal(output_bytes(&output), (struct bytes){text, 3000}));
    output_release(&output);
}

Test(scan, whole_values_are_passed_over)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"{\"a\":[1,-2.5e+7,\"x\",true,false,null,{}],\"b\":[]}", true},
        {" [ [ ] , { } ] ", true},
        {"[1,]", false},
        {"{\"a\":1,}", false},
        {"{a:1}", false},
        {"{\"a\" 1}", false},
        {"[1 2]", false},
        {"[01]", false},
        {"[-]", false},
        {"[1.]", false},
        {"[tru]", false},
        {"[nul", false},
        {"{", false},
        {"[[[[[[[[[[]]]]]]]]]]", true},
        {"[[[[[[[[[[[]]]]]]]]]]]", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scan_failure failure;
        char *text = copy(bytes_of(cases[i].text));
        const char *at = scan_value(text, text + strlen(cases[i].text), 10, &failure);
        cr_assert((at != NULL) == cases[i].good, "%s", cases[i].text);
        free(text);
    }
}
