/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/judge.h"

#include <stdlib.h>

#include "avro/avro_contract.h"
#include "base/check.h"
#include "jsonschema/json_schema.h"

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

/* --- Avro --- */

struct avro {
    struct judge base;
    struct avro_encoder *encoder;
    const struct avro_contract *contract;
};

static enum verdict check_avro(struct judge *judge, struct bytes json, struct room room,
                               struct bytes *typed, struct violation *violation)
{
    struct avro *avro = (struct avro *)judge;
    (void)room; /* how long it gets is known when it is written */
    return avro_encode(avro->encoder, avro->contract, json, typed, violation);
}

static void free_avro(struct judge *judge)
{
    struct avro *avro = (struct avro *)judge;
    avro_encoder_free(avro->encoder);
    free(avro);
}

static struct judge *avro_new(const struct schema *schema, enum unknown_policy policy)
{
    static const struct judge_ops ops = {check_avro, free_avro};
    struct avro *avro = must_calloc(1, sizeof(*avro));
    avro->base.ops = &ops;
    avro->encoder = avro_encoder_new(policy);
    avro->contract = schema->avro;
    return &avro->base;
}

/* --- JSON Schema: what is not listed is for the schema to forbid --- */

struct json {
    struct judge base;
    const struct json_schema *schema;
};

static enum verdict check_json(struct judge *judge, struct bytes json, struct room room,
                               struct bytes *typed, struct violation *violation)
{
    (void)room;
    *typed = BYTES_NULL;
    return json_schema_check(((struct json *)judge)->schema, json, violation);
}

static void free_json(struct judge *judge)
{
    free(judge);
}

static struct judge *json_new(const struct schema *schema)
{
    static const struct judge_ops ops = {check_json, free_json};
    struct json *json = must_calloc(1, sizeof(*json));
    json->base.ops = &ops;
    json->schema = schema->json;
    return &json->base;
}

/* --- all kinds --- */

struct judge *judge_new(const struct schema *schema, enum unknown_policy policy)
{
    switch (schema->kind) {
    case SCHEMA_PROTOBUF: return protobuf_new(schema, policy);
    case SCHEMA_AVRO: return avro_new(schema, policy);
    case SCHEMA_JSON: return json_new(schema);
    }
    check(false);
    return NULL;
}

const char *judge_content_type(enum schema_kind kind, bool framed)
{
    switch (kind) {
    case SCHEMA_PROTOBUF:
        return framed ? "application/vnd.confluent.protobuf" : "application/protobuf";
    case SCHEMA_AVRO: return framed ? "application/vnd.confluent.avro" : "application/avro";
    case SCHEMA_JSON: return framed ? "application/vnd.confluent.json" : "application/json";
    }
    check(false);
    return NULL;
}
