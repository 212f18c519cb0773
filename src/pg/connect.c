/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "pg/dsn.h"
#include "pg/internal.h"
#include "pg/resolve.h"

enum { SLICE_MS = 100, SETTLE_TIMEOUT_MS = 5000 };

/* One link_open. libpq would try several servers itself, but with one deadline for all of them, and
 * with one text for all their errors: so each gets a connection of its own. */
struct attempt {
    const struct link_options *options;
    struct dsn dsn;
    const char *session_attrs;
    char *settings; /* the `options` parameter */
    int64_t deadline_us;
};

void wait_socket(const PGconn *pg, bool readable, bool writable, int slice_ms)
{
    struct pollfd ready = {
        .fd = PQsocket(pg),
        .events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0)),
    };
    (void)poll(&ready, 1, slice_ms); /* whatever comes of it, libpq is asked next */
}

static bool stopped(const struct link_options *options)
{
    return options->stop != NULL && atomic_load(options->stop);
}

/* --- the settings of a session ---
 * PostgreSQL lets the last one win: ours that a user may override stand first, ours that the text
 * of values depends on stand last. A link for replication waits for old transactions when it
 * creates a slot, and keeps a transaction open while its snapshot is exported: no timeout may end
 * that. */
static char *settings_text(const struct dsn *dsn, bool replication)
{
    const char *users = dsn_value(dsn, "options");
    return must_printf(
        "%s %s -c datestyle=ISO -c timezone=UTC -c intervalstyle=postgres -c bytea_output=hex "
        "-c extra_float_digits=3 -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 "
        "-c idle_session_timeout=0%s",
        replication ? "" : "-c lock_timeout=2s", users == NULL ? "" : users,
        replication ? " -c lock_timeout=0" : "");
}

static void fill_parameters(struct parameters *parameters, const struct attempt *attempt,
                            const struct target *target, const char *address)
{
    const struct dsn *dsn = &attempt->dsn;
    *parameters = (struct parameters){.count = 0};
    parameters_of_dsn(parameters, dsn);
    parameters_set(parameters, "host", target->host);
    parameters_set(parameters, "hostaddr", address);
    parameters_set(parameters, "port", target->port);
    parameters_set(parameters, "target_session_attrs", attempt->session_attrs);
    parameters_set(parameters, "replication", attempt->options->replication ? "database" : NULL);
    parameters_set(parameters, "options", attempt->settings);
    parameters_set(parameters, "client_encoding", "UTF8");
    parameters_default(parameters, dsn, "application_name", attempt->options->application_name);
    /* GSSAPI negotiation asks ticket caches and name services, and blocks meanwhile. */
    parameters_default(parameters, dsn, "gssencmode", "disable");
    parameters_default(parameters, dsn, "keepalives_idle", "20");
    parameters_default(parameters, dsn, "keepalives_interval", "10");
    parameters_default(parameters, dsn, "keepalives_count", "3");
    parameters_default(parameters, dsn, "tcp_user_timeout", "60000");
}

/* --- one address of one server --- */

/* Drives libpq until the connection stands or falls. AGAIN: *stop. RETRY: the deadline passed. */
static enum verdict drive(const struct attempt *attempt, PGconn *pg, int64_t deadline_us)
{
    PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
    while (PQstatus(pg) != CONNECTION_BAD) {
        if (stopped(attempt->options)) {
            return AGAIN;
        }
        int64_t left_us = deadline_us - clock_us();
        if (left_us <= 0) {
            return RETRY;
        }
        int slice_ms = left_us < SLICE_MS * INT64_C(1000) ? (int)(left_us / 1000) + 1 : SLICE_MS;
        struct pollfd ready = {
            .fd = PQsocket(pg),
            .events = wants == PGRES_POLLING_READING ? POLLIN : POLLOUT,
        };
        if (poll(&ready, 1, slice_ms) <= 0) {
            continue;
        }
        wants = PQconnectPoll(pg);
        if (wants == PGRES_POLLING_OK) {
            return OK;
        }
        if (wants == PGRES_POLLING_FAILED) {
            break;
        }
    }
    return FATAL;
}

static enum verdict try_address(const struct attempt *attempt, const struct target *target,
                                const char *address, int64_t deadline_us, struct link *link,
                                struct error *error)
{
    struct parameters parameters;
    fill_parameters(&parameters, attempt, target, address);
    int64_t began_us = clock_us();
    PGconn *pg = PQconnectStartParams(parameters.keywords, parameters.values, 0);
    check(pg != NULL);
    PQsetNoticeReceiver(pg, link_notice, link);
    /* The only way to a connection error's SQLSTATE: libpq writes it into the message. */
    PQsetErrorVerbosity(pg, PQERRORS_VERBOSE);

    enum verdict verdict = drive(attempt, pg, deadline_us);
    target_name(target, link->host, sizeof(link->host));
    if (target->host == NULL && target->address == NULL && PQhost(pg) != NULL) {
        snprintf(link->host, sizeof(link->host), "%s:%s", PQhost(pg), PQport(pg));
    }
    if (verdict == OK) {
        PQsetErrorVerbosity(pg, PQERRORS_DEFAULT);
        link->pg = pg;
        return OK;
    }
    if (verdict == AGAIN) {
        error_set(error, AGAIN, "stopped while connecting to PostgreSQL at %s", link->host);
    } else {
        int64_t waited_ms = (clock_us() - began_us) / 1000;
        verdict = connect_error(pg, link->host, attempt->options->replication,
                                verdict == RETRY ? waited_ms + 1 : 0, error);
    }
    PQfinish(pg);
    return verdict;
}

/* --- one server --- */

/* An equal share of the time that is left; the dsn's own connect_timeout may make it shorter. */
static int64_t share_until(const struct attempt *attempt, size_t n_left)
{
    int64_t now = clock_us();
    int64_t share_us = (attempt->deadline_us - now) / (int64_t)n_left;
    const char *timeout = dsn_value(&attempt->dsn, "connect_timeout");
    int64_t users_us = timeout == NULL ? 0 : strtoll(timeout, NULL, 10) * 1000000;
    return now + (users_us > 0 && users_us < share_us ? users_us : share_us);
}

static bool is_final(enum verdict verdict)
{
    return verdict == OK || verdict == AGAIN;
}

/* Tells of one more server that could not be used. What a person must mend goes before what may
 * mend itself. */
static void collect(struct error *all, const struct error *one)
{
    if (all->verdict == OK || (all->verdict == RETRY && one->verdict != RETRY)) {
        *all = *one;
    } else if (one->verdict == all->verdict && strstr(all->what, one->what) == NULL) {
        struct error joined = *all;
        error_set(all, joined.verdict, "%s; %s", joined.what, one->what);
        error_remedy(all, "%s", joined.remedy);
        error_code(all, joined.code);
    }
}

static enum verdict try_target(const struct attempt *attempt, const struct target *target,
                               int64_t deadline_us, struct link *link, struct error *error)
{
    if (target->address != NULL || !resolve_needed(target->host)) {
        return try_address(attempt, target, target->address, deadline_us, link, error);
    }
    struct addresses found;
    enum verdict verdict =
        resolve_host(target->host, deadline_us, attempt->options->stop, &found, error);
    if (verdict != OK) {
        return verdict;
    }
    struct error all = {.verdict = OK};
    for (size_t i = 0; i < found.count; i++) {
        int64_t now = clock_us();
        int64_t until = now + (deadline_us - now) / (int64_t)(found.count - i);
        verdict = try_address(attempt, target, found.text[i], until, link, error);
        if (is_final(verdict)) {
            return verdict;
        }
        collect(&all, error);
    }
    *error = all;
    return all.verdict;
}

static enum verdict try_all(const struct attempt *attempt, struct link *link, struct error *error)
{
    const struct dsn *dsn = &attempt->dsn;
    struct error all = {.verdict = OK};
    for (size_t i = 0; i < dsn->n_targets; i++) {
        struct error one = {.verdict = OK};
        enum verdict verdict = try_target(attempt, &dsn->targets[i],
                                          share_until(attempt, dsn->n_targets - i), link, &one);
        if (verdict == OK) {
            return OK;
        }
        if (verdict == AGAIN) {
            *error = one;
            return AGAIN;
        }
        collect(&all, &one);
    }
    *error = all;
    return all.verdict;
}

/* --- the link --- */

/* What a startup parameter cannot say, or what a variable of the environment (PGTZ, PGDATESTYLE)
 * overruled. */
static enum verdict settle(struct link *link, struct error *error)
{
    const char *style = PQparameterStatus(link->pg, "DateStyle");
    const char *zone = PQparameterStatus(link->pg, "TimeZone");
    enum verdict verdict = OK;
    if (style == NULL || strncmp(style, "ISO", 3) != 0) {
        verdict =
            link_query(link, "SET datestyle = 'ISO'", NULL, 0, SETTLE_TIMEOUT_MS, NULL, error);
    }
    if (verdict == OK && (zone == NULL || strcmp(zone, "UTC") != 0)) {
        verdict = link_query(link, "SET timezone = 'UTC'", NULL, 0, SETTLE_TIMEOUT_MS, NULL, error);
    }
    if (verdict == OK && PQserverVersion(link->pg) >= 170000) {
        verdict = link_query(link, "SET transaction_timeout = 0", NULL, 0, SETTLE_TIMEOUT_MS, NULL,
                             error);
    }
    return verdict;
}

static enum verdict connect_any(struct attempt *attempt, struct link *link, struct error *error)
{
    const char *users = dsn_value(&attempt->dsn, "target_session_attrs");
    bool prefers = users != NULL && strcmp(users, "prefer-standby") == 0;
    attempt->session_attrs = users == NULL ? "read-write" : prefers ? "standby" : users;
    enum verdict verdict = try_all(attempt, link, error);
    if (prefers && !is_final(verdict)) {
        attempt->session_attrs = "any";
        verdict = try_all(attempt, link, error);
    }
    if (verdict != OK) {
        return verdict;
    }
    if (PQsetnonblocking(link->pg, 1) != 0) {
        return link_lost(link, error);
    }
    return settle(link, error);
}

enum verdict link_check_dsn(const char *text, struct error *error)
{
    struct dsn dsn;
    enum verdict verdict = dsn_parse(text, &dsn, error);
    if (verdict == OK) {
        dsn_release(&dsn);
    }
    return verdict;
}

enum verdict link_open(const struct link_options *options, struct link **link, struct error *error)
{
    struct error unwanted;
    error = error == NULL ? &unwanted : error;
    struct attempt attempt = {
        .options = options,
        .deadline_us = clock_us() + (int64_t)options->connect_timeout_ms * 1000,
    };
    enum verdict verdict = dsn_parse(options->dsn, &attempt.dsn, error);
    if (verdict != OK) {
        return verdict;
    }
    struct link *opened = must_calloc(1, sizeof(*opened));
    opened->replication = options->replication;
    opened->stop = options->stop;
    attempt.settings = settings_text(&attempt.dsn, options->replication);
    verdict = connect_any(&attempt, opened, error);
    free(attempt.settings);
    dsn_release(&attempt.dsn);
    if (verdict != OK) {
        link_close(opened);
        return verdict;
    }
    *link = opened;
    return OK;
}
