/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/secrets.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void hide(char *text, const char *secret)
{
    size_t len = strlen(secret);
    if (len == 0) {
        return;
    }
    for (char *found = strstr(text, secret); found != NULL; found = strstr(found, secret)) {
        memset(found, '*', len);
        found += len;
    }
}

/* What follows "Authorization: Basic ". */
static char *base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text);
    char *encoded = must_calloc(len / 3 + 1, 4 + 1);
    char *at = encoded;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = 0;
        for (size_t j = i; j < i + 3; j++) {
            group = group << 8 | (j < len ? (uint8_t)text[j] : 0);
        }
        for (size_t j = 0; j < 4; j++) {
            *at++ = i + j > len ? '=' : digits[group >> (18 - 6 * j) & 63];
        }
    }
    return encoded;
}

void secrets_hide(const struct config *config, char *text)
{
    char *login = must_printf("%s:%s", config->contracts.registry.auth.username,
                              config->contracts.registry.auth.password);
    char *encoded = base64(login);
    hide(text, encoded);
    hide(text, config->contracts.registry.auth.token);
    hide(text, config->contracts.registry.auth.password);
    free(encoded);
    free(login);
}
