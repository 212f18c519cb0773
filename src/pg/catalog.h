/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog.h - what walpost asks of PostgreSQL's catalogs, and what it creates there.
 * In: a link, plain or for replication as each function says. Out: plain structs.
 * Owns: nothing; the structs hold copies.
 * Thread: the control thread, or a command: these wait.
 * Keeps: I9: what is not as it must be is told apart, so that the caller can refuse with the right
 *     remedy. */
#ifndef WALPOST_PG_CATALOG_H
#define WALPOST_PG_CATALOG_H

#include <stdint.h>

#include "base/lsn.h"
#include "pg/link.h"

struct pg_identity {
    uint64_t system_id;
    uint32_t timeline;
    lsn wal_lsn; /* current flush position */
    char database[64];
    uint32_t database_oid; /* it stays when the database is renamed */
};

/* IDENTIFY_SYSTEM and the database, on a replication link. */
enum verdict MUST_CHECK catalog_identify(struct link *replication, struct pg_identity *identity,
                                         struct error *error);
/* Where `timeline` ended on the way to `current` (TIMELINE_HISTORY): *switch_lsn; REFUSE when it is
 * no ancestor. */
enum verdict MUST_CHECK catalog_timeline_end(struct link *replication, uint32_t current,
                                             uint32_t timeline, lsn *switch_lsn,
                                             struct error *error);

struct pg_server {
    int version;
    char role[64]; /* the session's */
    char wal_level[16];
    int max_replication_slots, used_replication_slots;
    int max_wal_senders;
    uint32_t wal_sender_timeout_ms; /* 0: off */
    int64_t max_slot_wal_keep_mb;   /* -1: no limit */
    bool role_replication;          /* REPLICATION or superuser */
    bool in_recovery;
};
/* On either kind of link. wal_sender_timeout is that of the link's own session: a walsender of the
 * same role and database has the same one, ALTER ROLE ... SET and ALTER DATABASE ... SET included.
 */
enum verdict MUST_CHECK catalog_server(struct link *link, struct pg_server *server,
                                       struct error *error);

struct pg_slot {
    bool exists;
    char plugin[64];
    char database[64];
    char type[16]; /* logical, physical */
    bool temporary;
    bool active;
    int active_pid; /* 0: none */
    lsn confirmed_lsn, restart_lsn;
    char wal_status[16];    /* reserved, extended, unreserved, lost */
    int64_t safe_bytes;     /* -1: no limit */
    int64_t retained_bytes; /* current WAL position - restart_lsn */
    int64_t lag_bytes;      /* current WAL position - confirmed_lsn */
    char invalidation[64];  /* "" or the reason, PostgreSQL 17 and newer; conflicting on 16 */
};
/* On either kind of link. */
enum verdict MUST_CHECK catalog_slot(struct link *link, const char *slot, struct pg_slot *found,
                                     struct error *error);

/* The statement and the reading of its answer apart, so that the loop can ask without waiting. To
 * be freed. */
char *catalog_slot_sql(int server_version, const char *slot);
void catalog_slot_read(const struct pg_result *result, struct pg_slot *slot);
/* Has the slot used up three quarters of max_slot_wal_keep_size? Then the words, as a WAIT. */
bool catalog_slot_shortage(const struct pg_slot *slot, const char *name, struct error *error);

struct pg_table_column {
    char *name;
    char *type; /* format_type */
    bool not_null;
    bool partitions; /* part of a partition key, at any level: an UPDATE may move the row */
};
struct pg_table {
    bool exists;
    uint32_t oid;
    bool partitioned;
    bool can_select, can_update, can_delete;
    bool unlogged_or_temporary;
    struct pg_table_column *columns;
    size_t n_columns;
    /* a unique index whose only column is id_column: marks find their row by it */
    bool id_indexed;
    char elsewhere[64]; /* it does not exist: another schema that has a table of this name, or "" */
};
enum verdict MUST_CHECK catalog_table(struct link *link, const char *schema_name,
                                      const char *table_name, const char *id_column,
                                      struct pg_table *table, struct error *error);
void pg_table_release(struct pg_table *table);

struct pg_publication {
    bool exists;
    bool all_tables;
    bool insert_published;
    bool via_root;
    /* an INSERT into the table is decoded under its name: it is published by itself, by its schema,
     * or with all tables; a partitioned one needs via_root, a partition needs the opposite */
    bool covers_table;
    bool row_filter; /* PostgreSQL 15 and newer */
    bool column_list;
    uint32_t table_oid; /* of the table that bears the name now; 0: none */
};
/* The statement and the reading of its answer apart, so that the loop can ask without waiting. $1
 * publication, $2 schema, $3 table. */
const char *catalog_publication_sql(int server_version);
void catalog_publication_read(const struct pg_result *result, struct pg_publication *publication);
enum verdict MUST_CHECK catalog_publication(struct link *link, const char *publication,
                                            const char *schema_name, const char *table_name,
                                            struct pg_publication *found, struct error *error);

/* CREATE_REPLICATION_SLOT name LOGICAL pgoutput (SNAPSHOT 'export') on a replication link; a
 * failover slot where the server knows them: a standby may keep a copy. snapshot_name is valid
 * until the next command on that link. REFUSE (42710): it exists. */
enum verdict MUST_CHECK catalog_create_slot(struct link *replication, const char *slot,
                                            lsn *consistent_point, char snapshot_name[static 64],
                                            struct error *error);
enum verdict MUST_CHECK catalog_drop_slot(struct link *link, const char *slot, struct error *error);

/* --- slots for replays --- */

/* A copy of a logical slot, at its position. temporary: it belongs to this link's session, so on a
 * replication link it can be streamed there, and ends with it. */
enum verdict MUST_CHECK catalog_copy_slot(struct link *link, const char *from, const char *to,
                                          bool temporary, struct error *error);
/* Moves a slot that nobody streams to this position. The server reads the WAL between. */
enum verdict MUST_CHECK catalog_advance_slot(struct link *link, const char *slot, lsn position,
                                             struct error *error);
/* Where the WAL ends now, as far as it is on disk (pg_identity says where it ended). */
enum verdict MUST_CHECK catalog_wal_end(struct link *link, lsn *wal_lsn, struct error *error);
/* Where the WAL ends, and what time it is there: whatever is committed later stands behind. */
enum verdict MUST_CHECK catalog_clock(struct link *link, lsn *wal_lsn, int64_t *time_us,
                                      struct error *error);
/* How many transactions the catalogs are held back by a slot. */
enum verdict MUST_CHECK catalog_slot_xmin_age(struct link *link, const char *slot, int64_t *age,
                                              struct error *error);

#endif
