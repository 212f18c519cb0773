/* SPDX-License-Identifier: Apache-2.0 */
#include "pg/dsn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static const PQconninfoOption *option_of(const struct dsn *dsn, const char *keyword)
{
    for (const PQconninfoOption *each = dsn->parsed; each->keyword != NULL; each++) {
        if (strcmp(each->keyword, keyword) == 0) {
            return each;
        }
    }
    return NULL;
}

const char *dsn_value(const struct dsn *dsn, const char *keyword)
{
    const PQconninfoOption *option = option_of(dsn, keyword);
    if (option == NULL) {
        return NULL;
    }
    if (option->val != NULL) {
        return option->val;
    }
    return option->envvar == NULL ? NULL : getenv(option->envvar);
}

void dsn_release(struct dsn *dsn)
{
    for (size_t i = 0; i < dsn->n_targets; i++) {
        free(dsn->targets[i].host);
        free(dsn->targets[i].address);
        free(dsn->targets[i].port);
    }
    free(dsn->targets);
    PQconninfoFree(dsn->parsed);
    *dsn = (struct dsn){0};
}

/* --- the servers it names --- */

static size_t list_count(const char *list)
{
    size_t count = 1;
    for (; *list != '\0'; list++) {
        count += *list == ',';
    }
    return count;
}

/* Element `index` of a list with commas; NULL when it is empty. */
static char *list_element(const char *list, size_t index)
{
    if (list == NULL) {
        return NULL;
    }
    for (; index > 0; index--) {
        list = strchr(list, ',') + 1;
    }
    size_t length = strcspn(list, ",");
    return length == 0 ? NULL : must_printf("%.*s", (int)length, list);
}

/* A service goes before the environment, as in libpq, which alone reads its file. */
static const char *server_value(const struct dsn *dsn, const char *keyword)
{
    return dsn_value(dsn, "service") == NULL ? dsn_value(dsn, keyword)
                                             : option_of(dsn, keyword)->val;
}

static void leave_to_service(struct dsn *dsn, const char *ports)
{
    dsn->targets = must_calloc(1, sizeof(*dsn->targets));
    dsn->n_targets = 1;
    dsn->targets[0].port = ports == NULL ? NULL : must_strdup(ports);
}

static enum verdict find_targets(struct dsn *dsn, struct error *error)
{
    const char *hosts = server_value(dsn, "host");
    const char *addresses = server_value(dsn, "hostaddr");
    const char *ports = server_value(dsn, "port");
    if (hosts == NULL && addresses == NULL && dsn_value(dsn, "service") != NULL) {
        leave_to_service(dsn, ports);
        return OK;
    }
    size_t count = addresses != NULL ? list_count(addresses)
                   : hosts != NULL   ? list_count(hosts)
                                     : 1;
    if (addresses != NULL && hosts != NULL && list_count(hosts) != count) {
        error_set(error, INVALID, "postgres.dsn names %zu hosts, but %zu in hostaddr",
                  list_count(hosts), count);
        return error_remedy(error, "Give an address for each host, in the same order.");
    }
    size_t n_ports = ports == NULL ? 1 : list_count(ports);
    if (n_ports != 1 && n_ports != count) {
        error_set(error, INVALID, "postgres.dsn names %zu ports for %zu hosts", n_ports, count);
        return error_remedy(error, "Give one port for all hosts, or one for each.");
    }
    dsn->targets = must_calloc(count, sizeof(*dsn->targets));
    dsn->n_targets = count;
    for (size_t i = 0; i < count; i++) {
        dsn->targets[i].host = list_element(hosts, i);
        dsn->targets[i].address = list_element(addresses, i);
        dsn->targets[i].port = list_element(ports, n_ports == 1 ? 0 : i);
        if (dsn->targets[i].port == NULL && ports != NULL) {
            dsn->targets[i].port = must_strdup("5432");
        }
    }
    return OK;
}

/* --- what is wrong with it ---
 * libpq's words quote the place where it stumbled, and that may be a piece of the password. */

/* The first quoted word of the message, if it is one that a person may have mistyped as a keyword
 * and that cannot belong to a password. */
static bool harmless_keyword(const char *dsn, const char *message, char *word, size_t size)
{
    const char *begin = strchr(message, '"');
    size_t length = begin == NULL ? 0 : strspn(begin + 1, "abcdefghijklmnopqrstuvwxyz_");
    if (length == 0 || length >= size || begin[1 + length] != '"') {
        return false;
    }
    snprintf(word, size, "%.*s", (int)length, begin + 1);
    const char *place = strstr(dsn, word);
    const char *password = strstr(dsn, "password");
    bool uri = strstr(dsn, "://") != NULL;
    if (place == NULL) {
        return false;
    }
    return uri ? strchr(place, '@') == NULL : password == NULL || place < password;
}

static enum verdict refuse_dsn(const char *text, const char *message, struct error *error)
{
    char word[32];
    bool may_quote = harmless_keyword(text, message, word, sizeof(word));
    if (strncmp(message, "missing \"=\"", 11) == 0) {
        error_set(error, INVALID,
                  "postgres.dsn is not a connection string: it has a word without \"=\"");
    } else if (may_quote && (strncmp(message, "invalid connection option", 25) == 0 ||
                             strncmp(message, "invalid URI query parameter", 27) == 0)) {
        error_set(error, INVALID, "postgres.dsn has an option \"%s\" that PostgreSQL does not know",
                  word);
    } else if (strstr(message, "unterminated quoted string") != NULL) {
        error_set(error, INVALID, "postgres.dsn has a quote that is never closed");
    } else {
        error_set(error, INVALID, "postgres.dsn is not a connection string of PostgreSQL");
    }
    return error_remedy(
        error, "Write it as postgresql://ROLE@HOST:PORT/DATABASE?OPTION=VALUE (special characters "
               "as %%XX), or as host=HOST port=PORT dbname=DATABASE user=ROLE with values that "
               "hold spaces in single quotes.");
}

enum verdict dsn_parse(const char *text, struct dsn *dsn, struct error *error)
{
    char *message = NULL;
    *dsn = (struct dsn){.parsed = PQconninfoParse(text, &message)};
    if (dsn->parsed == NULL) {
        enum verdict verdict = refuse_dsn(text, message == NULL ? "" : message, error);
        PQfreemem(message);
        return verdict;
    }
    enum verdict verdict = find_targets(dsn, error);
    if (verdict != OK) {
        dsn_release(dsn);
    }
    return verdict;
}

void target_name(const struct target *target, char *text, size_t size)
{
    const char *host = target->host != NULL ? target->host : target->address;
    const char *port = target->port != NULL ? target->port : "5432";
    if (host == NULL) {
        snprintf(text, size, "the default server");
    } else {
        snprintf(text, size, strchr(host, ':') == NULL ? "%s:%s" : "[%s]:%s", host, port);
    }
}

/* --- parameters --- */

void parameters_set(struct parameters *parameters, const char *keyword, const char *value)
{
    size_t i = 0;
    while (i < parameters->count && strcmp(parameters->keywords[i], keyword) != 0) {
        i++;
    }
    check(i < PARAMETERS_MAX);
    parameters->keywords[i] = keyword;
    parameters->values[i] = value;
    if (i == parameters->count) {
        parameters->count++;
        parameters->keywords[i + 1] = NULL;
        parameters->values[i + 1] = NULL;
    }
}

void parameters_default(struct parameters *parameters, const struct dsn *dsn, const char *keyword,
                        const char *value)
{
    if (dsn_value(dsn, keyword) == NULL) {
        parameters_set(parameters, keyword, value);
    }
}

void parameters_of_dsn(struct parameters *parameters, const struct dsn *dsn)
{
    for (const PQconninfoOption *each = dsn->parsed; each->keyword != NULL; each++) {
        if (each->val != NULL) {
            parameters_set(parameters, each->keyword, each->val);
        }
    }
}
