/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "contract/compat.h"

void differences_add(struct differences *differences, enum change change, bool in_writer,
                     int32_t line, const char *subject, const char *format, ...)
{
    if (differences->n == differences->max) {
        differences->max = differences->max == 0 ? 16 : differences->max * 2;
        differences->all =
            must_realloc(differences->all, differences->max * sizeof(*differences->all));
    }
    struct difference *difference = &differences->all[differences->n++];
    *difference = (struct difference){.change = change, .in_writer = in_writer, .line = line};
    snprintf(difference->subject, sizeof(difference->subject), "%s", subject);
    va_list args;
    va_start(args, format);
    vsnprintf(difference->detail, sizeof(difference->detail), format, args);
    va_end(args);
}

void differences_release(struct differences *differences)
{
    free(differences->all);
    *differences = (struct differences){0};
}

enum judgment differences_judgment(const struct differences *differences)
{
    enum judgment worst = JUDGED_COMPATIBLE;
    for (size_t i = 0; i < differences->n; i++) {
        enum judgment judgment = change_rule(differences->all[i].change)->judgment;
        worst = judgment > worst ? judgment : worst;
    }
    return worst;
}

static const struct {
    const char *name;
    bool backward;
    bool forward;
    bool transitive;
} levels[COMPATIBILITIES] = {
    [COMPATIBILITY_NONE] = {"NONE", false, false, false},
    [COMPATIBILITY_BACKWARD] = {"BACKWARD", true, false, false},
    [COMPATIBILITY_BACKWARD_TRANSITIVE] = {"BACKWARD_TRANSITIVE", true, false, true},
    [COMPATIBILITY_FORWARD] = {"FORWARD", false, true, false},
    [COMPATIBILITY_FORWARD_TRANSITIVE] = {"FORWARD_TRANSITIVE", false, true, true},
    [COMPATIBILITY_FULL] = {"FULL", true, true, false},
    [COMPATIBILITY_FULL_TRANSITIVE] = {"FULL_TRANSITIVE", true, true, true},
};

const char *compatibility_name(enum compatibility compatibility)
{
    return levels[compatibility].name;
}

bool compatibility_named(const char *name, enum compatibility *compatibility)
{
    for (int i = 0; i < COMPATIBILITIES; i++) {
        if (strcmp(levels[i].name, name) == 0) {
            *compatibility = (enum compatibility)i;
            return true;
        }
    }
    return false;
}

bool compatibility_asks(enum compatibility compatibility, uint32_t newer, uint32_t older,
                        bool backward)
{
    if (!levels[compatibility].transitive && newer != older + 1) {
        return false;
    }
    return backward ? levels[compatibility].backward : levels[compatibility].forward;
}
