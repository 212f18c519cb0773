/* SPDX-License-Identifier: Apache-2.0
 *
 * avro_contract.h - contracts in Avro.
 * In -> out: a schema -> compiled once; JSON -> Avro's binary encoding in one pass, or how the
 *            payload breaks the contract.
 * Owns: a contract, all that is below it (avro_contract_free). An encoder, one buffer for results.
 * Thread: contracts are loaded by one thread, because the library keeps its last error in a global;
 *         then they are read-only, and any number of threads may share them. An encoder belongs to
 *         one thread.
 * Source: Avro 1.11, "Schema Declaration", "Binary Encoding", "JSON Encoding", "Schema Resolution".
 * Keeps: what comes out decodes to what went in, or nothing comes out.
 *
 * JSON is read as people write it: a union takes the bare value as well as Avro's {"type": value};
 * a field that has a default may be left out. A bare value goes to the first branch, in the order
 * of the schema, that its outermost shape fits. */
#ifndef WALPOST_AVRO_AVRO_CONTRACT_H
#define WALPOST_AVRO_AVRO_CONTRACT_H

#include "contract/compat.h"
#include "contract/transcode.h"
#include "contract/violation.h"

struct avro_contract;
struct avro_encoder;

/* INVALID, with the line where it is known: it is no schema, or one of its defaults does not fit.
 */
enum verdict MUST_CHECK avro_contract_load(struct bytes text, struct avro_contract **contract,
                                           struct error *error);
void avro_contract_free(struct avro_contract *contract);

/* The full name of a record, enum or fixed; "array" and the like of anything else. */
const char *avro_contract_name(const struct avro_contract *contract);
/* Fields of a record; 0 of anything else. */
unsigned avro_contract_fields(const struct avro_contract *contract);

struct avro_encoder *avro_encoder_new(enum unknown_policy policy);
void avro_encoder_free(struct avro_encoder *encoder);

/* *binary is valid until the next call. REJECT and *violation otherwise. */
enum verdict MUST_CHECK avro_encode(struct avro_encoder *encoder,
                                    const struct avro_contract *contract, struct bytes json,
                                    struct bytes *binary, struct violation *violation);

/* Appends every difference that a reader of `reader` meets in events of `writer`. */
void avro_compare(const struct avro_contract *writer, const struct avro_contract *reader,
                  struct differences *differences);

#endif
