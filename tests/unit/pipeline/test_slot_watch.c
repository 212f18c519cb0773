/* SPDX-License-Identifier: Apache-2.0
 *
 * I9: that the server will give the slot up is said in time, and not with every look. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/slot_watch.h"

enum { MB = 1 << 20, SECOND = 1000000 };

static struct pg_slot slot_with(int64_t retained_mb, int64_t safe_mb)
{
    struct pg_slot slot = {
        .exists = true, .retained_bytes = retained_mb * MB, .safe_bytes = safe_mb * MB};
    snprintf(slot.wal_status, sizeof(slot.wal_status), safe_mb < 0 ? "unreserved" : "extended");
    return slot;
}

/* What a look `seconds` after the beginning says; empty: nothing. */
static void look(struct slot_watch *watch, const struct pg_slot *slot, int seconds, char said[2048])
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    struct log log;
    log_init(&log, ends[1], LOG_JSON, LOG_INFO);
    slot_watch_look(watch, &log, "walpost_orders", slot, (int64_t)seconds * SECOND);
    close(ends[1]);
    ssize_t size = read(ends[0], said, 2047);
    said[size < 0 ? 0 : size] = '\0';
    close(ends[0]);
}

Test(slot_watch, I9_a_shortage_is_said_again_at_once_only_when_it_is_worse)
{
    struct slot_watch watch = {.is_short = false};
    struct pg_slot well = slot_with(10, 54), little = slot_with(50, 14), none = slot_with(70, -6);
    char said[2048];
    look(&watch, &well, 0, said);
    cr_expect_str_empty(said, "%s", said);
    look(&watch, &little, 5, said);
    cr_expect_not_null(strstr(said, "may soon be lost"), "%s", said);
    look(&watch, &little, 10, said);
    cr_expect_str_empty(said, "%s", said);
    look(&watch, &none, 15, said);
    cr_expect_not_null(strstr(said, "is about to be lost"), "%s", said);
    look(&watch, &none, 20, said);
    cr_expect_str_empty(said, "%s", said);
    look(&watch, &none, 45, said);
    cr_expect_not_null(strstr(said, "is about to be lost"), "%s", said);
    look(&watch, &well, 50, said);
    cr_expect_not_null(strstr(said, "the slot is safe again"), "%s", said);
}
