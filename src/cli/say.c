/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"

#include <inttypes.h>
#include <stdarg.h>
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

void say_next(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_coloured(stdout, COLOUR_DIM, "Next: ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
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

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

size_t say_width(struct bytes text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++) {
        width += !continues(text.data[i]);
    }
    return width;
}

size_t say_text(FILE *stream, struct bytes text, size_t width)
{
    size_t whole = say_width(text);
    bool cut = width > 0 && whole > width;
    size_t wanted = cut ? (width > 3 ? width - 3 : width) : whole;
    size_t written = 0;
    for (size_t i = 0; i < text.len && written < wanted; written++) {
        size_t len = 1;
        while (i + len < text.len && continues(text.data[i + len])) {
            len++;
        }
        unsigned char c = (unsigned char)text.data[i];
        /* U+0080 to U+009F are control characters, too. */
        bool steers = c < ' ' || c == 0x7f ||
                      (c == 0xc2 && len > 1 && (unsigned char)text.data[i + 1] < 0xa0);
        fwrite(steers ? "?" : text.data + i, 1, steers ? 1 : len, stream);
        i += len;
    }
    if (cut && width > 3) {
        fputs("...", stream);
        written += 3;
    }
    return written;
}
