/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "pg/catalog.h"
#include "pg/internal.h"

/* What the server will decode an INSERT as, told by the same rules as in pgoutput:
 *   - a change happens in the table itself or, for a partitioned one, in a leaf;
 *   - a table is published when it, an ancestor of it (partitions), the schema of either, or every
 *     table is;
 *   - with publish_via_partition_root it appears under the name of its topmost published ancestor,
 *     otherwise under its own.
 * One row for the publication, when there is one. $1 publication, $2 schema, $3 table. */
#define SQL_HEAD                                                                           \
    "WITH t AS (SELECT c.oid, c.relkind, c.relpersistence FROM pg_catalog.pg_class c"      \
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"                           \
    "  WHERE n.nspname = $2 AND c.relname = $3 AND c.relkind IN ('r', 'p')),"              \
    " family AS (SELECT t.oid AS relid, true AS itself FROM t"                             \
    "  UNION ALL SELECT a.relid, false FROM t,"                                            \
    "  LATERAL pg_catalog.pg_partition_ancestors(t.oid) a(relid) WHERE a.relid <> t.oid)," \
    " p AS (SELECT * FROM pg_catalog.pg_publication WHERE pubname = $1),"                  \
    " published AS (SELECT f.itself FROM p, family f"                                      \
    "  JOIN pg_catalog.pg_class c ON c.oid = f.relid"                                      \
    "  WHERE p.puballtables"                                                               \
    "  OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel r"                             \
    "   WHERE r.prpubid = p.oid AND r.prrelid = f.relid)"

#define SQL_BY_SCHEMA                                                \
    "  OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace s" \
    "   WHERE s.pnpubid = p.oid AND s.pnnspid = c.relnamespace)"

#define SQL_BODY                                                                     \
    ") SELECT p.puballtables, p.pubinsert, p.pubviaroot,"                            \
    " coalesce((SELECT t.relpersistence = 'p' AND CASE WHEN p.pubviaroot"            \
    "  THEN EXISTS (SELECT FROM published WHERE itself)"                             \
    "   AND NOT EXISTS (SELECT FROM published WHERE NOT itself)"                     \
    "  ELSE t.relkind = 'r' AND EXISTS (SELECT FROM published) END FROM t), false)," \
    " coalesce((SELECT oid FROM t), 0),"

#define SQL_NO_FILTERS " false, false FROM p"
#define SQL_FILTERS                                                                  \
    " coalesce(r.prqual IS NOT NULL, false), coalesce(r.prattrs IS NOT NULL, false)" \
    " FROM p LEFT JOIN pg_catalog.pg_publication_rel r"                              \
    " ON r.prpubid = p.oid AND r.prrelid = (SELECT oid FROM t)"

const char *catalog_publication_sql(int server_version)
{
    return server_version >= 150000 ? SQL_HEAD SQL_BY_SCHEMA SQL_BODY SQL_FILTERS
                                    : SQL_HEAD SQL_BODY SQL_NO_FILTERS;
}

void catalog_publication_read(const struct pg_result *result, struct pg_publication *publication)
{
    *publication = (struct pg_publication){.exists = pg_result_rows(result) > 0};
    if (!publication->exists) {
        return;
    }
    publication->all_tables = result_true(result, 0);
    publication->insert_published = result_true(result, 1);
    publication->via_root = result_true(result, 2);
    publication->covers_table = result_true(result, 3);
    publication->table_oid = (uint32_t)strtoul(pg_result_text(result, 0, 4), NULL, 10);
    publication->row_filter = result_true(result, 5);
    publication->column_list = result_true(result, 6);
}

enum verdict catalog_publication(struct link *link, const char *publication,
                                 const char *schema_name, const char *table_name,
                                 struct pg_publication *found, struct error *error)
{
    const char *params[] = {publication, schema_name, table_name};
    struct pg_result *result = NULL;
    enum verdict verdict = link_query(link, catalog_publication_sql(link_server_version(link)),
                                      params, 3, CATALOG_TIMEOUT_MS, &result, error);
    if (verdict != OK) {
        return verdict;
    }
    catalog_publication_read(result, found);
    pg_result_free(result);
    return OK;
}
