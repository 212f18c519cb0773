/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/check.h"
#include "outbox/mapper.h"

enum { TEXT_KEPT = 64 * 1024, NAME_SHOWN = 40 };

/* How much of a member's name a detail shows, for "%.*s": whole characters. */
static int shown(struct bytes name)
{
    size_t len = name.len < NAME_SHOWN ? name.len : NAME_SHOWN;
    while (len < name.len && len > 0 && ((unsigned char)name.data[len] & 0xC0) == 0x80) {
        len--;
    }
    return (int)len;
}

bool mapper_wants_message(const struct mapper *mapper, struct bytes prefix)
{
    return bytes_equal(prefix, mapper->message_prefix);
}

/* Members have the roles' own names; the status belongs to the table alone. */
static enum role role_of(struct bytes name)
{
    for (enum role role = 0; role < ROLES; role++) {
        if (role != ROLE_STATUS && bytes_equal(name, role_names[role])) {
            return role;
        }
    }
    return ROLES;
}

/* What is being read of one message. */
struct reading {
    struct mapper *mapper;
    struct row *row;
    size_t n_members;
    const struct json_value *by_role[ROLES]; /* NULL: no such member */
    size_t n_extra;
    size_t text_used;
};

/* Room for the text of every string with escapes but the payload, so that no view moves. */
static void make_room(struct reading *reading, size_t size)
{
    struct mapper *mapper = reading->mapper;
    if (size > mapper->text_size || mapper->text_size > TEXT_KEPT) {
        mapper->text_size = size > TEXT_KEPT ? size : TEXT_KEPT;
        free(mapper->text);
        mapper->text = must_malloc(mapper->text_size);
    }
}

static bool collect(struct reading *reading, struct bytes content)
{
    struct mapper *mapper = reading->mapper;
    struct json_scan scan;
    struct member member;
    size_t text_size = 0;
    json_begin(&scan, content);
    while (json_next(&scan, &member.name, &member.value)) {
        if (reading->n_members == MEMBERS_MAX) {
            mapper_reject(mapper, reading->row, "the logical message has more than %d members",
                          MEMBERS_MAX);
            return false;
        }
        mapper->members[reading->n_members++] = member;
        text_size += member.name.escaped ? member.name.text.len : 0;
        if (member.value.escaped && role_of(json_inside(&member.name)) != ROLE_PAYLOAD) {
            text_size += member.value.text.len;
        }
    }
    if (scan.trouble != JSON_FINE) {
        mapper_reject(mapper, reading->row, "the logical message is no JSON object: %s",
                      json_trouble_text(scan.trouble));
        return false;
    }
    make_room(reading, text_size);
    return true;
}

/* The text of a string. False, and the row rejected, when it has none. */
static bool string_text(struct reading *reading, struct bytes name, const struct json_value *string,
                        struct bytes *text)
{
    if (!string->escaped) {
        *text = json_inside(string);
        return true;
    }
    struct mapper *mapper = reading->mapper;
    char *to = mapper->text + reading->text_used;
    size_t len;
    check(string->text.len <= mapper->text_size - reading->text_used);
    enum json_trouble trouble = json_unescape(string, to, &len);
    if (trouble != JSON_FINE) {
        mapper_reject(mapper, reading->row, "member \"%.*s\": %s", shown(name), name.data,
                      json_trouble_text(trouble));
        return false;
    }
    reading->text_used += len;
    *text = (struct bytes){to, len};
    return true;
}

static bool add_extra(struct reading *reading, struct bytes name, const struct json_value *value)
{
    struct named_bytes *extra = reading->mapper->member_extra;
    for (size_t i = 0; i < reading->n_extra; i++) {
        if (bytes_equal(extra[i].name, name)) {
            mapper_reject(reading->mapper, reading->row, "member \"%.*s\" is there twice",
                          shown(name), name.data);
            return false;
        }
    }
    struct bytes text = value->kind == JSON_NULL ? BYTES_NULL : value->text;
    if (value->kind == JSON_STRING && !string_text(reading, name, value, &text)) {
        return false;
    }
    extra[reading->n_extra++] = (struct named_bytes){name, text};
    return true;
}

/* Finds out which member is which; a name may have escapes, too. */
static bool sort_out(struct reading *reading)
{
    for (size_t i = 0; i < reading->n_members; i++) {
        const struct member *member = &reading->mapper->members[i];
        struct bytes name;
        if (!string_text(reading, json_inside(&member->name), &member->name, &name)) {
            return false;
        }
        enum role role = role_of(name);
        if (role == ROLES) {
            if (!add_extra(reading, name, &member->value)) {
                return false;
            }
            continue;
        }
        if (reading->by_role[role] != NULL) {
            mapper_reject(reading->mapper, reading->row, "member \"%s\" is there twice",
                          role_names[role].data);
            return false;
        }
        reading->by_role[role] = &member->value;
    }
    return true;
}

/* The value of a member with a role; BYTES_NULL where it is absent, null or, with the row rejected,
 * wrong. */
static struct bytes role_value(struct reading *reading, enum role role)
{
    struct mapper *mapper = reading->mapper;
    struct row *row = reading->row;
    const struct json_value *value = reading->by_role[role];
    const char *name = role_names[role].data;
    struct bytes text = BYTES_NULL;
    if (value == NULL || value->kind == JSON_NULL) {
        if (role < ROLES_REQUIRED) {
            mapper_reject(mapper, row, "member \"%s\" is %s", name,
                          value == NULL ? "missing" : "null");
        }
    } else if (role == ROLE_PAYLOAD || (role == ROLE_HEADERS && value->kind == JSON_OBJECT) ||
               (role == ROLE_SCHEMA_VERSION && value->kind == JSON_NUMBER)) {
        text = value->text;
    } else if (role == ROLE_HEADERS) {
        mapper_reject(mapper, row, "member \"%s\" is no object", name);
    } else if (value->kind != JSON_STRING) {
        mapper_reject(mapper, row, "member \"%s\" is no string", name);
    } else if (string_text(reading, role_names[role], value, &text) && text.len == 0 &&
               role < ROLES_REQUIRED) {
        mapper_reject(mapper, row, "member \"%s\" is empty", name);
    }
    return text;
}

static void read_members(struct reading *reading)
{
    struct bytes values[ROLES];
    struct row *row = reading->row;
    for (enum role role = 0; role < ROLES; role++) {
        values[role] = role_value(reading, role);
    }
    if (row->dead == DEAD_NOT && !is_uuid(values[ROLE_ID])) {
        mapper_reject(reading->mapper, row, "member \"id\" is no UUID");
    }
    struct row read = row_of(values);
    read.message = true;
    read.extra = reading->mapper->member_extra;
    read.n_extra = reading->n_extra;
    if (row->dead != DEAD_NOT) {
        read.dead = row->dead;
        read.detail = row->detail;
        read.payload = row->payload;
        read.unmapped = true;
    }
    *row = read;
}

void mapper_message(struct mapper *mapper, struct bytes content, struct row *row)
{
    *row = (struct row){.payload = content, .message = true, .unmapped = true};
    struct reading reading = {.mapper = mapper, .row = row};
    if (collect(&reading, content) && sort_out(&reading)) {
        read_members(&reading);
    }
}
