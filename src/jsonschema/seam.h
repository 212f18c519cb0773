/* SPDX-License-Identifier: Apache-2.0
 *
 * seam.h - between walpost and the C++ libraries that validate JSON Schema.
 * In -> out: a schema's text -> compiled once; a payload -> whether it holds, or where it does not.
 * Owns: the compiled schema, until seam_free.
 * Thread: compiled by one thread; then read-only, so any number of threads may check with it.
 * Keeps: no exception leaves the seam; what it has to say is plain C. */
#ifndef WALPOST_JSONSCHEMA_SEAM_H
#define WALPOST_JSONSCHEMA_SEAM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct seam;

enum { SEAM_PATH_SIZE = 1024, SEAM_WORDS_SIZE = 160, SEAM_COMPLAINT_SIZE = 400 };

/* Names that the regular expressions of patternProperties are tried on: their library recurses for
 * each letter. And payloads whose violations are looked for one by one. */
enum { SEAM_NAME_MAX = 512, SEAM_EXPLAINED_MAX = 256 * 1024 };

enum seam_outcome {
    SEAM_VALID,
    SEAM_TYPE,
    SEAM_RANGE,
    SEAM_FORMAT,
    SEAM_ENUM,
    SEAM_UNKNOWN_FIELD,
    SEAM_MISSING_FIELD,
    SEAM_DUPLICATE, /* elements that must differ */
    SEAM_RULE,
    SEAM_NAME_TWICE,
    SEAM_NAME_TOO_LONG,
    SEAM_NUMBER_TOO_LARGE,
    SEAM_UNREADABLE,
    SEAM_FAILED, /* the library gave up */
};

struct seam_finding {
    char path[SEAM_PATH_SIZE]; /* its parts, each ended by a zero byte */
    size_t n_parts;
    bool cut; /* inner parts did not fit */
    char expected[SEAM_WORDS_SIZE];
};

/* False, and the complaint. The schema has been vetted. */
bool seam_compile(const char *text, size_t len, struct seam **seam,
                  char complaint[SEAM_COMPLAINT_SIZE]);
void seam_free(struct seam *seam);

/* The payload is strict JSON, and not too deep. */
enum seam_outcome seam_check(const struct seam *seam, const char *payload, size_t len,
                             struct seam_finding *finding);

/* Does the text have this format? Unknown ones: true. (format.c) */
bool format_holds(const char *format, const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
