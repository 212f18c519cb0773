/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_coloured(FILE *stream)
{
    const char *plain = getenv("NO_COLOR");
    return (plain == NULL || plain[0] == '\0') && isatty(fileno(stream)) == 1;
}

void say_coloured(FILE *stream, enum colour colour, const char *text)
{
    static const char *const codes[] = {"32", "33", "31", "2"};
    if (is_coloured(stream)) {
        fprintf(stream, "\033[%sm%s\033[0m", codes[colour], text);
    } else {
        fputs(text, stream);
    }
}

int say_error(const struct error *error)
{
    fflush(stdout);
    say_coloured(stderr, COLOUR_RED, "walpost: ");
    fprintf(stderr, "%s\n", error->what);
    if (error->remedy[0] != '\0') {
        fprintf(stderr, "  %s\n", error->remedy);
    }
    return verdict_exit_status(error->verdict);
}

const char *say_bytes(int64_t bytes, char text[static BYTES_TEXT_SIZE])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t unit = 0;
    while ((value >= 1024 || value <= -1024) && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    if (unit == 0) {
        snprintf(text, BYTES_TEXT_SIZE, "%" PRId64 " bytes", bytes);
    } else {
        snprintf(text, BYTES_TEXT_SIZE, "%.1f %s", value, units[unit]);
    }
    return text;
}
