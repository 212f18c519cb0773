/* SPDX-License-Identifier: Apache-2.0
 *
 * Event types are Domain.Entity.Action or Domain.EntityAction, in the past tense. */
#include <ctype.h>

#include "base/macros.h"
#include "schemas/schemas.h"

/* --- the shape ------------------------------------------------------------------------------- */

/* A word in CamelCase; NULL: it is none. */
static const char *behind_part(const char *at)
{
    if (!isupper((unsigned char)*at)) {
        return NULL;
    }
    while (isalnum((unsigned char)*at)) {
        at++;
    }
    return at;
}

static bool has_shape(const char *type)
{
    int parts = 1;
    const char *at = behind_part(type);
    while (at != NULL && *at == '.') {
        at = behind_part(at + 1);
        parts++;
    }
    return at != NULL && *at == '\0' && (parts == 2 || parts == 3);
}

/* --- the past tense -------------------------------------------------------------------------- */

/* Participles that events are made of and whose letters do not tell. */
static const char *const irregular[] = {
    "Agreed", "Freed",     "Guaranteed", "Begun", "Bought",     "Broken", "Built",  "Caught",
    "Chosen", "Cut",       "Done",       "Drawn", "Fallen",     "Found",  "Given",  "Gone",
    "Grown",  "Held",      "Hidden",     "Hit",   "Kept",       "Known",  "Laid",   "Left",
    "Lent",   "Lost",      "Made",       "Met",   "Overridden", "Paid",   "Put",    "Read",
    "Reset",  "Rewritten", "Risen",      "Run",   "Seen",       "Sent",   "Set",    "Shown",
    "Shut",   "Sold",      "Spent",      "Split", "Spoken",     "Taken",  "Thrown", "Told",
    "Undone", "Unpaid",    "Withdrawn",  "Won",   "Written",
};

/* The last word of CamelCase. */
static const char *last_word(const char *type)
{
    const char *at = type + strlen(type);
    while (at > type && !isupper((unsigned char)*at)) {
        at--;
    }
    return at;
}

static bool is_past_tense(const char *type)
{
    const char *word = last_word(type);
    size_t len = strlen(word);
    /* Need, Feed and Seed are none. */
    if (len > 3 && strcmp(word + len - 2, "ed") == 0 && word[len - 3] != 'e') {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(irregular); i++) {
        if (strcmp(word, irregular[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum naming_fault schema_name_fault(const char *type)
{
    if (!has_shape(type)) {
        return NAMING_SHAPE;
    }
    return is_past_tense(type) ? NAMING_FINE : NAMING_COMMAND;
}
