/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "contract/compat.h"

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
