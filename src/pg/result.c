/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "pg/internal.h"

size_t pg_result_rows(const struct pg_result *result)
{
    return (size_t)PQntuples(result_of(result));
}

size_t pg_result_columns(const struct pg_result *result)
{
    return (size_t)PQnfields(result_of(result));
}

const char *pg_result_name(const struct pg_result *result, size_t column)
{
    return PQfname(result_of(result), (int)column);
}

struct bytes pg_result_get(const struct pg_result *result, size_t row, size_t column)
{
    const PGresult *pg = result_of(result);
    check(row < pg_result_rows(result) && column < pg_result_columns(result));
    if (PQgetisnull(pg, (int)row, (int)column)) {
        return BYTES_NULL;
    }
    return (struct bytes){
        .data = PQgetvalue(pg, (int)row, (int)column),
        .len = (size_t)PQgetlength(pg, (int)row, (int)column),
    };
}

const char *pg_result_text(const struct pg_result *result, size_t row, size_t column)
{
    struct bytes value = pg_result_get(result, row, column);
    return value.data == NULL ? "" : value.data;
}

void pg_result_free(struct pg_result *result)
{
    PQclear((PGresult *)result);
}

size_t pg_result_affected(const struct pg_result *result)
{
    return strtoul(PQcmdTuples((PGresult *)result_of(result)), NULL, 10);
}

void result_copy(const struct pg_result *result, size_t column, char *text, size_t size)
{
    snprintf(text, size, "%s", pg_result_text(result, 0, column));
}

bool result_true(const struct pg_result *result, size_t column)
{
    return strcmp(pg_result_text(result, 0, column), "t") == 0;
}

/* --- quoting --- */

/* `text` between two of `quote`, each one inside doubled. */
static char *quoted(const char *text, char quote, const char *prefix, bool double_backslash)
{
    char *result = must_malloc(strlen(prefix) + 2 * strlen(text) + 3);
    char *at = stpcpy(result, prefix);
    *at++ = quote;
    for (; *text != '\0'; text++) {
        if (*text == quote || (double_backslash && *text == '\\')) {
            *at++ = *text;
        }
        *at++ = *text;
    }
    *at++ = quote;
    *at = '\0';
    return result;
}

char *pg_quote_identifier(const char *name)
{
    return quoted(name, '"', "", false);
}

/* With a backslash in it, the meaning of '...' depends on standard_conforming_strings; E'...' does
 * not. */
char *pg_quote_literal(const char *value)
{
    bool backslash = strchr(value, '\\') != NULL;
    return quoted(value, '\'', backslash ? "E" : "", backslash);
}
