/* SPDX-License-Identifier: Apache-2.0
 *
 * Four lanes at one store of contracts, of every kind: each has a gate of its own, and all share
 * what was compiled. Once without a registry, where good payloads pass and bad ones do not; once
 * with one that nobody can reach, whose connections all gates share. What ThreadSanitizer cannot
 * see is compared here: every thread gets the same bytes and the same words. */
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/macros.h"
#include "config/config.h"
#include "enforce/contracts.h"

enum { THREADS = 4, ROUNDS = 2000, ROUNDS_WITHOUT_REGISTRY = 20 };

static const struct {
    const char *name;
    const char *text;
} files[] = {
    {"Order.Placed/v1.proto",
     "syntax = \"proto3\"; package shop.v1;\n"
     "message OrderPlaced { string id = 1; map<string, int64> m = 2; repeated double d = 3; }\n"},
    {"Order.Paid/v1.avsc",
     "{\"type\":\"record\",\"name\":\"Paid\",\"fields\":["
     "{\"name\":\"id\",\"type\":\"string\"},"
     "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"long\"]},\"default\":{}},"
     "{\"name\":\"d\",\"type\":{\"type\":\"array\",\"items\":\"double\"},\"default\":[1,2]}]}"},
    {"Order.Sent/v1.json",
     "{\"definitions\":{\"numbers\":{\"type\":\"array\",\"items\":{\"type\":\"number\","
     "\"multipleOf\":0.5},\"uniqueItems\":true}},\"type\":\"object\",\"properties\":{"
     "\"id\":{\"type\":\"string\",\"pattern\":\"^[a-z]+[0-9]?$\",\"format\":\"hostname\"},"
     "\"d\":{\"$ref\":\"#/definitions/numbers\"},\"m\":{\"patternProperties\":{\"^k\":{\"anyOf\":"
     "[{\"type\":\"integer\"},{\"enum\":[null,\"x\"]}]}}}},\"required\":[\"id\"],"
     "\"additionalProperties\":false}"},
};

static const char *const types[] = {"Order.Placed", "Order.Paid", "Order.Sent", "Order.Lost"};

static const char *const payloads[] = {
    "{\"id\": \"abc1\", \"m\": {\"k\": 5}, \"d\": [0.5, 1.5, 100]}",
    "{\"id\": \"abc\"}",
    "{\"id\": 5}",
    "{\"id\": \"abc\", \"d\": [1, \"x\", 1]}",
    "{\"id\": \"abc\", \"m\": {\"k\": true}}",
    "{\"id\": \"abc\", \"other\": 1}",
    "{\"id\": \"a",
};

struct answer {
    enum verdict verdict;
    enum dead_reason reason;
    struct bytes typed;
    char words[256];
};

struct lane {
    struct contracts *contracts;
    const struct encoder *encoder;
    pthread_t thread;
    int rounds;
    struct answer answers[ARRAY_LEN(types)][ARRAY_LEN(payloads)];
};

/* --- one event ------------------------------------------------------------------------------- */

static void ask(struct lane *lane, struct gate *gate, size_t type, size_t payload,
                struct answer *answer)
{
    static const struct segment segment = {.commit_lsn = 0x16b3748};
    struct event event = {.segment = (struct segment *)&segment, .position = {0x16b3748, 3}};
    struct error error = {.what = ""};
    event.row = (struct row){
        .id = BYTES_LIT("0190a5c4-7b1e-7c3a-9f42-6d1e8b2a4c50"),
        .aggregate_id = BYTES_LIT("order-1001"),
        .event_type = bytes_of(types[type]),
        .payload = bytes_of(payloads[payload]),
    };
    event.key = event.row.aggregate_id;
    event.headroom_size = encode_headroom(lane->encoder, &event.row);
    char *memory = must_malloc(event.headroom_size + event.row.payload.len + 1);
    memcpy(memory + event.headroom_size, event.row.payload.data, event.row.payload.len);
    event.headroom = memory;
    event.row.payload.data = memory + event.headroom_size;
    answer->verdict = gate->ops->hold(gate, &event, &answer->reason, &error);
    answer->typed = BYTES_NULL;
    if (answer->verdict == OK && event.typed.len > 0) {
        char *typed = must_malloc(event.typed.len);
        memcpy(typed, event.typed.data, event.typed.len);
        answer->typed = (struct bytes){typed, event.typed.len};
    }
    snprintf(answer->words, sizeof(answer->words), "%.255s",
             answer->verdict == OK ? "" : error.what);
    free(event.memory);
    free(memory);
}

static bool same(const struct answer *a, const struct answer *b)
{
    return a->verdict == b->verdict && a->typed.len == b->typed.len &&
           (a->typed.len == 0 || memcmp(a->typed.data, b->typed.data, a->typed.len) == 0) &&
           (a->verdict == WAIT || strcmp(a->words, b->words) == 0);
}

static void *run(void *context)
{
    struct lane *lane = context;
    struct gate *gate = contracts_gate(lane->contracts, lane->encoder);
    for (int round = 0; round < lane->rounds; round++) {
        for (size_t i = 0; i < ARRAY_LEN(types) * ARRAY_LEN(payloads); i++) {
            size_t type = i % ARRAY_LEN(types);
            size_t payload = i / ARRAY_LEN(types);
            struct answer *first = &lane->answers[type][payload];
            struct answer answer = {0};
            ask(lane, gate, type, payload, round == 0 ? first : &answer);
            check(round == 0 || same(first, &answer));
            free((char *)answer.typed.data);
        }
    }
    gate->ops->free(gate);
    return NULL;
}

/* --- the store ------------------------------------------------------------------------------- */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    *strrchr(path, '/') = '\0';
    check(mkdir(path, 0700) == 0);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    check(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    (void)stat;
    (void)type;
    (void)place;
    return remove(path);
}

static void run_all(struct config *config, int rounds)
{
    static struct lane lanes[THREADS];
    struct encoder *encoder;
    struct contracts *contracts;
    struct error error;
    atomic_bool stop = false;
    check(encoder_new(config, &encoder, &error) == OK);
    if (contracts_load(config, CONTRACTS_PUBLISH, &stop, &contracts, &error) != OK) {
        fprintf(stderr, "%s\n", error.what);
        check(false);
    }
    for (int i = 0; i < THREADS; i++) {
        lanes[i] = (struct lane){.contracts = contracts, .encoder = encoder, .rounds = rounds};
        check(pthread_create(&lanes[i].thread, NULL, run, &lanes[i]) == 0);
    }
    size_t passed = 0;
    size_t refused = 0;
    for (int i = 0; i < THREADS; i++) {
        check(pthread_join(lanes[i].thread, NULL) == 0);
        for (size_t k = 0; k < ARRAY_LEN(types) * ARRAY_LEN(payloads); k++) {
            struct answer *answer = &lanes[i].answers[0][0] + k;
            passed += answer->verdict == OK;
            refused += answer->verdict == REJECT;
            check(same(answer, &lanes[0].answers[0][0] + k));
        }
    }
    for (int i = 0; i < THREADS; i++) {
        for (size_t k = 0; k < ARRAY_LEN(types) * ARRAY_LEN(payloads); k++) {
            free((char *)(&lanes[i].answers[0][0] + k)->typed.data);
        }
    }
    printf("%zu passed, %zu refused, of each round\n", passed, refused);
    check(refused > 0 && (passed > 0) == (config->contracts.registry.url[0] == '\0'));
    contracts_free(contracts);
    encoder_free(encoder);
}

int main(void)
{
    char folder[] = "/tmp/walpost-race-XXXXXX";
    check(mkdtemp(folder) != NULL);
    struct config config = {
        .stream = "orders",
        .outbox = {.schema_name = "public", .table_name = "outbox_events"},
        .route = {.topic = "outbox.event.{domain}",
                  .key = "{aggregate_id}",
                  .timestamp = "{column:created_at}"},
        .dead_letter_topic = "outbox.dead-letter",
    };
    config.outbox.columns.created_at = "created_at";
    config.outbox.columns.aggregate_id = "aggregate_id";
    config.contracts.dir = folder;
    config.contracts.registry.url = "";
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        write_file(folder, files[i].name, files[i].text);
    }
    run_all(&config, ROUNDS);
    config.value = VALUE_PAYLOAD;
    config.contracts.registry.url = "http://127.0.0.1:1";
    config.contracts.registry.auth.username = config.contracts.registry.auth.password =
        config.contracts.registry.auth.token = "";
    config.contracts.registry.tls.ca = config.contracts.registry.tls.certificate =
        config.contracts.registry.tls.key = config.contracts.registry.tls.key_password = "";
    config.contracts.registry.cache = "";
    config.contracts.registry.subject = SUBJECT_TOPIC_RECORD;
    config.contracts.registry.timeout_us = 1000 * 1000;
    run_all(&config, ROUNDS_WITHOUT_REGISTRY);
    check(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
    return 0;
}
