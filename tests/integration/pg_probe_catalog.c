/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "pg_probe.h"

static void cluster(struct probe *probe, struct link *link, struct link *replication)
{
    struct pg_identity identity;
    struct error error;
    SHOW(catalog_identify(replication, &identity, &error) == OK);
    SHOW(
        identity.system_id ==
        strtoull(probe_value(link, "SELECT system_identifier FROM pg_control_system()"), NULL, 10));
    SHOW(identity.timeline == 1 && identity.wal_lsn > 0);
    SHOW(strcmp(identity.database, "postgres") == 0);

    lsn left = 0;
    SHOW(catalog_timeline_end(replication, 1, 1, &left, &error) == REFUSE);
    char *sql = must_printf("COPY (VALUES (E'1\\t0/3000060\\tno recovery target'), "
                            "(E'2\\t1/A0\\tbefore 2030-01-01')) TO '%s/pg_wal/00000003.history' "
                            "(FORMAT csv)",
                            probe_value(link, "SHOW data_directory"));
    probe_do(link, sql);
    free(sql);
    SHOW(catalog_timeline_end(replication, 3, 1, &left, &error) == OK && left == 0x3000060);
    SHOW(catalog_timeline_end(replication, 3, 2, &left, &error) == OK && left == 0x1000000A0);
    SHOW(catalog_timeline_end(replication, 3, 7, &left, &error) == REFUSE);
}

static void server(struct probe *probe, struct link *link)
{
    struct pg_server found;
    struct error error;
    SHOW(catalog_server(link, &found, &error) == OK);
    SHOW(found.version == link_server_version(link));
    SHOW(strcmp(found.wal_level, "logical") == 0);
    SHOW(found.max_replication_slots == 6 && found.used_replication_slots == 0);
    SHOW(found.max_wal_senders == 6 && found.max_slot_wal_keep_mb == -1);
    SHOW(found.role_replication && !found.in_recovery);
    SHOW(found.wal_sender_timeout_ms == 4000);

    /* A walsender of this role sees the role's own value: so must a plain link. */
    probe_do(link, "ALTER ROLE probe_replication SET wal_sender_timeout = '3s'");
    for (int replication = 0; replication < 2; replication++) {
        struct link *other = probe_open(probe, "user=probe_replication", replication == 1);
        SHOW(catalog_server(other, &found, &error) == OK);
        SHOW(found.wal_sender_timeout_ms == 3000 && found.role_replication);
        link_close(other);
    }
    struct link *plain = probe_open(probe, "user=probe_plain", false);
    SHOW(catalog_server(plain, &found, &error) == OK && !found.role_replication);
    link_close(plain);
}

static void tables(struct probe *probe, struct link *link)
{
    struct pg_table table;
    struct error error;
    SHOW(catalog_table(link, "public", "probe_nothing", "id", &table, &error) == OK);
    SHOW(!table.exists);
    pg_table_release(&table);

    probe_do(link,
             "CREATE TABLE \"Out box\" (id uuid PRIMARY KEY, gone int, payload jsonb NOT NULL, "
             "note varchar(20))");
    probe_do(link, "ALTER TABLE \"Out box\" DROP COLUMN gone");
    probe_do(link, "GRANT SELECT, UPDATE (note) ON \"Out box\" TO probe_plain");
    SHOW(catalog_table(link, "public", "Out box", "id", &table, &error) == OK);
    SHOW(table.exists && table.oid > 0 && !table.partitioned && !table.unlogged_or_temporary);
    SHOW(table.n_columns == 3 && table.id_indexed);
    SHOW(table.can_select && table.can_update && table.can_delete);
    SHOW(strcmp(table.columns[1].name, "payload") == 0 && table.columns[1].not_null);
    SHOW(strcmp(table.columns[2].type, "character varying(20)") == 0 && !table.columns[2].not_null);
    pg_table_release(&table);
    SHOW(catalog_table(link, "public", "Out box", "note", &table, &error) == OK);
    SHOW(!table.id_indexed);
    pg_table_release(&table);

    struct link *plain = probe_open(probe, "user=probe_plain", false);
    SHOW(catalog_table(plain, "public", "Out box", "id", &table, &error) == OK);
    SHOW(table.can_select && table.can_update && !table.can_delete);
    pg_table_release(&table);
    link_close(plain);

    probe_do(link, "CREATE UNLOGGED TABLE probe_unlogged (id int)");
    SHOW(catalog_table(link, "public", "probe_unlogged", "id", &table, &error) == OK);
    SHOW(table.unlogged_or_temporary && !table.id_indexed);
    pg_table_release(&table);
    SHOW(catalog_table(link, "public", "probe_parts", "id", &table, &error) == OK);
    SHOW(table.partitioned && table.id_indexed);
    pg_table_release(&table);
}

struct coverage {
    const char *publication, *schema, *table;
    bool covers;
};

static const struct coverage coverages[] = {
    {"probe_one", "public", "probe_single", true},
    {"probe_one", "public", "probe_values", false},
    {"probe_all", "public", "probe_values", true},
    {"probe_all", "public", "probe_unlogged", false},
    {"probe_all", "public", "probe_parts", false}, /* decoded under the leaf's name */
    {"probe_all", "probe_leaves", "leaf", true},
    {"probe_all_root", "public", "probe_parts", true},
    {"probe_all_root", "probe_leaves", "leaf", false}, /* decoded under the root's name */
    {"probe_parts", "public", "probe_parts", false},
    {"probe_parts", "probe_leaves", "leaf", true},
    {"probe_parts_root", "public", "probe_parts", true},
    {"probe_parts_root", "probe_leaves", "leaf", false},
    {"probe_leaf_root", "probe_leaves", "leaf", true},
    {"probe_schema", "public", "probe_parts", false},
    {"probe_schema", "probe_leaves", "leaf", true},
    {"probe_schema_public", "public", "probe_parts", true},
    {"probe_schema_public", "public", "probe_single", true},
    {"probe_schema_public", "probe_leaves", "leaf", false},
};

static bool covers(struct link *link, const struct coverage *coverage)
{
    struct pg_publication found;
    struct error error;
    return catalog_publication(link, coverage->publication, coverage->schema, coverage->table,
                               &found, &error) == OK &&
           found.exists && found.covers_table;
}

/* What the server itself says it publishes. */
static bool listed(struct link *link, const struct coverage *coverage)
{
    char *sql = must_printf("SELECT count(*) FROM pg_publication_tables WHERE pubname = '%s' AND "
                            "schemaname = '%s' AND tablename = '%s'",
                            coverage->publication, coverage->schema, coverage->table);
    bool there = strcmp(probe_value(link, sql), "0") != 0;
    free(sql);
    return there;
}

static void publications(struct probe *probe, struct link *link)
{
    probe_do(link, "CREATE TABLE probe_single (id int, a int)");
    probe_do(link, "CREATE PUBLICATION probe_one FOR TABLE probe_single WITH (publish = 'insert')");
    probe_do(link, "CREATE PUBLICATION probe_all FOR ALL TABLES");
    probe_do(link, "CREATE PUBLICATION probe_all_root FOR ALL TABLES WITH "
                   "(publish_via_partition_root = true)");
    probe_do(link, "CREATE PUBLICATION probe_parts FOR TABLE probe_parts");
    probe_do(link, "CREATE PUBLICATION probe_parts_root FOR TABLE probe_parts WITH "
                   "(publish_via_partition_root = true)");
    probe_do(link, "CREATE PUBLICATION probe_leaf_root FOR TABLE probe_leaves.leaf WITH "
                   "(publish_via_partition_root = true)");
    bool schemas = link_server_version(link) >= 150000;
    if (schemas) {
        probe_do(link, "CREATE PUBLICATION probe_schema FOR TABLES IN SCHEMA probe_leaves");
        probe_do(link, "CREATE PUBLICATION probe_schema_public FOR TABLES IN SCHEMA public WITH "
                       "(publish_via_partition_root = true)");
    }
    for (size_t i = 0; i < ARRAY_LEN(coverages); i++) {
        const struct coverage *each = &coverages[i];
        if (!schemas && strncmp(each->publication, "probe_schema", 12) == 0) {
            continue;
        }
        if (covers(link, each) != each->covers || listed(link, each) != each->covers) {
            printf("  %s: %s.%s\n", each->publication, each->schema, each->table);
        }
        SHOW(covers(link, each) == each->covers);
        SHOW(listed(link, each) == each->covers);
    }
}

static void publication_facts(struct probe *probe, struct link *link)
{
    struct pg_publication found;
    struct error error;
    SHOW(catalog_publication(link, "probe_nothing", "public", "probe_single", &found, &error) ==
         OK);
    SHOW(!found.exists);
    SHOW(catalog_publication(link, "probe_one", "public", "probe_nothing", &found, &error) == OK);
    SHOW(found.exists && !found.covers_table && found.table_oid == 0);
    SHOW(catalog_publication(link, "probe_one", "public", "probe_single", &found, &error) == OK);
    SHOW(found.insert_published && !found.all_tables && !found.via_root && found.table_oid != 0);
    SHOW(!found.row_filter && !found.column_list);
    SHOW(catalog_publication(link, "probe_all_root", "public", "probe_single", &found, &error) ==
         OK);
    SHOW(found.all_tables && found.via_root && found.covers_table);
    probe_do(link, "ALTER PUBLICATION probe_one SET (publish = 'update')");
    SHOW(catalog_publication(link, "probe_one", "public", "probe_single", &found, &error) == OK);
    SHOW(!found.insert_published && found.covers_table);
    if (link_server_version(link) >= 150000) {
        probe_do(link, "ALTER PUBLICATION probe_one SET TABLE probe_single (id) WHERE (id > 0)");
        SHOW(catalog_publication(link, "probe_one", "public", "probe_single", &found, &error) ==
             OK);
        SHOW(found.row_filter && found.column_list && found.covers_table);
    }
    /* The name moved on to another table: that one is not published. */
    probe_do(link, "ALTER TABLE probe_single RENAME TO probe_moved");
    probe_do(link, "CREATE TABLE probe_single (id int)");
    SHOW(catalog_publication(link, "probe_one", "public", "probe_single", &found, &error) == OK);
    SHOW(!found.covers_table && found.table_oid != 0);
}

static void slot_created(struct probe *probe, struct link *link, struct link *replication)
{
    lsn consistent = 0;
    char snapshot[64] = "", rows[16];
    struct pg_slot slot;
    struct error error;
    snprintf(rows, sizeof(rows), "%s", probe_value(link, "SELECT count(*) FROM probe_values"));
    SHOW(catalog_slot(link, "probe_slot", &slot, &error) == OK && !slot.exists);
    SHOW(catalog_create_slot(replication, "probe_slot", &consistent, snapshot, &error) == OK);
    SHOW(consistent > 0 && snapshot[0] != '\0');

    struct link *reader = probe_open(probe, "", false);
    probe_do(link, "INSERT INTO probe_values VALUES (100)");
    probe_do(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    char *sql = must_printf("SET TRANSACTION SNAPSHOT '%s'", snapshot);
    probe_do(reader, sql);
    free(sql);
    SHOW(strcmp(probe_value(reader, "SELECT count(*) FROM probe_values"), rows) == 0);
    link_close(reader);

    SHOW(catalog_slot(link, "probe_slot", &slot, &error) == OK);
    SHOW(slot.exists && !slot.active && slot.active_pid == 0 && !slot.temporary);
    SHOW(strcmp(slot.plugin, "pgoutput") == 0 && strcmp(slot.type, "logical") == 0);
    SHOW(strcmp(slot.database, "postgres") == 0 && strcmp(slot.wal_status, "reserved") == 0);
    SHOW(slot.confirmed_lsn == consistent && slot.restart_lsn > 0);
    SHOW(slot.restart_lsn <= consistent && slot.safe_bytes == -1 && slot.invalidation[0] == '\0');
    SHOW(slot.retained_bytes >= slot.lag_bytes && slot.lag_bytes > 0);
}

static void slot_refusals(struct probe *probe, struct link *link, struct link *replication)
{
    lsn consistent = 0;
    char snapshot[64];
    struct error error;
    (void)!catalog_create_slot(replication, "probe_slot", &consistent, snapshot, &error);
    probe_error(probe, &error, REFUSE, "exists already", "walpost drop");
    (void)!catalog_create_slot(replication, "Probe-Slot", &consistent, snapshot, &error);
    probe_error(probe, &error, INVALID, "Probe-Slot", "");
    (void)!catalog_drop_slot(link, "probe_nothing", &error);
    probe_error(probe, &error, REFUSE, "probe_nothing", "");
    for (int i = 1; i < 6; i++) {
        char *sql = must_printf("SELECT pg_create_physical_replication_slot('probe_%d')", i);
        probe_do(link, sql);
        free(sql);
    }
    (void)!catalog_create_slot(replication, "probe_more", &consistent, snapshot, &error);
    probe_error(probe, &error, FATAL, "no replication slot left", "max_replication_slots");
    for (int i = 1; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof(name), "probe_%d", i);
        SHOW(catalog_drop_slot(link, name, &error) == OK);
    }
    SHOW(catalog_drop_slot(link, "probe_slot", &error) == OK);
}

/* An older transaction holds the birth of a slot up: told to stop, nothing is left behind. */
static void slot_waits(struct probe *probe, struct link *link)
{
    atomic_bool stop = false;
    struct link *other = probe_open(probe, "", false);
    struct link *replication = NULL;
    struct error error;
    probe_do(other, "BEGIN");
    probe_do(other, "INSERT INTO probe_values VALUES (1)");
    SHOW(link_open(
             &(struct link_options){
                 .dsn = probe->dsn, .replication = true, .connect_timeout_ms = 5000, .stop = &stop},
             &replication, &error) == OK);
    atomic_store(&stop, true);
    lsn consistent = 0;
    char snapshot[64];
    SHOW(catalog_create_slot(replication, "probe_slot", &consistent, snapshot, &error) == AGAIN);
    struct pg_slot slot;
    SHOW(catalog_slot(link, "probe_slot", &slot, &error) == OK && !slot.exists);
    link_close(replication);
    link_close(other);
}

void probe_catalog(struct probe *probe)
{
    struct link *link = probe_open(probe, "", false);
    struct link *replication = probe_open(probe, "", true);
    probe_do(link, "CREATE SCHEMA probe_leaves");
    probe_do(link,
             "CREATE TABLE probe_parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY "
             "RANGE (day)");
    probe_do(link, "CREATE TABLE probe_leaves.leaf PARTITION OF probe_parts DEFAULT");
    cluster(probe, link, replication);
    server(probe, link);
    tables(probe, link);
    publications(probe, link);
    publication_facts(probe, link);
    slot_created(probe, link, replication);
    slot_refusals(probe, link, replication);
    slot_waits(probe, link);
    link_close(replication);
    link_close(link);
}
