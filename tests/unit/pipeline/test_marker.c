/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "config/config.h"
#include "pipeline/marker.h"

/* --- instead of pg/: a link that notes what is sent --- */

static char *sent_sql;
static char *sent_ids;
static int sent_count;
static enum verdict link_verdict;

enum verdict link_send(struct link *link, const char *sql, const char *const *params, int n_params,
                       struct error *error)
{
    (void)link;
    (void)error;
    cr_assert_eq(n_params, 1);
    free(sent_sql);
    free(sent_ids);
    sent_sql = must_strdup(sql);
    sent_ids = must_strdup(params[0]);
    sent_count++;
    return link_verdict;
}

char *pg_quote_identifier(const char *name)
{
    return must_printf("\"%s\"", name);
}

#define XID  4294967290u
#define SEEN "4294967300:4294967300:" /* 4 after the wrap: everything of XID is visible */

/* --- one marker on one ledger with one transaction of n published events --- */

struct fixture {
    struct config config;
    struct pg_table_column columns[2];
    struct pg_table table;
    struct ledger *ledger;
    struct marker *marker;
    uint64_t transaction;
};

static void fixture_init(struct fixture *f, enum after_publish after, bool with_status, uint64_t n)
{
    *f = (struct fixture){0};
    f->config.outbox.after_publish = after;
    f->config.outbox.columns.id = (char *)"id";
    f->config.outbox.columns.status = (char *)"state";
    f->config.table = (char *)"\"public\".\"outbox\"";
    f->columns[0] = (struct pg_table_column){.name = (char *)"id", .type = (char *)"bigint"};
    f->columns[1] = (struct pg_table_column){.name = (char *)"state", .type = (char *)"text"};
    f->table.columns = f->columns;
    f->table.n_columns = with_status ? 2 : 1;
    f->ledger = ledger_new(1);
    f->transaction = ledger_open(f->ledger, 10);
    ledger_expect(f->ledger, f->transaction, n);
    ledger_published(f->ledger, f->transaction, n);
    ledger_seal(f->ledger, f->transaction, 20);
    f->marker = marker_new(&f->config, &f->table, false, f->ledger);
}

static void fixture_release(struct fixture *f)
{
    marker_free(f->marker);
    ledger_free(f->ledger);
    free(sent_sql);
    free(sent_ids);
}

static void add(struct fixture *f, const char *id, enum dead_reason dead)
{
    struct row row = {.id = bytes_of(id), .dead = dead};
    marker_add(f->marker, &row, f->transaction, XID);
}

static void send_one(struct fixture *f)
{
    struct error error;
    cr_assert(marker_wants(f->marker, 0));
    cr_assert_eq(marker_send(f->marker, NULL, &error), OK);
}

Test(marker, I1_settles_only_when_the_mark_is_committed)
{
    struct fixture f;
    fixture_init(&f, AFTER_MARK, true, 2);
    add(&f, "1", DEAD_NOT);
    add(&f, "2", DEAD_NOT);
    cr_expect_eq(marker_pending(f.marker), 2);
    cr_expect_gt(marker_memory(f.marker), 0);
    send_one(&f);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 1);
    cr_expect_eq(marker_answer(f.marker, OK, SEEN, 0), OK);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    cr_expect_eq(marker_pending(f.marker), 0);
    cr_expect_eq(marker_memory(f.marker), 0);
    cr_expect_not(marker_wants(f.marker, INT64_MAX));
    fixture_release(&f);
}

Test(marker, statement_and_ids_are_what_postgres_reads)
{
    struct fixture f;
    fixture_init(&f, AFTER_MARK, true, 3);
    add(&f, "a\"b\\c", DEAD_NOT);
    add(&f, "{,}", DEAD_NOT);
    add(&f, "NULL", DEAD_NOT);
    send_one(&f);
    cr_expect_str_eq(sent_ids, "{\"a\\\"b\\\\c\",\"{,}\",\"NULL\"}");
    cr_expect_str_eq(sent_sql, "WITH marked AS (UPDATE \"public\".\"outbox\" SET \"state\" = "
                               "'COMMITTED' WHERE \"id\" = ANY ($1::bigint[]) AND (\"state\" IS "
                               "NULL OR \"state\" NOT IN ('COMMITTED', 'DEAD'))) SELECT "
                               "pg_catalog.pg_current_snapshot()::text");
    fixture_release(&f);
}

Test(marker, a_lock_delays_the_same_marks)
{
    struct fixture f;
    fixture_init(&f, AFTER_MARK, true, 2);
    add(&f, "1", DEAD_NOT);
    send_one(&f);
    cr_expect_eq(marker_answer(f.marker, WAIT, NULL, 1000), WAIT);
    add(&f, "2", DEAD_NOT);
    cr_expect_not(marker_wants(f.marker, 1001));
    cr_expect(marker_wants(f.marker, 10 * 1000 * 1000));
    struct error error;
    cr_expect_eq(marker_send(f.marker, NULL, &error), OK);
    cr_expect_str_eq(sent_ids, "{\"1\"}"); /* once closed, not closed again */
    marker_answer(f.marker, OK, SEEN, 10 * 1000 * 1000);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 1);
    cr_expect(marker_wants(f.marker, 20 * 1000 * 1000));
    cr_expect_eq(marker_send(f.marker, NULL, &error), OK);
    cr_expect_str_eq(sent_ids, "{\"2\"}");
    marker_answer(f.marker, OK, SEEN, 0);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    fixture_release(&f);
}

Test(marker, I1_a_failed_statement_settles_nothing)
{
    struct fixture f;
    fixture_init(&f, AFTER_MARK, true, 1);
    add(&f, "1", DEAD_NOT);
    send_one(&f);
    cr_expect_eq(marker_answer(f.marker, FATAL, NULL, 0), FATAL);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 1);
    cr_expect_eq(marker_pending(f.marker), 1);
    fixture_release(&f);
}

Test(marker, dead_rows_are_marked_dead_and_never_deleted)
{
    struct fixture f;
    fixture_init(&f, AFTER_DELETE, true, 2);
    add(&f, "1", DEAD_INVALID_EVENT);
    add(&f, "2", DEAD_NOT);
    send_one(&f);
    cr_expect_not_null(strstr(sent_sql, "SET \"state\" = 'DEAD'"), "%s", sent_sql);
    cr_expect_str_eq(sent_ids, "{\"1\"}");
    marker_answer(f.marker, OK, SEEN, 0);
    send_one(&f);
    cr_expect_not_null(strstr(sent_sql, "(DELETE FROM \"public\".\"outbox\""), "%s", sent_sql);
    cr_expect_not_null(strstr(sent_sql, "AND \"state\" IS DISTINCT FROM 'DEAD')"), "%s", sent_sql);
    cr_expect_str_eq(sent_ids, "{\"2\"}");
    marker_answer(f.marker, OK, SEEN, 0);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    fixture_release(&f);
}

Test(marker, dead_rows_without_a_status_column_stay_as_they_are)
{
    struct fixture f;
    fixture_init(&f, AFTER_DELETE, false, 1);
    add(&f, "1", DEAD_INVALID_EVENT);
    cr_expect_not(marker_wants(f.marker, 0));
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    fixture_release(&f);
}

Test(marker, what_has_no_row_is_settled_at_once)
{
    struct fixture f;
    fixture_init(&f, AFTER_MARK, true, 2);
    struct row message = {.id = BYTES_LIT("1"), .message = true};
    marker_add(f.marker, &message, f.transaction, XID);
    struct row nameless = {.id = BYTES_NULL, .dead = DEAD_INVALID_EVENT};
    marker_add(f.marker, &nameless, f.transaction, XID);
    cr_expect_not(marker_wants(f.marker, 0));
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    fixture_release(&f);
}

Test(marker, keep_settles_at_once)
{
    struct fixture f;
    fixture_init(&f, AFTER_KEEP, true, 1);
    add(&f, "1", DEAD_NOT);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    fixture_release(&f);
}

Test(marker, single_dead_rows_do_not_cut_the_others_into_small_statements)
{
    struct fixture f;
    fixture_init(&f, AFTER_MARK, true, 1000);
    for (int i = 0; i < 1000; i++) {
        char id[16];
        snprintf(id, sizeof(id), "%d", i);
        add(&f, id, i % 2 == 0 ? DEAD_NOT : DEAD_INVALID_EVENT);
    }
    sent_count = 0;
    while (marker_wants(f.marker, 0)) {
        send_one(&f);
        marker_answer(f.marker, OK, SEEN, 0);
    }
    cr_expect_eq(sent_count, 2);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    cr_expect_eq(marker_memory(f.marker), 0);
    fixture_release(&f);
}

/* Adds, sends and answers in any order; every id goes out in exactly one answered statement. */
Test(marker, I10_every_id_is_marked_exactly_once)
{
    struct fixture f;
    enum { N = 30000 };
    fixture_init(&f, AFTER_MARK, true, N);
    static unsigned char marked[N];
    srandom(3);
    bool under_way = false;
    for (int added = 0, left = 1; added < N || left;) {
        if (added < N && random() % 100 != 0) {
            char id[16];
            snprintf(id, sizeof(id), "%d", added++);
            add(&f, id, random() % 10 == 0 ? DEAD_INVALID_EVENT : DEAD_NOT);
        } else if (under_way) {
            under_way = false;
            if (random() % 4 == 0) {
                marker_answer(f.marker, WAIT, NULL, -1000000);
            } else {
                for (char *at = strtok(sent_ids, "{\",}"); at; at = strtok(NULL, "{\",}")) {
                    marked[atoi(at)]++;
                }
                marker_answer(f.marker, OK, SEEN, 0);
            }
        } else if (marker_wants(f.marker, 0)) {
            send_one(&f);
            under_way = true;
        }
        left = marker_pending(f.marker) > 0;
    }
    for (int i = 0; i < N; i++) {
        cr_assert_eq(marked[i], 1, "id %d: %d times", i, marked[i]);
    }
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    cr_expect_eq(marker_memory(f.marker), 0);
    fixture_release(&f);
}

Test(marker, an_answer_without_a_question_is_a_bug, .signal = SIGABRT)
{
    struct fixture f;
    fixture_init(&f, AFTER_MARK, true, 1);
    marker_answer(f.marker, OK, SEEN, 0);
}

/* The rows of a commit that other sessions do not see yet: the statement found nothing. */
Test(marker, I1_marks_again_what_was_not_visible_yet)
{
    static const char *const unseen[] = {
        "4294967280:4294967289:",                      /* begun after the snapshot */
        "4294967280:4294967300:4294967290",            /* in progress */
        "4294967280:4294967300:4294967281,4294967290", /* in progress, not the first */
        "4294967290:4294967291:4294967290",            /* the oldest in progress */
    };
    struct fixture f;
    fixture_init(&f, AFTER_MARK, true, 1);
    add(&f, "1", DEAD_NOT);
    for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
        struct error error;
        cr_assert_eq(marker_send(f.marker, NULL, &error), OK);
        cr_expect_eq(marker_answer(f.marker, OK, unseen[i], 0), OK);
        cr_expect_eq(ledger_safe_lsn(f.ledger), 1, "%s", unseen[i]);
        cr_expect_eq(marker_pending(f.marker), 1);
        cr_expect_not(marker_wants(f.marker, 0));
        cr_expect(marker_wants(f.marker, 1000 * 1000));
    }
    struct error error;
    cr_assert_eq(marker_send(f.marker, NULL, &error), OK);
    cr_expect_str_eq(sent_ids, "{\"1\"}");
    cr_expect_eq(marker_answer(f.marker, OK, "4294967280:4294967300:4294967281", 0), OK);
    cr_expect_eq(ledger_safe_lsn(f.ledger), 20);
    fixture_release(&f);
}
