/* SPDX-License-Identifier: Apache-2.0
 *
 * I9: does the checkpoint belong to this server and its history, and the slot to the checkpoint? */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "pg/stream.h"
#include "pipeline/source.h"

/* --- instead of pg/: a server that knows where its timeline branched --- */

static uint32_t asked_current;
static uint32_t asked_timeline;
static enum verdict branch_verdict;
static lsn branch_lsn;
static lsn written_since; /* how far the WAL went on after the server was identified */

enum verdict link_open(const struct link_options *options, struct link **link, struct error *error)
{
    (void)link;
    (void)error;
    cr_expect(options->replication, "TIMELINE_HISTORY is asked for on a replication link");
    return OK;
}

void link_close(struct link *link)
{
    (void)link;
}

enum verdict catalog_timeline_end(struct link *link, uint32_t current, uint32_t timeline,
                                  lsn *switch_lsn, struct error *error)
{
    (void)link;
    asked_current = current;
    asked_timeline = timeline;
    *switch_lsn = branch_verdict == OK ? branch_lsn : 0;
    return branch_verdict == OK ? OK : error_set(error, branch_verdict, "as the test wants it");
}

enum verdict catalog_wal_end(struct link *link, lsn *wal_lsn, struct error *error)
{
    (void)link;
    (void)error;
    *wal_lsn += written_since;
    return OK;
}

/* The rest of a start: not asked for by a judgement. */

enum verdict catalog_identify(struct link *link, struct pg_identity *identity, struct error *error)
{
    (void)link;
    (void)identity;
    return error_set(error, FATAL, "not here");
}

enum verdict catalog_server(struct link *link, struct pg_server *server, struct error *error)
{
    (void)link;
    (void)server;
    return error_set(error, FATAL, "not here");
}

enum verdict catalog_slot(struct link *link, const char *slot, struct pg_slot *found,
                          struct error *error)
{
    (void)link;
    (void)slot;
    (void)found;
    return error_set(error, FATAL, "not here");
}

bool catalog_slot_shortage(const struct pg_slot *slot, const char *name, struct error *error)
{
    (void)slot;
    (void)name;
    (void)error;
    return false;
}

const char *link_host(const struct link *link)
{
    (void)link;
    return "nowhere";
}

enum verdict catalog_table(struct link *link, const char *schema_name, const char *table_name,
                           const char *id_column, struct pg_table *table, struct error *error)
{
    (void)link;
    (void)schema_name;
    (void)table_name;
    (void)id_column;
    (void)table;
    return error_set(error, FATAL, "not here");
}

enum verdict catalog_publication(struct link *link, const char *publication,
                                 const char *schema_name, const char *table_name,
                                 struct pg_publication *found, struct error *error)
{
    (void)link;
    (void)publication;
    (void)schema_name;
    (void)table_name;
    (void)found;
    return error_set(error, FATAL, "not here");
}

enum verdict stream_read(struct link *link, struct error *error)
{
    (void)link;
    return error_set(error, RETRY, "not here");
}

enum verdict stream_next(struct link *link, struct stream_message *message, struct error *error)
{
    (void)link;
    (void)message;
    return error_set(error, RETRY, "not here");
}

void stream_free_buffer(char *buffer)
{
    free(buffer);
}

enum verdict stream_start(struct link *link, const struct stream_options *options,
                          struct error *error)
{
    (void)link;
    (void)options;
    return error_set(error, FATAL, "not here");
}

enum verdict link_query(struct link *link, const char *sql, const char *const *params, int n_params,
                        int timeout_ms, struct pg_result **result, struct error *error)
{
    (void)link;
    (void)sql;
    (void)params;
    (void)n_params;
    (void)timeout_ms;
    (void)result;
    return error_set(error, FATAL, "not here");
}

int link_backend_pid(const struct link *link)
{
    (void)link;
    return 0;
}

char *pg_quote_identifier(const char *name)
{
    (void)name;
    return NULL;
}

void pg_result_free(struct pg_result *result)
{
    (void)result;
}

/* --- a stream that is well: settled to 1/100, its lane at 1/200, on timeline 3 of system 7 --- */

static struct config config = {
    .stream = "orders",
    .postgres = {.slot = "walpost_orders"},
    .checkpoint_topic = "walpost.checkpoint.orders",
};
static const struct session_options options = {.config = &config, .kafka = true};

struct fixture {
    struct checkpoint found;
    struct session session;
    struct error error;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    f->found.found = true;
    f->found.system_id = 7;
    f->found.timeline = 3;
    f->found.settled_lsn = 0x100000100;
    f->found.layout.lanes = 1;
    f->found.layout.watermarks[0].commit_lsn = 0x100000200;
    f->session.identity =
        (struct pg_identity){.system_id = 7, .timeline = 3, .wal_lsn = 0x100000300};
    f->session.slot_lsn = 0x100000100;
    asked_current = asked_timeline = 0;
    branch_verdict = OK;
    branch_lsn = 0;
    written_since = 0;
}

static enum verdict judge(struct fixture *f)
{
    return source_judge_lineage(&options, &f->found, &f->session, &f->error);
}

static void expect_refused(const struct fixture *f, const char *one, const char *other)
{
    cr_expect_eq(f->error.verdict, REFUSE);
    cr_expect_not_null(strstr(f->error.what, one), "%s", f->error.what);
    cr_expect_not_null(strstr(f->error.what, other), "%s", f->error.what);
    cr_expect_not_null(strstr(f->error.remedy, "--accept-gap"), "%s", f->error.remedy);
}

Test(lineage, I9_another_database_of_the_cluster_is_refused)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.database_oid = 5;
    cr_expect_eq(judge(&f), OK); /* the checkpoint does not say */
    f.found.database_oid = 5;
    cr_expect_eq(judge(&f), OK);
    f.found.database_oid = 6;
    cr_expect_eq(judge(&f), REFUSE);
    expect_refused(&f, "another database", "1/100");
}

Test(lineage, the_same_server_may_go_on)
{
    struct fixture f;
    fixture_init(&f);
    cr_expect_eq(judge(&f), OK);
    f.session.identity.wal_lsn = 0x100000200; /* its very end */
    cr_expect_eq(judge(&f), OK);
    cr_expect_eq(asked_current, 0, "nothing to ask");
}

Test(lineage, I9_another_cluster_is_refused_with_both_positions)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.system_id = 8;
    f.session.slot_lsn = 0x90;
    cr_expect_eq(judge(&f), REFUSE);
    expect_refused(&f, "1/100", "0/90");
}

/* S alone would let it pass: the lane is further. */
Test(lineage, I9_a_server_set_back_behind_a_watermark_is_refused_with_both_positions)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.wal_lsn = 0x1000001FF;
    cr_expect_eq(judge(&f), REFUSE);
    expect_refused(&f, "1/1FF", "1/200");
}

Test(lineage, I9_a_server_that_went_on_since_it_was_asked_was_not_set_back)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.wal_lsn = 0x1000001FF;
    written_since = 1;
    cr_expect_eq(judge(&f), OK);
}

Test(lineage, I9_a_server_set_back_behind_S_is_refused_with_both_positions)
{
    struct fixture f;
    fixture_init(&f);
    f.found.settled_lsn = 0x100000400;
    cr_expect_eq(judge(&f), REFUSE);
    expect_refused(&f, "1/300", "1/400");
}

Test(lineage, a_timeline_that_left_where_kafka_is_may_go_on)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.timeline = 5;
    branch_lsn = 0x100000200;
    cr_expect_eq(judge(&f), OK);
    cr_expect_eq(asked_current, 5);
    cr_expect_eq(asked_timeline, 3);
}

Test(lineage, I9_a_timeline_that_left_earlier_is_refused_with_both_positions)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.timeline = 5;
    branch_lsn = 0x1000001FF;
    cr_expect_eq(judge(&f), REFUSE);
    expect_refused(&f, "1/200", "1/1FF");
    expect_refused(&f, "timeline 5", "timeline 3");
}

Test(lineage, I9_a_timeline_that_is_no_descendant_is_refused)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.timeline = 5;
    branch_verdict = REFUSE;
    cr_expect_eq(judge(&f), REFUSE);
    expect_refused(&f, "timeline 5", "timeline 3");
}

Test(lineage, I9_an_older_timeline_is_refused)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.timeline = 2;
    cr_expect_eq(judge(&f), REFUSE);
    expect_refused(&f, "timeline 2", "timeline 3");
    cr_expect_eq(asked_current, 0, "an older timeline descends from no later one");
}

Test(lineage, a_question_that_fails_is_asked_again)
{
    struct fixture f;
    fixture_init(&f);
    f.session.identity.timeline = 5;
    branch_verdict = RETRY;
    cr_expect_eq(judge(&f), RETRY);
}

static enum verdict judge_gap(struct fixture *f)
{
    struct seen seen = source_seen(&options, &f->session);
    struct checkpoint_summary recorded = checkpoint_summarize(&f->found);
    return belongs_to_position(&seen, &recorded, &f->error);
}

Test(gap, a_slot_up_to_S_is_none)
{
    struct fixture f;
    fixture_init(&f);
    cr_expect_eq(judge_gap(&f), OK);
    f.found.settled_lsn = 0xFF; /* while the snapshot waits, S is below the slot's birth */
    f.found.origin_lsn = f.session.slot_lsn;
    cr_expect_eq(judge_gap(&f), OK);
}

/* A lane's watermark is no excuse: other transactions may be between S and it. */
Test(gap, I9_a_slot_beyond_S_is_refused_with_both_positions)
{
    struct fixture f;
    fixture_init(&f);
    f.session.slot_lsn = 0x100000101;
    cr_expect_eq(judge_gap(&f), REFUSE);
    expect_refused(&f, "1/101", "1/100");
}
