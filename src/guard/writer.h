/* SPDX-License-Identifier: Apache-2.0
 *
 * writer.h - the inside of guard_write.
 * In -> out: a contract -> the functions that judge its messages.
 * Owns: nothing.  Thread: any. */
#ifndef WALPOST_GUARD_WRITER_H
#define WALPOST_GUARD_WRITER_H

#include "guard/guard.h"
#include "guard/sql_text.h"

/* What rounds to infinity: from 2^1024 - 2^970 on for a double; for a float, which is rounded to a
 * double first, from 2^128 - 2^103 - 2^74 on. */
#define DOUBLE_LIMIT                                                                           \
    "1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490" \
    "1797758720709633028641669288791094655554785194040263065748867150582068190890200070838367" \
    "6273854845817711531764475730270069855571366959622842914819860834936475292719074168444365" \
    "510704342711559699508093042880177904174497792"
#define FLOAT_LIMIT "340282356779733642748073463979561713664"

#define BASE64        "[A-Za-z0-9+/_-]"
#define BASE64_STRING "^(" BASE64 "{4})*(" BASE64 "{2}(==)?|" BASE64 "{3}=?)?$"

struct writer {
    const struct guard *guard;
    const struct guard_contract *contract; /* whose messages are written */
    FILE *out;
    bool deep; /* its messages can be nested without end, so depth is counted */
};

/* A value that stands in a variable, and what its place is called in a path. */
struct place {
    const char *variable;
    const char *path;   /* a text in SQL */
    const char *indent; /* of the statements */
    const char *there;  /* a condition: there is a value; NULL: always */
    unsigned levels;    /* of map entries between the function's own message and this value */
};

/* "schema"."name of the function for this message" */
void write_function_name(const struct writer *writer, const struct message *message);
/* "schema".walpost_guard_... */
void write_helper(const struct writer *writer, const char *name);

/* Statements that return what is wrong with the value of a field, or with one of the values in its
 * list or map. (value.c) */
void write_value_check(const struct writer *writer, const struct field *field,
                       const struct place *place);
/* A jsonpath filter that finds values which are not plainly right; false: there is none. */
bool write_suspects(FILE *out, const struct field *field);
/* The same for a message on its own: as a field, an element, inside an Any. */
void write_message_check(const struct writer *writer, const struct message *message,
                         const struct place *place);

/* An expression that is true only where the value of a field is right, given how it is reached;
 * NULL: only statements can tell. The caller frees it. (plain.c) */
char *plain_expression(const struct writer *writer, const struct field *field, const char *access);

/* The function for a message that is none of google.protobuf's own, or for Any. (message.c) */
void write_message(const struct writer *writer, const struct message *message);
void write_any(const struct writer *writer);

/* What all functions call. (helpers.c) */
void write_helpers(const struct guard *guard, FILE *out);

/* Where JSON's null is a value like others. */
static inline bool takes_null(const struct field *field)
{
    return (field->message != NULL && field->message->well_known == WELL_KNOWN_VALUE) ||
           (field->enumeration != NULL && field->enumeration->null_value);
}

/* A whole number's range and name. */
struct range {
    const char *low;
    const char *high;
    const char *name;
};
const struct range *range_of(const struct field *field);

#endif
