/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dlq.h"

#include <string.h>

#include "base/nearest.h"
#include "cli/reach.h"
#include "cli/say.h"

enum verb { LIST, SHOW, REPLAY, PURGE, VERBS };

static const char *const verbs[VERBS] = {"list", "show", "replay", "purge"};

enum {
    FOR_LIST = 1 << LIST,
    FOR_SHOW = 1 << SHOW,
    FOR_REPLAY = 1 << REPLAY,
    FOR_PURGE = 1 << PURGE
};

/* Which flag goes with which verb. */
static const struct {
    const char *flag;
    int verbs;
} uses[] = {
    {"--id", FOR_LIST | FOR_REPLAY | FOR_PURGE},
    {"--reason", FOR_LIST | FOR_REPLAY | FOR_PURGE},
    {"--type", FOR_LIST | FOR_REPLAY | FOR_PURGE},
    {"--key", FOR_LIST | FOR_REPLAY | FOR_PURGE},
    {"--since", FOR_LIST | FOR_REPLAY | FOR_PURGE},
    {"--until", FOR_LIST | FOR_REPLAY | FOR_PURGE},
    {"--all", FOR_REPLAY | FOR_PURGE},
    {"--payload-file", FOR_REPLAY},
    {"--from-table", FOR_REPLAY},
    {"--dry-run", FOR_REPLAY},
    {"--yes", FOR_PURGE},
};

static enum verdict find_verb(const struct invocation *invocation, enum verb *verb,
                              struct error *error)
{
    const char *word = invocation->words[0];
    struct nearest nearest;
    nearest_init(&nearest, word == NULL ? "" : word);
    for (*verb = LIST; *verb < VERBS; (*verb)++) {
        if (word != NULL && strcmp(word, verbs[*verb]) == 0) {
            return OK;
        }
        nearest_offer(&nearest, verbs[*verb]);
    }
    if (word == NULL) {
        error_set(error, INVALID, "walpost dlq does not know what to do");
        return error_remedy(error, "Write walpost dlq list, show ID, replay or purge.");
    }
    error_set(error, INVALID, "walpost dlq cannot \"%.40s\"", word);
    return error_remedy(error, "The nearest is %s; it has list, show ID, replay and purge.",
                        nearest.best);
}

static enum verdict check_flags(const struct invocation *invocation, enum verb verb,
                                struct error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        if (invocation_value(invocation, uses[i].flag) != NULL && !(uses[i].verbs & 1 << verb)) {
            error_set(error, INVALID, "%s does not go with walpost dlq %s", uses[i].flag,
                      verbs[verb]);
            return error_remedy(error, "`walpost help dlq` says which option belongs to which.");
        }
    }
    const char *id = invocation->words[1];
    if (verb == SHOW && id == NULL) {
        error_set(error, INVALID, "walpost dlq show needs an id");
        return error_remedy(error, "`walpost dlq list` lists them.");
    }
    if (verb != SHOW && id != NULL) {
        error_set(error, INVALID, "\"%.60s\" is one word too many", id);
        return error_remedy(error, "Write --id %.60s.", id);
    }
    return OK;
}

static enum verdict check_choice(const struct invocation *invocation, const struct filter *filter,
                                 enum verb verb, struct error *error)
{
    bool all = invocation_value(invocation, "--all") != NULL;
    if (verb != REPLAY && verb != PURGE) {
        return OK;
    }
    if (all && !filter_is_empty(filter)) {
        error_set(error, INVALID, "--all and a filter do not go together");
        return error_remedy(error, "Give the one or the other.");
    }
    if (!all && filter_is_empty(filter)) {
        error_set(error, INVALID, "walpost dlq %s does not know which dead letters", verbs[verb]);
        return error_remedy(error, "Give --id, --reason, --type, --key, --since or --until; or "
                                   "--all.");
    }
    if (invocation_value(invocation, "--payload-file") != NULL &&
        invocation_value(invocation, "--from-table") != NULL) {
        error_set(error, INVALID, "--payload-file and --from-table do not go together");
        return error_remedy(error, "Give the one or the other.");
    }
    return OK;
}

static enum verdict parse(const struct invocation *invocation, enum verb *verb,
                          struct filter *filter, struct error *error)
{
    enum verdict verdict = find_verb(invocation, verb, error);
    if (verdict == OK) {
        verdict = check_flags(invocation, *verb, error);
    }
    if (verdict == OK) {
        verdict = filter_parse(
            &(struct filter_texts){
                .ids = *verb == SHOW ? invocation->words[1] : invocation_value(invocation, "--id"),
                .reason = invocation_value(invocation, "--reason"),
                .type = invocation_value(invocation, "--type"),
                .key = invocation_value(invocation, "--key"),
                .since = invocation_value(invocation, "--since"),
                .until = invocation_value(invocation, "--until"),
            },
            filter, error);
    }
    return verdict != OK ? verdict : check_choice(invocation, filter, *verb, error);
}

static int dlq(const struct invocation *invocation)
{
    struct error error;
    struct config *config = NULL;
    struct dlq_order order = {.invocation = invocation, .json = invocation->json};
    enum verb verb;
    enum verdict verdict = parse(invocation, &verb, &order.filter, &error);
    if (verdict == OK) {
        verdict = reach_config(invocation, true, &config, &error);
    }
    int exit_status = 0;
    if (verdict == OK) {
        order.config = config;
        switch (verb) {
        case LIST: verdict = dlq_list(&order, &error); break;
        case SHOW: verdict = dlq_show(&order, &error); break;
        case REPLAY: verdict = dlq_do_replay(&order, &exit_status, &error); break;
        case PURGE: verdict = dlq_do_purge(&order, &exit_status, &error); break;
        case VERBS: break;
        }
    }
    config_free(config);
    if (verdict != OK) {
        error.verdict = verdict;
        return say_error(&error);
    }
    return exit_status;
}

static const struct flag flags[] = {
    {"--id", "ID[,ID]", "these (of what list shows in its first column)"},
    {"--reason", "REASON", "those with this reason, for example invalid_event"},
    {"--type", "TYPE", "those of this event type"},
    {"--key", "KEY", "those whose event would have this record key"},
    {"--since", "TIME", "those whose row was committed then or later"},
    {"--until", "TIME", "those whose row was committed before"},
    {"--all", NULL, "replay, purge: all of them"},
    {"--payload-file", "FILE", "replay: with this payload; - reads standard input"},
    {"--from-table", NULL, "replay: with the row as it stands in the table now"},
    {"--dry-run", NULL, "replay: say what would become of each, publish nothing"},
    {"--yes", NULL, "purge: do not ask"},
    {NULL},
};

const struct command command_dlq = {
    .name = "dlq",
    .summary = "lists, shows, replays and purges dead letters",
    .details =
        "list shows the dead letters of the stream that are neither replayed nor purged; show ID\n"
        "all that is known of one, and what a replay would do. replay publishes events again, "
        "with\n"
        "their ids, the way the live stream does: those that are valid by now, one that is mended\n"
        "with --payload-file, or rows that were mended in the table with --from-table. Event and\n"
        "removal of the dead letter are one Kafka transaction, so an event becomes visible once,\n"
        "however often the command is interrupted and repeated; its row is then marked COMMITTED.\n"
        "It comes later than its neighbours. What still cannot be published stays, and is named\n"
        "(exit status 1). purge removes dead letters for good, after a question. All of it runs\n"
        "beside `walpost run`. See docs/dead-letters.md.\n",
    .examples = "  walpost dlq list --reason invalid_event --since 2026-11-23T10:00:00Z\n"
                "  walpost dlq show 6f6ecb34-22a9-4b4f-9b4e-0a8b4a7f0c11\n"
                "  walpost dlq replay --id 6f6ecb34-22a9-4b4f-9b4e-0a8b4a7f0c11 --payload-file "
                "mended.json\n"
                "  walpost dlq replay --reason missing_topic --dry-run\n"
                "  walpost dlq replay --type Order.Placed --from-table\n"
                "  walpost dlq purge --reason unmarshal_failed --until 2026-11-01\n"
                "  walpost dlq list --json | jq -r '.letters[].id'\n",
    .flags = flags,
    .words = "list | show ID | replay | purge",
    .json = true,
    .run = dlq,
};
