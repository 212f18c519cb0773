/* SPDX-License-Identifier: Apache-2.0
 *
 * How the end is found: the high watermark of every partition is asked for first, through the
 * uncommitted handle (a read_committed one is told the last stable offset instead). Then records
 * are read until the position of each partition has reached it. The position of a partition whose
 * last records are invisible (commit markers, aborted records) is only told by the end-of-partition
 * event, whose offset counts them. */
#include "kafka/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "kafka/admin.h"
#include "kafka/verdicts.h"

enum { POLL_MS = 50, FIRST_SLICE_MS = 500 };

struct reader {
    const struct config *config;
    struct client uncommitted;
    struct client committed; /* zeroed until first needed */
    int32_t n_partitions;    /* of the topic that was read last */
};

struct partition {
    int64_t low;  /* the first offset that is still there */
    int64_t high; /* the high watermark, asked for at the start */
    int64_t position;
    bool started;
};

/* One call of reader_read. */
struct reading {
    struct client *client;
    const char *topic;
    rd_kafka_topic_t *handle;
    rd_kafka_queue_t *queue;
    struct partition *partitions;
    int32_t n_partitions;
    int32_t n_unfinished;
    int64_t deadline_us;
    int64_t since_ms;    /* older records in front need not be read; 0: all are */
    int64_t patience_us; /* the deadline moves with every record; 0: it does not */
    reader_scan_fn *fn;
    void *context;
    bool enough;
};

enum verdict reader_new(const struct config *config, struct reader **reader, struct error *error)
{
    struct reader *made = must_calloc(1, sizeof(*made));
    made->config = config;
    enum verdict verdict =
        client_open(&made->uncommitted, config, CLIENT_READ_UNCOMMITTED, NULL, NULL, error);
    if (verdict != OK) {
        free(made);
        return verdict;
    }
    *reader = made;
    return OK;
}

void reader_free(struct reader *reader)
{
    if (reader != NULL) {
        client_close(&reader->committed);
        client_close(&reader->uncommitted);
        free(reader);
    }
}

static int left_ms(const struct reading *reading)
{
    int64_t left = (reading->deadline_us - clock_us()) / 1000;
    return left > 1 ? (int)left : 1;
}

/* --- where the end is ------------------------------------------------------------------------ */

static bool is_stopped(const atomic_bool *stop)
{
    return stop != NULL && atomic_load(stop);
}

/* In growing slices, for the client's question cannot be broken off. */
static enum verdict count_partitions(struct reading *reading, struct client *client,
                                     const atomic_bool *stop, struct error *error)
{
    struct topic_state state;
    enum verdict verdict = RETRY;
    for (int slice_ms = FIRST_SLICE_MS; verdict == RETRY; slice_ms *= 2) {
        int left = left_ms(reading);
        verdict = admin_topic(client, reading->topic, NULL, left < slice_ms ? left : slice_ms,
                              &state, error);
        if (verdict == RETRY && is_stopped(stop)) {
            return error_set(error, AGAIN, "asked to stop");
        }
        if (left <= slice_ms) {
            break;
        }
    }
    if (verdict == OK && !state.exists) {
        enum dead_reason unused;
        verdict = kafka_record_verdict(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, reading->topic, -1,
                                       &unused, error);
    }
    if (verdict == OK) {
        reading->n_partitions = state.partitions;
        reading->partitions = must_calloc((size_t)state.partitions, sizeof(struct partition));
    }
    return verdict;
}

static void advance(struct reading *reading, struct partition *partition, int64_t position)
{
    if (position <= partition->position) {
        return;
    }
    bool was_unfinished = partition->position < partition->high;
    partition->position = position;
    reading->n_unfinished -= was_unfinished && position >= partition->high;
}

static enum verdict find_ends(struct reading *reading, struct client *uncommitted,
                              struct error *error)
{
    for (int32_t i = 0; i < reading->n_partitions; i++) {
        struct partition *partition = &reading->partitions[i];
        rd_kafka_resp_err_t code =
            rd_kafka_query_watermark_offsets(uncommitted->rk, reading->topic, i, &partition->low,
                                             &partition->high, left_ms(reading));
        if (code != 0) {
            char doing[300];
            client_drain(uncommitted);
            snprintf(doing, sizeof(doing), "tell the end of topic \"%s\", partition %d",
                     reading->topic, (int)i);
            return client_failed(uncommitted, code, doing, error);
        }
        partition->position = partition->low;
        reading->n_unfinished += partition->position < partition->high;
    }
    return OK;
}

/* Begins each partition at its first record of since_ms or later. */
static enum verdict skip_older(struct reading *reading, struct client *uncommitted,
                               struct error *error)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(reading->n_partitions);
    for (int32_t i = 0; i < reading->n_partitions; i++) {
        rd_kafka_topic_partition_list_add(list, reading->topic, i)->offset = reading->since_ms;
    }
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(uncommitted->rk, list, left_ms(reading));
    for (int i = 0; i < list->cnt && code == 0; i++) {
        const rd_kafka_topic_partition_t *answer = &list->elems[i];
        struct partition *partition = &reading->partitions[answer->partition];
        code = answer->err;
        /* RD_KAFKA_OFFSET_END: there is none. */
        int64_t first = answer->offset < 0 ? partition->high : answer->offset;
        if (code == 0 && first > partition->low) {
            partition->low = first;
            advance(reading, partition, first);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (code == 0) {
        return OK;
    }
    char doing[300];
    client_drain(uncommitted);
    snprintf(doing, sizeof(doing), "tell where the recent records of topic \"%s\" begin",
             reading->topic);
    return client_failed(uncommitted, code, doing, error);
}

/* --- reading up to it ------------------------------------------------------------------------ */

static enum verdict start(struct reading *reading, struct error *error)
{
    for (int32_t i = 0; i < reading->n_partitions; i++) {
        struct partition *partition = &reading->partitions[i];
        if (partition->position >= partition->high) {
            continue;
        }
        if (rd_kafka_consume_start_queue(reading->handle, i, partition->low, reading->queue) != 0) {
            return client_failed(reading->client, rd_kafka_last_error(), "send records", error);
        }
        partition->started = true;
    }
    return OK;
}

static void stop_reading(struct reading *reading)
{
    for (int32_t i = 0; i < reading->n_partitions; i++) {
        if (reading->partitions[i].started) {
            rd_kafka_consume_stop(reading->handle, i);
        }
    }
}

static bool is_passing(rd_kafka_resp_err_t code)
{
    enum kafka_trouble trouble = kafka_trouble_of(code);
    return trouble == TROUBLE_PASSING || trouble == TROUBLE_UNKNOWN;
}

static void hand_out(struct reading *reading, const rd_kafka_message_t *message)
{
    struct record_header headers[RECORD_HEADERS_MAX];
    struct reader_record record = {
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
        .headers = headers,
    };
    rd_kafka_headers_t *list = NULL;
    if (rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        size_t len = 0;
        const char *name;
        const void *value;
        while (record.n_headers < RECORD_HEADERS_MAX &&
               rd_kafka_header_get_all(list, record.n_headers, &name, &value, &len) ==
                   RD_KAFKA_RESP_ERR_NO_ERROR) {
            headers[record.n_headers++] =
                (struct record_header){bytes_of(name), {value, value == NULL ? 0 : len}};
        }
    }
    reading->enough = !reading->fn(reading->context, &record);
}

static enum verdict take(struct reading *reading, const rd_kafka_message_t *message,
                         struct error *error)
{
    bool known = message->partition >= 0 && message->partition < reading->n_partitions;
    struct partition *partition = known ? &reading->partitions[message->partition] : NULL;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && known) {
        advance(reading, partition, message->offset);
        return OK;
    }
    if (message->err != 0) {
        if (is_passing(message->err)) { /* librdkafka goes on by itself */
            return OK;
        }
        char doing[300];
        snprintf(doing, sizeof(doing), "read topic \"%s\"", reading->topic);
        return client_failed(reading->client, message->err, doing, error);
    }
    if (known && message->offset < partition->high) {
        hand_out(reading, message);
        if (reading->patience_us > 0) {
            reading->deadline_us = clock_us() + reading->patience_us;
        }
    }
    if (known) {
        advance(reading, partition, message->offset + 1);
    }
    return OK;
}

static enum verdict too_slow(struct reading *reading, struct error *error)
{
    client_drain(reading->client);
    if (reading->client->last_code != 0) {
        char doing[300];
        snprintf(doing, sizeof(doing), "read topic \"%s\"", reading->topic);
        return client_failed(reading->client, RD_KAFKA_RESP_ERR__TIMED_OUT, doing, error);
    }
    int32_t i = 0;
    while (reading->partitions[i].position >= reading->partitions[i].high) {
        i++;
    }
    const struct partition *partition = &reading->partitions[i];
    error_set(error, RETRY,
              "topic \"%s\", partition %d was read up to %" PRId64 " of %" PRId64
              " in time; an open transaction of another producer may hide the rest",
              reading->topic, (int)i, partition->position, partition->high);
    error_remedy(
        error,
        "Nothing at first: Kafka ends that transaction after its transaction.timeout.ms. If "
        "it stays for more than 15 minutes it hangs, because Kafka lost its end while the "
        "partition had no leader: look at it with kafka-transactions.sh describe-producers "
        "--topic %s --partition %d, and end it with kafka-transactions.sh abort --topic %s "
        "--partition %d --start-offset %" PRId64 ".",
        reading->topic, (int)i, reading->topic, (int)i, partition->position);
    return RETRY;
}

static enum verdict read_on(struct reading *reading, const atomic_bool *stop, struct error *error)
{
    while (reading->n_unfinished > 0 && !reading->enough) {
        if (is_stopped(stop)) {
            return error_set(error, AGAIN, "asked to stop");
        }
        int left = left_ms(reading);
        rd_kafka_message_t *message =
            rd_kafka_consume_queue(reading->queue, left < POLL_MS ? left : POLL_MS);
        enum verdict verdict = message == NULL ? OK : take(reading, message, error);
        if (message != NULL) {
            rd_kafka_message_destroy(message);
        }
        if (verdict != OK) {
            return verdict;
        }
        if (reading->n_unfinished > 0 && !reading->enough && clock_us() > reading->deadline_us) {
            return too_slow(reading, error);
        }
    }
    return OK;
}

static enum verdict read_all(struct reader *reader, struct reading *reading, bool committed,
                             const atomic_bool *stop, struct error *error)
{
    struct client *client = committed ? &reader->committed : &reader->uncommitted;
    if (client->rk == NULL) {
        enum verdict opened =
            client_open(client, reader->config, CLIENT_READ_COMMITTED, NULL, NULL, error);
        if (opened != OK) {
            return opened;
        }
    }
    reading->client = client;
    enum verdict verdict = count_partitions(reading, client, stop, error);
    if (verdict == OK) {
        verdict = find_ends(reading, &reader->uncommitted, error);
    }
    if (verdict == OK && reading->since_ms > 0) {
        verdict = skip_older(reading, &reader->uncommitted, error);
    }
    if (verdict == OK && reading->n_unfinished > 0) {
        reading->handle = rd_kafka_topic_new(client->rk, reading->topic, NULL);
        reading->queue = rd_kafka_queue_new(client->rk);
        verdict = start(reading, error);
        if (verdict == OK) {
            verdict = read_on(reading, stop, error);
        }
        stop_reading(reading);
        rd_kafka_queue_destroy(reading->queue);
        rd_kafka_topic_destroy(reading->handle);
    }
    reader->n_partitions = reading->n_partitions;
    free(reading->partitions);
    return verdict;
}

struct plain {
    reader_fn *fn;
    void *context;
};

static bool hand_out_plain(void *context, const struct reader_record *record)
{
    const struct plain *plain = context;
    plain->fn(plain->context, record->partition, record->offset, record->key, record->value);
    return true;
}

enum verdict reader_read(struct reader *reader, const char *topic, bool committed, int timeout_ms,
                         const atomic_bool *stop, reader_fn *fn, void *context, struct error *error)
{
    struct plain plain = {fn, context};
    struct reading reading = {
        .topic = topic,
        .deadline_us = clock_us() + (int64_t)timeout_ms * 1000,
        .fn = hand_out_plain,
        .context = &plain,
    };
    return read_all(reader, &reading, committed, stop, error);
}

enum verdict reader_scan(struct reader *reader, const char *topic, int patience_ms,
                         reader_scan_fn *fn, void *context, struct error *error)
{
    return reader_scan_since(reader, topic, 0, patience_ms, NULL, fn, context, error);
}

enum verdict reader_scan_since(struct reader *reader, const char *topic, int64_t since_ms,
                               int patience_ms, const atomic_bool *stop, reader_scan_fn *fn,
                               void *context, struct error *error)
{
    struct reading reading = {
        .topic = topic,
        .since_ms = since_ms,
        .deadline_us = clock_us() + (int64_t)patience_ms * 1000,
        .patience_us = (int64_t)patience_ms * 1000,
        .fn = fn,
        .context = context,
    };
    return read_all(reader, &reading, true, stop, error);
}

int32_t reader_partitions(const struct reader *reader)
{
    return reader->n_partitions;
}
