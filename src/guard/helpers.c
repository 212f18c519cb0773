/* SPDX-License-Identifier: Apache-2.0
 *
 * helpers.sql, with what it leaves open: @@. is the schema, @LIMIT@ what no double can hold. */
#include "guard/writer.h"
#include "guard_helpers.h"

void write_helpers(const struct guard *guard, FILE *out)
{
    static const char schema[] = "@@";
    static const char limit[] = "@LIMIT@";
    const char *at = strstr(guard_helpers, "\n") + 1; /* behind the licence */
    while (true) {
        size_t plain = strcspn(at, "@");
        fwrite(at, 1, plain, out);
        at += plain;
        if (*at == '\0') {
            return;
        }
        if (strncmp(at, schema, sizeof(schema) - 1) == 0) {
            sql_name(out, guard->schema);
            at += sizeof(schema) - 1;
        } else if (strncmp(at, limit, sizeof(limit) - 1) == 0) {
            fputs(DOUBLE_LIMIT, out);
            at += sizeof(limit) - 1;
        } else {
            fputc(*at++, out);
        }
    }
}
