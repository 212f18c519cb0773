/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "pg_probe.h"

static enum verdict try_open(const char *dsn, bool replication, int timeout_ms,
                             const atomic_bool *stop, struct error *error)
{
    struct link *link = NULL;
    *error = (struct error){.verdict = OK};
    enum verdict verdict = link_open(
        &(struct link_options){
            .dsn = dsn,
            .replication = replication,
            .application_name = "walpost probe",
            .connect_timeout_ms = timeout_ms,
            .stop = stop,
        },
        &link, error);
    link_close(link);
    return verdict;
}

struct refusal {
    const char *extra; /* to the probe's dsn; with "://" or alone: the whole of it */
    bool alone, replication;
    enum verdict verdict;
    const char *what, *remedy;
};

static const struct refusal refusals[] = {
    {"user=probe_password password=secret", .verdict = FATAL,
     .what = "does not accept the password of role \"probe_password\"", .remedy = "~/.pgpass"},
    {"user=probe_password passfile=/nonexistent", .verdict = FATAL,
     .what = "asks for the password of role \"probe_password\"", .remedy = "~/.pgpass"},
    {"user=probe_absent", .verdict = FATAL, .what = "does not let role \"probe_absent\" in",
     .remedy = "CREATE ROLE \"probe_absent\""},
    {"user=probe_nologin", .verdict = FATAL, .what = "does not let role \"probe_nologin\" in",
     .remedy = "ALTER ROLE"},
    {"user=probe_stranger host=127.0.0.1", .verdict = FATAL, .what = "by its pg_hba.conf",
     .remedy = "host postgres probe_stranger 127.0.0.1/32 scram-sha-256"},
    {"user=probe_stranger host=127.0.0.1", .replication = true, .verdict = FATAL,
     .what = "by its pg_hba.conf", .remedy = "must name the database"},
    {"user=probe_rejected host=127.0.0.1", .verdict = FATAL, .what = "by its pg_hba.conf",
     .remedy = "host postgres probe_rejected"},
    {"dbname=probe_nowhere", .verdict = FATAL, .what = "there is no database \"probe_nowhere\"",
     .remedy = "postgres.dsn"},
    {"dbname=probe_nowhere", .replication = true, .verdict = FATAL,
     .what = "there is no database \"probe_nowhere\"", .remedy = "postgres.dsn"},
    {"user=probe_plain dbname=probe_closed", .verdict = FATAL,
     .what = "may not connect to database",
     .remedy = "GRANT CONNECT ON DATABASE \"probe_closed\" TO \"probe_plain\";"},
    {"user=probe_plain", .replication = true, .verdict = FATAL, .what = "may not replicate",
     .remedy = "ALTER ROLE \"probe_plain\" REPLICATION;"},
    {"user=probe_limited", .verdict = RETRY, .what = "has no connection left",
     .remedy = "max_connections"},
    {"port=1 host=127.0.0.1", .verdict = RETRY,
     .what = "PostgreSQL at 127.0.0.1:1 cannot be reached: Connection refused",
     .remedy = "Is PostgreSQL running"},
    {"port=1 host=localhost", .verdict = RETRY, .what = "PostgreSQL at localhost:1 cannot",
     .remedy = "Is PostgreSQL running"},
    {"host=/nonexistent", .verdict = RETRY,
     .what = "PostgreSQL at /nonexistent:", .remedy = "unix_socket_directories"},
    {"host=no-such-host.invalid", .verdict = RETRY,
     .what = "\"no-such-host.invalid\" cannot be resolved", .remedy = "name resolution"},
    {"host=127.0.0.1 sslmode=verify-full sslrootcert=/nonexistent", .verdict = FATAL,
     .what = "no secure connection", .remedy = "sslmode"},
    {"sslmode=perhaps", .verdict = INVALID, .what = "invalid sslmode value: \"perhaps\"",
     .remedy = "Correct"},
    {"target_session_attrs=fast", .verdict = INVALID, .what = "invalid target_session_attrs",
     .remedy = "Correct"},
    {"port=99999 host=127.0.0.1", .verdict = INVALID, .what = "invalid port number: \"99999\"",
     .remedy = "Correct"},
    {"host=a,b port=1,2,3", .verdict = INVALID, .what = "3 ports for 2 hosts",
     .remedy = "one port"},
    {"options='-c datestyl=ISO'", .verdict = INVALID, .what = "\"datestyl\"",
     .remedy = "`options` in postgres.dsn"},
    {"service=probe_no_such_service host=", .verdict = INVALID, .what = "probe_no_such_service",
     .remedy = "Correct"},
    {"target_session_attrs=standby", .verdict = RETRY, .what = "not the kind of server",
     .remedy = "primary"},
    {"options='-c default_transaction_read_only=on'", .verdict = RETRY,
     .what = "not the kind of server", .remedy = "primary"},
    {"this is not one", .alone = true, .verdict = INVALID, .what = "a word without \"=\"",
     .remedy = "postgresql://"},
    {"password=my secret host=db", .alone = true, .verdict = INVALID, .what = "without \"=\"",
     .remedy = "single quotes"},
    {"host=db sslmod=require", .alone = true, .verdict = INVALID, .what = "an option \"sslmod\"",
     .remedy = "OPTION=VALUE"},
    {"password='secret", .alone = true, .verdict = INVALID, .what = "never closed",
     .remedy = "single quotes"},
    {"postgresql://walpost:secret@[::1/shop", .alone = true, .verdict = INVALID,
     .what = "not a connection string", .remedy = "postgresql://"},
    {"postgresql://walpost:secret%zz@db/shop", .alone = true, .verdict = INVALID,
     .what = "not a connection string", .remedy = "postgresql://"},
    {"postgresql://walpost:secret@db/shop?sslmod=require", .alone = true, .verdict = INVALID,
     .what = "an option \"sslmod\"", .remedy = "postgresql://"},
    {"postgresql://walpost:secret@127.0.0.1:1/shop", .alone = true, .verdict = RETRY,
     .what = "127.0.0.1:1", .remedy = "Is PostgreSQL running"},
};

static void create_roles(struct probe *probe)
{
    struct link *link = probe_open(probe, "", false);
    probe_do(link, "CREATE ROLE probe_password LOGIN PASSWORD 'right'");
    probe_do(link, "CREATE ROLE probe_nologin");
    probe_do(link, "CREATE ROLE probe_plain LOGIN");
    probe_do(link, "CREATE ROLE probe_replication LOGIN REPLICATION");
    probe_do(link, "CREATE ROLE probe_limited LOGIN CONNECTION LIMIT 0");
    probe_do(link, "CREATE DATABASE probe_closed");
    probe_do(link, "REVOKE CONNECT ON DATABASE probe_closed FROM PUBLIC");
    link_close(link);
}

static void each_refusal(struct probe *probe)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *refusal = &refusals[i];
        char *dsn = refusal->alone ? must_strdup(refusal->extra) : probe_dsn(probe, refusal->extra);
        struct error error;
        (void)!try_open(dsn, refusal->replication, 5000, NULL, &error);
        printf("%s\n", refusal->extra);
        probe_error(probe, &error, refusal->verdict, refusal->what, refusal->remedy);
        free(dsn);
    }
}

/* A server that takes the connection and never answers; returns its port. */
static int silent_server(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(bind(*fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(*fd, 8) == 0);
    check(getsockname(*fd, (struct sockaddr *)&address, &size) == 0);
    return ntohs(address.sin_port);
}

static void silence(struct probe *probe)
{
    int fd;
    int port = silent_server(&fd);
    struct error error;
    char *dsn = must_printf("host=127.0.0.1 port=%d user=x dbname=x sslmode=disable", port);
    int64_t began_us = clock_us();
    (void)!try_open(dsn, false, 600, NULL, &error);
    int64_t took_ms = (clock_us() - began_us) / 1000;
    probe_error(probe, &error, RETRY, "did not answer within", "firewalls");
    SHOW(took_ms >= 550 && took_ms < 1500);

    atomic_bool stop = true;
    (void)!try_open(dsn, false, 60000, &stop, &error);
    probe_error(probe, &error, AGAIN, "stopped", "");
    free(dsn);

    /* The silent one may not take the time of the one that answers. */
    dsn = must_printf("%s host=127.0.0.1,/nonexistent,%s port=%d,5432,%s", probe->dsn,
                      getenv("PROBE_HOST"), port, getenv("PROBE_PORT"));
    SHOW(try_open(dsn, false, 3000, NULL, &error) == OK);
    free(dsn);
    dsn = must_printf("%s host=127.0.0.1,no-such-host.invalid port=1", probe->dsn);
    (void)!try_open(dsn, false, 3000, NULL, &error);
    probe_error(probe, &error, RETRY, "cannot be reached: Connection refused; the host name", "Is");
    free(dsn);
    close(fd);
}

static void forms(struct probe *probe)
{
    struct error error;
    char *uri = must_printf("postgresql://probe_password:right@%s:%s/postgres?connect_timeout=3",
                            "localhost", getenv("PROBE_PORT"));
    SHOW(try_open(uri, false, 5000, NULL, &error) == OK);
    free(uri);
    char *dsn = probe_dsn(probe, "user=probe_replication");
    SHOW(try_open(dsn, true, 5000, NULL, &error) == OK);
    free(dsn);
    dsn = probe_dsn(probe, "target_session_attrs=prefer-standby");
    SHOW(try_open(dsn, false, 5000, NULL, &error) == OK);
    free(dsn);
}

static void walsenders_full(struct probe *probe)
{
    struct link *links[6];
    struct error error;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        links[i] = probe_open(probe, "", true);
    }
    char *dsn = probe_dsn(probe, "");
    (void)!try_open(dsn, true, 5000, NULL, &error);
    probe_error(probe, &error, RETRY, "has no walsender left", "max_wal_senders");
    free(dsn);
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        link_close(links[i]);
    }
}

void probe_connect(struct probe *probe)
{
    create_roles(probe);
    each_refusal(probe);
    silence(probe);
    forms(probe);
    walsenders_full(probe);
}
