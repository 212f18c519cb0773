/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "pg_probe.h"

static const struct stream_options probe_options = {
    .slot = "probe_stream", .publication = "probe \"pub'", .messages = true};

/* Reads until a message is there; AGAIN after timeout_ms. */
static enum verdict next(struct link *link, int timeout_ms, struct stream_message *message,
                         struct error *error)
{
    int64_t until_us = clock_us() + (int64_t)timeout_ms * 1000;
    enum verdict verdict;
    while ((verdict = stream_next(link, message, error)) == AGAIN && clock_us() < until_us) {
        struct pollfd ready = {.fd = link_fd(link), .events = POLLIN};
        if (poll(&ready, 1, 20) > 0) {
            enum verdict lost = stream_read(link, error);
            if (lost != OK) {
                struct error ended;
                verdict = stream_next(link, message, &ended);
                *error = verdict == AGAIN || verdict == OK ? *error : ended;
                return verdict == AGAIN ? lost : verdict;
            }
        }
    }
    return verdict;
}

/* Reads and throws away, until the stream ends. */
static enum verdict drain(struct link *link, struct error *error)
{
    struct stream_message message;
    enum verdict verdict;
    while ((verdict = next(link, 5000, &message, error)) == OK) {
        if (message.kind == STREAM_DATA) {
            stream_free_buffer(message.buffer);
        }
    }
    return verdict;
}

/* The kinds of the data messages up to the commit: "BRIC". wal_end: of the commit. */
static void kinds_until_commit(struct link *link, char *kinds, size_t size, lsn *wal_end)
{
    struct stream_message message;
    struct error error;
    size_t n = 0;
    while (n + 1 < size && next(link, 5000, &message, &error) == OK) {
        if (message.kind == STREAM_KEEPALIVE) {
            continue;
        }
        char kind = message.data.data[0];
        kinds[n++] = kind;
        *wal_end = message.wal_end;
        stream_free_buffer(message.buffer);
        if (kind == 'C') {
            break;
        }
    }
    kinds[n] = '\0';
}

static lsn confirmed(struct link *link)
{
    struct pg_slot slot;
    struct error error;
    return catalog_slot(link, "probe_stream", &slot, &error) == OK ? slot.confirmed_lsn : 0;
}

/* The server handles a status when it gets to it. */
static bool confirms(struct link *link, lsn wanted)
{
    for (int tries = 0; tries < 100 && confirmed(link) != wanted; tries++) {
        usleep(20000);
    }
    return confirmed(link) == wanted;
}

static void create_slot(struct probe *probe, const char *name)
{
    struct link *replication = probe_open(probe, "", true);
    lsn consistent;
    char snapshot[64];
    struct error error;
    SHOW(catalog_create_slot(replication, name, &consistent, snapshot, &error) == OK);
    link_close(replication);
}

static void reads_and_confirms(struct probe *probe, struct link *link, struct link *stream)
{
    struct error error;
    char kinds[16];
    lsn wal_end = 0;
    SHOW(stream_start(stream, &probe_options, &error) == OK);
    lsn before = confirmed(link);
    probe_do(link, "INSERT INTO probe_outbox VALUES (1, 'one')");
    kinds_until_commit(stream, kinds, sizeof(kinds), &wal_end);
    SHOW(strcmp(kinds, "BRIC") == 0);
    probe_do(link, "INSERT INTO probe_outbox VALUES (2, repeat('x', 5000000))");
    kinds_until_commit(stream, kinds, sizeof(kinds), &wal_end);
    SHOW(strcmp(kinds, "BIC") == 0);
    probe_do(link, "SELECT pg_logical_emit_message(true, 'walpost', '{}')");
    kinds_until_commit(stream, kinds, sizeof(kinds), &wal_end);
    SHOW(strcmp(kinds, "BMC") == 0);

    SHOW(stream_status(stream, wal_end, 0, true, &error) == OK); /* and an answer, please */
    struct stream_message message;
    SHOW(next(stream, 2000, &message, &error) == OK && message.kind == STREAM_KEEPALIVE);
    SHOW(message.wal_end >= wal_end);
    SHOW(confirmed(link) == before); /* flush 0 confirmed nothing */
    SHOW(stream_status(stream, wal_end, wal_end, false, &error) == OK);
    SHOW(confirms(link, wal_end));
}

/* Whatever the sizes of rows and of the pieces that TLS makes of them: what has arrived is found at
 * once, not when the server happens to say something more. */
static void sizes(struct probe *probe, struct link *link, struct link *stream)
{
    struct stream_message message;
    struct error error;
    int64_t slowest_us = 0;
    for (int i = 0; i < 300; i++) {
        char sql[128], kind = 0;
        snprintf(sql, sizeof(sql), "INSERT INTO probe_outbox VALUES (%d, repeat('x', %d))",
                 1000 + i, i * 7919 % 66000);
        probe_do(link, sql);
        int64_t began_us = clock_us();
        while (kind != 'C' && next(stream, 5000, &message, &error) == OK) {
            if (message.kind == STREAM_DATA) {
                kind = message.data.data[0];
                stream_free_buffer(message.buffer);
            }
        }
        SHOW(kind == 'C');
        int64_t took_us = clock_us() - began_us;
        slowest_us = took_us > slowest_us ? took_us : slowest_us;
    }
    SHOW(slowest_us < 1000000);
}

/* Nobody reads for the server's timeout of 4 s, but the status goes out: the session lives. Then
 * the server asks for a reply. */
static void keepalive(struct probe *probe, struct link *stream)
{
    struct error error;
    struct stream_message message;
    for (int i = 0; i < 5; i++) {
        usleep(1000000);
        SHOW(stream_status(stream, 0, 0, false, &error) == OK);
    }
    bool asked = false;
    while (!asked && next(stream, 4000, &message, &error) == OK) {
        if (message.kind == STREAM_DATA) {
            stream_free_buffer(message.buffer);
        }
        asked = message.kind == STREAM_KEEPALIVE && message.reply_now;
    }
    SHOW(asked);
    SHOW(stream_status(stream, 0, 0, false, &error) == OK);
    SHOW(link_alive(stream));
}

static void in_use(struct probe *probe, struct link *stream)
{
    struct link *second = probe_open(probe, "", true);
    struct error error = {.verdict = OK};
    (void)!stream_start(second, &probe_options, &error);
    char words[64];
    snprintf(words, sizeof(words), "is in use by process %d", link_backend_pid(stream));
    probe_error(probe, &error, WAIT, words, "--take-over");
    SHOW(strcmp(error.code, "55006") == 0 && link_alive(second));
    link_close(second);
}

static void lost(struct probe *probe, struct link *link, struct link *stream)
{
    struct error error = {.verdict = OK};
    char *sql = must_printf("SELECT pg_terminate_backend(%d, 5000)", link_backend_pid(stream));
    probe_do(link, sql);
    free(sql);
    SHOW(drain(stream, &error) == RETRY);
    probe_error(probe, &error, RETRY, "ended the connection", "");
    SHOW(strcmp(error.code, "57P01") == 0 && !link_alive(stream));
    SHOW(stream_status(stream, 0, 0, false, &error) == RETRY);
}

void probe_stream(struct probe *probe)
{
    struct link *link = probe_open(probe, "", false);
    struct link *stream = probe_open(probe, "", true);
    probe_do(link, "CREATE TABLE probe_outbox (id int PRIMARY KEY, payload text)");
    probe_do(link, "CREATE PUBLICATION \"probe \"\"pub'\" FOR TABLE probe_outbox");
    create_slot(probe, "probe_stream");
    reads_and_confirms(probe, link, stream);
    sizes(probe, link, stream);
    in_use(probe, stream);
    keepalive(probe, stream);
    lost(probe, link, stream);
    link_close(stream);
    link_close(link);
}

/* --- what stops a stream for good --- */

static void refuses(struct probe *probe, const char *extra, const char *slot, const char *what,
                    const char *remedy)
{
    struct link *stream = probe_open(probe, extra, true);
    struct error error = {.verdict = OK};
    struct stream_options options = {.slot = slot, .publication = "probe_all", .messages = true};
    (void)!stream_start(stream, &options, &error);
    probe_error(probe, &error, REFUSE, what, remedy);
    link_close(stream);
}

static void invalidate(struct link *link)
{
    probe_do(link, "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
    probe_do(link, "SELECT pg_reload_conf()");
    for (int i = 0; i < 6; i++) {
        probe_do(link, "SELECT pg_logical_emit_message(false, 'probe', repeat('x', 1000000))");
        probe_do(link, "SELECT pg_switch_wal()");
    }
    usleep(200000);
    probe_do(link, "CHECKPOINT");
    probe_do(link, "ALTER SYSTEM RESET max_slot_wal_keep_size");
    probe_do(link, "SELECT pg_reload_conf()");
}

static void publication_dropped(struct probe *probe, struct link *link)
{
    struct link *stream = probe_open(probe, "", true);
    struct stream_options options = {.slot = "probe_dropped", .publication = "probe_dropped"};
    struct error error = {.verdict = OK};
    probe_do(link, "CREATE PUBLICATION probe_dropped FOR TABLE probe_outbox");
    create_slot(probe, "probe_dropped");
    SHOW(stream_start(stream, &options, &error) == OK);
    probe_do(link, "DROP PUBLICATION probe_dropped");
    probe_do(link, "INSERT INTO probe_outbox VALUES (10, 'unseen')");
    SHOW(drain(stream, &error) == REFUSE);
    probe_error(probe, &error, REFUSE, "probe_dropped", "walpost init");
    SHOW(!link_alive(stream));
    link_close(stream);

    /* Creating it again does not help: the remedy says so. */
    probe_do(link, "CREATE PUBLICATION probe_dropped FOR TABLE probe_outbox");
    stream = probe_open(probe, "", true);
    SHOW(stream_start(stream, &options, &error) == OK);
    SHOW(drain(stream, &error) == REFUSE);
    link_close(stream);
}

void probe_stream_refusals(struct probe *probe)
{
    struct link *link = probe_open(probe, "", false);
    probe_do(link, "SELECT pg_create_physical_replication_slot('probe_physical', true)");
    probe_do(link, "SELECT pg_create_logical_replication_slot('probe_test', 'test_decoding')");
    probe_do(link, "CREATE DATABASE probe_other");
    refuses(probe, "", "probe_missing", "slot \"probe_missing\" does not exist", "walpost init");
    refuses(probe, "", "probe_physical", "is a physical slot", "postgres.slot");
    refuses(probe, "", "probe_test", "output plugin \"test_decoding\"", "postgres.slot");
    refuses(probe, "dbname=probe_other", "probe_stream", "belongs to database \"postgres\"",
            "postgres.dsn");
    publication_dropped(probe, link);

    create_slot(probe, "probe_stale");
    invalidate(link);
    refuses(probe, "", "probe_stale", "slot \"probe_stale\" was invalidated",
            "max_slot_wal_keep_size");
    struct pg_slot slot;
    struct error error;
    SHOW(catalog_slot(link, "probe_stale", &slot, &error) == OK);
    SHOW(strcmp(slot.wal_status, "lost") == 0 && slot.safe_bytes == 0);
    probe_do(link, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    link_close(link);
}

/* A fast shutdown sends what is left, waits until that is confirmed, and closes the stream. */
void probe_shutdown(struct probe *probe)
{
    if (probe->stop_command == NULL) {
        printf("no command to stop the server: its shutdown is not looked at\n");
        return;
    }
    struct link *link = probe_open(probe, "", false);
    struct link *stream = probe_open(probe, "", true);
    struct stream_message message;
    struct error error = {.verdict = OK};
    create_slot(probe, "probe_stream");
    SHOW(stream_start(stream, &probe_options, &error) == OK);
    SHOW(system(probe->stop_command) == 0);
    enum verdict verdict;
    while ((verdict = next(stream, 5000, &message, &error)) == OK) {
        if (message.kind == STREAM_DATA) {
            stream_free_buffer(message.buffer);
        }
        SHOW(stream_status(stream, message.wal_end, message.wal_end, false, &error) == OK);
    }
    SHOW(verdict == RETRY);
    probe_error(probe, &error, RETRY, "PostgreSQL at", "");
    (void)!link_query(link, "SELECT 1", NULL, 0, 2000, NULL, &error);
    probe_error(probe, &error, RETRY, "ended the connection", "");
    char *dsn = probe_dsn(probe, "");
    struct link *again = NULL;
    SHOW(link_open(&(struct link_options){.dsn = dsn, .connect_timeout_ms = 3000}, &again,
                   &error) == RETRY);
    printf("  %s\n", error.what);
    free(dsn);
    link_close(link);
    link_close(stream);
}
