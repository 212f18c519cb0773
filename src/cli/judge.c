/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/judge.h"

#include <string.h>

#include "pipeline/belongs.h"

enum verdict judge_slot(const struct config *config, const struct findings *found,
                        struct error *error)
{
    const struct pg_slot *slot = &found->slot;
    const char *name = config->postgres.slot;
    if (strcmp(slot->type, "logical") != 0 || strcmp(slot->plugin, "pgoutput") != 0) {
        if (strcmp(slot->type, "logical") != 0) {
            error_set(error, REFUSE, "slot \"%s\" is a %s slot; walpost needs a logical one", name,
                      slot->type);
        } else {
            error_set(error, REFUSE,
                      "slot \"%s\" belongs to the output plugin \"%s\"; walpost reads \"pgoutput\"",
                      name, slot->plugin);
        }
        return error_remedy(error, "Somebody else may rely on it: set postgres.slot to another "
                                   "name.");
    }
    if (strcmp(slot->database, found->identity.database) != 0) {
        error_set(error, REFUSE,
                  "slot \"%s\" belongs to database \"%s\", postgres.dsn names \"%s\"", name,
                  slot->database, found->identity.database);
        return error_remedy(error, "Name the slot's database in postgres.dsn, or set postgres.slot "
                                   "to another name.");
    }
    if (slot->temporary) {
        error_set(error, REFUSE, "slot \"%s\" is temporary: it ends with the session of pid %d",
                  name, slot->active_pid);
        return error_remedy(error, "End that session, then run `walpost init`.");
    }
    if (strcmp(slot->wal_status, "lost") == 0 || slot->invalidation[0] != '\0') {
        error_set(error, REFUSE,
                  "slot \"%s\" is lost (%s): WAL after " LSN_FORMAT
                  " that the stream needs is gone",
                  name,
                  slot->invalidation[0] != '\0' ? slot->invalidation
                                                : "max_slot_wal_keep_size was reached",
                  LSN_ARGS(slot->confirmed_lsn));
        return error_remedy(error, "`walpost drop` and `walpost init` begin again: rows that still "
                                   "have status PENDING are published by the new snapshot. Raise "
                                   "max_slot_wal_keep_size so that it does not happen again.");
    }
    return OK;
}

static struct seen what_is_seen(const struct config *config, const struct findings *found)
{
    return (struct seen){
        .config = config,
        .identity = &found->identity,
        .has_slot = found->slot.exists,
        .slot_lsn = found->slot.confirmed_lsn,
    };
}

bool judge_is_foreign(const struct findings *found)
{
    struct seen seen = what_is_seen(NULL, found);
    return found->has_checkpoint && belongs_elsewhere(&seen, &found->checkpoint);
}

enum verdict judge_slot_name(const struct config *config, const struct findings *found,
                             struct error *error)
{
    struct seen seen = what_is_seen(config, found);
    return found->has_checkpoint && !judge_is_foreign(found)
               ? belongs_to_slot(&seen, &found->checkpoint, error)
               : OK;
}

static enum verdict judge_recorded(const struct seen *seen,
                                   const struct checkpoint_summary *recorded, struct error *error)
{
    enum verdict verdict = belongs_to_server(seen, recorded, error);
    return verdict != OK ? verdict : belongs_to_slot(seen, recorded, error);
}

enum verdict judge_owner(const struct config *config, const struct findings *found,
                         struct error *error)
{
    struct seen seen = what_is_seen(config, found);
    return found->has_checkpoint ? judge_recorded(&seen, &found->checkpoint, error) : OK;
}

enum verdict judge_position(const struct config *config, const struct findings *found,
                            struct error *error)
{
    struct seen seen = what_is_seen(config, found);
    if (!found->has_checkpoint) {
        return seen.has_slot ? belongs_refuse_without_checkpoint(&seen, error) : OK;
    }
    /* Before the slot is looked at: somebody else's checkpoint says nothing about it. */
    enum verdict verdict = judge_recorded(&seen, &found->checkpoint, error);
    if (verdict != OK) {
        return verdict;
    }
    return seen.has_slot ? belongs_to_position(&seen, &found->checkpoint, error)
                         : belongs_refuse_without_slot(&seen, &found->checkpoint, NULL, error);
}

bool judge_snapshot_waits(const struct findings *found)
{
    return found->has_checkpoint && found->checkpoint.settled_lsn < found->checkpoint.origin_lsn;
}

/* A slot that was streamed from has moved: then it is no leftover, whatever the row says. */
bool judge_starts_over(const struct findings *found)
{
    const struct intent *intent = &found->intent;
    return intent->exists && found->slot.exists && !found->has_checkpoint &&
           (intent->consistent_point == 0 || intent->consistent_point == found->slot.confirmed_lsn);
}
