/* SPDX-License-Identifier: Apache-2.0
 *
 * The judgments are Confluent's where it has the rule, but for four: it compares no labels, so
 * that a list of numbers and a single one pass for the same, which readers of packed lists pay for;
 * a field may become required, which refuses old events; bytes may become a string, which readers
 * refuse where they are no UTF-8; and what is reserved may be used. Warnings are walpost's. */
#include "contract/changes.h"

#include "base/check.h"

static const struct change_rule rules[CHANGES] = {
    [PACKAGE_CHANGED] = {"PACKAGE_CHANGED", JUDGED_WARNED,
                         "the package is another one, which generated code and the types in an Any "
                         "carry in their names"},
    [MESSAGE_ADDED] = {"MESSAGE_ADDED", JUDGED_COMPATIBLE, "the message is new"},
    [MESSAGE_MOVED] = {"MESSAGE_MOVED", JUDGED_COMPATIBLE, "the message stands in another place"},
    [MESSAGE_REMOVED] = {"MESSAGE_REMOVED", JUDGED_BROKEN,
                         "the message is gone: there is nothing to read its events by"},
    [EVENT_MESSAGE_CHANGED] = {"EVENT_MESSAGE_CHANGED", JUDGED_BROKEN,
                               "the event is another message of the file now, and who knows it as "
                               "the one takes it for what it is not"},
    [ENUM_ADDED] = {"ENUM_ADDED", JUDGED_COMPATIBLE, "the enum is new"},
    [ENUM_REMOVED] = {"ENUM_REMOVED", JUDGED_COMPATIBLE, "the enum is gone"},
    [ENUM_CONST_ADDED] = {"ENUM_CONST_ADDED", JUDGED_COMPATIBLE, "the value is new"},
    [ENUM_CONST_CHANGED] = {"ENUM_CONST_CHANGED", JUDGED_WARNED,
                            "the value has another name, and JSON knows values by their names"},
    [ENUM_CONST_REMOVED] = {"ENUM_CONST_REMOVED", JUDGED_WARNED,
                            "the value is gone: JSON that has its name is refused"},
    [FIELD_ADDED] = {"FIELD_ADDED", JUDGED_COMPATIBLE, "the field is new"},
    [FIELD_REMOVED] = {"FIELD_REMOVED", JUDGED_COMPATIBLE,
                       "the field is gone, and passed over where it comes"},
    [REQUIRED_FIELD_ADDED] = {"REQUIRED_FIELD_ADDED", JUDGED_BROKEN,
                              "the field is new and required: old events do not have it"},
    [REQUIRED_FIELD_REMOVED] = {"REQUIRED_FIELD_REMOVED", JUDGED_BROKEN,
                                "the field was required and is gone"},
    [FIELD_BECAME_REQUIRED] = {"FIELD_BECAME_REQUIRED", JUDGED_BROKEN,
                               "the field is required now: events without it are refused"},
    [FIELD_NAME_CHANGED] = {"FIELD_NAME_CHANGED", JUDGED_WARNED,
                            "the field has another name, and JSON and generated code know fields "
                            "by their names"},
    [FIELD_JSON_NAME_CHANGED] = {"FIELD_JSON_NAME_CHANGED", JUDGED_WARNED,
                                 "the field has another name in JSON"},
    [FIELD_NUMBER_CHANGED] = {"FIELD_NUMBER_CHANGED", JUDGED_WARNED,
                              "the name is under another number now: what old events have under "
                              "the old one is not found"},
    [FIELD_KIND_CHANGED] = {"FIELD_KIND_CHANGED", JUDGED_BROKEN,
                            "of scalar, message and map it is another one now"},
    [FIELD_SCALAR_KIND_CHANGED] = {"FIELD_SCALAR_KIND_CHANGED", JUDGED_BROKEN,
                                   "the two types do not read each other's bytes"},
    [FIELD_TYPE_CHANGED] = {"FIELD_TYPE_CHANGED", JUDGED_WARNED,
                            "the bytes are the same, but JSON writes it another way or values may "
                            "not fit"},
    [FIELD_BYTES_BECAME_STRING] = {"FIELD_BYTES_BECAME_STRING", JUDGED_BROKEN,
                                   "readers refuse a string that is no UTF-8"},
    [FIELD_NAMED_TYPE_CHANGED] = {"FIELD_NAMED_TYPE_CHANGED", JUDGED_BROKEN,
                                  "it holds another message"},
    [FIELD_STRING_OR_BYTES_LABEL_CHANGED] = {"FIELD_STRING_OR_BYTES_LABEL_CHANGED", JUDGED_WARNED,
                                             "one value and a list are written differently in "
                                             "JSON, and one value keeps only the last"},
    [FIELD_NUMERIC_LABEL_CHANGED] = {"FIELD_NUMERIC_LABEL_CHANGED", JUDGED_BROKEN,
                                     "a packed list is no number: it is passed over, and zero is "
                                     "read"},
    [FIELD_MESSAGE_LABEL_CHANGED] = {"FIELD_MESSAGE_LABEL_CHANGED", JUDGED_WARNED,
                                     "one message and a list are written differently in JSON, and "
                                     "a list becomes one message with all of them mixed"},
    [FIELD_PRESENCE_REMOVED] = {"FIELD_PRESENCE_REMOVED", JUDGED_WARNED,
                                "absent and zero cannot be told apart any more"},
    [FIELD_MOVED_TO_NEW_ONEOF] = {"FIELD_MOVED_TO_NEW_ONEOF", JUDGED_WARNED,
                                  "the field is in a oneof now, where generated code reaches it "
                                  "another way"},
    [FIELD_MOVED_TO_EXISTING_ONEOF] = {"FIELD_MOVED_TO_EXISTING_ONEOF", JUDGED_BROKEN,
                                       "the field is in a oneof with others now: old events that "
                                       "have both lose one"},
    [MULTIPLE_FIELDS_MOVED_TO_ONEOF] = {"MULTIPLE_FIELDS_MOVED_TO_ONEOF", JUDGED_BROKEN,
                                        "several fields are in a oneof now: old events that have "
                                        "more than one lose the others"},
    [ONEOF_ADDED] = {"ONEOF_ADDED", JUDGED_COMPATIBLE, "the oneof is new"},
    [ONEOF_REMOVED] = {"ONEOF_REMOVED", JUDGED_WARNED,
                       "the oneof is gone, which generated code asks what is set"},
    [ONEOF_FIELD_ADDED] = {"ONEOF_FIELD_ADDED", JUDGED_COMPATIBLE, "the oneof has one more field"},
    [ONEOF_FIELD_REMOVED] = {"ONEOF_FIELD_REMOVED", JUDGED_BROKEN,
                             "the oneof lost the field: events that have it seem to have none"},
    [ONEOF_FIELD_MOVED_OUT] = {"ONEOF_FIELD_MOVED_OUT", JUDGED_WARNED,
                               "the field is out of its oneof, which generated code asks what is "
                               "set"},
    [RESERVED_NUMBER_USED] = {"RESERVED_NUMBER_USED", JUDGED_BROKEN,
                              "an earlier version reserved the number: events from before may have "
                              "it with another meaning"},
    [RESERVED_NAME_USED] = {"RESERVED_NAME_USED", JUDGED_WARNED,
                            "an earlier version reserved the name: JSON from before may have it "
                            "with another meaning"},
    [RESERVED_REMOVED] = {"RESERVED_REMOVED", JUDGED_COMPATIBLE,
                          "it is not reserved any more in this file, but it is in the history"},
    [TYPE_MISMATCH] = {"TYPE_MISMATCH", JUDGED_BROKEN, "the reader's type does not take it"},
    [NAME_MISMATCH] = {"NAME_MISMATCH", JUDGED_BROKEN,
                       "types are the same when their names are; an alias would do"},
    [FIXED_SIZE_MISMATCH] = {"FIXED_SIZE_MISMATCH", JUDGED_BROKEN, "it has another size"},
    [MISSING_ENUM_SYMBOLS] = {"MISSING_ENUM_SYMBOLS", JUDGED_BROKEN,
                              "the reader's enum has no such symbols, and no default"},
    [ENUM_SYMBOLS_DEFAULTED] = {"ENUM_SYMBOLS_DEFAULTED", JUDGED_WARNED,
                                "the reader's enum has no such symbols: its default is read"},
    [READER_FIELD_MISSING_DEFAULT_VALUE] = {"READER_FIELD_MISSING_DEFAULT_VALUE", JUDGED_BROKEN,
                                            "the writer does not have the field, and it has no "
                                            "default"},
    [MISSING_UNION_BRANCH] = {"MISSING_UNION_BRANCH", JUDGED_BROKEN,
                              "no type of the reader's union takes it"},
    [JSON_TYPE_NARROWED] = {"TYPE_NARROWED", JUDGED_BROKEN,
                            "the reader does not allow these types"},
    [JSON_ENUM_ADDED] = {"ENUM_ARRAY_ADDED", JUDGED_BROKEN, "only listed values are allowed now"},
    [JSON_ENUM_NARROWED] = {"ENUM_ARRAY_NARROWED", JUDGED_BROKEN,
                            "the value is not allowed any more"},
    [JSON_MINIMUM_ADDED] = {"MINIMUM_ADDED", JUDGED_BROKEN, "smaller numbers are refused"},
    [JSON_MINIMUM_INCREASED] = {"MINIMUM_INCREASED", JUDGED_BROKEN, "smaller numbers are refused"},
    [JSON_MAXIMUM_ADDED] = {"MAXIMUM_ADDED", JUDGED_BROKEN, "larger numbers are refused"},
    [JSON_MAXIMUM_DECREASED] = {"MAXIMUM_DECREASED", JUDGED_BROKEN, "larger numbers are refused"},
    [JSON_MIN_LENGTH_ADDED] = {"MIN_LENGTH_ADDED", JUDGED_BROKEN, "shorter texts are refused"},
    [JSON_MIN_LENGTH_INCREASED] = {"MIN_LENGTH_INCREASED", JUDGED_BROKEN,
                                   "shorter texts are refused"},
    [JSON_MAX_LENGTH_ADDED] = {"MAX_LENGTH_ADDED", JUDGED_BROKEN, "longer texts are refused"},
    [JSON_MAX_LENGTH_DECREASED] = {"MAX_LENGTH_DECREASED", JUDGED_BROKEN,
                                   "longer texts are refused"},
    [JSON_MIN_ITEMS_ADDED] = {"MIN_ITEMS_ADDED", JUDGED_BROKEN, "shorter arrays are refused"},
    [JSON_MIN_ITEMS_INCREASED] = {"MIN_ITEMS_INCREASED", JUDGED_BROKEN,
                                  "shorter arrays are refused"},
    [JSON_MAX_ITEMS_ADDED] = {"MAX_ITEMS_ADDED", JUDGED_BROKEN, "longer arrays are refused"},
    [JSON_MAX_ITEMS_DECREASED] = {"MAX_ITEMS_DECREASED", JUDGED_BROKEN,
                                  "longer arrays are refused"},
    [JSON_MIN_PROPERTIES_ADDED] = {"MIN_PROPERTIES_ADDED", JUDGED_BROKEN,
                                   "objects with fewer members are refused"},
    [JSON_MIN_PROPERTIES_INCREASED] = {"MIN_PROPERTIES_INCREASED", JUDGED_BROKEN,
                                       "objects with fewer members are refused"},
    [JSON_MAX_PROPERTIES_ADDED] = {"MAX_PROPERTIES_ADDED", JUDGED_BROKEN,
                                   "objects with more members are refused"},
    [JSON_MAX_PROPERTIES_DECREASED] = {"MAX_PROPERTIES_DECREASED", JUDGED_BROKEN,
                                       "objects with more members are refused"},
    [JSON_PATTERN_CHANGED] = {"PATTERN_CHANGED", JUDGED_BROKEN,
                              "texts that matched the old pattern may not match this one"},
    [JSON_FORMAT_CHANGED] = {"FORMAT_CHANGED", JUDGED_BROKEN,
                             "texts of another format are refused"},
    [JSON_MULTIPLE_OF_ADDED] = {"MULTIPLE_OF_ADDED", JUDGED_BROKEN, "other numbers are refused"},
    [JSON_MULTIPLE_OF_CHANGED] = {"MULTIPLE_OF_CHANGED", JUDGED_BROKEN,
                                  "other numbers are refused"},
    [JSON_UNIQUE_ITEMS_ADDED] = {"UNIQUE_ITEMS_ADDED", JUDGED_BROKEN, "elements must differ now"},
    [JSON_REQUIRED_PROPERTY_ADDED] =
        {"REQUIRED_PROPERTY_ADDED", JUDGED_BROKEN,
         "the property is required now: payloads without it are refused"},
    [JSON_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL] =
        {"PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", JUDGED_WARNED,
         "the property has a meaning now: payloads that had it with another one, which was "
         "allowed, are refused"},
    [JSON_PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL] =
        {"PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", JUDGED_BROKEN,
         "the property is refused where it comes"},
    [JSON_ADDITIONAL_PROPERTIES_REMOVED] = {"ADDITIONAL_PROPERTIES_REMOVED", JUDGED_BROKEN,
                                            "properties that are not listed are refused now"},
    [JSON_COMBINED_TYPE_CHANGED] = {"COMBINED_TYPE_CHANGED", JUDGED_BROKEN,
                                    "no branch takes what was allowed"},
    [JSON_COMBINED_TYPE_SUBSCHEMAS_CHANGED] = {"COMBINED_TYPE_SUBSCHEMAS_CHANGED", JUDGED_BROKEN,
                                               "no branch takes what this one allowed"},
    [JSON_NOT_JUDGED] =
        {"NOT_JUDGED", JUDGED_WARNED,
         "the keyword changed: whether old payloads keep it cannot be told from the schemas"},
};

const struct change_rule *change_rule(enum change change)
{
    check((unsigned)change < CHANGES);
    return &rules[change];
}
