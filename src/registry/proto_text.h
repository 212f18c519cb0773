/* SPDX-License-Identifier: Apache-2.0
 *
 * proto_text.h - what a registry has to know of a .proto file before anybody compiles it.
 * In -> out: the text of a file -> its imports.
 * Owns: its strings (proto_text_release).  Thread: any; pure.
 * Keeps: comments and strings are never taken for statements. What is inside a message is not
 *        looked at: whether the file is valid is for protoc and the registry to say.
 * Source: Protocol Buffers language specification, "Lexical elements" and "Proto file". */
#ifndef WALPOST_REGISTRY_PROTO_TEXT_H
#define WALPOST_REGISTRY_PROTO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct proto_text {
    char **imports; /* as they stand between the quotes */
    size_t n_imports;
};

/* False: a string, a comment or a brace is not closed; *line is where it began, from 1. */
bool proto_text_scan(const char *text, struct proto_text *scanned, size_t *line);
void proto_text_release(struct proto_text *scanned);

#endif
