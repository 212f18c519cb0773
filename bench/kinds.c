/* SPDX-License-Identifier: Apache-2.0
 *
 * Payloads held to contracts in JSON Schema and in Avro, on one core.
 *
 *   kinds SCHEMA.json SCHEMA.avsc SECONDS FILE...
 *
 * For each file one line: its name, bytes of JSON, bytes of Avro, then MB of JSON a second: checked
 * by the JSON Schema, encoded as Avro. Each figure is the best of three turns. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "avro/avro_contract.h"
#include "base/check.h"
#include "jsonschema/json_schema.h"

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct bytes read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    check(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t len = (size_t)ftell(file);
    char *data = must_malloc(len + 1);
    rewind(file);
    check(fread(data, 1, len, file) == len && fclose(file) == 0);
    return (struct bytes){data, len};
}

struct contracts {
    struct json_schema *json;
    struct avro_contract *avro;
    struct avro_encoder *encoder;
    struct bytes binary;
};

static enum verdict by_json_schema(struct contracts *contracts, struct bytes payload,
                                   struct violation *violation)
{
    return json_schema_check(contracts->json, payload, violation);
}

static enum verdict by_avro(struct contracts *contracts, struct bytes payload,
                            struct violation *violation)
{
    return avro_encode(contracts->encoder, contracts->avro, payload, &contracts->binary, violation);
}

typedef enum verdict judge_fn(struct contracts *contracts, struct bytes payload,
                              struct violation *violation);

static double rate(judge_fn *judge, struct contracts *contracts, struct bytes payload,
                   double seconds)
{
    struct violation violation = {0};
    double from = cpu_seconds();
    double to = from;
    size_t n = 0;
    while (to - from < seconds) {
        for (size_t i = 0; i < 100000 / payload.len + 1; i++, n++) {
            if (judge(contracts, payload, &violation) != OK) {
                fprintf(stderr, "kinds: %s: expected %s, found %s\n", violation.path,
                        violation.expected, violation.found);
                exit(1);
            }
        }
        to = cpu_seconds();
    }
    return (double)(n * payload.len) / (to - from) / 1e6;
}

int main(int argc, char **argv)
{
    struct contracts contracts;
    struct error error;
    check(argc > 4);
    if (json_schema_load(read_file(argv[1]), &contracts.json, &error) != OK ||
        avro_contract_load(read_file(argv[2]), &contracts.avro, &error) != OK) {
        fprintf(stderr, "kinds: %s\n", error.what);
        return 1;
    }
    contracts.encoder = avro_encoder_new(UNKNOWN_REJECT);
    for (int i = 4; i < argc; i++) {
        struct bytes payload = read_file(argv[i]);
        double best[2] = {0};
        for (int turn = 0; turn < 3; turn++) {
            double found[2] = {rate(by_json_schema, &contracts, payload, atof(argv[3])),
                               rate(by_avro, &contracts, payload, atof(argv[3]))};
            for (int k = 0; k < 2; k++) {
                best[k] = found[k] > best[k] ? found[k] : best[k];
            }
        }
        printf("%s %zu %zu %.1f %.1f\n", argv[i], payload.len, contracts.binary.len, best[0],
               best[1]);
    }
    return 0;
}
