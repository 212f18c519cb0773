/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/belongs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where the stream stands on this server, in words. */
struct standing {
    char text[64];
};

static struct standing standing(const struct seen *seen)
{
    struct standing here;
    snprintf(here.text, sizeof(here.text), "%s " LSN_FORMAT,
             seen->has_slot ? "its slot stands at" : "its WAL ends at",
             LSN_ARGS(seen->has_slot ? seen->slot_lsn : seen->identity->wal_lsn));
    return here;
}

/* The commands that let a slot of this name go on. */
struct commands {
    char text[256];
};

static struct commands accept_commands(const struct seen *seen)
{
    struct commands commands;
    if (seen->has_slot) {
        snprintf(commands.text, sizeof(commands.text), "%s",
                 "`walpost run --accept-gap` goes on from the slot's position.");
    } else {
        snprintf(commands.text, sizeof(commands.text),
                 "SELECT pg_create_logical_replication_slot('%s', 'pgoutput'); then `walpost run "
                 "--accept-gap` goes on from the slot's position.",
                 seen->config->postgres.slot);
    }
    return commands;
}

/* How to go on where a history that lost something is meant. */
static const char *anew_or_accept(const struct seen *seen)
{
    return seen->has_slot ? "`walpost run --accept-gap` starts at the slot's position."
                          : "`walpost drop` and `walpost init` begin anew: rows that still have "
                            "status PENDING are published by the snapshot.";
}

/* Up to here nothing is missing in Kafka. */
static lsn known_to(const struct checkpoint_summary *recorded)
{
    return recorded->settled_lsn > recorded->origin_lsn ? recorded->settled_lsn
                                                        : recorded->origin_lsn;
}

static bool is_of_other_database(const struct seen *seen, const struct checkpoint_summary *recorded)
{
    return recorded->database_oid != 0 && recorded->database_oid != seen->identity->database_oid;
}

bool belongs_elsewhere(const struct seen *seen, const struct checkpoint_summary *recorded)
{
    return recorded->system_id != seen->identity->system_id || is_of_other_database(seen, recorded);
}

/* Whoever copied a configuration must not be told to drop what belongs to the other stream. */
static enum verdict remedy_for_copy(const struct seen *seen, const char *what, struct error *error)
{
    return error_remedy(error,
                        "Check postgres.dsn and kafka.bootstrap.servers; a copy of a configuration "
                        "needs a stream name of its own. If this %s replaces the other: %s",
                        what, accept_commands(seen).text);
}

/* LSNs of one cluster are alike in all its databases: nothing but the OID would tell them apart. */
enum verdict belongs_to_server(const struct seen *seen, const struct checkpoint_summary *recorded,
                               struct error *error)
{
    const char *topic = seen->config->checkpoint_topic;
    if (recorded->system_id != seen->identity->system_id) {
        error_set(error, REFUSE,
                  "the checkpoint in topic \"%s\" (settled to " LSN_FORMAT
                  ") belongs to another PostgreSQL cluster: its system identifier is %" PRIu64
                  ", this server's is %" PRIu64 " (%s)",
                  topic, LSN_ARGS(recorded->settled_lsn), recorded->system_id,
                  seen->identity->system_id, standing(seen).text);
        return remedy_for_copy(seen, "cluster", error);
    }
    if (is_of_other_database(seen, recorded)) {
        error_set(error, REFUSE,
                  "the checkpoint in topic \"%s\" (settled to " LSN_FORMAT
                  ") belongs to another database of this PostgreSQL cluster: it is of the one with "
                  "OID %u, \"%s\" has OID %u (%s)",
                  topic, LSN_ARGS(recorded->settled_lsn), recorded->database_oid,
                  seen->identity->database, seen->identity->database_oid, standing(seen).text);
        return remedy_for_copy(seen, "database", error);
    }
    return OK;
}

static enum verdict remedy_for_slot(const struct seen *seen,
                                    const struct checkpoint_summary *recorded, struct error *error)
{
    const char *ours = seen->config->postgres.slot;
    const char *theirs = recorded->slot;
    const char *name_of_its_own =
        "Another stream, be it a copy of this configuration, needs a stream name of its own.";
    if (!seen->has_slot) {
        return error_remedy(error,
                            "%s If the stream's slot is to be \"%s\" from now on, stop every "
                            "walpost of the stream: SELECT pg_copy_logical_replication_slot('%s', "
                            "'%s'); then `walpost run --accept-gap`.",
                            name_of_its_own, ours, theirs, ours);
    }
    return error_remedy(error,
                        "%s If \"%s\" takes the place of \"%s\", stop every walpost of the "
                        "stream; then `walpost run --accept-gap` goes on with it%s, and SELECT "
                        "pg_drop_replication_slot('%s') removes the other.",
                        name_of_its_own, ours, theirs,
                        seen->slot_lsn > known_to(recorded)
                            ? " (events between the two positions will be missing in Kafka)"
                            : "",
                        theirs);
}

enum verdict belongs_to_slot(const struct seen *seen, const struct checkpoint_summary *recorded,
                             struct error *error)
{
    const char *ours = seen->config->postgres.slot;
    if (recorded->slot[0] == '\0' || strcmp(recorded->slot, ours) == 0) {
        return OK;
    }
    char here[96];
    if (seen->has_slot) {
        snprintf(here, sizeof(here), ", at " LSN_FORMAT, LSN_ARGS(seen->slot_lsn));
    } else {
        snprintf(here, sizeof(here),
                 ", which is not there (the server's WAL ends at " LSN_FORMAT ")",
                 LSN_ARGS(seen->identity->wal_lsn));
    }
    error_set(error, REFUSE,
              "the checkpoint in topic \"%s\" (settled to " LSN_FORMAT
              ") is of the stream that reads slot \"%s\"; this configuration names slot \"%s\"%s",
              seen->config->checkpoint_topic, LSN_ARGS(recorded->settled_lsn), recorded->slot, ours,
              here);
    return remedy_for_slot(seen, recorded, error);
}

/* A data directory that was copied back keeps system identifier and timeline; only the end of its
 * WAL tells. */
enum verdict belongs_to_present(const struct seen *seen, const struct checkpoint_summary *recorded,
                                struct error *error)
{
    if (seen->identity->wal_lsn >= recorded->furthest_lsn) {
        return OK;
    }
    error_set(error, REFUSE,
              "the server's WAL ends at " LSN_FORMAT ", before what Kafka already has (" LSN_FORMAT
              "): the server was set back to an earlier state, and new events would be taken for "
              "published ones",
              LSN_ARGS(seen->identity->wal_lsn), LSN_ARGS(recorded->furthest_lsn));
    return error_remedy(error, "Compare the outbox table with the topics; then %s",
                        anew_or_accept(seen));
}

enum verdict belongs_to_timeline(const struct seen *seen, const struct checkpoint_summary *recorded,
                                 lsn branched, struct error *error)
{
    if (branched >= recorded->furthest_lsn) {
        return OK;
    }
    error_set(error, REFUSE,
              "the server is on timeline %u, the checkpoint on timeline %u at " LSN_FORMAT
              ": the server's history left that timeline at " LSN_FORMAT
              ", before what Kafka already has",
              seen->identity->timeline, recorded->timeline, LSN_ARGS(recorded->furthest_lsn),
              LSN_ARGS(branched));
    return error_remedy(
        error,
        "The server was restored or promoted without transactions that were published already. "
        "Compare the outbox table with the topics; then %s",
        anew_or_accept(seen));
}

enum verdict belongs_to_position(const struct seen *seen, const struct checkpoint_summary *recorded,
                                 struct error *error)
{
    lsn known = known_to(recorded);
    if (seen->slot_lsn <= known) {
        return OK;
    }
    error_set(
        error, REFUSE,
        "slot \"%s\" stands at " LSN_FORMAT ", ahead of the checkpoint at " LSN_FORMAT
        ": it was advanced, or dropped and created again, by somebody else; events between the "
        "two positions would be missing in Kafka",
        seen->config->postgres.slot, LSN_ARGS(seen->slot_lsn), LSN_ARGS(known));
    return error_remedy(
        error, "Find the rows that were inserted between the two positions (they still have "
               "status PENDING where marks are on) and insert them again; then `walpost run "
               "--accept-gap` goes on from the slot's position.");
}

static enum verdict remedy_without_slot(const struct seen *seen, struct error *error)
{
    return error_remedy(
        error,
        "To go on from now: SELECT pg_create_logical_replication_slot('%s', 'pgoutput'); then "
        "`walpost run --accept-gap`, and insert again what still has status PENDING. To begin "
        "anew: `walpost drop`, then `walpost init`; its snapshot publishes what has status "
        "PENDING, and what was published but not yet marked comes twice.",
        seen->config->postgres.slot);
}

enum verdict belongs_refuse_without_slot(const struct seen *seen,
                                         const struct checkpoint_summary *recorded,
                                         const struct error *gone, struct error *error)
{
    char is_gone[96];
    snprintf(is_gone, sizeof(is_gone), "slot \"%s\" is gone", seen->config->postgres.slot);
    error_set(error, REFUSE,
              "%s; Kafka has the stream up to " LSN_FORMAT " (generation %" PRIu64
              "), the server's WAL ends at " LSN_FORMAT
              " on timeline %u: events that were committed between may be missing in Kafka",
              gone == NULL ? is_gone : gone->what, LSN_ARGS(recorded->settled_lsn),
              recorded->generation, LSN_ARGS(seen->identity->wal_lsn), seen->identity->timeline);
    if (gone == NULL) {
        return remedy_without_slot(seen, error);
    }
    return error_remedy(
        error,
        "%s With recover: table in the configuration a run makes the slot anew by itself and "
        "publishes what is still PENDING, at least once. A failover slot (PostgreSQL 17) outlives "
        "a failover.",
        strstr(gone->remedy, "`walpost drop`") != NULL ? gone->remedy
                                                       : "`walpost init` says how to go on.");
}

enum verdict belongs_refuse_without_checkpoint(const struct seen *seen, struct error *error)
{
    error_set(error, REFUSE,
              "slot \"%s\" is there, at " LSN_FORMAT
              ", but the stream has no checkpoint in topic \"%s\": what was published before that "
              "position is not known",
              seen->config->postgres.slot, LSN_ARGS(seen->slot_lsn),
              seen->config->checkpoint_topic);
    return error_remedy(
        error, "If this is a new stream, remove the slot with `walpost drop` and run "
               "`walpost init`. If the topic was lost, `walpost run --accept-gap` starts at the "
               "slot's position: events before it may be missing in Kafka, later ones may be "
               "there twice.");
}
