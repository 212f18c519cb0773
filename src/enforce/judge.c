/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/judge.h"

#include <stdlib.h>

#include "base/check.h"

/* --- Protobuf --- */

struct protobuf {
    struct judge base;
    struct transcoder *transcoder;
    const struct message *message;
};

static enum verdict check_protobuf(struct judge *judge, struct bytes json, struct room room,
                                   struct bytes *typed, struct violation *violation)
{
    struct protobuf *protobuf = (struct protobuf *)judge;
    return transcode_into(protobuf->transcoder, protobuf->message, json, room, typed, violation);
}

static void free_protobuf(struct judge *judge)
{
    struct protobuf *protobuf = (struct protobuf *)judge;
    transcoder_free(protobuf->transcoder);
    free(protobuf);
}

static struct judge *protobuf_new(const struct schema *schema, enum unknown_policy policy)
{
    static const struct judge_ops ops = {check_protobuf, free_protobuf};
    struct protobuf *protobuf = must_calloc(1, sizeof(*protobuf));
    protobuf->base.ops = &ops;
    protobuf->transcoder = transcoder_new(schema->pool, policy);
    protobuf->message = schema->message;
    return &protobuf->base;
}

/* --- all kinds --- */

struct judge *judge_new(const struct schema *schema, enum unknown_policy policy)
{
    switch (schema->kind) {
    case SCHEMA_PROTOBUF: return protobuf_new(schema, policy);
    }
    check(false);
    return NULL;
}

const char *judge_content_type(enum schema_kind kind, bool framed)
{
    switch (kind) {
    case SCHEMA_PROTOBUF:
        return framed ? "application/vnd.confluent.protobuf" : "application/protobuf";
    }
    check(false);
    return NULL;
}
