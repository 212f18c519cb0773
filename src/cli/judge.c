/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/judge.h"

#include <inttypes.h>
#include <string.h>

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

static enum verdict judge_without_slot(const struct config *config, const struct findings *found,
                                       struct error *error)
{
    error_set(error, REFUSE,
              "slot \"%s\" is gone, but topic \"%s\" has a checkpoint of it at " LSN_FORMAT
              " (generation %" PRIu64 "): events that were committed since may be missing in Kafka",
              config->postgres.slot, config->checkpoint_topic,
              LSN_ARGS(found->checkpoint.settled_lsn), found->checkpoint.generation);
    return error_remedy(
        error,
        "To go on from now: SELECT pg_create_logical_replication_slot('%s', "
        "'pgoutput'); then `walpost run --accept-gap`, and insert again what still "
        "has status PENDING. To begin anew: `walpost drop`, then `walpost init`; its "
        "snapshot publishes what has status PENDING, and what was published but not "
        "yet marked comes twice.",
        config->postgres.slot);
}

static enum verdict judge_without_checkpoint(const struct config *config,
                                             const struct findings *found, struct error *error)
{
    error_set(error, REFUSE,
              "slot \"%s\" is there, at " LSN_FORMAT
              ", but topic \"%s\" has no checkpoint: what was published before is not known",
              config->postgres.slot, LSN_ARGS(found->slot.confirmed_lsn), config->checkpoint_topic);
    return error_remedy(error, "For a new stream remove the slot with `walpost drop` and run "
                               "`walpost init`. If the topic was lost, `walpost run --accept-gap` "
                               "goes on from the slot's position.");
}

bool judge_is_foreign(const struct findings *found)
{
    const struct checkpoint_summary *checkpoint = &found->checkpoint;
    return found->has_checkpoint && (checkpoint->system_id != found->identity.system_id ||
                                     (checkpoint->database_oid != 0 &&
                                      checkpoint->database_oid != found->identity.database_oid));
}

/* Before the slot is looked at: whoever copied a configuration must not be told to drop what
 * belongs to the other cluster's stream. */
static enum verdict judge_cluster(const struct config *config, const struct findings *found,
                                  struct error *error)
{
    const struct checkpoint_summary *checkpoint = &found->checkpoint;
    if (!judge_is_foreign(found)) {
        return OK;
    }
    bool other_cluster = checkpoint->system_id != found->identity.system_id;
    if (other_cluster) {
        error_set(error, REFUSE,
                  "the checkpoint in topic \"%s\" (at " LSN_FORMAT
                  ") belongs to another PostgreSQL cluster: its system identifier is %" PRIu64
                  ", this server's is %" PRIu64,
                  config->checkpoint_topic, LSN_ARGS(checkpoint->settled_lsn),
                  checkpoint->system_id, found->identity.system_id);
    } else {
        error_set(error, REFUSE,
                  "the checkpoint in topic \"%s\" (at " LSN_FORMAT
                  ") belongs to another database of this PostgreSQL cluster: it is of the one with "
                  "OID %u, \"%s\" has OID %u",
                  config->checkpoint_topic, LSN_ARGS(checkpoint->settled_lsn),
                  checkpoint->database_oid, found->identity.database, found->identity.database_oid);
    }
    return error_remedy(error,
                        "Check postgres.dsn and kafka.bootstrap.servers; a copy of a configuration "
                        "needs a stream name of its own. If this %s replaces the other: "
                        "%s%s%s`walpost run --accept-gap` goes on from the slot's position.",
                        other_cluster ? "cluster" : "database",
                        found->slot.exists ? "" : "SELECT pg_create_logical_replication_slot('",
                        found->slot.exists ? "" : config->postgres.slot,
                        found->slot.exists ? "" : "', 'pgoutput'); then ");
}

static enum verdict judge_both(const struct config *config, const struct findings *found,
                               struct error *error)
{
    const struct checkpoint_summary *checkpoint = &found->checkpoint;
    lsn known = checkpoint->settled_lsn > checkpoint->origin_lsn ? checkpoint->settled_lsn
                                                                 : checkpoint->origin_lsn;
    if (found->slot.confirmed_lsn > known) {
        error_set(error, REFUSE,
                  "slot \"%s\" stands at " LSN_FORMAT ", ahead of the checkpoint at " LSN_FORMAT
                  ": it was advanced or made again by somebody else",
                  config->postgres.slot, LSN_ARGS(found->slot.confirmed_lsn), LSN_ARGS(known));
        return error_remedy(error, "Find the rows inserted between the two positions (with marks "
                                   "they still have status PENDING) and insert them again; then "
                                   "`walpost run --accept-gap`.");
    }
    return OK;
}

enum verdict judge_position(const struct config *config, const struct findings *found,
                            struct error *error)
{
    if (found->has_checkpoint && judge_cluster(config, found, error) != OK) {
        return REFUSE;
    }
    if (!found->slot.exists) {
        return found->has_checkpoint ? judge_without_slot(config, found, error) : OK;
    }
    return found->has_checkpoint ? judge_both(config, found, error)
                                 : judge_without_checkpoint(config, found, error);
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
