/* SPDX-License-Identifier: Apache-2.0
 *
 * The program that Protobuf's conformance runner talks to: conformance_testee DESCRIPTOR_SET
 *
 * On standard input and output, each with a length of 4 bytes, little-endian, in front:
 *   ConformanceRequest   1 protobuf_payload  2 json_payload  3 requested_output_format (1 Protobuf,
 *                        2 JSON)  4 message_type  5 test_category (3: ignore unknown fields)
 *   ConformanceResponse  1 parse_error  3 protobuf_payload  4 json_payload  5 skipped
 *                        6 serialize_error
 * JSON comes in and Protobuf or JSON goes out; Protobuf comes in and JSON goes out. What walpost
 * has no code for (text format, Protobuf to Protobuf) is skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "contract/output.h"
#include "contract/transcode.h"
#include "contract/wire.h"

enum format { FORMAT_PROTOBUF = 1, FORMAT_JSON = 2 };
enum { CATEGORY_IGNORE_UNKNOWN = 3 };
enum answer {
    ANSWER_PARSE_ERROR = 1,
    ANSWER_PROTOBUF = 3,
    ANSWER_JSON = 4,
    ANSWER_SKIPPED = 5,
    ANSWER_SERIALIZE_ERROR = 6
};

struct request {
    struct bytes protobuf;
    struct bytes json;
    struct bytes type;
    uint64_t format;
    uint64_t category;
};

struct testee {
    struct pool *pool;
    struct transcoder *strict;
    struct transcoder *lenient;
    struct transcoder *printer; /* what one transcoder returns lasts until it is asked again */
    struct output out;
};

static bool read_all(void *to, size_t size)
{
    char *at = to;
    while (size > 0) {
        ssize_t n = read(STDIN_FILENO, at, size);
        if (n <= 0) {
            return false;
        }
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static void write_all(struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes.data, bytes.len);
        check(n > 0);
        bytes.data += n;
        bytes.len -= (size_t)n;
    }
}

static struct request read_request(struct bytes bytes)
{
    struct request request = {0};
    const char *at = bytes.data;
    struct wire_value value;
    while (at < bytes.data + bytes.len) {
        check(wire_next(&at, bytes.data + bytes.len, &value));
        switch (value.number) {
        case 1: request.protobuf = value.data; break;
        case 2: request.json = value.data; break;
        case 3: request.format = value.bits; break;
        case 4: request.type = value.data; break;
        case 5: request.category = value.bits; break;
        default: break;
        }
    }
    return request;
}

static void answer(struct testee *testee, enum answer kind, struct bytes text)
{
    struct output *out = &testee->out;
    uint32_t size = (uint32_t)(1 + varint_size(text.len) + text.len);
    out->at = out->begin;
    output_need(out, sizeof(size) + size);
    output_fixed32(out, size);
    output_byte(out, (char)(kind << 3 | WIRE_LEN));
    output_varint(out, text.len);
    output_copy(out, text.data, text.len);
    write_all(output_bytes(out));
}

static void answer_violation(struct testee *testee, enum answer kind,
                             const struct violation *violation)
{
    struct error error;
    check(violation_error(violation, &error) == REJECT);
    answer(testee, kind, bytes_of(error.what));
}

static void answer_request(struct testee *testee, const struct request *request)
{
    const struct message *message = pool_message(testee->pool, request->type);
    bool from_json = request->json.data != NULL;
    if (bytes_equal(request->type, BYTES_LIT("conformance.FailureSet"))) {
        answer(testee, ANSWER_PROTOBUF, BYTES_LIT("")); /* no failure is known in advance */
        return;
    }
    if (message == NULL) {
        answer(testee, ANSWER_SKIPPED, BYTES_LIT("a message of an edition"));
        return;
    }
    if (!(from_json && (request->format == FORMAT_PROTOBUF || request->format == FORMAT_JSON)) &&
        !(request->protobuf.data != NULL && request->format == FORMAT_JSON)) {
        answer(testee, ANSWER_SKIPPED, BYTES_LIT("walpost has no such conversion"));
        return;
    }
    struct violation violation;
    struct bytes wire = request->protobuf;
    if (from_json) {
        bool ignore = request->category == CATEGORY_IGNORE_UNKNOWN;
        struct transcoder *transcoder = ignore ? testee->lenient : testee->strict;
        if (transcode_from_json(transcoder, message, request->json, &wire, &violation) != OK) {
            answer_violation(testee, ANSWER_PARSE_ERROR, &violation);
            return;
        }
        if (request->format == FORMAT_PROTOBUF) {
            answer(testee, ANSWER_PROTOBUF, wire);
            return;
        }
    }
    struct bytes json;
    if (transcode_to_json(testee->printer, message, wire, &json, &violation) != OK) {
        bool unreadable = violation.kind == VIOLATION_WIRE || violation.kind == VIOLATION_UTF8;
        answer_violation(testee, unreadable ? ANSWER_PARSE_ERROR : ANSWER_SERIALIZE_ERROR,
                         &violation);
        return;
    }
    answer(testee, ANSWER_JSON, json);
}

static struct bytes read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    size_t size = 16 << 20;
    char *text = must_malloc(size);
    size_t len = fread(text, 1, size, file);
    fclose(file);
    return (struct bytes){text, len};
}

int main(int argc, char **argv)
{
    struct testee testee;
    struct error error;
    if (argc != 2) {
        fprintf(stderr, "usage: conformance_testee DESCRIPTOR_SET\n");
        return 2;
    }
    struct bytes set = read_file(argv[1]);
    if (pool_load(set, &testee.pool, &error) != OK) {
        fprintf(stderr, "%s\n", error.what);
        return 2;
    }
    free((char *)set.data);
    testee.strict = transcoder_new(testee.pool, UNKNOWN_REJECT);
    testee.lenient = transcoder_new(testee.pool, UNKNOWN_IGNORE);
    testee.printer = transcoder_new(testee.pool, UNKNOWN_REJECT);
    output_init(&testee.out);
    uint32_t size;
    while (read_all(&size, sizeof(size))) {
        size = le32toh(size);
        char *text = must_malloc(size + 1); /* of exactly its size, so that a sanitizer watches */
        check(read_all(text, size));
        struct request request = read_request((struct bytes){text, size});
        answer_request(&testee, &request);
        free(text);
    }
    output_release(&testee.out);
    transcoder_free(testee.printer);
    transcoder_free(testee.lenient);
    transcoder_free(testee.strict);
    pool_free(testee.pool);
    return 0;
}
