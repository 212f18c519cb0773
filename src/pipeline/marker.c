/* SPDX-License-Identifier: Apache-2.0
 *
 * Two lists of rows, COMMITTED and DEAD, each a text in PostgreSQL's array form under construction,
 * and the transactions that its ids belong to. What is sent is taken off whole and kept until its
 * answer. */
#include "pipeline/marker.h"

#include <stdlib.h>

#include "base/broken_rule.h"
#include "base/check.h"
#include "base/crash_point.h"
#include "config/config.h"
#include "pipeline/table.h"

/* The snapshot in which the statement itself looked for its rows. */
#define SELECT_SNAPSHOT "SELECT pg_catalog.pg_current_snapshot()::text"

enum {
    BATCH_ROWS = 5000,
    UNSEEN_PAUSE_US = 5 * 1000,
    LOCKED_PAUSE_US = 500 * 1000,
};

struct owner { /* n consecutive ids of one transaction */
    uint64_t transaction;
    uint64_t n;
    uint32_t xid; /* 0: was committed before the slot existed */
};

struct mark_list {
    char *ids; /* "{a,b,c" : closed when sent */
    size_t length, room;
    struct owner *owners;
    size_t n_owners, owners_room;
    size_t rows;
    struct mark_list *next; /* full ones wait in a queue */
    bool dead;
};

struct marker {
    struct ledger *ledger;
    bool off;
    char *sql[2];            /* published, dead; NULL: nothing to do for such rows */
    struct mark_list *first; /* the oldest */
    struct mark_list *last;
    struct mark_list *open[2]; /* published, dead: the newest of each kind takes new ids, so that
                                  single dead rows do not cut the others into small statements */
    struct mark_list *sent;
    int64_t not_before_us;
    size_t memory, pending;
};

static const char *id_type(const struct config *config, const struct pg_table *table)
{
    const struct pg_table_column *column = table_column(table, config->outbox.columns.id);
    return column == NULL ? "uuid" : column->type;
}

static bool has_status(const struct config *config, const struct pg_table *table)
{
    return table_column(table, config->outbox.columns.status) != NULL;
}

/* A row that has a mark is left alone: after a crash most have, and events that Kafka has already
 * do not say whether they were dead letters, or have been replayed since. */
static char *mark_sql(const struct config *config, const struct pg_table *table, const char *status)
{
    char *id = pg_quote_identifier(config->outbox.columns.id);
    char *column = pg_quote_identifier(config->outbox.columns.status);
    char *sql =
        must_printf("WITH marked AS (UPDATE %s SET %s = '%s' WHERE %s = ANY ($1::%s[]) "
                    "AND (%s IS NULL OR %s NOT IN ('COMMITTED', 'DEAD'))) " SELECT_SNAPSHOT,
                    config->table, column, status, id, id_type(config, table), column, column);
    free(id);
    free(column);
    return sql;
}

static char *delete_sql(const struct config *config, const struct pg_table *table)
{
    char *id = pg_quote_identifier(config->outbox.columns.id);
    char *column = pg_quote_identifier(config->outbox.columns.status);
    char *but = has_status(config, table) ? must_printf(" AND %s IS DISTINCT FROM 'DEAD'", column)
                                          : must_strdup("");
    char *sql =
        must_printf("WITH gone AS (DELETE FROM %s WHERE %s = ANY ($1::%s[])%s) " SELECT_SNAPSHOT,
                    config->table, id, id_type(config, table), but);
    free(id);
    free(column);
    free(but);
    return sql;
}

struct marker *marker_new(const struct config *config, const struct pg_table *table, bool off,
                          struct ledger *ledger)
{
    struct marker *marker = must_calloc(1, sizeof(*marker));
    marker->ledger = ledger;
    marker->off = off || config->outbox.after_publish == AFTER_KEEP;
    if (!marker->off) {
        bool delete = config->outbox.after_publish == AFTER_DELETE;
        marker->sql[0] = delete ? delete_sql(config, table) : mark_sql(config, table, "COMMITTED");
        marker->sql[1] = has_status(config, table) ? mark_sql(config, table, "DEAD") : NULL;
    }
    return marker;
}

static void list_free(struct mark_list *list)
{
    if (list != NULL) {
        free(list->ids);
        free(list->owners);
        free(list);
    }
}

void marker_free(struct marker *marker)
{
    if (marker == NULL) {
        return;
    }
    while (marker->first != NULL) {
        struct mark_list *next = marker->first->next;
        list_free(marker->first);
        marker->first = next;
    }
    list_free(marker->sent);
    free(marker->sql[0]);
    free(marker->sql[1]);
    free(marker);
}

/* --- adding --- */

static struct mark_list *list_for(struct marker *marker, bool dead)
{
    struct mark_list *list = marker->open[dead];
    if (list != NULL && list->rows < BATCH_ROWS) {
        return list;
    }
    list = must_calloc(1, sizeof(*list));
    marker->open[dead] = list;
    list->dead = dead;
    if (marker->last == NULL) {
        marker->first = list;
    } else {
        marker->last->next = list;
    }
    marker->last = list;
    return list;
}

static void put(struct mark_list *list, char c)
{
    list->ids[list->length++] = c;
}

/* Quoted as an array element: a text id may hold anything. */
static void put_id(struct mark_list *list, struct bytes id)
{
    size_t most = list->length + 2 * id.len + 8;
    if (most > list->room) {
        list->room = 2 * most;
        list->ids = must_realloc(list->ids, list->room);
    }
    put(list, list->rows == 0 ? '{' : ',');
    put(list, '"');
    for (size_t i = 0; i < id.len; i++) {
        if (id.data[i] == '"' || id.data[i] == '\\') {
            put(list, '\\');
        }
        put(list, id.data[i]);
    }
    put(list, '"');
    list->rows++;
}

static void put_owner(struct mark_list *list, uint64_t transaction, uint32_t xid)
{
    if (list->n_owners > 0 && list->owners[list->n_owners - 1].transaction == transaction) {
        list->owners[list->n_owners - 1].n++;
        return;
    }
    if (list->n_owners == list->owners_room) {
        list->owners_room = list->owners_room == 0 ? 64 : 2 * list->owners_room;
        list->owners = must_realloc(list->owners, list->owners_room * sizeof(list->owners[0]));
    }
    list->owners[list->n_owners++] = (struct owner){transaction, 1, xid};
}

void marker_add(struct marker *marker, const struct row *row, uint64_t transaction, uint32_t xid)
{
    bool dead = row->dead != DEAD_NOT;
    if (marker->off || row->message || row->id.len == 0 || marker->sql[dead] == NULL) {
        ledger_settled(marker->ledger, transaction, 1);
        return;
    }
    struct mark_list *list = list_for(marker, dead);
    size_t before = list->room + list->owners_room * sizeof(list->owners[0]);
    put_id(list, row->id);
    put_owner(list, transaction, xid);
    if (rule_is_broken("mark_before_confirm")) {
        ledger_settled(marker->ledger, transaction, 1);
    }
    marker->memory += list->room + list->owners_room * sizeof(list->owners[0]) - before;
    marker->pending++;
}

/* --- sending --- */

bool marker_wants(const struct marker *marker, int64_t now_us)
{
    return (marker->sent != NULL || marker->first != NULL) && now_us >= marker->not_before_us;
}

enum verdict marker_send(struct marker *marker, struct link *link, struct error *error)
{
    if (marker->sent == NULL) {
        struct mark_list *list = marker->first;
        marker->first = list->next;
        if (marker->first == NULL) {
            marker->last = NULL;
        }
        if (marker->open[list->dead] == list) {
            marker->open[list->dead] = NULL;
        }
        list->next = NULL;
        put(list, '}'); /* put_id left room */
        put(list, '\0');
        marker->sent = list;
    }
    const char *params[] = {marker->sent->ids};
    return link_send(link, marker->sql[marker->sent->dead], params, 1, error);
}

/* Transaction ids wrap around: b is later when it is less than half a circle ahead. */
static bool xid_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* Is the transaction's outcome visible in a snapshot "xmin:xmax:xip,xip,..."? Only the low half of
 * its 64-bit ids is compared: that is all that the stream tells. */
static bool is_visible(const char *snapshot, uint32_t xid)
{
    char *end;
    uint32_t xmin = (uint32_t)strtoull(snapshot, &end, 10);
    if (xid == 0 || xid_before(xid, xmin)) {
        return true;
    }
    uint32_t xmax = (uint32_t)strtoull(*end == ':' ? end + 1 : end, &end, 10);
    if (!xid_before(xid, xmax)) {
        return false;
    }
    while (*end == ':' || *end == ',') {
        if ((uint32_t)strtoull(end + 1, &end, 10) == xid) {
            return false;
        }
    }
    return true;
}

/* PostgreSQL streams a transaction once its commit is in the WAL; other sessions see its rows a
 * moment later, with synchronous replication only when the standby has answered. A statement that
 * came in between found nothing. */
static bool has_seen_all(const struct mark_list *list, const char *snapshot)
{
    for (size_t i = 0; i < list->n_owners; i++) {
        if (!is_visible(snapshot, list->owners[i].xid)) {
            return false;
        }
    }
    return true;
}

enum verdict marker_answer(struct marker *marker, enum verdict verdict, const char *snapshot,
                           int64_t now_us)
{
    struct mark_list *list = marker->sent;
    check(list != NULL);
    if (verdict == WAIT || verdict == RETRY) {
        marker->not_before_us = now_us + LOCKED_PAUSE_US;
        return verdict;
    }
    if (verdict != OK) {
        return verdict;
    }
    if (!has_seen_all(list, snapshot)) {
        marker->not_before_us = now_us + UNSEEN_PAUSE_US;
        return OK;
    }
    crash_point("after_mark");
    for (size_t i = 0; i < list->n_owners && !rule_is_broken("mark_before_confirm"); i++) {
        ledger_settled(marker->ledger, list->owners[i].transaction, list->owners[i].n);
    }
    marker->memory -= list->room + list->owners_room * sizeof(list->owners[0]);
    marker->pending -= list->rows;
    list_free(list);
    marker->sent = NULL;
    return OK;
}

size_t marker_memory(const struct marker *marker)
{
    return marker->memory;
}

size_t marker_pending(const struct marker *marker)
{
    return marker->pending;
}
