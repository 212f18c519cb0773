/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/sqlstate.h"

#include <stddef.h>
#include <string.h>

struct rule {
    const char *prefix; /* a whole SQLSTATE, or a class of two characters */
    enum verdict verdict;
};

/* A whole code stands before its class: the first prefix that matches counts. */
static const struct rule rules[] = {
    {"08", RETRY},                          /* connection exception */
    {"25006", RETRY},                       /* read-only transaction: the server became a standby */
    {"28", FATAL},                          /* authentication */
    {"3D000", FATAL},                       /* no such database */
    {"40", RETRY},                          /* serialization failure, deadlock */
    {"42501", FATAL},                       /* missing right */
    {"42602", INVALID}, {"42622", INVALID}, /* a name that cannot be one */
    {"42703", REFUSE},                      /* column, object, table that is not there */
    {"42704", REFUSE},  {"42P01", REFUSE},  {"3F000", REFUSE}, /* schema */
    {"42710", REFUSE},                                         /* exists already */
    {"42P07", REFUSE},  {"53400", FATAL}, /* a configured limit is reached, max_replication_slots
                                             for one */
    {"53", RETRY},                        /* out of connections, memory, disk */
    {"55000", REFUSE}, /* a slot that was invalidated, or that is not a logical one of this database
                        */
    {"55006", WAIT},   /* slot in use */
    {"55P03", WAIT},   /* lock_timeout */
    {"57P04", FATAL},  /* the database was dropped */
    {"57", RETRY},     /* cancelled, shutting down, crashed, starting up */
    {"58P01", REFUSE}, /* a file is gone: WAL was removed */
    {"58", RETRY},     /* input or output error outside of PostgreSQL */
};

enum verdict sqlstate_verdict(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0') {
        return RETRY;
    }
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strncmp(sqlstate, rules[i].prefix, strlen(rules[i].prefix)) == 0) {
            return rules[i].verdict;
        }
    }
    return FATAL;
}

bool sqlstate_valid(const char *text)
{
    for (int i = 0; i < 5; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))) {
            return false;
        }
    }
    return true;
}
