/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of google.protobuf that JSON knows, told by their names. */
#include "base/macros.h"
#include "contract/pool_build.h"

static const char package[] = "google.protobuf.";

static const struct {
    const char *name;
    enum well_known kind;
} kinds[] = {
    {"Any", WELL_KNOWN_ANY},
    {"Timestamp", WELL_KNOWN_TIMESTAMP},
    {"Duration", WELL_KNOWN_DURATION},
    {"Struct", WELL_KNOWN_STRUCT},
    {"Value", WELL_KNOWN_VALUE},
    {"ListValue", WELL_KNOWN_LIST_VALUE},
    {"FieldMask", WELL_KNOWN_FIELD_MASK},
    {"DoubleValue", WELL_KNOWN_WRAPPER},
    {"FloatValue", WELL_KNOWN_WRAPPER},
    {"Int64Value", WELL_KNOWN_WRAPPER},
    {"UInt64Value", WELL_KNOWN_WRAPPER},
    {"Int32Value", WELL_KNOWN_WRAPPER},
    {"UInt32Value", WELL_KNOWN_WRAPPER},
    {"BoolValue", WELL_KNOWN_WRAPPER},
    {"StringValue", WELL_KNOWN_WRAPPER},
    {"BytesValue", WELL_KNOWN_WRAPPER},
};

static bool is_scalar(const struct field *field)
{
    return field->shape == SHAPE_SINGULAR && field->message == NULL;
}

static bool is_wrapper(const struct message *message)
{
    return message->n_fields == 1 && message->fields[0].number == 1 &&
           is_scalar(&message->fields[0]);
}

static bool is_map_entry(const struct message *message)
{
    return message->n_fields == 2 && message->fields[0].number == 1 &&
           message->fields[1].number == 2 && is_scalar(&message->fields[0]) &&
           message->fields[1].shape == SHAPE_SINGULAR;
}

enum verdict message_find_kind(struct message *message, struct error *error)
{
    if (message->map_entry && !is_map_entry(message)) {
        return error_set(error, INVALID, "%s is not the entry of a map", message->name.data);
    }
    if (strncmp(message->name.data, package, sizeof(package) - 1) != 0) {
        return OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(message->name.data + sizeof(package) - 1, kinds[i].name) == 0) {
            message->well_known = (uint8_t)kinds[i].kind;
        }
    }
    if (message->well_known == WELL_KNOWN_WRAPPER && !is_wrapper(message)) {
        error_set(error, INVALID, "%s is not the wrapper of one scalar that its name says",
                  message->name.data);
        return error_remedy(error, "Take the files of google/protobuf as protoc brings them.");
    }
    return OK;
}
