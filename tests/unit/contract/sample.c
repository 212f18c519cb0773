/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "tests_contracts.h"

const struct pool *sample_pool(void)
{
    static struct pool *pool;
    if (pool == NULL) {
        struct error error;
        struct bytes set = {(const char *)tests_contracts, sizeof(tests_contracts)};
        check(pool_load(set, &pool, &error) == OK);
    }
    return pool;
}

struct bytes sample_copy(struct bytes text)
{
    char *copy = must_malloc(text.len);
    memcpy(copy, text.data, text.len);
    return (struct bytes){copy, text.len};
}

static struct transcoder *transcoder(enum unknown_policy policy)
{
    static struct transcoder *transcoders[2];
    if (transcoders[policy] == NULL) {
        transcoders[policy] = transcoder_new(sample_pool(), policy);
    }
    return transcoders[policy];
}

static const struct message *find(const char *name)
{
    char *full = strchr(name, '.') == NULL ? must_printf("tests.v1.%s", name) : must_strdup(name);
    const struct message *message = pool_message(sample_pool(), bytes_of(full));
    free(full);
    check(message != NULL);
    return message;
}

/* Everything that was returned, so that it is not lost for the leak checker. */
static const char *keep(char *text)
{
    static char *kept[4096];
    static size_t n;
    check(n < sizeof(kept) / sizeof(kept[0]));
    return kept[n++] = text;
}

static char *to_hex(struct bytes bytes)
{
    char *hex = must_malloc(bytes.len * 2 + 1);
    for (size_t i = 0; i < bytes.len; i++) {
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes.data[i]);
    }
    hex[bytes.len * 2] = '\0';
    return hex;
}

/* Spaces between the bytes are for the eye. */
static struct bytes from_hex(const char *hex)
{
    char *bytes = must_malloc(strlen(hex) / 2 + 1);
    size_t len = 0;
    for (const char *at = hex; *at != '\0';) {
        if (*at == ' ') {
            at++;
            continue;
        }
        unsigned byte;
        check(sscanf(at, "%2x", &byte) == 1);
        bytes[len++] = (char)byte;
        at += 2;
    }
    struct bytes exact = sample_copy((struct bytes){bytes, len});
    free(bytes);
    return exact;
}

const char *sample_wire(const char *message, const char *json, enum unknown_policy policy,
                        struct violation *violation)
{
    struct bytes text = sample_copy(bytes_of(json));
    struct bytes wire;
    enum verdict verdict =
        transcode_from_json(transcoder(policy), find(message), text, &wire, violation);
    const char *hex = verdict == OK ? keep(to_hex(wire)) : NULL;
    free((char *)text.data);
    return hex;
}

const char *sample_json(const char *message, const char *hex, struct violation *violation)
{
    struct bytes wire = from_hex(hex);
    struct bytes json;
    enum verdict verdict =
        transcode_to_json(transcoder(UNKNOWN_REJECT), find(message), wire, &json, violation);
    const char *text = verdict == OK ? keep(must_printf("%.*s", (int)json.len, json.data)) : NULL;
    free((char *)wire.data);
    return text;
}
