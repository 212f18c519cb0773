/* SPDX-License-Identifier: Apache-2.0
 *
 * Which servers a connection string names. libpq takes a value from the string, else from the
 * service, else from the environment: the targets must not turn that round. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "pg/dsn.h"

static void init(void)
{
    unsetenv("PGHOST");
    unsetenv("PGHOSTADDR");
    unsetenv("PGPORT");
    unsetenv("PGSERVICE");
}

TestSuite(dsn, .init = init);

/* Targets as "host|address|port;", with - for what is left to libpq. */
static void expect_targets(const char *text, const char *wanted)
{
    struct dsn dsn;
    struct error error;
    char found[256] = "";
    size_t used = 0;
    cr_assert_eq(dsn_parse(text, &dsn, &error), OK, "%s", text);
    for (size_t i = 0; i < dsn.n_targets; i++) {
        const struct target *target = &dsn.targets[i];
        used += (size_t)snprintf(found + used, sizeof(found) - used, "%s|%s|%s;",
                                 target->host == NULL ? "-" : target->host,
                                 target->address == NULL ? "-" : target->address,
                                 target->port == NULL ? "-" : target->port);
    }
    cr_expect_str_eq(found, wanted, "%s: %s, not %s", text, found, wanted);
    dsn_release(&dsn);
}

Test(dsn, the_servers_of_the_string)
{
    expect_targets("host=a", "a|-|-;");
    expect_targets("host=a,b port=1,2", "a|-|1;b|-|2;");
    expect_targets("host=a,b port=6432", "a|-|6432;b|-|6432;");
    expect_targets("host=a,b hostaddr=127.0.0.1,127.0.0.2", "a|127.0.0.1|-;b|127.0.0.2|-;");
    expect_targets("postgresql://u@a:1,b:2/d", "a|-|1;b|-|2;");
    expect_targets("dbname=d", "-|-|-;");
}

Test(dsn, the_environment_where_the_string_is_silent)
{
    setenv("PGHOST", "e", 1);
    setenv("PGPORT", "7", 1);
    expect_targets("dbname=d", "e|-|7;");
    expect_targets("host=a", "a|-|7;");
    expect_targets("port=1", "e|-|1;");
}

Test(dsn, a_service_goes_before_the_environment)
{
    setenv("PGHOST", "e", 1);
    setenv("PGHOSTADDR", "127.0.0.9", 1);
    setenv("PGPORT", "7", 1);
    expect_targets("service=s", "-|-|-;");
    expect_targets("service=s host=a", "a|-|-;");
    setenv("PGSERVICE", "s", 1);
    expect_targets("dbname=d", "-|-|-;");
}

Test(dsn, the_string_goes_before_the_service)
{
    expect_targets("service=s port=6432", "-|-|6432;");
    expect_targets("service=s port=1,2", "-|-|1,2;"); /* for the hosts of its file */
    expect_targets("service=s host=a port=1", "a|-|1;");
}

Test(dsn, lists_of_different_lengths)
{
    struct dsn dsn;
    struct error error;
    cr_expect_eq(dsn_parse("host=a,b port=1,2,3", &dsn, &error), INVALID);
    cr_expect(strstr(error.remedy, "one port") != NULL);
    cr_expect_eq(dsn_parse("host=a,b hostaddr=127.0.0.1", &dsn, &error), INVALID);
    cr_expect(error.remedy[0] != '\0');
}
