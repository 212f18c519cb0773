/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "pg_probe.h"

static void settings(struct probe *probe)
{
    setenv("PGTZ", "Asia/Tokyo", 1); /* must not win */
    setenv("PGDATESTYLE", "German", 1);
    for (int replication = 0; replication < 2; replication++) {
        struct link *link =
            probe_open(probe, "options='-c datestyle=German -c work_mem=5MB'", replication == 1);
        SHOW(strcmp(probe_value(link, "SHOW datestyle"), "ISO, DMY") == 0);
        SHOW(strcmp(probe_value(link, "SHOW timezone"), "UTC") == 0);
        SHOW(strcmp(probe_value(link, "SHOW client_encoding"), "UTF8") == 0);
        SHOW(strcmp(probe_value(link, "SHOW extra_float_digits"), "3") == 0);
        SHOW(strcmp(probe_value(link, "SHOW work_mem"), "5MB") == 0);
        SHOW(strcmp(probe_value(link, "SHOW lock_timeout"), replication ? "0" : "2s") == 0);
        SHOW(strcmp(probe_value(link, "SHOW application_name"), "walpost probe") == 0);
        SHOW(link_alive(link));
        SHOW(link_backend_pid(link) == atoi(probe_value(link, "SELECT pg_backend_pid()")));
        SHOW(link_server_version(link) == atoi(probe_value(link, "SHOW server_version_num")));
        link_close(link);
    }
    unsetenv("PGTZ");
    unsetenv("PGDATESTYLE");
    struct link *link =
        probe_open(probe, "options='-c lock_timeout=7s' application_name=mine", false);
    SHOW(strcmp(probe_value(link, "SHOW lock_timeout"), "7s") == 0);
    SHOW(strcmp(probe_value(link, "SHOW application_name"), "mine") == 0);
    SHOW(link_is_unix_socket(link) == (getenv("PROBE_HOST")[0] == '/'));
    link_close(link);
}

static void values(struct probe *probe, struct link *link)
{
    const char *params[] = {"it's \"quoted\"", NULL, ""};
    struct pg_result *result = NULL;
    struct error error;
    SHOW(link_query(link,
                    "SELECT $1::text AS a, $2::text AS b, $3::text AS c UNION ALL SELECT "
                    "'x', 'y', NULL",
                    params, 3, 5000, &result, &error) == OK);
    SHOW(pg_result_rows(result) == 2 && pg_result_columns(result) == 3);
    SHOW(strcmp(pg_result_name(result, 1), "b") == 0);
    SHOW(bytes_equal(pg_result_get(result, 0, 0), bytes_of(params[0])));
    SHOW(pg_result_get(result, 0, 1).data == NULL);
    SHOW(pg_result_get(result, 0, 2).data != NULL && pg_result_get(result, 0, 2).len == 0);
    SHOW(strcmp(pg_result_text(result, 1, 2), "") == 0);
    pg_result_free(result);

    probe_do(link, "CREATE TABLE probe_values (a int)");
    probe_do(link, "INSERT INTO probe_values SELECT generate_series(1, 5)");
    result = probe_ask(link, "DELETE FROM probe_values WHERE a > 2");
    SHOW(pg_result_affected(result) == 3);
    pg_result_free(result);

    char *literal = pg_quote_literal("a'b\\c");
    char *sql = must_printf("SELECT %s", literal);
    SHOW(strcmp(probe_value(link, sql), "a'b\\c") == 0);
    free(sql);
    free(literal);
    char *identifier = pg_quote_identifier("We\"ird");
    SHOW(strcmp(identifier, "\"We\"\"ird\"") == 0);
    free(identifier);
}

static void warnings(struct probe *probe, struct link *link)
{
    SHOW(link_take_warning(link) == NULL);
    probe_do(link, "DO $$BEGIN RAISE WARNING 'look out'; RAISE NOTICE 'by the way'; END$$");
    const char *warning = link_take_warning(link);
    SHOW(warning != NULL && strcmp(warning, "look out") == 0);
    SHOW(link_take_warning(link) == NULL);
}

static void failing(struct probe *probe, struct link *link, const char *sql, enum verdict verdict,
                    const char *what)
{
    struct error error = {.verdict = OK};
    enum verdict got = link_query(link, sql, NULL, 0, 20000, NULL, &error);
    SHOW(got == error.verdict);
    probe_error(probe, &error, verdict, what, "");
    SHOW(link_alive(link));
}

static void statement_errors(struct probe *probe, struct link *link)
{
    struct link *other = probe_open(probe, "", false);
    struct link *plain = probe_open(probe, "user=probe_plain", false);
    failing(probe, plain, "DELETE FROM probe_values", FATAL, "permission denied");
    failing(probe, link, "SELECT * FROM probe_nothing", REFUSE, "probe_nothing");
    failing(probe, link, "SELECT nothing FROM probe_values", REFUSE, "nothing");
    failing(probe, link, "SELECT 1/0", FATAL, "division by zero");
    failing(probe, link, "SELEC", FATAL, "syntax");
    failing(probe, link, "DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END$$", RETRY,
            "x");

    probe_do(other, "BEGIN");
    probe_do(other, "LOCK TABLE probe_values");
    failing(probe, link, "DELETE FROM probe_values", WAIT, "lock timeout");
    probe_do(other, "ROLLBACK");
    link_close(plain);
    link_close(other);
}

static void *set_after(void *argument)
{
    usleep(300000);
    atomic_store((atomic_bool *)argument, true);
    return NULL;
}

static void patience(struct probe *probe)
{
    atomic_bool stop = false;
    struct link *link = NULL;
    struct error error = {.verdict = OK};
    SHOW(link_open(&(struct link_options){.dsn = probe->dsn,
                                          .application_name = "walpost probe",
                                          .connect_timeout_ms = 5000,
                                          .stop = &stop},
                   &link, &error) == OK);
    int64_t began_us = clock_us();
    SHOW(link_query(link, "SELECT pg_sleep(30)", NULL, 0, 400, NULL, &error) == RETRY);
    probe_error(probe, &error, RETRY, "did not answer within 400 ms", "");
    SHOW(clock_us() - began_us < 1500000);
    SHOW(link_alive(link)); /* the cancelled statement left it usable */
    SHOW(strcmp(probe_value(link, "SELECT 7"), "7") == 0);

    pthread_t thread;
    check(pthread_create(&thread, NULL, set_after, &stop) == 0);
    began_us = clock_us();
    SHOW(link_query(link, "SELECT pg_sleep(30)", NULL, 0, 0, NULL, &error) == AGAIN);
    SHOW(clock_us() - began_us < 1500000);
    pthread_join(thread, NULL);
    link_close(link);
}

static enum verdict receive(struct link *link, struct pg_result **result, struct error *error)
{
    enum verdict verdict;
    while ((verdict = link_receive(link, result, error)) == AGAIN) {
        struct pollfd ready = {.fd = link_fd(link),
                               .events = (short)(POLLIN | (link_wants_write(link) ? POLLOUT : 0))};
        if (poll(&ready, 1, 5000) == 0) {
            return error_set(error, AGAIN, "nothing came");
        }
        if (link_wants_write(link) && link_flush(link, error) != OK) {
            return RETRY;
        }
    }
    return verdict;
}

/* A statement far bigger than a socket buffer, and an error, without waiting. */
static void loop_calls(struct probe *probe, struct link *link)
{
    size_t size = 20u << 20;
    char *big = must_malloc(size + 1);
    memset(big, 'x', size);
    big[size] = '\0';
    const char *params[] = {big};
    struct pg_result *result = NULL;
    struct error error;
    SHOW(link_receive(link, &result, &error) == AGAIN); /* nothing was asked */
    SHOW(link_send(link, "SELECT pg_catalog.length($1)", params, 1, &error) == OK);
    SHOW(link_wants_write(link));
    SHOW(receive(link, &result, &error) == OK);
    SHOW(strcmp(pg_result_text(result, 0, 0), "20971520") == 0);
    pg_result_free(result);
    free(big);
    SHOW(link_send(link, "SELECT 1/0", NULL, 0, &error) == OK);
    SHOW(receive(link, &result, &error) == FATAL);
    SHOW(strcmp(error.code, "22012") == 0 && link_alive(link));
}

static void terminated(struct probe *probe)
{
    struct link *victim = probe_open(probe, "", false);
    struct link *other = probe_open(probe, "", false);
    char *sql = must_printf("SELECT pg_terminate_backend(%d, 5000)", link_backend_pid(victim));
    struct error error = {.verdict = OK};
    struct pg_result *result = NULL;
    probe_do(other, sql);
    enum verdict verdict = receive(victim, &result, &error); /* idle: nothing was asked */
    SHOW(verdict == RETRY);
    probe_error(probe, &error, RETRY, "ended the connection", "");
    SHOW(strcmp(error.code, "57P01") == 0);
    (void)!link_query(victim, "SELECT 1", NULL, 0, 1000, NULL, &error);
    SHOW(error.verdict == RETRY && !link_alive(victim));
    free(sql);
    link_close(victim);

    victim = probe_open(probe, "", false);
    sql = must_printf("SELECT pg_terminate_backend(%d)", link_backend_pid(victim));
    SHOW(link_send(victim, "SELECT pg_sleep(30)", NULL, 0, &error) == OK);
    probe_do(other, sql);
    SHOW(receive(victim, &result, &error) == RETRY);
    SHOW(strcmp(error.code, "57P01") == 0);
    free(sql);
    link_close(victim);
    link_close(other);
}

void probe_link(struct probe *probe)
{
    settings(probe);
    struct link *link = probe_open(probe, "", false);
    values(probe, link);
    warnings(probe, link);
    statement_errors(probe, link);
    loop_calls(probe, link);
    link_close(link);
    patience(probe);
    terminated(probe);
}
