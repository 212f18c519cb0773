/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that decode well and still cannot be: whatever comes from the wire, nothing ends the
 * process, and nothing is read that was not sent. */
#include <criterion/criterion.h>
#include <endian.h>
#include <stdlib.h>

#include "config/config.h"
#include "pipeline/intake.h"

/* --- messages --- */

enum { OUTBOX_OID = 16400, OTHER_OID = 16500 };

struct wire {
    char data[256];
    size_t len;
};

static void put(struct wire *wire, const void *bytes, size_t len)
{
    memcpy(wire->data + wire->len, bytes, len);
    wire->len += len;
}

static void put_u8(struct wire *wire, uint8_t value)
{
    put(wire, &value, sizeof(value));
}

static void put_u16(struct wire *wire, uint16_t value)
{
    value = htobe16(value);
    put(wire, &value, sizeof(value));
}

static void put_u32(struct wire *wire, uint32_t value)
{
    value = htobe32(value);
    put(wire, &value, sizeof(value));
}

static void put_u64(struct wire *wire, uint64_t value)
{
    value = htobe64(value);
    put(wire, &value, sizeof(value));
}

static void put_name(struct wire *wire, const char *name)
{
    put(wire, name, strlen(name) + 1);
}

static struct wire begin_message(lsn commit_lsn)
{
    struct wire wire = {.len = 0};
    put_u8(&wire, 'B');
    put_u64(&wire, commit_lsn);
    put_u64(&wire, 1); /* time */
    put_u32(&wire, 700);
    return wire;
}

static struct wire commit_message(lsn commit_lsn, lsn end_lsn)
{
    struct wire wire = {.len = 0};
    put_u8(&wire, 'C');
    put_u8(&wire, 0);
    put_u64(&wire, commit_lsn);
    put_u64(&wire, end_lsn);
    put_u64(&wire, 1);
    return wire;
}

static struct wire relation_message(void)
{
    static const char *const columns[] = {"id", "aggregate_id", "event_type", "payload"};
    struct wire wire = {.len = 0};
    put_u8(&wire, 'R');
    put_u32(&wire, OUTBOX_OID);
    put_name(&wire, "public");
    put_name(&wire, "outbox_events");
    put_u8(&wire, 'd');
    put_u16(&wire, 4);
    for (int i = 0; i < 4; i++) {
        put_u8(&wire, 0);
        put_name(&wire, columns[i]);
        put_u32(&wire, 25);
        put_u32(&wire, UINT32_MAX);
    }
    return wire;
}

static struct wire insert_message(uint32_t oid, uint16_t n_columns)
{
    static const char *const values[] = {"a346fbc3-ebc6-4075-9d4c-4b15514b301a", "42",
                                         "Order.Placed", "{}"};
    struct wire wire = {.len = 0};
    put_u8(&wire, 'I');
    put_u32(&wire, oid);
    put_u8(&wire, 'N');
    put_u16(&wire, n_columns);
    for (uint16_t i = 0; i < n_columns; i++) {
        put_u8(&wire, 't');
        put_u32(&wire, (uint32_t)strlen(values[i]));
        put(&wire, values[i], strlen(values[i]));
    }
    return wire;
}

/* --- an intake whose segments come straight back --- */

static struct config *config;
static struct encoder *encoder;
static struct ledger *ledger;
static struct intake *intake;
static uint32_t submitted;

static void on_submit(void *context, uint32_t lane, struct segment *first, struct segment *last)
{
    (void)context;
    (void)lane;
    (void)last;
    while (first != NULL) {
        struct segment *next = first->next;
        submitted += first->n_events;
        intake_give_back(intake, first);
        first = next;
    }
}

static void open_intake(void)
{
    static const char *const sets[] = {"stream=orders", "postgres.dsn=host=db"};
    struct error error;
    cr_assert_eq(config_load(&(struct config_sources){.sets = sets, .n_sets = 2}, &config, &error),
                 OK);
    cr_assert_eq(encoder_new(config, &encoder, &error), OK);
    ledger = ledger_new(0);
    intake = intake_new(&(struct intake_options){
        .config = config, .encoder = encoder, .ledger = ledger, .lanes = 1, .submit = on_submit});
}

static void close_intake(void)
{
    intake_free(intake);
    ledger_free(ledger);
    encoder_free(encoder);
    config_free(config);
}

TestSuite(intake, .init = open_intake, .fini = close_intake);

/* In memory of its own, which is gone after the call as it is in the stream. */
static enum verdict take(struct wire wire, struct error *error)
{
    struct stream_message message = {.kind = STREAM_DATA, .buffer_size = wire.len};
    message.buffer = malloc(wire.len);
    memcpy(message.buffer, wire.data, wire.len);
    message.data = (struct bytes){message.buffer, wire.len};
    enum verdict verdict = intake_message(intake, &message, error);
    free(message.buffer);
    intake_flush(intake);
    return verdict;
}

static void expect_taken(struct wire wire)
{
    struct error error = {.verdict = OK};
    cr_expect_eq(take(wire, &error), OK, "%s", error.what);
}

static void expect_refused(struct wire wire, const char *what)
{
    struct error error = {.verdict = OK};
    cr_expect_eq(take(wire, &error), FATAL);
    cr_expect(strstr(error.what, what) != NULL, "%s", error.what);
    cr_expect(error.remedy[0] != '\0');
}

/* --- tests --- */

Test(intake, a_transaction)
{
    expect_taken(begin_message(100));
    expect_taken(relation_message());
    expect_taken(insert_message(OUTBOX_OID, 4));
    expect_taken(insert_message(OTHER_OID, 1));
    expect_taken(commit_message(100, 150));
    cr_expect_eq(submitted, 1);
    cr_expect_eq(intake_counts(intake).events, 1);
    cr_expect_eq(intake_counts(intake).filtered, 1);
}

/* OID 0 is no table's; to whoever has not seen the outbox yet, it is not the outbox either. */
Test(intake, an_insert_before_any_table_was_announced)
{
    expect_taken(begin_message(100));
    expect_taken(insert_message(OTHER_OID, 4));
    expect_taken(insert_message(0, 0));
    expect_taken(commit_message(100, 150));
    cr_expect_eq(intake_counts(intake).events, 0);
    cr_expect_eq(intake_counts(intake).filtered, 2);
}

Test(intake, messages_out_of_place)
{
    expect_refused(insert_message(OUTBOX_OID, 4), "'I'");
    expect_refused(commit_message(100, 150), "'C'");
    expect_taken(begin_message(100));
    expect_refused(begin_message(200), "'B'");
    expect_refused(commit_message(200, 250), "'C'");
}

Test(intake, I5_a_commit_that_steps_back_is_refused)
{
    expect_taken(begin_message(200));
    expect_taken(commit_message(200, 250));
    expect_refused(begin_message(200), "0/C8");
    expect_refused(begin_message(100), "0/64");
    expect_taken(begin_message(300));
    expect_refused(commit_message(300, 300), "'C'");
    expect_refused(commit_message(300, 0), "'C'");
    expect_taken(commit_message(300, 350));
    cr_expect_eq(ledger_safe_lsn(ledger), 350);
}
