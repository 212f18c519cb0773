/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/sqlwork.h"

#include <stdlib.h>

#include "config/config.h"
#include "pipeline/snapshot_copy.h"
#include "pipeline/source.h"

static enum verdict send_check(struct sqlwork *work, lsn read_lsn, struct error *error)
{
    const struct config *config = work->config;
    const char *params[] = {config->postgres.publication, config->outbox.schema_name,
                            config->outbox.table_name};
    work->check_wanted = false;
    work->check_lsn = read_lsn;
    return link_send(work->link, catalog_publication_sql(work->session->server.version), params, 3,
                     error);
}

static enum verdict send_slot(struct sqlwork *work, struct error *error)
{
    work->slot_wanted = false;
    char *sql = catalog_slot_sql(work->session->server.version, work->config->postgres.slot);
    enum verdict verdict = link_send(work->link, sql, NULL, 0, error);
    free(sql);
    return verdict;
}

static enum verdict send_clean_up(struct sqlwork *work, struct error *error)
{
    work->clean_up_wanted = false;
    char *sql = snapshot_drop_sql(work->config);
    enum verdict verdict = link_send(work->link, sql, NULL, 0, error);
    free(sql);
    return verdict;
}

enum verdict sqlwork_turn(struct sqlwork *work, lsn read_lsn, bool may_read, int64_t now_us,
                          struct error *error)
{
    if (work->job != SQL_NONE) {
        return OK;
    }
    if (work->check_wanted) {
        work->job = SQL_PUBLICATION;
        return send_check(work, read_lsn, error);
    }
    if (work->slot_wanted) {
        work->job = SQL_SLOT;
        return send_slot(work, error);
    }
    if (marker_wants(work->marker, now_us)) {
        work->job = SQL_MARKS;
        return marker_send(work->marker, work->link, error);
    }
    if (work->snapshot != NULL && may_read) {
        work->job = SQL_SNAPSHOT;
        return snapshot_send(work->snapshot, work->link, error);
    }
    if (work->clean_up_wanted) {
        work->job = SQL_CLEAN_UP;
        return send_clean_up(work, error);
    }
    return OK;
}

static enum verdict take_publication(struct sqlwork *work, const struct pg_result *result,
                                     struct sql_answer *answer, struct error *error)
{
    struct pg_publication publication;
    catalog_publication_read(result, &publication);
    enum verdict verdict = source_judge_publication(
        work->config, &publication, &work->session->table, work->good_lsn, work->check_lsn, error);
    if (verdict == OK) {
        work->good_lsn = work->check_lsn;
        answer->checked_lsn = work->check_lsn;
    }
    return verdict;
}

static enum verdict take(struct sqlwork *work, enum sql_job job, enum verdict verdict,
                         const struct pg_result *result, int64_t now_us, struct sql_answer *answer,
                         struct error *error)
{
    switch (job) {
    case SQL_PUBLICATION:
        return verdict == OK ? take_publication(work, result, answer, error) : verdict;
    case SQL_MARKS:
        work->locked = verdict == WAIT;
        verdict = marker_answer(work->marker, verdict,
                                verdict == OK ? pg_result_text(result, 0, 0) : NULL, now_us);
        return verdict == WAIT || (verdict == RETRY && link_alive(work->link)) ? OK : verdict;
    case SQL_SNAPSHOT:
        return verdict == OK
                   ? snapshot_answer(work->snapshot, result, &answer->snapshot_done, error)
                   : verdict;
    case SQL_CLEAN_UP:
        /* A table that cannot be dropped now is harmless: it is never read again. */
        return verdict == OK || link_alive(work->link) ? OK : verdict;
    case SQL_SLOT:
        if (verdict == OK) {
            catalog_slot_read(result, &answer->slot);
        }
        return verdict;
    case SQL_NONE: break;
    }
    return verdict;
}

enum verdict sqlwork_readable(struct sqlwork *work, int64_t now_us, struct sql_answer *answer,
                              struct error *error)
{
    *answer = (struct sql_answer){.job = SQL_NONE};
    struct pg_result *result = NULL;
    enum verdict verdict = link_receive(work->link, &result, error);
    answer->warning = link_take_warning(work->link);
    if (verdict == AGAIN) {
        return OK;
    }
    if (work->job == SQL_NONE) {
        pg_result_free(result);
        return verdict;
    }
    enum sql_job job = work->job;
    work->job = SQL_NONE;
    answer->job = job;
    verdict = take(work, job, verdict, result, now_us, answer, error);
    pg_result_free(result);
    return verdict;
}
