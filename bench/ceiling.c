/* SPDX-License-Identifier: Apache-2.0
 *
 * A ceiling to measure walpost against: one idempotent producer that sends N records of the same
 * size, with as many bytes of key and headers, and no PostgreSQL in front of it. Prints seconds.
 *
 *   ceiling BOOTSTRAP TOPIC N VALUE_BYTES */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const headers[][2] = {
    {"event_id", "6fa459ea-ee8a-3ca4-894e-db77e160355e"},
    {"event_type", "Order.ItemAdded"},
    {"aggregate_id", "customer-123456"},
    {"trace_id", "6fa459eaee8a3ca4894edb77e160355e"},
    {"span_id", "894edb77e160355e"},
    {"traceparent", "00-6fa459eaee8a3ca4894edb77e160355e-894edb77e160355e-01"},
    {"position", "00000000016B3748.00000003"},
    {"content-type", "application/x-protobuf"},
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "ceiling: %s\n", text);
        exit(2);
    }
}

static void send_one(rd_kafka_t *rk, rd_kafka_topic_t *topic, char *value, size_t size, long i)
{
    char key[32];
    int key_size = snprintf(key, sizeof(key), "customer-%ld", i % 5000);
    rd_kafka_headers_t *list = rd_kafka_headers_new(8);
    for (size_t h = 0; h < sizeof(headers) / sizeof(headers[0]); h++) {
        rd_kafka_header_add(list, headers[h][0], -1, headers[h][1], -1);
    }
    while (rd_kafka_producev(rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_KEY(key, (size_t)key_size),
                             RD_KAFKA_V_VALUE(value, size), RD_KAFKA_V_HEADERS(list),
                             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(rk, 10);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: ceiling BOOTSTRAP TOPIC N VALUE_BYTES\n");
        return 2;
    }
    long n = atol(argv[3]);
    size_t size = (size_t)atol(argv[4]);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    set(conf, "enable.idempotence", "true");
    set(conf, "linger.ms", "5");
    set(conf, "queue.buffering.max.messages", "100000");
    char text[256];
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_metadata(rk, 0, topic, &metadata, 10000);
    rd_kafka_metadata_destroy(metadata);
    char *value = malloc(size);
    for (size_t i = 0; i < size; i++) {
        value[i] = (char)("0123456789abcdef\"{}:"[rand() % 20]);
    }
    double from = now();
    for (long i = 0; i < n; i++) {
        send_one(rk, topic, value, size, i);
        if (i % 1000 == 0) {
            rd_kafka_poll(rk, 0);
        }
    }
    rd_kafka_flush(rk, 60000);
    printf("%.6f\n", now() - from);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    free(value);
    return 0;
}
