/* SPDX-License-Identifier: Apache-2.0
 *
 * The client against a server that misbehaves in every way there is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macros.h"
#include "fake_registry.h"
#include "registry/registry.h"

static struct fake_registry fake;
static struct config config;
static atomic_bool stop;
static struct registry *registry;
static struct error error;
static struct registry_found found;
static const struct registry_schema schema = {"PROTOBUF", "message A {}", NULL, 0};
static char cache_file[64];

static void open_registry(const char *url)
{
    config.contracts.registry.url = (char *)url;
    cr_assert_eq(registry_new(&config, &stop, &registry, &error), OK, "%s", error.what);
}

static void begin(void)
{
    setenv("no_proxy", "127.0.0.1", 1);
    fake_registry_start(&fake);
    config.contracts.registry.auth.username = config.contracts.registry.auth.password =
        config.contracts.registry.auth.token = "";
    config.contracts.registry.tls.ca = config.contracts.registry.tls.certificate =
        config.contracts.registry.tls.key = config.contracts.registry.tls.key_password = "";
    config.contracts.registry.cache = "";
    config.contracts.registry.timeout_us = 20 * 1000 * 1000;
    snprintf(cache_file, sizeof(cache_file), "/tmp/walpost-registry-%d", (int)getpid());
    open_registry(fake.url);
}

static void finish(void)
{
    registry_free(registry);
    fake_registry_stop(&fake);
    (void)unlink(cache_file);
}

TestSuite(registry, .init = begin, .fini = finish);

#define WILL(...)                                                  \
    fake_registry_will(&fake, (const struct reply[]){__VA_ARGS__}, \
                       ARRAY_LEN(((struct reply[]){__VA_ARGS__})))

#define GOOD                                    \
    {                                           \
        ANSWER, 200, "{\"id\":7,\"version\":2}" \
    }
#define BROKEN                                                      \
    {                                                               \
        ANSWER, 500, "{\"error_code\":50001,\"message\":\"store\"}" \
    }
#define ABSENT                                                   \
    {                                                            \
        ANSWER, 404, "{\"error_code\":40403,\"message\":\"no\"}" \
    }
#define NOBODY                                                   \
    {                                                            \
        ANSWER, 404, "{\"error_code\":40401,\"message\":\"no\"}" \
    }

static enum verdict resolve(void)
{
    return registry_resolve(registry, "a/b", &schema, &found, &error);
}

Test(registry, what_was_found_is_asked_for_once)
{
    WILL(GOOD);
    cr_expect_not(registry_known(registry, "a/b", &schema, &found));
    cr_assert_eq(resolve(), OK, "%s", error.what);
    cr_expect_eq(found.id, 7);
    cr_expect_eq(found.version, 2);
    cr_assert_eq(resolve(), OK);
    cr_expect(registry_known(registry, "a/b", &schema, &found));
    cr_expect_eq(fake_registry_requests(&fake), 1);
    cr_expect(fake_registry_was_asked(&fake, 0, "POST /subjects/a%2Fb HTTP/1.1\r\n"));
    cr_expect(fake_registry_was_asked(&fake, 0, "\"schema\":\"message A {}\""));
    cr_expect_not(fake_registry_was_asked(&fake, 0, "uthorization"));
}

Test(registry, a_look_up_never_registers)
{
    WILL(ABSENT);
    cr_expect_eq(resolve(), WAIT);
    cr_expect(registry_is_missing(&error));
    WILL(NOBODY);
    cr_expect_eq(resolve(), WAIT);
    WILL(BROKEN);
    cr_expect_eq(resolve(), RETRY);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_not(fake_registry_was_asked(&fake, i, "/versions"));
    }
}

Test(registry, a_schema_in_the_registrys_own_form_is_found_too)
{
    WILL(ABSENT, GOOD);
    cr_expect_eq(resolve(), OK);
    cr_expect(fake_registry_was_asked(&fake, 1, "POST /subjects/a%2Fb?normalize=true HTTP"));
    cr_expect_eq(found.id, 7);
}

Test(registry, a_schema_that_is_refused_waits_where_a_stream_asks)
{
    WILL({ANSWER, 422, "{\"error_code\":42201,\"message\":\"bad\"}"});
    cr_expect_eq(resolve(), WAIT);
    cr_expect_eq(error.verdict, WAIT);
}

static const struct {
    struct reply reply;
    enum verdict verdict;
    const char *part;
} manners[] = {
    {{HANG, 0, NULL}, RETRY, "did not answer within 0.2 s"},
    {{CUT_OFF, 200, NULL}, RETRY, "closed the connection before its answer ended"},
    {{FLOOD, 200, NULL}, WAIT, "is larger than any of a schema registry"},
    {{GARBAGE, 200, NULL}, WAIT, "does not speak HTTP"},
    {{ANSWER, 200, "<html>hello</html>"}, RETRY, "with what no schema registry says: <html>hello"},
    {{ANSWER, 200, "{\"id\":\"7\"}"}, RETRY, "with what no schema registry says: {\"id\":\"7\"}"},
    {{ANSWER, 200, ""}, RETRY, "with what no schema registry says: nothing"},
    {{ANSWER, 500, "<html>oops"}, RETRY, "failed (500)"},
    {{ANSWER, 401, "{}"}, WAIT, "asks for a user or token (401)"},
    {{ANSWER, 403, "{}"}, WAIT, "does not allow this (403)"},
    {{ANSWER, 302, ""}, WAIT, "sends its callers to another address (302)"},
};

Test(registry, no_misbehaviour_becomes_an_id, .timeout = 110)
{
    for (size_t i = 0; i < ARRAY_LEN(manners); i++) {
        registry_free(registry);
        config.contracts.registry.timeout_us = manners[i].reply.manner == HANG ? 200000 : 20000000;
        open_registry(fake.url);
        fake_registry_will(&fake, &manners[i].reply, 1);
        found.id = -1;
        cr_expect_eq(resolve(), manners[i].verdict, "%zu: %s", i, error.what);
        cr_expect_not_null(strstr(error.what, manners[i].part), "%s", error.what);
        cr_expect_neq(error.remedy[0], '\0', "%s", error.what);
        cr_expect_eq(found.id, -1);
        cr_expect_not(registry_known(registry, "a/b", &schema, &found));
    }
}

Test(registry, refused_connections_are_said)
{
    registry_free(registry);
    open_registry("http://127.0.0.1:1");
    cr_expect_eq(resolve(), RETRY);
    cr_expect_str_eq(error.what, "the schema registry at http://127.0.0.1:1 cannot be reached: "
                                 "Connection refused");
}

Test(registry, the_next_address_answers_and_is_the_first_from_then_on)
{
    struct fake_registry other;
    fake_registry_start(&other);
    char both[160];
    snprintf(both, sizeof(both), "http://127.0.0.1:1 , %s/,%s/base//", other.url, fake.url);
    registry_free(registry);
    open_registry(both);
    WILL(GOOD); /* the other one answers 500 */
    cr_assert_eq(resolve(), OK, "%s", error.what);
    cr_expect_eq(fake_registry_requests(&other), 1);
    cr_expect(fake_registry_was_asked(&fake, 0, "POST /base/subjects/a%2Fb HTTP"));
    cr_assert_eq(registry_resolve(registry, "c", &schema, &found, &error), OK);
    cr_expect_eq(fake_registry_requests(&other), 1);
    cr_expect_eq(fake_registry_requests(&fake), 2);
    WILL(BROKEN);
    cr_expect_eq(registry_resolve(registry, "d", &schema, &found, &error), RETRY);
    cr_expect_not_null(strstr(error.what, "none of 3 schema registries is well; the last: "));
    cr_expect_eq(fake_registry_requests(&other), 2); /* each was tried once */
    fake_registry_stop(&other);
}

Test(registry, one_that_refuses_is_believed_before_another_is_asked)
{
    char both[160];
    snprintf(both, sizeof(both), "%s,http://127.0.0.1:1", fake.url);
    registry_free(registry);
    open_registry(both);
    WILL(NOBODY);
    cr_expect_eq(resolve(), WAIT);
    cr_expect_eq(fake_registry_requests(&fake), 1);
}

Test(registry, one_in_trouble_is_left_alone_for_a_while)
{
    WILL(BROKEN);
    cr_assert_eq(resolve(), RETRY);
    int64_t began_us = clock_us();
    size_t calls = 0;
    for (enum verdict verdict = RETRY; verdict == RETRY && calls < 1000; calls++) {
        verdict = resolve();
        if (clock_us() - began_us >= 100 * 1000) {
            break; /* the first pause may be over: it is 100 ms or more */
        }
        cr_expect_eq(verdict, RETRY);
        cr_expect_not_null(strstr(error.what, "failed (500)"));
        cr_expect_eq(fake_registry_requests(&fake), 1);
    }
}

/* --- waiting --- */

struct said {
    size_t times;
    size_t stop_after; /* 0: never */
    char first[128];
};

static void on_say(void *context, uint32_t tries, const struct error *what)
{
    struct said *said = context;
    said->times++;
    cr_expect_eq(tries, said->times);
    if (said->times == 1) {
        snprintf(said->first, sizeof(said->first), "%.120s", what->what);
    }
    if (said->times == said->stop_after) {
        atomic_store(&stop, true);
    }
}

Test(registry, awaiting_ends_when_it_is_there)
{
    struct said said = {0};
    WILL(BROKEN, {CUT_OFF, 200, NULL}, ABSENT, ABSENT, NOBODY, GOOD);
    cr_assert_eq(registry_await(registry, "a", &schema, on_say, &said, &found, &error), OK);
    cr_expect_eq(found.id, 7);
    cr_expect_geq(said.times, 4);
    cr_expect_not_null(strstr(said.first, "failed (500)"));
    cr_expect_eq(fake_registry_requests(&fake), 6);
}

Test(registry, awaiting_ends_when_asked_to_stop)
{
    struct said said = {.stop_after = 2};
    WILL(NOBODY);
    cr_expect_eq(registry_await(registry, "a", &schema, on_say, &said, &found, &error), AGAIN);
    cr_expect_eq(said.times, 2);
}

static void *stop_once_asked(void *context)
{
    (void)context;
    while (fake_registry_requests(&fake) == 0) {
        clock_wait_ms(1);
    }
    atomic_store(&stop, true);
    return NULL;
}

Test(registry, a_request_that_hangs_ends_when_asked_to_stop, .timeout = 60)
{
    struct said said = {0};
    pthread_t thread;
    config.contracts.registry.timeout_us = 60 * 1000 * 1000;
    WILL({HANG, 0, NULL});
    int64_t began_us = clock_us();
    cr_assert_eq(pthread_create(&thread, NULL, stop_once_asked, NULL), 0);
    cr_expect_eq(registry_await(registry, "a", &schema, on_say, &said, &found, &error), AGAIN);
    cr_expect_lt(clock_us() - began_us, 30 * 1000 * 1000);
    cr_expect_eq(said.times, 0);
    pthread_join(thread, NULL);
}

/* --- across restarts --- */

Test(registry, the_cache_answers_while_the_registry_is_away)
{
    char note[REGISTRY_NOTE_SIZE];
    config.contracts.registry.cache = cache_file;
    registry_free(registry);
    open_registry(fake.url);
    WILL(GOOD);
    cr_assert_eq(resolve(), OK);
    cr_expect_not(registry_note(registry, note));
    registry_free(registry);
    open_registry(fake.url);
    WILL(BROKEN);
    found.id = 0;
    cr_expect_eq(resolve(), OK);
    cr_expect_eq(found.id, 7);
    struct registry_schema changed = schema;
    changed.text = "message A { }";
    cr_expect_eq(registry_resolve(registry, "a/b", &changed, &found, &error), RETRY);
    cr_expect_eq(fake_registry_requests(&fake), 1);
}

Test(registry, a_damaged_cache_is_said_once_and_asked_again)
{
    char note[REGISTRY_NOTE_SIZE];
    FILE *file = fopen(cache_file, "we");
    fputs("walpost registry cache 1\n", file);
    fclose(file);
    config.contracts.registry.cache = cache_file;
    registry_free(registry);
    open_registry(fake.url);
    cr_assert(registry_note(registry, note));
    cr_expect_not_null(strstr(note, "is damaged"), "%s", note);
    cr_expect_not(registry_note(registry, note));
    WILL(GOOD);
    cr_assert_eq(resolve(), OK);
    cr_expect_not(registry_note(registry, note));
    registry_free(registry);
    open_registry(fake.url);
    cr_expect_not(registry_note(registry, note));
    cr_expect(registry_known(registry, "a/b", &schema, &found));
}

Test(registry, a_cache_that_cannot_be_written_stops_nothing)
{
    char note[REGISTRY_NOTE_SIZE];
    config.contracts.registry.cache = "/nowhere/cache";
    registry_free(registry);
    open_registry(fake.url);
    WILL(GOOD);
    cr_assert_eq(resolve(), OK);
    cr_assert(registry_note(registry, note));
    cr_expect_not_null(strstr(note, "/nowhere/cache cannot be written"), "%s", note);
}

/* --- logging in --- */

Test(registry, a_user_is_sent_and_never_shown)
{
    config.contracts.registry.auth.username = "me";
    config.contracts.registry.auth.password = "hunter2";
    WILL({ANSWER, 500, "{\"error_code\":500,\"message\":\"Basic bWU6aHVudGVyMg== me:hunter2\"}"});
    cr_expect_eq(resolve(), RETRY);
    cr_expect(fake_registry_was_asked(&fake, 0, "Authorization: Basic bWU6aHVudGVyMg==\r\n"));
    cr_expect_not_null(strstr(error.what, "failed (500): Basic **************** me:*******"), "%s",
                       error.what);
}

Test(registry, a_token_is_sent_and_never_shown)
{
    config.contracts.registry.auth.token = "t0ken";
    WILL({ANSWER, 200, "you said t0ken"});
    cr_expect_eq(resolve(), RETRY);
    cr_expect(fake_registry_was_asked(&fake, 0, "Authorization: Bearer t0ken\r\n"));
    cr_expect_not_null(strstr(error.what, "you said *****"), "%s", error.what);
    cr_expect_null(strstr(error.what, "t0ken"), "%s", error.what);
}

/* --- the other questions --- */

Test(registry, levels)
{
    char level[REGISTRY_LEVEL_SIZE];
    WILL({ANSWER, 200, "{\"compatibilityLevel\":\"FULL\"}"});
    cr_assert_eq(registry_level(registry, NULL, level, &error), OK);
    cr_expect_str_eq(level, "FULL");
    cr_expect(fake_registry_was_asked(&fake, 0, "GET /config HTTP"));
    WILL({ANSWER, 404, "{\"error_code\":40408,\"message\":\"none\"}"});
    cr_assert_eq(registry_level(registry, "a", level, &error), OK);
    cr_expect_str_eq(level, "");
    WILL({ANSWER, 200, "{\"compatibility\":\"FULL\"}"});
    cr_assert_eq(registry_set_level(registry, "a", "FULL", &error), OK);
    cr_expect(fake_registry_was_asked(&fake, 0, "PUT /config/a HTTP"));
    WILL({ANSWER, 200, "{\"compatibility\":\"NONE\"}"}); /* it did something else */
    cr_expect_eq(registry_set_level(registry, "a", "FULL", &error), RETRY);
}

Test(registry, texts_by_id_and_the_newest)
{
    struct registry_text text;
    WILL({ANSWER, 200, "{\"schema\":\"s\",\"schemaType\":\"PROTOBUF\",\"id\":3,\"version\":4}"});
    cr_assert_eq(registry_schema_of(registry, 3, &text, &error), OK);
    cr_expect(fake_registry_was_asked(&fake, 0, "GET /schemas/ids/3 HTTP"));
    cr_expect_str_eq(text.text, "s");
    registry_text_release(&text);
    cr_assert_eq(registry_latest(registry, "a", &found, &text, &error), OK);
    cr_expect(fake_registry_was_asked(&fake, 1, "GET /subjects/a/versions/latest HTTP"));
    cr_expect_eq(found.version, 4);
    registry_text_release(&text);
    WILL({ANSWER, 404, "{\"error_code\":40402,\"message\":\"no\"}"});
    cr_expect_eq(registry_latest(registry, "a", &found, NULL, &error), WAIT);
}

Test(registry, compatibility_in_the_registrys_words)
{
    bool compatible = true;
    char *words = NULL;
    WILL({ANSWER, 200, "{\"is_compatible\":false,\"messages\":[\"no\"]}"});
    cr_assert_eq(registry_test(registry, "a", &schema, &compatible, &words, &error), OK);
    cr_expect_not(compatible);
    cr_expect_str_eq(words, "no");
    free(words);
    WILL(NOBODY);
    cr_assert_eq(registry_test(registry, "a", &schema, &compatible, &words, &error), OK);
    cr_expect(compatible);
}

Test(registry, registering_is_believed_when_it_is_found)
{
    WILL({ANSWER, 200, "{\"id\":7}"}, GOOD);
    cr_assert_eq(registry_register(registry, "a", &schema, &found, &error), OK);
    cr_expect(fake_registry_was_asked(&fake, 0, "POST /subjects/a/versions HTTP"));
    cr_expect(fake_registry_was_asked(&fake, 1, "POST /subjects/a HTTP"));
    WILL({ANSWER, 200, "{\"id\":8}"}, ABSENT);
    cr_expect_eq(registry_register(registry, "b", &schema, &found, &error), WAIT);
    WILL({ANSWER, 409, "{\"error_code\":409,\"message\":\"field 3\"}"});
    cr_expect_eq(registry_register(registry, "c", &schema, &found, &error), FATAL);
    cr_expect_not_null(strstr(error.what, "incompatible: field 3"), "%s", error.what);
}
