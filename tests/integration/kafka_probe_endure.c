/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_probe.h"

#include <unistd.h>

enum { NUMBERS_A_BATCH = 3 };

struct numbers {
    uint32_t next;
    uint32_t wrong;
};

static void on_number(void *context, int32_t partition, int64_t offset, struct bytes key,
                      struct bytes value)
{
    (void)partition;
    (void)key;
    struct numbers *numbers = context;
    char text[16];
    snprintf(text, sizeof(text), "%.*s", (int)value.len, value.data);
    if ((uint32_t)atoi(text) != numbers->next) {
        printf("     at offset %" PRId64 ": %s instead of %u\n", offset, text, numbers->next);
        numbers->wrong++;
    }
    numbers->next = (uint32_t)atoi(text) + 1;
}

static enum verdict try_numbers(struct producer *producer, const char *topic, uint32_t first,
                                struct error *error)
{
    static char values[NUMBERS_A_BATCH][16];
    struct outcome outcome = {.worst = OK};
    enum verdict verdict = producer->ops->topic(producer, topic, TIMEOUT_MS, error);
    if (verdict == OK) {
        verdict = producer->ops->begin(producer, error);
    }
    uint32_t sent = 0;
    for (; verdict == OK && sent < NUMBERS_A_BATCH; sent++) {
        struct record record;
        snprintf(values[sent], sizeof(values[sent]), "%u", first + sent);
        make_record(&record, topic, 0, "key", bytes_of(values[sent]));
        verdict = producer->ops->send(producer, &record, NULL, error);
    }
    while (verdict == OK && outcome.reports < sent) {
        producer->ops->poll(producer, 100, on_report, &outcome);
        if (outcome.worst != OK) {
            *error = outcome.error;
            verdict = outcome.worst;
        }
    }
    return verdict == OK ? producer->ops->commit(producer, error) : verdict;
}

/* Takes both ids again and asks the topic what has been committed. */
static uint32_t begin_anew(struct probe *probe, struct producer *turns[2], const char *topic)
{
    struct error error;
    for (uint32_t i = 0; i < 2; i++) {
        while (kafka_producer_fence(turns[i], TIMEOUT_MS, &error) != OK) {
            printf("     fence: %s\n", error.what);
            usleep(200000);
        }
    }
    for (;;) {
        struct numbers numbers = {.next = 0};
        enum verdict verdict =
            reader_read(probe->reader, topic, true, TIMEOUT_MS, NULL, on_number, &numbers, &error);
        if (verdict == OK) {
            return numbers.next;
        }
        printf("     read: %s\n", error.what);
    }
}

void probe_endure(struct probe *probe, int seconds)
{
    char topic[64];
    char id[64];
    struct error error;
    struct producer *turns[2];
    uint32_t counts[FATAL + 1] = {0};
    make_topic(probe, "endure", 1, NULL, NULL, topic);
    for (uint32_t i = 0; i < 2; i++) {
        snprintf(id, sizeof(id), "%s.endure.%u", probe->prefix, i);
        turns[i] = open_producer(probe, id);
    }
    uint32_t next = 0;
    uint32_t turn = 0;
    int64_t until_us = clock_us() + (int64_t)seconds * 1000000;
    while (clock_us() < until_us) {
        int64_t since_us = clock_us();
        enum verdict verdict = try_numbers(turns[turn], topic, next, &error);
        counts[verdict]++;
        if (verdict == OK) {
            next += NUMBERS_A_BATCH;
            turn = 1 - turn;
            continue;
        }
        printf("     %.1f s: %s: %s\n", (double)(clock_us() - since_us) / 1e6,
               verdict_name(verdict), error.what);
        if (verdict == ABORT || verdict == RETRY || verdict == WAIT) {
            verdict = turns[turn]->ops->abort(turns[turn], &error);
            usleep(50000);
        }
        if (verdict != OK) {
            uint32_t found = begin_anew(probe, turns, topic);
            printf("     began anew: %s; at %u, found %u\n", error.what, next, found);
            expect(probe, found == next || found == next + NUMBERS_A_BATCH,
                   "what is found is what was there before, or the batch in question too");
            next = found;
        }
    }
    begin_anew(probe, turns, topic);
    struct numbers numbers = {.next = 0};
    must(reader_read(probe->reader, topic, true, TIMEOUT_MS, NULL, on_number, &numbers, &error),
         &error, "read");
    printf("     %u numbers; batches: %u ok, %u abort, %u restart, %u wait, %u retry\n",
           numbers.next, counts[OK], counts[ABORT], counts[RESTART], counts[WAIT], counts[RETRY]);
    expect(probe, numbers.wrong == 0 && numbers.next == next,
           "every number is there exactly once, in order");
    turns[0]->ops->close(turns[0]);
    turns[1]->ops->close(turns[1]);
    drop_topic(probe, topic);
}
