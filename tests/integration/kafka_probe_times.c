/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_probe.h"

#include <sys/resource.h>
#include <unistd.h>

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static double cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* The lane's way: events, the checkpoint record last, all reports, commit. */
static void run_batch(struct producer *producer, const char *events, const char *checkpoint,
                      uint32_t n, struct bytes value)
{
    struct error error;
    struct outcome outcome = {.worst = OK};
    struct record record;
    char key[32];
    must(producer->ops->begin(producer, &error), &error, "begin");
    for (uint32_t i = 0; i <= n; i++) {
        snprintf(key, sizeof(key), "key %u", i);
        make_record(&record, i == n ? checkpoint : events, i == n ? 0 : -1, key, value);
        for (uint32_t h = 0; i < n && h < 10; h++) {
            record.headers[h].name = BYTES_LIT("header_name");
            record.headers[h].value = BYTES_LIT("a value of some 30 bytes here.");
            record.n_headers = h + 1;
        }
        enum verdict verdict;
        while ((verdict = producer->ops->send(producer, &record, NULL, &error)) == AGAIN) {
            producer->ops->poll(producer, 100, on_report, &outcome);
        }
        must(verdict, &error, "send");
        if (i % 512 == 511) {
            producer->ops->poll(producer, 0, on_report, &outcome);
        }
    }
    while (outcome.reports <= n) {
        producer->ops->poll(producer, 100, on_report, &outcome);
    }
    must(outcome.worst, &outcome.error, "report");
    must(producer->ops->commit(producer, &error), &error, "commit");
}

static void time_batches(struct probe *probe, const char *name, uint32_t producers, uint32_t events,
                         uint32_t batches, int64_t every_us, const char *topic,
                         const char *checkpoint)
{
    static char value[500];
    memset(value, 'v', sizeof(value));
    struct producer *turns[2];
    char id[64];
    for (uint32_t i = 0; i < producers; i++) {
        snprintf(id, sizeof(id), "%s.%c", probe->prefix, 'a' + (char)i);
        turns[i] = open_producer(probe, id);
        struct error error;
        must(turns[i]->ops->topic(turns[i], topic, TIMEOUT_MS, &error), &error, "topic");
        must(turns[i]->ops->topic(turns[i], checkpoint, TIMEOUT_MS, &error), &error, "topic");
        int64_t since_us = clock_us();
        run_batch(turns[i], topic, checkpoint, 1, (struct bytes){value, sizeof(value)});
        printf("  first batch of producer %c: %.1f ms\n", 'a' + (char)i,
               (double)(clock_us() - since_us) / 1000);
    }
    int64_t *times = must_calloc(batches, sizeof(*times));
    double cpu_before = cpu_ms();
    int64_t began_us = clock_us();
    for (uint32_t i = 0; i < batches; i++) {
        int64_t due_us = began_us + every_us * i;
        while (every_us > 0 && clock_us() < due_us) {
            usleep((useconds_t)(due_us - clock_us() > 0 ? due_us - clock_us() : 1));
        }
        int64_t since_us = clock_us();
        run_batch(turns[i % producers], topic, checkpoint, events,
                  (struct bytes){value, sizeof(value)});
        times[i] = clock_us() - since_us;
    }
    double seconds = (double)(clock_us() - began_us) / 1e6;
    double cpu = cpu_ms() - cpu_before;
    qsort(times, batches, sizeof(*times), compare_times);
    printf("%-44s p50 %6.2f  p90 %6.2f  p99 %6.2f ms  %7.1f batches/s %9.0f events/s  cpu %.2f ms "
           "a batch\n",
           name, (double)times[batches / 2] / 1000, (double)times[batches * 9 / 10] / 1000,
           (double)times[batches * 99 / 100] / 1000, batches / seconds,
           (double)batches * events / seconds, cpu / batches);
    free(times);
    for (uint32_t i = 0; i < producers; i++) {
        turns[i]->ops->close(turns[i]);
    }
}

static void time_reader(struct probe *probe, const char *topic)
{
    int64_t times[9];
    struct seen seen;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        int64_t since_us = clock_us();
        enum verdict verdict = read_topic(probe, topic, i % 2 == 0, TIMEOUT_MS, &seen);
        times[i] = clock_us() - since_us;
        check(verdict == OK);
        printf("%s%.1f", i == 0 ? "  read (committed, uncommitted in turns): " : " ",
               (double)times[i] / 1000);
    }
    printf(" ms, %u records\n", seen.count);
}

void probe_times(struct probe *probe, uint32_t n)
{
    char events[64];
    char checkpoint[64];
    make_topic(probe, "events", 6, NULL, NULL, events);
    make_topic(probe, "checkpoint", 4, "cleanup.policy", "compact", checkpoint);
    printf("librdkafka %s\n", kafka_library_version());
    time_batches(probe, "1 event, one producer", 1, 1, n, 0, events, checkpoint);
    time_reader(probe, checkpoint);
    time_batches(probe, "1 event, two producers in turns", 2, 1, n, 0, events, checkpoint);
    time_batches(probe, "5 events every 10 ms, two producers", 2, 5, n, 10000, events, checkpoint);
    time_batches(probe, "10000 events, two producers in turns", 2, 10000, n / 10 + 2, 0, events,
                 checkpoint);
    drop_topic(probe, events);
    drop_topic(probe, checkpoint);
}
