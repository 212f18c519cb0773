/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h - asserts that stay in release builds. A broken promise stops the process: PostgreSQL
 * still has the WAL and Kafka aborts the open transaction, so stopping loses nothing, while going
 * on might.
 * In -> out: a condition -> nothing, or the end of the process.
 * Owns: nothing.  Thread: any.
 * Keeps: cite the invariant behind the check, for example check(lsn >= ledger->safe_lsn); then I2
 *     in a comment. */
#ifndef WALPOST_BASE_CHECK_H
#define WALPOST_BASE_CHECK_H

/* Writes condition, file and line to standard error and aborts. */
_Noreturn void check_failed(const char *condition, const char *file, int line);

#define check(condition)                                  \
    do {                                                  \
        if (__builtin_expect(!(condition), 0)) {          \
            check_failed(#condition, __FILE__, __LINE__); \
        }                                                 \
    } while (0)

/* malloc and friends that never return NULL: a process that cannot get memory inside its own bound
 * stops. */
void *must_malloc(unsigned long size);
void *must_calloc(unsigned long count, unsigned long size);
void *must_realloc(void *memory, unsigned long size);
char *must_strdup(const char *text);
char *must_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
