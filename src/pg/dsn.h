/* SPDX-License-Identifier: Apache-2.0
 *
 * dsn.h - a connection string, taken apart.
 * In: key=value or URI form. Out: one target for each server named in it, and the parameters of a
 *     connection to one of them.
 * Owns: the parsed string with its password; no error quotes that.
 * Thread: any.
 * Keeps: nothing.
 * Source: PostgreSQL documentation, "Connection Strings" and "Environment Variables". */
#ifndef WALPOST_PG_DSN_H
#define WALPOST_PG_DSN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A server to try. What is NULL is left to libpq (its default, or a service file: then it is one
 * target for all servers of the file). */
struct target {
    char *host;    /* name, number, or directory of a socket */
    char *address; /* hostaddr of the dsn */
    char *port;
};

struct dsn {
    PQconninfoOption *parsed;
    struct target *targets;
    size_t n_targets;
};

/* INVALID: not a connection string. */
enum verdict MUST_CHECK dsn_parse(const char *text, struct dsn *dsn, struct error *error);
void dsn_release(struct dsn *dsn);

/* What the dsn says, or else the environment variable that libpq would look at; NULL: neither. */
const char *dsn_value(const struct dsn *dsn, const char *keyword);

/* "db:5432", "[::1]:5432" or "/run/postgresql:5432": for messages. */
void target_name(const struct target *target, char *text, size_t size);

enum { PARAMETERS_MAX = 80 };

/* For PQconnectStartParams; NULL-terminated. */
struct parameters {
    const char *keywords[PARAMETERS_MAX + 1];
    const char *values[PARAMETERS_MAX + 1];
    size_t count;
};

/* Replaces a value that stands already. */
void parameters_set(struct parameters *parameters, const char *keyword, const char *value);
/* Only when neither the dsn nor the environment says otherwise. */
void parameters_default(struct parameters *parameters, const struct dsn *dsn, const char *keyword,
                        const char *value);
/* All that the dsn says. Borrows from it. */
void parameters_of_dsn(struct parameters *parameters, const struct dsn *dsn);

#endif
