/* SPDX-License-Identifier: Apache-2.0
 *
 * remake.h - a dead letter becomes an event again, by the rules of the live stream.
 * In: a letter, and a value: its own, a mended one, or the row of the table. Out: a record.
 * Owns: mapper and encoder (remaker); the memory of the record's value (remade).
 * Thread: one at a time; waits for protoc, and for a schema registry where records carry its ids.
 * Keeps: I7: what was rejected once is judged again, by the same steps. */
#ifndef WALPOST_DLQ_REMAKE_H
#define WALPOST_DLQ_REMAKE_H

#include "dlq/letter.h"
#include "encode/encode.h"

struct config;
struct pg_result;
struct remaker;

enum verdict MUST_CHECK remaker_new(const struct config *config, struct remaker **remaker,
                                    struct error *error);
void remaker_free(struct remaker *remaker); /* takes NULL */

/* Before the first event is made again. INVALID: contracts are checked, but cannot be loaded. */
enum verdict MUST_CHECK remaker_load_contracts(struct remaker *remaker, struct error *error);

/* The key of the record that the event would become; BYTES_NULL where none can be made. Valid until
 * the next call. */
struct bytes remaker_key(struct remaker *remaker, const struct letter *letter);

/* What the value is, by the letter's header "value". */
enum letter_value { LETTER_PAYLOAD, LETTER_MESSAGE, LETTER_NOTHING };
enum letter_value letter_value(const struct letter *letter);

struct remade {
    struct record record; /* views into the letter, into this, and into the remaker */
    bool marks;           /* there is a row in the table that was this event */
    struct segment segment;
    struct event event;
    struct named_bytes extra[RECORD_HEADERS_MAX];
    char key[4096];
    char *memory;
};
void remade_release(struct remade *remade);

/* value: of the letter, or mended; a row stands for everything but the place in the WAL. REJECT:
 * the event would be a dead letter again; error says why, and the remedy. The record's topic, key
 * and headers stay good until the next call, its value until remade_release. */
enum verdict MUST_CHECK remake_from_value(struct remaker *remaker, const struct letter *letter,
                                          struct bytes value, struct remade *remade,
                                          struct error *error);
/* row: of the table, with all of its columns. */
enum verdict MUST_CHECK remake_from_row(struct remaker *remaker, const struct letter *letter,
                                        const struct pg_result *row, struct remade *remade,
                                        struct error *error);

#endif
