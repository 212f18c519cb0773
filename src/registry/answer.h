/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.h - the JSON of the Confluent REST API. The home of jansson.
 * In -> out: a schema -> the body of a request; the body of an answer -> its members.
 * Owns: nothing; what is returned is the caller's.
 * Thread: any; pure.
 * Keeps: an answer counts only when every member that is needed is there, of the right type and in
 *        range. */
#ifndef WALPOST_REGISTRY_ANSWER_H
#define WALPOST_REGISTRY_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/registry.h"

/* {"schemaType":..,"schema":..,"references":[..]}; free() it. NULL: a text is not UTF-8. */
char *answer_write_schema(const struct registry_schema *schema);
/* {"compatibility":level} */
char *answer_write_level(const char *level);

/* {"error_code":..,"message":..} as far as it is there; *message is malloc'd, or NULL. */
void answer_read_refusal(const char *body, long *error_code, char **message);

/* {"id":..,"version":..}. version NULL: it need not be there. */
bool answer_read_found(const char *body, int32_t *id, int32_t *version);
/* {"schema":..,"schemaType":..}, malloc'd; without a type it is AVRO. */
bool answer_read_text(const char *body, struct registry_text *text);
/* {"compatibilityLevel":..} or {"compatibility":..} */
bool answer_read_level(const char *body, char level[static REGISTRY_LEVEL_SIZE]);
/* {"is_compatible":..,"messages":[..]} or with "reason". *words is malloc'd, or NULL. */
bool answer_read_compatible(const char *body, bool *compatible, char **words);

#endif
