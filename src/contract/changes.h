/* SPDX-License-Identifier: Apache-2.0
 *
 * changes.h - what can change from one version of a contract to another, and what that does to who
 * reads old events.
 * In -> out: nothing; one table.
 * Owns: nothing.  Thread: any. */
#ifndef WALPOST_CONTRACT_CHANGES_H
#define WALPOST_CONTRACT_CHANGES_H

/* The worse, the larger. */
enum judgment {
    JUDGED_COMPATIBLE,
    JUDGED_WARNED, /* the bytes can be read, but JSON or generated code cannot be used as before */
    JUDGED_BROKEN, /* events are refused, or read as something that they do not say */
};

/* Named as Confluent's registry names them, where it does. */
enum change {
    PACKAGE_CHANGED,
    MESSAGE_ADDED,
    MESSAGE_MOVED,
    MESSAGE_REMOVED,
    ENUM_ADDED,
    ENUM_REMOVED,
    ENUM_CONST_ADDED,
    ENUM_CONST_CHANGED,
    ENUM_CONST_REMOVED,
    FIELD_ADDED,
    FIELD_REMOVED,
    REQUIRED_FIELD_ADDED,
    REQUIRED_FIELD_REMOVED,
    FIELD_BECAME_REQUIRED,
    FIELD_NAME_CHANGED,
    FIELD_JSON_NAME_CHANGED,
    FIELD_NUMBER_CHANGED,
    FIELD_KIND_CHANGED,
    FIELD_SCALAR_KIND_CHANGED,
    FIELD_TYPE_CHANGED,
    FIELD_BYTES_BECAME_STRING,
    FIELD_NAMED_TYPE_CHANGED,
    FIELD_STRING_OR_BYTES_LABEL_CHANGED,
    FIELD_NUMERIC_LABEL_CHANGED,
    FIELD_MESSAGE_LABEL_CHANGED,
    FIELD_PRESENCE_REMOVED,
    FIELD_MOVED_TO_NEW_ONEOF,
    FIELD_MOVED_TO_EXISTING_ONEOF,
    MULTIPLE_FIELDS_MOVED_TO_ONEOF,
    ONEOF_ADDED,
    ONEOF_REMOVED,
    ONEOF_FIELD_ADDED,
    ONEOF_FIELD_REMOVED,
    ONEOF_FIELD_MOVED_OUT,
    CHANGES,
};

struct change_rule {
    const char *name; /* "FIELD_ADDED" */
    enum judgment judgment;
    const char *words; /* finishes the sentence that begins with what has changed */
};

const struct change_rule *change_rule(enum change change);

#endif
