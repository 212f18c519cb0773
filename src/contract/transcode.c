/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/transcode.h"

#include <stdlib.h>

#include "base/check.h"
#include "contract/printer.h"
#include "contract/reader.h"

struct transcoder {
    struct reader reader;
    struct printer printer;
};

struct transcoder *transcoder_new(const struct pool *pool, enum unknown_policy policy)
{
    struct transcoder *transcoder = must_calloc(1, sizeof(*transcoder));
    reader_init(&transcoder->reader, pool, policy);
    printer_init(&transcoder->printer, pool);
    return transcoder;
}

void transcoder_free(struct transcoder *transcoder)
{
    if (transcoder != NULL) {
        reader_release(&transcoder->reader);
        printer_release(&transcoder->printer);
        free(transcoder);
    }
}

/* --- JSON -> Protobuf ------------------------------------------------------------------------ */

static void reader_begin(struct reader *reader, struct bytes json, struct violation *violation)
{
    reader->begin = json.data == NULL ? "" : json.data;
    reader->end = reader->begin + json.len;
    reader->violation = violation;
    reader->out.at = reader->out.begin;
    reader->depth = 0;
    reader->left_out = false;
    reader->added = 0;
    reader->n_lengths = 0;
    reader->n_keys = 0;
    reader->n_marks = 0;
}

enum verdict transcode_from_json(struct transcoder *transcoder, const struct message *message,
                                 struct bytes json, struct bytes *wire, struct violation *violation)
{
    struct reader *reader = &transcoder->reader;
    reader_begin(reader, json, violation);
    const char *at = read_message(reader, reader_space(reader, reader->begin), message);
    if (at == NULL) {
        return REJECT;
    }
    at = reader_space(reader, at);
    if (at != reader->end) {
        reader_fail_json(reader, at, "the end of the payload");
        return REJECT;
    }
    if (!reader_finish(reader)) {
        violation_set(violation, VIOLATION_SIZE, 0, "a message below 2 GiB");
        return REJECT;
    }
    *wire = output_bytes(&reader->out);
    return OK;
}

enum verdict transcode_into(struct transcoder *transcoder, const struct message *message,
                            struct bytes json, struct room room, struct bytes *wire,
                            struct violation *violation)
{
    struct output *out = &transcoder->reader.out;
    struct output own = *out;
    if (room.size <= OUTPUT_SLACK) {
        return transcode_from_json(transcoder, message, json, wire, violation);
    }
    *out = (struct output){
        .begin = room.data, .end = room.data + room.size - OUTPUT_SLACK, .borrowed = true};
    enum verdict verdict = transcode_from_json(transcoder, message, json, wire, violation);
    if (out->borrowed) {
        *out = own;
    } else { /* outgrown: what it moved to is the larger one */
        output_release(&own);
    }
    return verdict;
}

/* --- Protobuf -> JSON ------------------------------------------------------------------------ */

enum verdict transcode_to_json(struct transcoder *transcoder, const struct message *message,
                               struct bytes wire, struct bytes *json, struct violation *violation)
{
    struct printer *printer = &transcoder->printer;
    wire.data = wire.data == NULL ? "" : wire.data;
    printer->begin = wire.data;
    printer->violation = violation;
    printer->out.at = printer->out.begin;
    printer->depth = 0;
    printer->n_found = 0;
    if (!print_message(printer, wire, message)) {
        return REJECT;
    }
    *json = output_bytes(&printer->out);
    return OK;
}
