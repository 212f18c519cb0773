/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr,
            "walpost: a promise of the program is broken: %s (%s:%d); stopping before harm\n",
            condition, file, line);
    abort();
}

void *must_malloc(unsigned long size)
{
    void *memory = malloc(size == 0 ? 1 : size);
    check(memory != NULL);
    return memory;
}

void *must_calloc(unsigned long count, unsigned long size)
{
    void *memory = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
    check(memory != NULL);
    return memory;
}

void *must_realloc(void *memory, unsigned long size)
{
    void *bigger = realloc(memory, size == 0 ? 1 : size);
    check(bigger != NULL);
    return bigger;
}

char *must_strdup(const char *text)
{
    char *copy = strdup(text);
    check(copy != NULL);
    return copy;
}

char *must_printf(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    check(length >= 0);
    return text;
}
