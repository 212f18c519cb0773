/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "ledger/ledger.h"

/* A sealed transaction of n events. */
static uint64_t transaction_of(struct ledger *ledger, lsn commit_lsn, lsn end_lsn, uint64_t n)
{
    uint64_t transaction = ledger_open(ledger, commit_lsn);
    ledger_expect(ledger, transaction, n);
    ledger_seal(ledger, transaction, end_lsn);
    return transaction;
}

static void finish(struct ledger *ledger, uint64_t transaction, uint64_t n)
{
    ledger_published(ledger, transaction, n);
    ledger_settled(ledger, transaction, n);
}

Test(ledger, starts_at_the_slots_position)
{
    struct ledger *ledger = ledger_new(100);
    cr_expect_eq(ledger_safe_lsn(ledger), 100);
    cr_expect_eq(ledger_published_lsn(ledger), 100);
    cr_expect_eq(ledger_pending(ledger), 0);
    cr_expect_eq(ledger_transactions(ledger), 0);
    ledger_free(ledger);
    ledger_free(NULL);
}

Test(ledger, I1_never_confirms_an_open_transaction)
{
    struct ledger *ledger = ledger_new(100);
    uint64_t a = ledger_open(ledger, 110);
    ledger_expect(ledger, a, 2);
    finish(ledger, a, 2); /* all that is known of it, but more may come */
    cr_expect_eq(ledger_safe_lsn(ledger), 100);
    cr_expect_eq(ledger_published_lsn(ledger), 100);
    ledger_expect(ledger, a, 1);
    ledger_seal(ledger, a, 120);
    cr_expect_eq(ledger_safe_lsn(ledger), 100);
    finish(ledger, a, 1);
    cr_expect_eq(ledger_safe_lsn(ledger), 120);
    ledger_free(ledger);
}

Test(ledger, I1_never_passes_an_event_that_is_not_settled)
{
    struct ledger *ledger = ledger_new(100);
    uint64_t a = transaction_of(ledger, 110, 120, 3);
    ledger_published(ledger, a, 2);
    ledger_settled(ledger, a, 2);
    cr_expect_eq(ledger_published_lsn(ledger), 100);
    ledger_published(ledger, a, 1);
    cr_expect_eq(ledger_published_lsn(ledger), 120);
    cr_expect_eq(ledger_safe_lsn(ledger), 100);
    cr_expect_eq(ledger_pending(ledger), 1);
    ledger_settled(ledger, a, 1);
    cr_expect_eq(ledger_safe_lsn(ledger), 120);
    cr_expect_eq(ledger_pending(ledger), 0);
    ledger_free(ledger);
}

Test(ledger, I1_moves_over_the_finished_prefix_only)
{
    struct ledger *ledger = ledger_new(100);
    uint64_t a = transaction_of(ledger, 110, 120, 1);
    uint64_t b = transaction_of(ledger, 120, 130, 1); /* begins where the other ends */
    uint64_t c = transaction_of(ledger, 140, 150, 1);
    finish(ledger, c, 1);
    cr_expect_eq(ledger_safe_lsn(ledger), 100);
    ledger_published(ledger, a, 1);
    cr_expect_eq(ledger_published_lsn(ledger), 120);
    cr_expect_eq(ledger_safe_lsn(ledger), 100);
    finish(ledger, b, 1);
    cr_expect_eq(ledger_published_lsn(ledger), 150);
    cr_expect_eq(ledger_safe_lsn(ledger), 100);
    cr_expect_eq(ledger_transactions(ledger), 3);
    ledger_settled(ledger, a, 1);
    cr_expect_eq(ledger_safe_lsn(ledger), 150);
    cr_expect_eq(ledger_transactions(ledger), 0);
    ledger_free(ledger);
}

Test(ledger, empty_transactions_move_the_prefix)
{
    struct ledger *ledger = ledger_new(100);
    transaction_of(ledger, 110, 120, 0);
    cr_expect_eq(ledger_safe_lsn(ledger), 120);
    uint64_t b = transaction_of(ledger, 130, 140, 1);
    transaction_of(ledger, 150, 160, 0);
    cr_expect_eq(ledger_safe_lsn(ledger), 120);
    finish(ledger, b, 1);
    cr_expect_eq(ledger_safe_lsn(ledger), 160);
    ledger_free(ledger);
}

Test(ledger, I1_a_keepalive_counts_only_when_nothing_is_in_flight)
{
    struct ledger *ledger = ledger_new(100);
    cr_expect(ledger_idle(ledger, 105));
    cr_expect_eq(ledger_safe_lsn(ledger), 105);
    cr_expect_eq(ledger_published_lsn(ledger), 105);
    uint64_t a = ledger_open(ledger, 110);
    cr_expect_not(ledger_idle(ledger, 200));
    ledger_expect(ledger, a, 1);
    ledger_seal(ledger, a, 120);
    cr_expect_not(ledger_idle(ledger, 200));
    ledger_published(ledger, a, 1);
    cr_expect_not(ledger_idle(ledger, 200));
    cr_expect_eq(ledger_safe_lsn(ledger), 105);
    ledger_settled(ledger, a, 1);
    cr_expect_eq(ledger_safe_lsn(ledger), 120);
    cr_expect(ledger_idle(ledger, 200));
    cr_expect_eq(ledger_safe_lsn(ledger), 200);
    ledger_free(ledger);
}

Test(ledger, I2_never_moves_back)
{
    struct ledger *ledger = ledger_new(1000);
    cr_expect(ledger_idle(ledger, 10)); /* a keepalive from before */
    cr_expect_eq(ledger_safe_lsn(ledger), 1000);
    uint64_t a = transaction_of(ledger, 500, 510, 1); /* sent again after the slot's crash */
    finish(ledger, a, 1);
    cr_expect_eq(ledger_safe_lsn(ledger), 1000);
    cr_expect_eq(ledger_published_lsn(ledger), 1000);
    ledger_free(ledger);
}

Test(ledger, I1_holds_when_the_ring_grows)
{
    struct ledger *ledger = ledger_new(1);
    enum { N = 5000, BEFORE = 700 };
    for (uint64_t i = 0; i < BEFORE; i++) { /* so that the ring's beginning is not its start */
        finish(ledger, transaction_of(ledger, 10 + i * 10, 15 + i * 10, 1), 1);
    }
    uint64_t names[N];
    lsn base = 10 + BEFORE * 10;
    for (uint64_t i = 0; i < N; i++) {
        names[i] = transaction_of(ledger, base + i * 10, base + i * 10 + 5, 1);
    }
    cr_expect_eq(ledger_transactions(ledger), N);
    for (uint64_t i = N - 1; i > 0; i--) {
        finish(ledger, names[i], 1);
        cr_assert_eq(ledger_transactions(ledger), N);
    }
    cr_expect_eq(ledger_safe_lsn(ledger), base - 5);
    finish(ledger, names[0], 1);
    cr_expect_eq(ledger_safe_lsn(ledger), base + (N - 1) * 10 + 5);
    cr_expect_eq(ledger_transactions(ledger), 0);
    ledger_free(ledger);
}

/* --- against a model that keeps everything and looks at it all, every time --- */

enum { MODEL_MAX = 3000 };

struct model {
    struct {
        lsn end_lsn;
        uint64_t expected, published, settled, name;
    } all[MODEL_MAX];
    size_t n;
};

static lsn model_lsn(const struct model *model, bool settled, lsn start)
{
    lsn at = start;
    for (size_t i = 0; i < model->n; i++) {
        uint64_t done = settled ? model->all[i].settled : model->all[i].published;
        if (model->all[i].end_lsn == 0 || done < model->all[i].expected) {
            break;
        }
        at = model->all[i].end_lsn;
    }
    return at;
}

static void random_step(struct model *model, struct ledger *ledger, lsn *wal)
{
    size_t newest = model->n - 1;
    bool open = model->n > 0 && model->all[newest].end_lsn == 0;
    size_t from = model->n < 50 ? 0 : model->n - 50;
    size_t some = model->n == 0 ? 0 : from + (size_t)random() % (model->n - from);
    uint64_t unpublished = model->all[some].expected - model->all[some].published;
    uint64_t unsettled = model->all[some].published - model->all[some].settled;
    switch (random() % 8) {
    case 0:
        if (!open && model->n < MODEL_MAX) {
            *wal += (lsn)random() % 3; /* 0: exactly at the end of the one before */
            model->all[model->n].name = ledger_open(ledger, *wal);
            model->n++;
            *wal += 8;
        }
        break;
    case 1:
        if (open) {
            uint64_t n = (uint64_t)random() % 4;
            ledger_expect(ledger, model->all[newest].name, n);
            model->all[newest].expected += n;
        }
        break;
    case 2:
        if (open) {
            ledger_seal(ledger, model->all[newest].name, *wal);
            model->all[newest].end_lsn = *wal;
        }
        break;
    case 3:
    case 4:
    case 5:
        if (unpublished > 0) {
            uint64_t n = 1 + (uint64_t)random() % unpublished;
            ledger_published(ledger, model->all[some].name, n);
            model->all[some].published += n;
        }
        break;
    default:
        if (unsettled > 0) {
            uint64_t n = 1 + (uint64_t)random() % unsettled;
            ledger_settled(ledger, model->all[some].name, n);
            model->all[some].settled += n;
        }
    }
}

Test(ledger, I1_I2_agrees_with_a_naive_model)
{
    static struct model model;
    for (unsigned seed = 1; seed <= 40; seed++) {
        srandom(seed);
        model = (struct model){0};
        struct ledger *ledger = ledger_new(1);
        lsn wal = 10;
        for (int step = 0; step < 1500; step++) {
            random_step(&model, ledger, &wal);
            uint64_t pending = 0;
            for (size_t i = 0; i < model.n; i++) {
                pending += model.all[i].expected - model.all[i].settled;
            }
            cr_assert_eq(ledger_published_lsn(ledger), model_lsn(&model, false, 1), "seed %u",
                         seed);
            cr_assert_eq(ledger_safe_lsn(ledger), model_lsn(&model, true, 1), "seed %u", seed);
            cr_assert_eq(ledger_pending(ledger), pending, "seed %u", seed);
        }
        ledger_free(ledger);
    }
}

/* --- misuse --- */

Test(ledger, I1_settling_before_publishing_is_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    uint64_t a = transaction_of(ledger, 10, 20, 2);
    ledger_published(ledger, a, 1);
    ledger_settled(ledger, a, 2);
}

Test(ledger, I10_publishing_more_than_there_is_is_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    ledger_published(ledger, transaction_of(ledger, 10, 20, 1), 2);
}

Test(ledger, I10_publishing_a_settled_transaction_is_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    uint64_t a = transaction_of(ledger, 10, 20, 1);
    finish(ledger, a, 1);
    ledger_published(ledger, a, 1);
}

Test(ledger, two_open_transactions_are_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    ledger_open(ledger, 10);
    ledger_open(ledger, 20);
}

Test(ledger, I5_a_transaction_out_of_commit_order_is_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    transaction_of(ledger, 10, 20, 1);
    ledger_open(ledger, 10);
}

Test(ledger, an_end_before_the_commit_is_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    transaction_of(ledger, 10, 10, 1);
}

Test(ledger, I1_expecting_after_the_seal_is_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    ledger_expect(ledger, transaction_of(ledger, 10, 20, 1), 1);
}

Test(ledger, sealing_twice_is_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    ledger_seal(ledger, transaction_of(ledger, 10, 20, 1), 30);
}

Test(ledger, a_transaction_that_never_was_is_a_bug, .signal = SIGABRT)
{
    struct ledger *ledger = ledger_new(1);
    ledger_published(ledger, 0, 0);
}
