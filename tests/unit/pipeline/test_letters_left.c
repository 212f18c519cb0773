/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "encode/encode.h"
#include "pipeline/letters_left.h"

static void apply(struct letters_left *left, const char *stream, const char *key,
                  const char *position, const char *outcome)
{
    struct record_header headers[2];
    size_t n = 0;
    headers[n++] = (struct record_header){BYTES_LIT("stream"), bytes_of(stream)};
    if (position != NULL) {
        headers[n++] = (struct record_header){BYTES_LIT("position"), bytes_of(position)};
    } else {
        headers[n++] = (struct record_header){BYTES_LIT(TOMBSTONE_OUTCOME), bytes_of(outcome)};
    }
    letters_left_apply(left, &(struct reader_record){
                                 .key = bytes_of(key),
                                 .value = position == NULL ? BYTES_NULL : BYTES_LIT("payload"),
                                 .headers = headers,
                                 .n_headers = n,
                             });
}

static bool has(const struct letters_left *left, const char *id)
{
    struct row row = {.id = bytes_of(id)};
    return letters_left_has(left, &row, (struct position){0x100, 1});
}

Test(letters_left, I10_letters_that_may_not_be_marked)
{
    struct letters_left *left = letters_left_new(BYTES_LIT("orders"), 0x100);
    apply(left, "orders", "marked", "00000000000000FF.00000007", NULL);
    apply(left, "orders", "dead", "0000000000000100.00000000", NULL);
    apply(left, "bills", "another", "0000000000000100.00000000", NULL);
    apply(left, "orders", "0000000000000100.00000001", "0000000000000100.00000001", NULL);
    cr_expect(has(left, "dead"));
    cr_expect_not(has(left, "marked"), "below the mark: it says DEAD already, or was replayed");
    cr_expect_not(has(left, "another"), "of another stream in the same topic");
    cr_expect_not(has(left, "published"));
    cr_expect(has(left, ""), "without an id the position is its key");
    letters_left_free(left);
    cr_expect_not(has(NULL, "dead"));
}

Test(letters_left, I10_replayed_is_published_and_purged_is_dead)
{
    struct letters_left *left = letters_left_new(BYTES_LIT("orders"), 1);
    apply(left, "orders", "replayed", "0000000000000100.00000000", NULL);
    apply(left, "orders", "purged", "0000000000000100.00000001", NULL);
    apply(left, "orders", "again", "0000000000000100.00000002", NULL);
    apply(left, "orders", "replayed", NULL, TOMBSTONE_REPLAYED);
    apply(left, "orders", "purged", NULL, TOMBSTONE_PURGED);
    apply(left, "orders", "again", NULL, TOMBSTONE_REPLAYED);
    apply(left, "orders", "again", "0000000000000200.00000000", NULL);
    apply(left, "orders", "never seen", NULL, TOMBSTONE_REPLAYED);
    cr_expect_not(has(left, "replayed"));
    cr_expect(has(left, "purged"));
    cr_expect(has(left, "again"));
    cr_expect_not(has(left, "never seen"));
    letters_left_free(left);
}

Test(letters_left, grows)
{
    struct letters_left *left = letters_left_new(BYTES_LIT("orders"), 1);
    char id[16];
    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        apply(left, "orders", id, "0000000000000100.00000000", NULL);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        cr_assert_eq(has(left, id), i < 10000, "%s", id);
    }
    letters_left_free(left);
}
