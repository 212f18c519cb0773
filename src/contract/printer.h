/* SPDX-License-Identifier: Apache-2.0
 *
 * printer.h - the inside of Protobuf -> JSON, for the files to_json*.c.
 *
 * A message on the wire may hold its fields in any order, a single one several times (the last
 * counts, messages are merged), a list in pieces. So each message is looked through once, fields
 * are noted and sorted where they have to be, and then written.
 *
 * In -> out: print functions append to the output; false: the violation is set, and whoever is
 *            outside adds his part of the path.
 * Owns: output and notes, which are used again for the next payload.
 * Thread: one at a time. */
#ifndef WALPOST_CONTRACT_PRINTER_H
#define WALPOST_CONTRACT_PRINTER_H

#include "contract/output.h"
#include "contract/transcode.h"
#include "contract/wire.h"

/* A field as it was found in a message. */
struct found {
    const struct field *field; /* NULL: it does not count */
    struct wire_value value;
    size_t order;
};

struct printer {
    const struct pool *pool;
    const char *begin;
    struct output out;
    struct violation *violation;
    unsigned depth;
    struct found *found; /* of all messages that are open */
    size_t n_found;
    size_t max_found;
};

/* Some of the found ones, by their places: the array moves when it grows. */
struct range {
    size_t from;
    size_t to;
};

void printer_init(struct printer *printer, const struct pool *pool);
void printer_release(struct printer *printer);

/* Notes the fields of a message, by number, then in the order of the wire. Those that do not count
 * are not among them. The range is given back with printer_forget (found.c). */
bool printer_find(struct printer *printer, struct bytes content, const struct message *message,
                  struct range *range);
static inline void printer_forget(struct printer *printer, struct range range)
{
    printer->n_found = range.from;
}
void printer_note(struct printer *printer, const struct found *found);

/* Both return false. */
bool printer_fail(struct printer *printer, enum violation_kind kind, const char *expected,
                  const char *found);
bool printer_fail_wire(struct printer *printer, const struct message *message);

/* All that was noted of one field, without its name (to_json.c). */
bool print_field(struct printer *printer, struct range range);
bool print_message(struct printer *printer, struct bytes content, const struct message *message);
/* The fields of a message with commas; `first`: none stands in front (to_json.c). */
bool print_members(struct printer *printer, struct bytes content, const struct message *message,
                   bool first);

/* A value that is no message (to_json_scalar.c). */
bool print_scalar(struct printer *printer, const struct field *field,
                  const struct wire_value *value);
/* What an absent field means. */
bool print_zero(struct printer *printer, const struct field *field);
bool print_string(struct printer *printer, struct bytes text);
bool print_double(struct printer *printer, double value);
double print_bits_double(uint64_t bits);
void print_text(struct printer *printer, struct bytes text);

/* to_json_known.c */
bool print_well_known(struct printer *printer, struct bytes content, const struct message *message);

#endif
