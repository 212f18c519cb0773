/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/look.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "cli/reach.h"
#include "cli/stream_sql.h"

enum verdict look_at_intent(struct link *link, const char *stream, struct intent *intent,
                            struct error *error)
{
    *intent = (struct intent){.exists = false};
    struct own_table table;
    enum verdict verdict = reach_own_table(link, "init", &table, error);
    if (verdict != OK || !table.readable) {
        return verdict;
    }
    const char *params[] = {stream};
    struct pg_result *result = NULL;
    verdict = link_query(link, SQL_FIND_INTENT, params, 1, SQL_TIMEOUT_MS, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    intent->exists = pg_result_rows(result) == 1;
    if (intent->exists && !lsn_parse(pg_result_text(result, 0, 0), &intent->consistent_point)) {
        intent->consistent_point = 0;
    }
    pg_result_free(result);
    return OK;
}

enum verdict look_at_snapshot(struct link *link, const char *stream, struct own_table *snapshot,
                              struct error *error)
{
    char *name = must_printf("snapshot_%s", stream);
    enum verdict verdict = reach_own_table(link, name, snapshot, error);
    free(name);
    return verdict;
}

enum verdict look_at_postgres(struct look *look, struct error *error)
{
    const struct config *config = look->config;
    enum verdict verdict = reach_postgres(config, false, &look->sql, error);
    if (verdict == OK) {
        verdict = catalog_server(look->sql, &look->server, error);
    }
    if (verdict == OK) {
        verdict = look_at_snapshot(look->sql, config->stream, &look->snapshot, error);
    }
    if (verdict == OK) {
        verdict = reach_postgres(config, true, &look->replication, error);
    }
    if (verdict == OK) {
        verdict = catalog_identify(look->replication, &look->found.identity, error);
    }
    if (verdict == OK) {
        verdict = catalog_table(look->sql, config->outbox.schema_name, config->outbox.table_name,
                                config->outbox.columns.id, &look->table, error);
    }
    if (verdict == OK) {
        verdict =
            catalog_publication(look->sql, config->postgres.publication, config->outbox.schema_name,
                                config->outbox.table_name, &look->publication, error);
    }
    if (verdict == OK) {
        verdict = catalog_slot(look->sql, config->postgres.slot, &look->found.slot, error);
    }
    if (verdict == OK) {
        verdict = catalog_slot(look->sql, config->anchor_slot, &look->anchor, error);
    }
    return verdict != OK ? verdict
                         : look_at_intent(look->sql, config->stream, &look->found.intent, error);
}

enum verdict look_at_kafka(struct look *look, struct error *error)
{
    int n_brokers = 0;
    enum verdict verdict = reach_kafka(look->config, &look->cluster, &n_brokers, error);
    if (verdict != OK) {
        return verdict;
    }
    struct log log = reach_log(look->config);
    return checkpoint_exists(look->config, &log, &look->found.has_checkpoint,
                             &look->found.checkpoint, error);
}

enum verdict look_at_own_stream(struct look *look, struct error *error)
{
    enum verdict verdict = look_at_postgres(look, error);
    if (verdict == OK) {
        verdict = look_at_kafka(look, error);
    }
    return verdict != OK ? verdict : judge_owner(look->config, &look->found, error);
}

void look_release(struct look *look)
{
    pg_table_release(&look->table);
    link_close(look->sql);
    link_close(look->replication);
    cluster_free(look->cluster);
    look->sql = NULL;
    look->replication = NULL;
    look->cluster = NULL;
}
