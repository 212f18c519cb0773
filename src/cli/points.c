/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/points.h"

#include <stdarg.h>

#include "cli/say.h"

enum state { STATE_OK, STATE_WARNING, STATE_WRONG, STATE_NOT_LOOKED };

static const char *const state_names[] = {"ok", "warning", "wrong", "not looked at"};
static const char *const state_marks[] = {"ok     ", "warning", "wrong  ", "skipped"};
static const enum colour state_colours[] = {COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED, COLOUR_DIM};

void points_begin(struct points *points, bool as_json, const char *stream)
{
    *points = (struct points){.as_json = as_json, .json = {.out = stdout}};
    if (as_json) {
        json_open(&points->json, NULL, '{');
        json_text(&points->json, "stream", stream);
        json_open(&points->json, "points", '[');
    }
}

int points_end(struct points *points)
{
    bool well = points->wrong == 0 && points->skipped == 0;
    if (points->as_json) {
        json_close(&points->json, ']');
        json_bool(&points->json, "ok", well);
        json_int(&points->json, "wrong", points->wrong);
        json_int(&points->json, "warnings", points->warnings);
        json_int(&points->json, "not_looked_at", points->skipped);
        json_close(&points->json, '}');
        printf("\n");
    } else if (well) {
        printf("\nReady to run: nothing is wrong%s.\n",
               points->warnings == 0 ? "" : ", but look at the warnings");
    } else {
        printf("\nNot ready to run: %u wrong, %u not looked at, %u warnings.\n", points->wrong,
               points->skipped, points->warnings);
    }
    return well ? 0 : 1;
}

static void put(struct points *points, enum state state, const char *name, const char *text,
                const char *remedy)
{
    points->wrong += state == STATE_WRONG ? 1 : 0;
    points->warnings += state == STATE_WARNING ? 1 : 0;
    points->skipped += state == STATE_NOT_LOOKED ? 1 : 0;
    if (points->as_json) {
        json_open(&points->json, NULL, '{');
        json_text(&points->json, "point", name);
        json_text(&points->json, "state", state_names[state]);
        json_text(&points->json, "text", text);
        json_text(&points->json, "remedy", remedy == NULL || remedy[0] == '\0' ? NULL : remedy);
        json_close(&points->json, '}');
        return;
    }
    say_coloured(stdout, state_colours[state], state_marks[state]);
    printf(" %-21s %s\n", name, text);
    if (remedy != NULL && remedy[0] != '\0') {
        printf("%30s%s\n", "", remedy);
    }
    fflush(stdout);
}

#define FORMAT_TEXT(text, format)                    \
    char text[768];                                  \
    do {                                             \
        va_list args;                                \
        va_start(args, format);                      \
        vsnprintf(text, sizeof(text), format, args); \
        va_end(args);                                \
    } while (0)

void point_ok(struct points *points, const char *name, const char *format, ...)
{
    FORMAT_TEXT(text, format);
    put(points, STATE_OK, name, text, NULL);
}

void point_warn(struct points *points, const char *name, const char *remedy, const char *format,
                ...)
{
    FORMAT_TEXT(text, format);
    put(points, STATE_WARNING, name, text, remedy);
}

void point_wrong(struct points *points, const char *name, const char *remedy, const char *format,
                 ...)
{
    FORMAT_TEXT(text, format);
    put(points, STATE_WRONG, name, text, remedy);
}

void point_error(struct points *points, const char *name, const struct error *error)
{
    put(points, STATE_WRONG, name, error->what, error->remedy);
}

void point_skip(struct points *points, const char *name, const char *because)
{
    char text[256];
    snprintf(text, sizeof(text), "not looked at: %s", because);
    put(points, STATE_NOT_LOOKED, name, text, NULL);
}
