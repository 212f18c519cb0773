/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kafka/client_log.h"

enum { SECOND_US = 1000000 };

struct fixture {
    struct log log;
    struct client_log *lines;
    char text[4096];
};

static void open_log(struct fixture *fixture, enum log_level level)
{
    int fd = memfd_create("log", 0);
    cr_assert_geq(fd, 0);
    log_init(&fixture->log, fd, LOG_TEXT, level);
    fixture->lines = client_log_new(&fixture->log);
}

static int count_lines(struct fixture *fixture)
{
    ssize_t size = pread(fixture->log.fd, fixture->text, sizeof(fixture->text) - 1, 0);
    cr_assert_geq(size, 0);
    fixture->text[size] = '\0';
    int lines = 0;
    for (const char *c = fixture->text; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    return lines;
}

Test(client_log, the_same_line_is_said_once_in_ten_seconds)
{
    struct fixture f;
    open_log(&f, LOG_DEBUG);
    client_log_line(f.lines, 3, "c", "FAIL", "[thrd:a]: refused (after 1ms)", 100 * SECOND_US);
    client_log_line(f.lines, 3, "c", "FAIL", "[thrd:a]: refused (after 27ms)", 101 * SECOND_US);
    cr_expect_eq(count_lines(&f), 1, "%s", f.text);
    client_log_line(f.lines, 3, "c", "FAIL", "[thrd:a]: not resolved", 102 * SECOND_US);
    cr_expect_eq(count_lines(&f), 2, "%s", f.text);
    client_log_line(f.lines, 3, "c", "FAIL", "[thrd:a]: refused (after 3ms)", 111 * SECOND_US);
    cr_expect_eq(count_lines(&f), 3, "%s", f.text);
    cr_expect_null(strstr(f.text, "thrd"));
    cr_expect_not_null(strstr(f.text, "refused (after 1ms)"));
    client_log_free(f.lines);
}

Test(client_log, nothing_is_more_than_a_warning)
{
    struct fixture f;
    open_log(&f, LOG_WARN);
    client_log_line(f.lines, 1, "c", "TXNERR", "fenced", 100 * SECOND_US);
    client_log_line(f.lines, 1, "c", "FAIL", "refused", 100 * SECOND_US);
    client_log_line(f.lines, 6, "c", "INFO", "information", 100 * SECOND_US);
    client_log_line(f.lines, 4, "c", "GETPID", "the id is not free yet", 100 * SECOND_US);
    cr_expect_eq(count_lines(&f), 1, "%s", f.text);
    cr_expect_not_null(strstr(f.text, "warn"));
    client_log_free(f.lines);
}

Test(client_log, properties_of_the_other_role_are_no_news)
{
    struct fixture f;
    open_log(&f, LOG_DEBUG);
    client_log_line(f.lines, 4, "c", "CONFWARN", "linger.ms is a producer property", 1);
    cr_expect_eq(count_lines(&f), 0, "%s", f.text);
    client_log_free(f.lines);
}

Test(client_log, without_a_log_lines_are_dropped)
{
    struct client_log *lines = client_log_new(NULL);
    client_log_line(lines, 3, "c", "FAIL", "refused", 1);
    client_log_line(NULL, 3, "c", "FAIL", "refused", 1);
    client_log_free(lines);
    client_log_free(NULL);
}
