/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/link.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "pg/internal.h"
#include "pg/sqlstate.h"

enum { SLICE_MS = 100, CANCEL_WAIT_MS = 2000 };

void link_close(struct link *link)
{
    if (link == NULL) {
        return;
    }
    PQclear(link->pending);
    PQfinish(link->pg);
    free(link);
}

int link_fd(const struct link *link)
{
    return PQsocket(link->pg);
}

int link_backend_pid(const struct link *link)
{
    return PQbackendPID(link->pg);
}

int link_server_version(const struct link *link)
{
    return PQserverVersion(link->pg);
}

const char *link_host(const struct link *link)
{
    return link->host;
}

bool link_is_unix_socket(const struct link *link)
{
    const char *host = PQhost(link->pg);
    return host != NULL && (host[0] == '/' || host[0] == '@');
}

bool link_alive(const struct link *link)
{
    return !link->broken && PQstatus(link->pg) == CONNECTION_OK;
}

/* --- what the server says --- */

static void copy_field(const PGresult *result, int field, char *text, size_t size)
{
    const char *value = PQresultErrorField(result, field);
    snprintf(text, size, "%s", value == NULL ? "" : value);
}

void result_words(const PGresult *result, char *text, size_t size)
{
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    if (primary == NULL) {
        primary = PQresultErrorMessage(result);
        size_t length = strcspn(primary, "\n");
        snprintf(text, size, "%.*s", (int)length, primary);
    } else if (detail == NULL) {
        snprintf(text, size, "%s", primary);
    } else {
        snprintf(text, size, "%s (%s)", primary, detail);
    }
}

void link_notice(void *argument, const PGresult *result)
{
    struct link *link = argument;
    /* Not translated, unlike PG_DIAG_SEVERITY. */
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity == NULL) {
        return; /* libpq itself, about the protocol */
    }
    struct notice notice = {
        .warning = strcmp(severity, "WARNING") == 0,
        .fatal = strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0,
    };
    copy_field(result, PG_DIAG_SQLSTATE, notice.sqlstate, sizeof(notice.sqlstate));
    copy_field(result, PG_DIAG_SOURCE_FUNCTION, notice.function, sizeof(notice.function));
    result_words(result, notice.text, sizeof(notice.text));
    if (notice.warning && strcmp(notice.function, "LoadPublications") == 0) {
        link->skipped = notice;
    }
    if (notice.fatal) {
        link->last_words = notice;
    } else if (notice.warning || !link->notice.warning) {
        link->notice = notice;
    }
}

const char *link_take_warning(struct link *link)
{
    if (link->notice.text[0] == '\0') {
        return NULL;
    }
    memcpy(link->taken, link->notice.text, sizeof(link->taken));
    link->notice = (struct notice){.warning = false};
    return link->taken;
}

enum verdict link_lost(struct link *link, struct error *error)
{
    const struct notice *last = &link->last_words;
    if (last->text[0] != '\0') {
        error_set(error, RETRY, "PostgreSQL at %s ended the connection: %s", link->host,
                  last->text);
        error_code(error, last->sqlstate);
        return RETRY;
    }
    return error_set(error, RETRY, "the connection to PostgreSQL at %s was lost", link->host);
}

static const char *remedy_of(const char *sqlstate)
{
    if (strcmp(sqlstate, "55P03") == 0) {
        return "Somebody holds a lock on the table: see pg_locks and pg_stat_activity.";
    }
    if (strcmp(sqlstate, "53100") == 0) {
        return "The server's disk is full: make room there.";
    }
    return "";
}

enum verdict link_failed(struct link *link, const PGresult *result, struct error *error)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    bool fatal = severity != NULL && strcmp(severity, "FATAL") == 0;
    if (sqlstate == NULL || fatal || PQstatus(link->pg) != CONNECTION_OK) {
        link->broken = true;
        if (sqlstate != NULL && link->last_words.text[0] == '\0') {
            copy_field(result, PG_DIAG_SQLSTATE, link->last_words.sqlstate,
                       sizeof(link->last_words.sqlstate));
            result_words(result, link->last_words.text, sizeof(link->last_words.text));
        }
        return link_lost(link, error);
    }
    char words[480];
    result_words(result, words, sizeof(words));
    enum verdict verdict = sqlstate_verdict(sqlstate);
    error_set(error, verdict, "PostgreSQL at %s: %s", link->host, words);
    if (strcmp(sqlstate, "42501") == 0) {
        error_remedy(error, "GRANT the missing right to role \"%s\".", PQuser(link->pg));
    } else {
        error_remedy(error, "%s", remedy_of(sqlstate));
    }
    error_code(error, sqlstate);
    return verdict;
}

/* --- a statement, without waiting --- */

bool tls_pending(const PGconn *pg)
{
    void *tls = PQsslStruct((PGconn *)pg, "OpenSSL");
    if (tls == NULL) {
        return false;
    }
    /* libpq brings the library along: no header and no link of our own for one question. */
    int (*ssl_pending)(const void *) = (int (*)(const void *))dlsym(RTLD_DEFAULT, "SSL_pending");
    return ssl_pending != NULL && ssl_pending(tls) > 0;
}

enum verdict link_send(struct link *link, const char *sql, const char *const *params, int n_params,
                       struct error *error)
{
    if (!link_alive(link)) {
        return link_lost(link, error);
    }
    check(!link->asked);
    int sent = link->replication && n_params == 0
                   ? PQsendQuery(link->pg, sql)
                   : PQsendQueryParams(link->pg, sql, n_params, NULL, params, NULL, NULL, 0);
    if (sent != 1) {
        return link_lost(link, error);
    }
    link->asked = true;
    return link_flush(link, error);
}

bool link_wants_write(struct link *link)
{
    return link->unsent;
}

enum verdict link_flush(struct link *link, struct error *error)
{
    int left = PQflush(link->pg);
    link->unsent = left == 1;
    return left < 0 ? link_lost(link, error) : OK;
}

static bool is_failure(const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR: return true;
    default: return false;
    }
}

static bool is_copy(const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: return true;
    default: return false;
    }
}

/* Keeps the first answer, and an error before anything else. */
static void keep(struct link *link, PGresult *result)
{
    if (link->pending == NULL || (is_failure(result) && !is_failure(link->pending))) {
        PQclear(link->pending);
        link->pending = result;
    } else {
        PQclear(result);
    }
}

static enum verdict deliver(struct link *link, struct pg_result **result, struct error *error)
{
    PGresult *answer = link->pending;
    link->pending = NULL;
    link->asked = false;
    if (answer == NULL) {
        return link_lost(link, error);
    }
    if (is_failure(answer)) {
        enum verdict verdict = link_failed(link, answer, error);
        PQclear(answer);
        return verdict;
    }
    if (result == NULL) {
        PQclear(answer);
    } else {
        *result = (struct pg_result *)answer;
    }
    return OK;
}

/* Is more to come from the socket before the next result? */
static bool is_busy(struct link *link)
{
    bool busy = PQisBusy(link->pg) == 1;
    while (busy && tls_pending(link->pg) && PQconsumeInput(link->pg) == 1) {
        busy = PQisBusy(link->pg) == 1;
    }
    return busy;
}

enum verdict link_receive(struct link *link, struct pg_result **result, struct error *error)
{
    bool lost = PQconsumeInput(link->pg) != 1;
    bool busy = is_busy(link);
    if (!link->asked) {
        /* Nothing is outstanding: what came is a notice, or the end. */
        lost = lost || link->last_words.text[0] != '\0';
        return lost ? link_lost(link, error) : AGAIN;
    }
    while (!busy) {
        PGresult *next = PQgetResult(link->pg);
        if (next == NULL || is_copy(next)) {
            if (next != NULL) {
                keep(link, next);
            }
            return deliver(link, result, error);
        }
        keep(link, next);
        busy = is_busy(link);
    }
    if (!lost) {
        return AGAIN;
    }
    if (link->pending == NULL || !is_failure(link->pending)) {
        PQclear(link->pending); /* an answer that was not closed is none: its commit is unknown */
        link->pending = NULL;
    }
    return deliver(link, result, error);
}

/* --- the same, waiting --- */

/* PQcancel opens a connection of its own and waits for it: a thread does that. */
struct cancel {
    PGcancel *request;
    atomic_int holders; /* whoever leaves last frees it */
    atomic_bool done;
};

static void cancel_leave(struct cancel *cancel)
{
    if (atomic_fetch_sub(&cancel->holders, 1) == 1) {
        PQfreeCancel(cancel->request);
        free(cancel);
    }
}

static void *cancel_run(void *argument)
{
    struct cancel *cancel = argument;
    char refused[256];
    (void)PQcancel(cancel->request, refused, sizeof(refused)); /* then the answer does not come */
    atomic_store(&cancel->done, true);
    cancel_leave(cancel);
    return NULL;
}

static struct cancel *cancel_start(const struct link *link)
{
    struct cancel *cancel = must_calloc(1, sizeof(*cancel));
    cancel->request = PQgetCancel(link->pg);
    atomic_store(&cancel->holders, 2);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (cancel->request == NULL || pthread_create(&thread, &attributes, cancel_run, cancel) != 0) {
        atomic_store(&cancel->holders, 1); /* nobody but the caller */
    }
    pthread_attr_destroy(&attributes);
    return cancel;
}

/* Tells the server to give up. The link stays usable only when both the answer is here and the
 * request is through: a late one would hit the next statement. */
static void give_up(struct link *link)
{
    struct cancel *cancel = cancel_start(link);
    int64_t deadline_us = clock_us() + (int64_t)CANCEL_WAIT_MS * 1000;
    bool answered = false;
    while (clock_us() < deadline_us && !(answered && atomic_load(&cancel->done))) {
        if (answered) {
            (void)poll(NULL, 0, 5);
            continue;
        }
        wait_socket(link->pg, true, link->unsent, 20);
        struct error ignored;
        if (link->unsent && link_flush(link, &ignored) != OK) {
            break;
        }
        struct pg_result *result = NULL;
        answered = link_receive(link, &result, &ignored) != AGAIN;
        pg_result_free(result);
    }
    link->broken = !(answered && atomic_load(&cancel->done));
    cancel_leave(cancel);
}

static bool must_stop(const struct link *link, int64_t deadline_us, bool *stopped)
{
    *stopped = link->stop != NULL && atomic_load(link->stop);
    return *stopped || (deadline_us != 0 && clock_us() >= deadline_us);
}

enum verdict link_query(struct link *link, const char *sql, const char *const *params, int n_params,
                        int timeout_ms, struct pg_result **result, struct error *error)
{
    int64_t deadline_us = timeout_ms == 0 ? 0 : clock_us() + (int64_t)timeout_ms * 1000;
    enum verdict verdict = link_send(link, sql, params, n_params, error);
    if (verdict != OK) {
        return verdict;
    }
    bool stopped = false;
    while ((verdict = link_receive(link, result, error)) == AGAIN) {
        if (must_stop(link, deadline_us, &stopped)) {
            give_up(link);
            return stopped ? error_set(error, AGAIN, "stopped while PostgreSQL at %s was asked",
                                       link->host)
                           : error_set(error, RETRY, "PostgreSQL at %s did not answer within %d ms",
                                       link->host, timeout_ms);
        }
        wait_socket(link->pg, true, link->unsent, SLICE_MS);
        if (link->unsent) {
            verdict = link_flush(link, error);
            if (verdict != OK) {
                return verdict;
            }
        }
    }
    return verdict;
}
