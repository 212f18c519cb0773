/* SPDX-License-Identifier: Apache-2.0 */
#include "config/contracts.h"

#include <string.h>

#include "base/macros.h"

#define REGISTRY "contracts.registry."

static const char *where(const struct settings *settings, const char *path)
{
    const char *set = settings_where(settings, path);
    return set == NULL ? "the configuration" : set;
}

static bool is_set(const char *text)
{
    return text[0] != '\0';
}

/* --- addresses --- */

/* What is behind http:// or https://, or NULL. */
static const char *behind_scheme(const char *url)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0) {
            return url + strlen(schemes[i]);
        }
    }
    return NULL;
}

static enum verdict bad_address(const char *at, const char *why, struct error *error)
{
    error_set(error, INVALID, "%s: " REGISTRY "url: %s", at, why);
    return error_remedy(error,
                        "Write http://HOST:PORT or https://HOST:PORT, with a path behind it where "
                        "the registry has one, several addresses separated by commas.");
}

static enum verdict check_address(const char *at, const char *url, size_t length,
                                  struct error *error)
{
    const char *host = behind_scheme(url);
    const char *end = url + length;
    if (host == NULL || host >= end) {
        return bad_address(at, "an address begins with neither http:// nor https://", error);
    }
    size_t host_length = strcspn(host, "/?#,");
    if (memchr(host, '@', host_length) != NULL) {
        error_set(error, INVALID, "%s: " REGISTRY "url: an address has a user or password in it",
                  at);
        return error_remedy(error, "Addresses are shown in messages: set " REGISTRY
                                   "auth.username and " REGISTRY "auth.password instead.");
    }
    if (host_length == 0 || host[0] == ':') {
        return bad_address(at, "an address has no host", error);
    }
    for (const char *c = url; c < end; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || strchr("?#\"\\<>", *c)) {
            return bad_address(at, "an address has a character that cannot be there", error);
        }
    }
    return OK;
}

static enum verdict check_addresses(const struct settings *settings, const struct config *config,
                                    bool *tls, struct error *error)
{
    const char *at = where(settings, REGISTRY "url");
    const char *url = config->contracts.registry.url;
    *tls = false;
    while (true) {
        url += strspn(url, " ");
        size_t part = strcspn(url, ",");
        size_t length = part;
        while (length > 0 && url[length - 1] == ' ') {
            length--;
        }
        enum verdict verdict = check_address(at, url, length, error);
        if (verdict != OK) {
            return verdict;
        }
        *tls = *tls || strncasecmp(url, "https", 5) == 0;
        if (url[part] == '\0') {
            return OK;
        }
        url += part + 1;
    }
}

/* --- what belongs together --- */

/* "KEY is set, OTHER is not" */
static enum verdict one_without(const struct settings *settings, const char *key, const char *other,
                                struct error *error)
{
    error_set(error, INVALID, "%s: " REGISTRY "%s is set without " REGISTRY "%s",
              settings_where(settings, key), key + strlen(REGISTRY), other);
    return error_remedy(error, "Set both, or neither.");
}

static enum verdict check_login(const struct settings *settings, const struct config *config,
                                struct error *error)
{
    bool username = is_set(config->contracts.registry.auth.username);
    bool password = is_set(config->contracts.registry.auth.password);
    bool token = is_set(config->contracts.registry.auth.token);
    if (strpbrk(config->contracts.registry.auth.token, "\r\n \t") != NULL) {
        error_set(error, INVALID, "%s: " REGISTRY "auth.token has a space or line break in it",
                  where(settings, REGISTRY "auth.token"));
        return error_remedy(error, "Set the token alone, without \"Bearer\" in front of it.");
    }
    if (strchr(config->contracts.registry.auth.username, ':') != NULL) {
        error_set(error, INVALID, "%s: " REGISTRY "auth.username has a colon in it",
                  where(settings, REGISTRY "auth.username"));
        return error_remedy(error,
                            "Set the user here and the password in " REGISTRY "auth.password.");
    }
    if (token && (username || password)) {
        error_set(error, INVALID, "%s: " REGISTRY "auth.token and a user do not go together",
                  where(settings, REGISTRY "auth.token"));
        return error_remedy(error, "Set the token, or " REGISTRY "auth.username and " REGISTRY
                                   "auth.password.");
    }
    if (password && !username) {
        return one_without(settings, REGISTRY "auth.password", "auth.username", error);
    }
    return OK;
}

static enum verdict check_tls(const struct settings *settings, const struct config *config,
                              bool tls, struct error *error)
{
    const struct {
        const char *path;
        const char *value;
    } files[] = {
        {REGISTRY "tls.ca", config->contracts.registry.tls.ca},
        {REGISTRY "tls.certificate", config->contracts.registry.tls.certificate},
        {REGISTRY "tls.key", config->contracts.registry.tls.key},
        {REGISTRY "tls.key_password", config->contracts.registry.tls.key_password},
    };
    for (size_t i = 0; i < ARRAY_LEN(files) && !tls; i++) {
        if (is_set(files[i].value)) {
            error_set(error, INVALID, "%s: %s is set, but no address in " REGISTRY "url has https",
                      where(settings, files[i].path), files[i].path);
            return error_remedy(error, "Write https:// in the address, or remove the key.");
        }
    }
    bool certificate = is_set(config->contracts.registry.tls.certificate);
    bool key = is_set(config->contracts.registry.tls.key);
    if (certificate && !key) {
        return one_without(settings, REGISTRY "tls.certificate", "tls.key", error);
    }
    if (key && !certificate) {
        return one_without(settings, REGISTRY "tls.key", "tls.certificate", error);
    }
    if (is_set(config->contracts.registry.tls.key_password) && !key) {
        return one_without(settings, REGISTRY "tls.key_password", "tls.key", error);
    }
    return OK;
}

/* Nothing below has a use without an address; "" is a registry that was turned off on purpose. */
static enum verdict check_forgotten(const struct settings *settings, struct error *error)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *setting = &settings->items[i];
        if (strncmp(setting->path, REGISTRY, strlen(REGISTRY)) == 0) {
            error_set(error, INVALID, "%s: %s is set without " REGISTRY "url", setting->where,
                      setting->path);
            return error_remedy(error, "Set " REGISTRY "url, or remove the key.");
        }
    }
    return OK;
}

/* What becomes of a violation matters only where there can be one; "" is turned off on purpose. */
static enum verdict check_unused(const struct settings *settings, const struct config *config,
                                 struct error *error)
{
    static const char *const keys[] = {"contracts.on_violation", "contracts.unknown_fields"};
    bool used =
        config_checks_contracts(config) || settings_where(settings, "contracts.dir") != NULL;
    for (size_t i = 0; i < ARRAY_LEN(keys) && !used; i++) {
        const char *at = settings_where(settings, keys[i]);
        if (at != NULL) {
            error_set(error, INVALID, "%s: %s is set without contracts.dir", at, keys[i]);
            return error_remedy(
                error, "Set contracts.dir, so that events are checked, or remove the key.");
        }
    }
    return OK;
}

enum verdict contracts_check(const struct settings *settings, const struct config *config,
                             struct error *error)
{
    enum verdict unused = check_unused(settings, config, error);
    if (unused != OK) {
        return unused;
    }
    if (settings_where(settings, REGISTRY "url") == NULL) {
        return check_forgotten(settings, error);
    }
    if (!is_set(config->contracts.registry.url)) {
        return OK;
    }
    bool tls;
    enum verdict verdict = check_addresses(settings, config, &tls, error);
    if (verdict == OK) {
        verdict = check_login(settings, config, error);
    }
    return verdict != OK ? verdict : check_tls(settings, config, tls, error);
}
