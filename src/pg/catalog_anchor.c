/* SPDX-License-Identifier: Apache-2.0
 *
 * Source: PostgreSQL documentation, "Replication Management Functions". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pg/catalog.h"
#include "pg/internal.h"

enum { ADVANCE_TIMEOUT_MS = 10 * 60 * 1000 }; /* gigabytes may lie between */

enum verdict catalog_copy_slot(struct link *link, const char *from, const char *to, bool temporary,
                               struct error *error)
{
    struct error unwanted;
    error = error == NULL ? &unwanted : error;
    char *source = pg_quote_literal(from);
    char *name = pg_quote_literal(to);
    char *sql = must_printf("SELECT pg_catalog.pg_copy_logical_replication_slot(%s, %s, %s)",
                            source, name, temporary ? "true" : "false");
    free(name);
    free(source);
    enum verdict verdict = link_query(link, sql, NULL, 0, CATALOG_TIMEOUT_MS, NULL, error);
    free(sql);
    if (verdict != OK && strcmp(error->code, "53400") == 0) {
        error_remedy(error,
                     "Raise max_replication_slots (needs a restart of PostgreSQL), or drop a "
                     "slot that nobody needs: see pg_replication_slots.");
    }
    if (verdict != OK) {
        error_prefix(error, "slot \"%s\" could not be copied from \"%s\": ", to, from);
    }
    return verdict;
}

enum verdict catalog_advance_slot(struct link *link, const char *slot, lsn position,
                                  struct error *error)
{
    char text[LSN_TEXT_SIZE];
    snprintf(text, sizeof(text), LSN_FORMAT, LSN_ARGS(position));
    const char *params[] = {slot, text};
    return link_query(link, "SELECT pg_catalog.pg_replication_slot_advance($1, $2::pg_lsn)", params,
                      2, ADVANCE_TIMEOUT_MS, NULL, error);
}

enum verdict catalog_slot_xmin_age(struct link *link, const char *slot, int64_t *age,
                                   struct error *error)
{
    const char *params[] = {slot};
    struct pg_result *result = NULL;
    enum verdict verdict = link_query(
        link,
        "SELECT coalesce(pg_catalog.age(catalog_xmin), 0) FROM pg_catalog.pg_replication_slots "
        "WHERE slot_name = $1",
        params, 1, CATALOG_TIMEOUT_MS, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    *age = pg_result_rows(result) == 0 ? 0 : strtoll(pg_result_text(result, 0, 0), NULL, 10);
    pg_result_free(result);
    return OK;
}
