/* SPDX-License-Identifier: Apache-2.0
 *
 * row_headers.h - the row's own headers column, a JSON object, becomes headers.
 * In: {"region":"eu","tries":3,"none":null,"list":[1]}. Out: region=eu, tries=3, list=[1].
 * Owns: nothing; views into the JSON, or text in the record where a string has escapes.
 * Thread: any; pure. */
#ifndef WALPOST_ENCODE_ROW_HEADERS_H
#define WALPOST_ENCODE_ROW_HEADERS_H

#include "base/error.h"
#include "encode/headers.h"
#include "encode/record.h"

/* null and names that are reserved or there already are left out. REJECT: no JSON object, more
 * headers than a record has, or more escaped text than it has room for; what came before the fault
 * is written. */
enum verdict MUST_CHECK row_headers_write(struct bytes json, struct name_list reserved,
                                          struct record *record, struct error *error);

#endif
