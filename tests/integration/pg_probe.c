/* SPDX-License-Identifier: Apache-2.0 */
#include "pg_probe.h"

#include <stdlib.h>

#include "base/check.h"

void probe_result(struct probe *probe, bool held, const char *claim, const char *file, int line)
{
    probe->checks++;
    if (!held) {
        probe->failures++;
        printf("FAILED  %s:%d: %s\n", file, line, claim);
    }
    fflush(stdout);
}

char *probe_dsn(const struct probe *probe, const char *extra)
{
    return must_printf("%s %s", probe->dsn, extra);
}

static void give_up(const struct error *error, const char *doing)
{
    printf("FAILED  cannot go on: %s: %s (%s)\n", doing, error->what, error->remedy);
    exit(1);
}

struct link *probe_open(struct probe *probe, const char *extra, bool replication)
{
    char *dsn = probe_dsn(probe, extra);
    struct link *link = NULL;
    struct error error;
    enum verdict verdict = link_open(
        &(struct link_options){
            .dsn = dsn,
            .replication = replication,
            .application_name = "walpost probe",
            .connect_timeout_ms = 5000,
        },
        &link, &error);
    if (verdict != OK) {
        give_up(&error, dsn);
    }
    free(dsn);
    return link;
}

struct pg_result *probe_ask(struct link *link, const char *sql)
{
    struct pg_result *result = NULL;
    struct error error;
    if (link_query(link, sql, NULL, 0, 20000, &result, &error) != OK) {
        give_up(&error, sql);
    }
    return result;
}

void probe_do(struct link *link, const char *sql)
{
    pg_result_free(probe_ask(link, sql));
}

const char *probe_value(struct link *link, const char *sql)
{
    static char value[512];
    struct pg_result *result = probe_ask(link, sql);
    snprintf(value, sizeof(value), "%s",
             pg_result_rows(result) == 0 ? "" : pg_result_text(result, 0, 0));
    pg_result_free(result);
    return value;
}

void probe_error(struct probe *probe, const struct error *error, enum verdict verdict,
                 const char *what, const char *remedy)
{
    check(what != NULL && remedy != NULL);
    printf("  %-7s %-5s %s\n", verdict_name(error->verdict), error->code, error->what);
    if (error->remedy[0] != '\0') {
        printf("                -> %s\n", error->remedy);
    }
    SHOW(error->verdict == verdict);
    if (strstr(error->what, what) == NULL) {
        printf("  expected: %s\n", what);
    }
    SHOW(strstr(error->what, what) != NULL);
    SHOW(strstr(error->remedy, remedy) != NULL);
    SHOW(strstr(error->what, "secret") == NULL && strstr(error->remedy, "secret") == NULL);
    SHOW(strchr(error->what, '\n') == NULL);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: pg_probe DSN [COMMAND that stops the server]\n");
        return 2;
    }
    struct probe probe = {.dsn = argv[1], .stop_command = argc > 2 ? argv[2] : NULL};
    probe_connect(&probe);
    probe_fake(&probe);
    probe_link(&probe);
    probe_catalog(&probe);
    probe_stream(&probe);
    probe_stream_refusals(&probe);
    probe_shutdown(&probe);
    printf("pg_probe: %d checks, %d failed\n", probe.checks, probe.failures);
    return probe.failures == 0 ? 0 : 1;
}
