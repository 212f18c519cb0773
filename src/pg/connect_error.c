/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "pg/internal.h"
#include "pg/sqlstate.h"

/* What is known of a connection that did not come about. The server's words come in its own
 * language; its SQLSTATE and the name of its function do not. libpq's words are English: walpost
 * sets no locale. */
struct failure {
    PGconn *pg;
    const char *server; /* host:port */
    const char *role, *database;
    bool replication;
    char sqlstate[6];
    char function[48]; /* of the server */
    char words[400];   /* the server's message, or libpq's */
};

/* --- reading the message --- */

/* Copies up to the end of the line, without the blanks around. */
static void copy_line(const char *from, char *text, size_t size)
{
    from += strspn(from, " \t\n");
    size_t length = strcspn(from, "\n");
    while (length > 0 && from[length - 1] == ' ') {
        length--;
    }
    snprintf(text, size, "%.*s", (int)length, from);
}

/* The server's answer in PQERRORS_VERBOSE: "FATAL:  28P01: words\nLOCATION:  function, file:line".
 * The last one counts: libpq tries again without TLS after some failures. */
static bool read_server_answer(struct failure *failure, const char *message)
{
    const char *found = NULL;
    for (const char *line = message; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *code = strstr(line, ":  "); /* behind the severity */
        if (code != NULL && code < line + strcspn(line, "\n") && sqlstate_valid(code + 3) &&
            code[8] == ':' && code[9] == ' ') {
            found = code + 3;
        }
    }
    if (found == NULL) {
        return false;
    }
    memcpy(failure->sqlstate, found, 5);
    copy_line(found + 7, failure->words, sizeof(failure->words));
    const char *location = strstr(found, "\nLOCATION:  ");
    if (location != NULL) {
        size_t length = strcspn(location + 12, ",\n");
        snprintf(failure->function, sizeof(failure->function), "%.*s", (int)length, location + 12);
    }
    return true;
}

/* libpq's own words: `connection to server at "h" (addr), port n failed: words`. */
static void read_client_words(struct failure *failure, const char *message)
{
    const char *words = strstr(message, " failed: ");
    copy_line(words == NULL ? message : words + 9, failure->words, sizeof(failure->words));
}

/* --- what the server refused --- */

static enum verdict password_refused(const struct failure *f, struct error *error)
{
    error_set(error, FATAL, "PostgreSQL at %s does not accept the password of role \"%s\"",
              f->server, f->role);
    return error_remedy(error,
                        "Give walpost the right password: a line HOST:PORT:DATABASE:%s:PASSWORD in "
                        "~/.pgpass (mode 0600), passfile in postgres.dsn, or ${VAR} there. A new "
                        "one is set by ALTER ROLE \"%s\" PASSWORD '...';",
                        f->role, f->role);
}

/* `no pg_hba.conf entry for host "10.0.0.5", user ...`: the address as the server sees it. */
static void client_address(const struct failure *f, char *text, size_t size)
{
    const char *begin = strchr(f->words, '"');
    size_t length = begin == NULL ? 0 : strspn(begin + 1, "0123456789abcdefABCDEF.:");
    if (length < 3 || begin[1 + length] != '"') {
        snprintf(text, size, "ADDRESS/32");
        return;
    }
    bool v6 = memchr(begin + 1, ':', length) != NULL;
    snprintf(text, size, "%.*s/%d", (int)length, begin + 1, v6 ? 128 : 32);
}

static enum verdict not_in_hba(const struct failure *f, struct error *error)
{
    error_set(error, FATAL, "PostgreSQL at %s refuses this connection by its pg_hba.conf: %s",
              f->server, f->words);
    char address[64] = "";
    bool local = f->server[0] == '/' || f->server[0] == '@';
    if (!local) {
        client_address(f, address, sizeof(address));
    }
    return error_remedy(
        error,
        "Add a line to the server's pg_hba.conf, before any that rejects, and reload it: "
        "%s %s %s %s scram-sha-256%s",
        local ? "local" : "host", f->database, f->role, address,
        f->replication ? " (the line must name the database: the keyword `replication` stands for "
                         "physical replication only)"
                       : "");
}

static enum verdict class_28(const struct failure *f, struct error *error)
{
    if (strcmp(f->sqlstate, "28P01") == 0) {
        return password_refused(f, error);
    }
    if (strcmp(f->function, "ClientAuthentication") == 0) {
        return not_in_hba(f, error);
    }
    if (strncmp(f->function, "InitializeSessionUserId", 23) == 0) {
        error_set(error, FATAL, "PostgreSQL at %s does not let role \"%s\" in: %s", f->server,
                  f->role, f->words);
        if (strstr(f->words, "not permitted to log in") != NULL) {
            return error_remedy(
                error, "ALTER ROLE \"%s\" LOGIN; or name another role in postgres.dsn.", f->role);
        }
        return error_remedy(error,
                            "CREATE ROLE \"%s\" LOGIN REPLICATION; (ALTER ROLE, when it is there), "
                            "or name another role in postgres.dsn.",
                            f->role);
    }
    error_set(error, FATAL, "PostgreSQL at %s does not authenticate role \"%s\": %s", f->server,
              f->role, f->words);
    return error_remedy(error, "The method is chosen by the first line of the server's pg_hba.conf "
                               "that fits: change it, or connect as a role that it accepts.");
}

static enum verdict right_missing(const struct failure *f, struct error *error)
{
    if (f->replication && strcmp(f->function, "CheckMyDatabase") != 0) {
        error_set(error, FATAL, "role \"%s\" may not replicate from PostgreSQL at %s", f->role,
                  f->server);
        return error_remedy(error, "ALTER ROLE \"%s\" REPLICATION;", f->role);
    }
    error_set(error, FATAL, "role \"%s\" may not connect to database \"%s\" of PostgreSQL at %s",
              f->role, f->database, f->server);
    return error_remedy(error, "GRANT CONNECT ON DATABASE \"%s\" TO \"%s\";", f->database, f->role);
}

static enum verdict too_many(const struct failure *f, struct error *error)
{
    if (f->replication && strcmp(f->function, "InitProcess") == 0) {
        error_set(error, RETRY, "PostgreSQL at %s has no walsender left", f->server);
        return error_remedy(error, "Raise max_wal_senders (needs a restart of PostgreSQL), or end "
                                   "a replication connection: see pg_stat_replication.");
    }
    error_set(error, RETRY, "PostgreSQL at %s has no connection left: %s", f->server, f->words);
    return error_remedy(error, "Raise max_connections or the limit of the role or database, or "
                               "close connections: see pg_stat_activity.");
}

static enum verdict server_refused(const struct failure *f, struct error *error)
{
    if (strncmp(f->sqlstate, "28", 2) == 0) {
        return class_28(f, error);
    }
    if (strcmp(f->sqlstate, "3D000") == 0) {
        error_set(error, FATAL, "there is no database \"%s\" on PostgreSQL at %s", f->database,
                  f->server);
        return error_remedy(error, "Name the right one in postgres.dsn, or CREATE DATABASE \"%s\";",
                            f->database);
    }
    if (strcmp(f->sqlstate, "42501") == 0) {
        return right_missing(f, error);
    }
    if (strcmp(f->sqlstate, "53300") == 0) {
        return too_many(f, error);
    }
    if (strcmp(f->sqlstate, "57P03") == 0) {
        return error_set(error, RETRY, "PostgreSQL at %s is not ready: %s", f->server, f->words);
    }
    if (strcmp(f->sqlstate, "42704") == 0 || strncmp(f->sqlstate, "22", 2) == 0) {
        error_set(error, INVALID, "PostgreSQL at %s does not accept a setting: %s", f->server,
                  f->words);
        return error_remedy(error, "Look at `options` in postgres.dsn and at PGOPTIONS. walpost's "
                                   "own settings need PostgreSQL 14 or newer.");
    }
    enum verdict verdict = sqlstate_verdict(f->sqlstate);
    verdict = verdict == RETRY ? RETRY : FATAL;
    return error_set(error, verdict, "PostgreSQL at %s refuses the connection: %s", f->server,
                     f->words);
}

/* --- what never reached the server, or never came back --- */

static enum verdict tls_failed(const struct failure *f, struct error *error)
{
    error_set(error, FATAL, "no secure connection to PostgreSQL at %s: %s", f->server, f->words);
    return error_remedy(error, "Look at sslmode, sslrootcert, sslcert and sslkey in postgres.dsn, "
                               "and at ssl in the server's configuration.");
}

static enum verdict nobody_listens(const struct failure *f, bool socket, struct error *error)
{
    error_set(error, RETRY, "PostgreSQL at %s cannot be reached: %s", f->server, f->words);
    return error_remedy(
        error, socket ? "Is PostgreSQL running, and is this the directory of its socket (SHOW "
                        "unix_socket_directories)?"
                      : "Is PostgreSQL running, does it listen on that address and port (SHOW "
                        "listen_addresses, port), and are host and port in postgres.dsn right?");
}

static bool says(const struct failure *f, const char *words)
{
    return strstr(f->words, words) != NULL;
}

/* libpq before it tried to connect: a value of the dsn that cannot be. */
static bool is_bad_value(const struct failure *f)
{
    static const char *const phrases[] = {
        "invalid ",
        "could not match ",
        "definition of service ",
        "service file ",
        "could not open service",
        "out of range",
        "cannot be used with",
        "not supported",
    };
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if (says(f, phrases[i])) {
            return true;
        }
    }
    return false;
}

static enum verdict client_failed(const struct failure *f, bool tried, struct error *error)
{
    if (!tried && is_bad_value(f)) {
        error_set(error, INVALID, "postgres.dsn cannot be used: %s", f->words);
        return error_remedy(error, "Correct that option; the documentation of libpq lists them "
                                   "under \"Database Connection Control Functions\".");
    }
    if (says(f, "no password supplied")) {
        error_set(error, FATAL, "PostgreSQL at %s asks for the password of role \"%s\"", f->server,
                  f->role);
        return error_remedy(error,
                            "Put a line HOST:PORT:DATABASE:%s:PASSWORD into ~/.pgpass (mode 0600), "
                            "or name a passfile or ${VAR} in postgres.dsn.",
                            f->role);
    }
    if (says(f, "read-only") || says(f, "hot standby mode")) {
        error_set(error, RETRY, "PostgreSQL at %s is not the kind of server that is asked for: %s",
                  f->server, f->words);
        return error_remedy(error, "walpost needs the primary: name all servers as hosts in "
                                   "postgres.dsn, or set target_session_attrs.");
    }
    bool lost = says(f, "SYSCALL") || says(f, "closed the connection") || says(f, "reset by peer");
    if (!lost && (says(f, "SSL") || says(f, "certificate") || says(f, "host name"))) {
        return tls_failed(f, error);
    }
    if (says(f, "authentication method") || says(f, "SCRAM") || says(f, "channel binding")) {
        error_set(error, FATAL, "no authentication with PostgreSQL at %s: %s", f->server, f->words);
        return error_remedy(error, "Look at the method in the server's pg_hba.conf, and at "
                                   "channel_binding in postgres.dsn.");
    }
    if (says(f, "No such file or directory")) {
        return nobody_listens(f, true, error);
    }
    return nobody_listens(f, false, error);
}

static const char *or_unknown(const char *text)
{
    return text == NULL || text[0] == '\0' ? "?" : text;
}

enum verdict connect_error(PGconn *pg, const char *server, bool replication, int64_t timed_out_ms,
                           struct error *error)
{
    if (timed_out_ms > 0) {
        error_set(error, RETRY, "PostgreSQL at %s did not answer within %.1f s", server,
                  (double)timed_out_ms / 1000);
        return error_remedy(error, "Check host and port in postgres.dsn, and the firewalls on the "
                                   "way.");
    }
    struct failure failure = {
        .pg = pg,
        .server = server,
        .role = or_unknown(PQuser(pg)),
        .database = or_unknown(PQdb(pg)),
        .replication = replication,
    };
    const char *message = PQerrorMessage(pg);
    enum verdict verdict;
    if (read_server_answer(&failure, message)) {
        verdict = server_refused(&failure, error);
    } else {
        read_client_words(&failure, message);
        bool tried = strstr(message, "connection to server") != NULL;
        verdict = client_failed(&failure, tried, error);
    }
    error_code(error, failure.sqlstate);
    return verdict;
}
