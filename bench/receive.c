/* SPDX-License-Identifier: Apache-2.0
 *
 * Receives under read_committed and prints, for each record, the milliseconds from the moment that
 * its payload names
 * ("t": microseconds since 1970) to now. Ends after IDLE seconds without a record.
 *
 *   receive BOOTSTRAP TOPIC IDLE_SECONDS */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long wall_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "receive: %s\n", text);
        exit(2);
    }
}

static void print_latency(const rd_kafka_message_t *message)
{
    long long now = wall_us();
    const char *t = memmem(message->payload, message->len, "\"t\": ", 5);
    if (t != NULL) {
        printf("%.3f\n", (double)(now - atoll(t + 5)) / 1000.0);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: receive BOOTSTRAP TOPIC IDLE_SECONDS\n");
        return 2;
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    set(conf, "group.id", "walpost-bench");
    set(conf, "isolation.level", "read_committed");
    set(conf, "fetch.wait.max.ms", "5");
    set(conf, "enable.auto.commit", "false");
    char text[256];
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    rd_kafka_poll_set_consumer(rk);
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    rd_kafka_metadata(rk, 0, topic, &metadata, 10000);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int i = 0; i < metadata->topics[0].partition_cnt; i++) {
        rd_kafka_topic_partition_list_add(list, argv[2], i)->offset = RD_KAFKA_OFFSET_END;
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    fprintf(stderr, "ready\n");
    long long last = wall_us();
    while (wall_us() - last < atoll(argv[3]) * 1000000) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 500);
        if (message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            print_latency(message);
            last = wall_us();
        }
        if (message != NULL) {
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return 0;
}
