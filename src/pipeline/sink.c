/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "encode/json_line.h"

struct sink {
    const struct encoder *encoder;
    struct gate *gate;
    bool print;
    struct json_line lines;
};

struct sink *sink_new(const struct encoder *encoder, struct gate *gate, bool print)
{
    struct sink *sink = must_calloc(1, sizeof(*sink));
    sink->encoder = encoder;
    sink->gate = gate;
    sink->print = print;
    return sink;
}

void sink_free(struct sink *sink)
{
    if (sink != NULL) {
        if (sink->gate != NULL) {
            sink->gate->ops->free(sink->gate);
        }
        json_line_release(&sink->lines);
        free(sink);
    }
}

static void append(struct sink *sink, struct event *event)
{
    struct record record;
    struct error error;
    if (event->row.dead == DEAD_NOT && encode_event(sink->encoder, event, &record, &error) == OK) {
        json_line_append(&sink->lines, event, &record, DEAD_NOT, NULL);
        return;
    }
    enum dead_reason reason = event->row.dead == DEAD_NOT ? DEAD_INVALID_EVENT : event->row.dead;
    const char *detail = event->row.dead == DEAD_NOT ? error.what : event->row.detail;
    encode_dead_letter(sink->encoder, event, reason, detail, &record);
    json_line_append(&sink->lines, event, &record, reason, detail);
}

static enum verdict write_out(struct sink *sink, struct error *error)
{
    size_t written = 0;
    while (written < sink->lines.len) {
        ssize_t n = write(STDOUT_FILENO, sink->lines.data + written, sink->lines.len - written);
        if (n > 0) {
            written += (size_t)n;
        } else if (n < 0 && errno != EINTR) {
            error_set(error, FATAL, "standard output cannot be written to: %s", strerror(errno));
            return error_remedy(error, "Whoever reads the output has gone, or the disk is full. "
                                       "Nothing was confirmed: run it again.");
        }
    }
    sink->lines.len = 0;
    return OK;
}

static enum verdict check_event(struct sink *sink, struct event *event, struct error *error)
{
    enum dead_reason reason;
    enum verdict verdict = sink->gate->ops->hold(sink->gate, event, &reason, error);
    if (verdict != REJECT) {
        return verdict;
    }
    event->memory = must_strdup(error->what);
    event->row.dead = reason;
    event->row.detail = event->memory;
    return OK;
}

enum verdict sink_take(struct sink *sink, const struct segment *first, struct error *error)
{
    enum verdict verdict = OK;
    if (!sink->print && sink->gate == NULL) {
        return OK;
    }
    for (const struct segment *segment = first; segment != NULL; segment = segment->next) {
        for (struct event *event = segment->first; verdict == OK && event != NULL;
             event = event->next) {
            if (sink->gate != NULL && event->row.dead == DEAD_NOT) {
                verdict = check_event(sink, event, error);
            }
            if (sink->print && verdict == OK) {
                append(sink, event);
            }
        }
    }
    struct error failure;
    enum verdict written = sink->print ? write_out(sink, &failure) : OK;
    if (verdict == OK && written != OK) {
        verdict = written;
        *error = failure;
    }
    return verdict;
}
