/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "encode/json_line.h"

struct sink {
    const struct encoder *encoder;
    bool print;
    uint64_t events;
};

struct sink *sink_new(const struct encoder *encoder, bool print)
{
    struct sink *sink = must_calloc(1, sizeof(*sink));
    sink->encoder = encoder;
    sink->print = print;
    return sink;
}

void sink_free(struct sink *sink)
{
    free(sink);
}

uint64_t sink_events(const struct sink *sink)
{
    return sink->events;
}
