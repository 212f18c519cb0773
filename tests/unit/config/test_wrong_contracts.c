/* SPDX-License-Identifier: Apache-2.0
 *
 * What the keys of contracts.registry must agree on, and exactly what their user reads. */
#include "base/macros.h"
#include "loading.h"

TestSuite(wrong_contracts, .init = in_a_new_folder, .fini = leave_folder);

#define REGISTRY SMALLEST "contracts:\n  registry:\n    "

static const char write_address[] = "Write http://HOST:PORT or https://HOST:PORT, with a path "
                                    "behind it where the registry has one, "
                                    "several addresses separated by commas.";

static const struct {
    const char *text;
    const char *what;
    const char *remedy;
} wrong[] = {
    {REGISTRY "url: registry:8081\n",
     "walpost.yaml:6: contracts.registry.url: an address begins with neither http:// nor https://",
     write_address},
    {REGISTRY "url: \"http://a:8081,\"\n",
     "walpost.yaml:6: contracts.registry.url: an address begins with neither http:// nor https://",
     write_address},
    {REGISTRY "url: \"http://a:8081, ftp://b\"\n",
     "walpost.yaml:6: contracts.registry.url: an address begins with neither http:// nor https://",
     write_address},
    {REGISTRY "url: http://:8081\n",
     "walpost.yaml:6: contracts.registry.url: an address has no host", write_address},
    {REGISTRY "url: \"http://\"\n",
     "walpost.yaml:6: contracts.registry.url: an address begins with neither http:// nor https://",
     write_address},
    {REGISTRY "url: http://a/x?y=1\n",
     "walpost.yaml:6: contracts.registry.url: an address has a character that cannot be there",
     write_address},
    {REGISTRY "url: https://me:hunter2@a\n",
     "walpost.yaml:6: contracts.registry.url: an address has a user or password in it",
     "Addresses are shown in messages: set contracts.registry.auth.username and "
     "contracts.registry.auth.password instead."},
    {REGISTRY "url: http://a\n    auth: {password: hunter2}\n",
     "walpost.yaml:7: contracts.registry.auth.password is set without "
     "contracts.registry.auth.username",
     "Set both, or neither."},
    {REGISTRY "url: http://a\n    auth: {username: me, token: hunter2}\n",
     "walpost.yaml:7: contracts.registry.auth.token and a user do not go together",
     "Set the token, or contracts.registry.auth.username and contracts.registry.auth.password."},
    {REGISTRY "url: http://a\n    auth: {token: Bearer hunter2}\n",
     "walpost.yaml:7: contracts.registry.auth.token has a space or line break in it",
     "Set the token alone, without \"Bearer\" in front of it."},
    {REGISTRY "url: http://a\n    auth: {username: \"me:hunter2\"}\n",
     "walpost.yaml:7: contracts.registry.auth.username has a colon in it",
     "Set the user here and the password in contracts.registry.auth.password."},
    {REGISTRY "url: http://a\n    tls: {ca: ca.pem}\n",
     "walpost.yaml:7: contracts.registry.tls.ca is set, but no address in contracts.registry.url "
     "has https",
     "Write https:// in the address, or remove the key."},
    {REGISTRY "url: https://a\n    tls: {certificate: c.pem}\n",
     "walpost.yaml:7: contracts.registry.tls.certificate is set without contracts.registry.tls.key",
     "Set both, or neither."},
    {REGISTRY "url: https://a\n    tls: {key: k.pem}\n",
     "walpost.yaml:7: contracts.registry.tls.key is set without contracts.registry.tls.certificate",
     "Set both, or neither."},
    {REGISTRY "url: https://a\n    tls: {key_password: hunter2}\n",
     "walpost.yaml:7: contracts.registry.tls.key_password is set without "
     "contracts.registry.tls.key",
     "Set both, or neither."},
    {REGISTRY "cache: c\n",
     "walpost.yaml:6: contracts.registry.cache is set without contracts.registry.url",
     "Set contracts.registry.url, or remove the key."},
    {REGISTRY "subject: topic-record\n",
     "walpost.yaml:6: contracts.registry.subject cannot be \"topic-record\"",
     "Allowed is topic, record or topic_record; the nearest is topic_record."},
    {REGISTRY "timeout: 1h\n", "walpost.yaml:6: contracts.registry.timeout cannot be \"1h\"",
     "Allowed is a time with its unit, from 100ms to 1min, for example 10ms."},
    {SMALLEST "contracts: {on_violation: halt}\n",
     "walpost.yaml:4: contracts.on_violation is set without contracts.dir",
     "Set contracts.dir, so that events are checked, or remove the key."},
    {SMALLEST "contracts: {unknown_fields: ignore}\n",
     "walpost.yaml:4: contracts.unknown_fields is set without contracts.dir",
     "Set contracts.dir, so that events are checked, or remove the key."},
    {SMALLEST "contracts: {dir: a, on_violation: stop}\n",
     "walpost.yaml:4: contracts.on_violation cannot be \"stop\"",
     "Allowed is dead_letter or halt."},
};

Test(wrong_contracts, is_said_with_its_place_and_without_secrets)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct config *config;
        struct error error;
        write_file("walpost.yaml", wrong[i].text);
        cr_expect_eq(load_with(NULL, 0, &config, &error), INVALID, "%s", wrong[i].text);
        cr_expect_str_eq(error.what, wrong[i].what);
        cr_expect_str_eq(error.remedy, wrong[i].remedy);
        cr_expect_null(strstr(error.what, "hunter2"), "%s", error.what);
        config_free(config);
    }
}

Test(wrong_contracts, right_ones_load)
{
    static const char *const right[] = {
        REGISTRY "url: http://a\n",
        REGISTRY "url: \"https://a:1/x/y , HTTP://b:2/\"\n",
        REGISTRY "url: http://[::1]:8081\n",
        REGISTRY "url: http://a\n    auth: {username: me}\n",
        REGISTRY "url: https://a\n    tls: {ca: a, certificate: b, key: c, key_password: d}\n",
        REGISTRY "url: http://a,https://b\n    tls: {ca: a}\n",
        /* turned off by a variable that is not there */
        REGISTRY "url: \"${NO_SUCH_URL:-}\"\n    auth: {username: me, password: x}\n",
        SMALLEST "contracts: {dir: \"\", on_violation: halt}\n",
        SMALLEST "contracts: {on_violation: halt}\nencode: {value: payload}\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        config_free(load_text(right[i]));
    }
    struct config *config = load_text(SMALLEST);
    cr_expect_str_eq(config->contracts.dir, "");
    cr_expect_not(config_checks_contracts(config));
    cr_expect_str_eq(config_contracts_dir(config), "schemas");
    cr_expect_str_eq(config->contracts.registry.url, "");
    cr_expect_str_eq(config->contracts.registry.cache, "");
    cr_expect_eq(config->contracts.registry.timeout_us, 5000000);
    cr_expect_eq(config->contracts.registry.subject, SUBJECT_TOPIC_RECORD);
    config_free(config);
    config = load_text(SMALLEST "encode: {value: payload}\n");
    cr_expect(config_checks_contracts(config));
    cr_expect_str_eq(config_contracts_dir(config), "schemas");
    config_free(config);
    config = load_text(SMALLEST "contracts: {dir: a, unknown_fields: ignore}\n");
    cr_expect(config_checks_contracts(config));
    cr_expect_str_eq(config_contracts_dir(config), "a");
    cr_expect_eq(config->contracts.unknown_fields, UNKNOWN_FIELDS_IGNORE);
    cr_expect_eq(config->contracts.on_violation, ON_VIOLATION_DEAD_LETTER);
    config_free(config);
}
