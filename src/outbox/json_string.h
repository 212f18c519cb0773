/* SPDX-License-Identifier: Apache-2.0
 *
 * json_string.h - where a string of JSON ends; what it means (json_unescape) is in the same file.
 * In -> out: the bytes behind an opening quote -> the place behind the closing one.
 * Owns: nothing.
 * Thread: any; pure.
 * Keeps: eight bytes at a time over plain ASCII: most of a message is inside its strings. */
#ifndef WALPOST_OUTBOX_JSON_STRING_H
#define WALPOST_OUTBOX_JSON_STRING_H

#include "outbox/json.h"

/* Moves *at behind the closing quote; on trouble, somewhere inside the string. */
enum json_trouble json_string_skip(const unsigned char **at, const unsigned char *end,
                                   bool *escaped);

#endif
