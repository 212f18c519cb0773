/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/source.h"

#include <stdio.h>
#include <stdlib.h>

#include "anchor/anchor.h"
#include "anchor/window.h"
#include "base/check.h"
#include "config/config.h"
#include "pg/stream.h"

enum { CONNECT_TIMEOUT_MS = 15000, COPY_TRIES = 5 };

static enum verdict connect(const struct config *config, bool replication, struct link **link,
                            struct error *error)
{
    char *name = must_printf("walpost %s replay", config->stream);
    enum verdict verdict =
        link_open(&(struct link_options){.dsn = config->postgres.dsn,
                                         .replication = replication,
                                         .application_name = name,
                                         .connect_timeout_ms = CONNECT_TIMEOUT_MS},
                  link, error);
    free(name);
    return verdict;
}

static enum verdict no_anchor(const struct config *config, const struct pg_slot *anchor,
                              struct error *error)
{
    if (anchor->exists) {
        error_set(error, REFUSE,
                  "nothing can be replayed: anchor slot \"%s\" is lost, the server has removed its "
                  "WAL",
                  config->anchor_slot);
        return error_remedy(error,
                            "`walpost run` or `walpost init` makes it again; what was before "
                            "is gone. Raise max_slot_wal_keep_size, or lower "
                            "replay.keep_bytes.");
    }
    error_set(error, REFUSE, "nothing can be replayed: there is no anchor slot \"%s\" to keep WAL",
              config->anchor_slot);
    return error_remedy(error, config_keeps_anchor(config)
                                   ? "`walpost init` makes it: from then on events can be replayed."
                                   : "Set replay.keep_bytes or replay.keep_for, then run `walpost "
                                     "init`: from then on events can be replayed.");
}

/* On the replication link, whose session then owns the copy and may stream it. The anchor may move
 * in that very moment: then the server wants to be asked again. */
static enum verdict copy_anchor(const struct config *config, struct source *source,
                                struct error *error)
{
    snprintf(source->slot, sizeof(source->slot), "walpost_replay_%d",
             link_backend_pid(source->replication));
    enum verdict verdict = OK;
    for (int tries = 0; tries < COPY_TRIES; tries++) {
        verdict =
            catalog_copy_slot(source->replication, config->anchor_slot, source->slot, true, error);
        if (verdict == OK || !link_alive(source->replication)) {
            break;
        }
    }
    return verdict;
}

static enum verdict find_window(const struct config *config, const struct wal_clock *clock,
                                struct source *source, struct error *error)
{
    struct pg_slot live, anchor, copy;
    enum verdict verdict = catalog_slot(source->sql, config->postgres.slot, &live, error);
    if (verdict == OK) {
        verdict = catalog_slot(source->sql, config->anchor_slot, &anchor, error);
    }
    if (verdict == OK && (!anchor.exists || anchor_is_lost(&anchor))) {
        verdict = no_anchor(config, &anchor, error);
    }
    if (verdict == OK && !live.exists) {
        error_set(error, REFUSE, "slot \"%s\" does not exist: what is published is not known",
                  config->postgres.slot);
        verdict = error_remedy(error, "`walpost check` looks at everything that a stream needs.");
    }
    if (verdict == OK) {
        verdict = copy_anchor(config, source, error);
    }
    if (verdict == OK) {
        verdict = catalog_slot(source->sql, source->slot, &copy, error);
    }
    if (verdict == OK) {
        source->window = (struct window){
            .system_id = source->identity.system_id,
            .first_lsn = copy.confirmed_lsn,
            .end_lsn = live.confirmed_lsn,
            .since_us = clock->system_id == source->identity.system_id
                            ? wal_clock_since(clock, copy.confirmed_lsn)
                            : 0,
        };
    }
    return verdict;
}

enum verdict replay_source_open(const struct config *config, const struct wal_clock *clock,
                                struct source *source, struct error *error)
{
    *source = (struct source){.sql = NULL};
    enum verdict verdict = connect(config, false, &source->sql, error);
    if (verdict == OK) {
        verdict = catalog_server(source->sql, &source->server, error);
    }
    if (verdict == OK) {
        verdict = connect(config, true, &source->replication, error);
    }
    if (verdict == OK) {
        verdict = catalog_identify(source->replication, &source->identity, error);
    }
    return verdict != OK ? verdict : find_window(config, clock, source, error);
}

enum verdict replay_source_start(const struct config *config, struct source *source, lsn from_lsn,
                                 struct error *error)
{
    return stream_start(source->replication,
                        &(struct stream_options){.slot = source->slot,
                                                 .publication = config->postgres.publication,
                                                 .from_lsn = from_lsn,
                                                 .messages = true},
                        error);
}

void replay_source_close(struct source *source)
{
    link_close(source->replication);
    link_close(source->sql);
    source->replication = NULL;
    source->sql = NULL;
}
